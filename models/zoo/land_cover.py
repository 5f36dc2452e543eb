"""Networks that the field uses for land cover."""

from models.zoo.entry import Entry

NETWORKS: dict[str, Entry] = {}
