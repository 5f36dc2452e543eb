"""Networks on weights that people download themselves."""

from models.zoo.entry import Entry

NETWORKS: dict[str, Entry] = {}
