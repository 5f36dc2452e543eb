"""Networks that join optical and SAR, and are made for clouds."""

from models.zoo.entry import Entry

NETWORKS: dict[str, Entry] = {}
