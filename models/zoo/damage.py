"""Networks for building damage from a picture before and one after."""

from models.zoo.entry import Entry

NETWORKS: dict[str, Entry] = {}
