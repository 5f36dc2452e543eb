"""What stands beside the score of a map: its network, recipe, inputs and size."""

from collections.abc import Mapping
from typing import Any

from core.records import ModelRecord
from models.zoo import NETWORKS
from models.zoo.recipes import RECIPES

NONE = "-"
PLAIN = RECIPES["plain"].title
FACTS = ("network", "recipe", "inputs", "parameters, M")


def facts_of(record: ModelRecord | None) -> dict[str, Any]:
    """Return network, recipe, inputs and millions of parameters of a map; "-" for labels."""
    if record is None:
        return dict(zip(FACTS, (NONE, NONE, NONE, None), strict=True))
    found = (
        network_title(record.network),
        recipe_title(record.card),
        inputs_of(record),
        _millions(record.card),
    )
    return dict(zip(FACTS, found, strict=True))


def network_title(name: str) -> str:
    """Return a network's name for people; that of a network this version lacks as it is."""
    return NETWORKS[name].title if name in NETWORKS else name


def recipe_title(card: Mapping[str, Any]) -> str:
    """Return the recipe that a model was trained by, as its card says; older cards were plain."""
    return str(card.get("recipe") or PLAIN)


def inputs_of(record: ModelRecord) -> str:
    """Return what a model reads, in words."""
    return " + ".join("SAR" if name == "sar" else name for name in record.bands)


def _millions(card: Mapping[str, Any]) -> float | None:
    count = card.get("parameters")
    return count / 1e6 if isinstance(count, int) else None
