"""Colours of the overview map: what a footprint shows, in steps whose lightness rises or falls."""

from collections.abc import Sequence
from itertools import pairwise

from app.map import LegendItem
from core.clouds.cover import level_names, level_of
from core.records import TileState

UNKNOWN = "#ffffff"
CLOUD = ("#0b4f63", "#2f7f94", "#7fb0bd", "#b9cfd4", "#e6eaea")
"""From clear ground to a closed deck, dark to light."""

DISAGREEMENT = (
    (0.05, "#f6ebe3"),
    (0.15, "#eebf9f"),
    (0.30, "#d98a63"),
    (0.50, "#b3402e"),
    (1.01, "#6d1d16"),
)
"""Upper edges of the share of pixels that differ, and their colours, light to dark."""

STATES = {
    TileState.NEW: ("#ecece7", "new"),
    TileState.OPENED: ("#b9d3da", "opened"),
    TileState.SKIPPED: ("#d9a441", "skipped"),
    TileState.DONE: ("#0f6e84", "done"),
}


def cover_colour(cover: float | None, edges: Sequence[float]) -> str:
    """Return the colour of a cloud cover from 0 to 1, white where it is unknown."""
    level = level_of(cover, edges)
    if level is None:
        return UNKNOWN
    return CLOUD[round(level * (len(CLOUD) - 1) / max(len(edges) - 2, 1))]


def cover_legend(edges: Sequence[float]) -> list[LegendItem]:
    """Return the levels, clear first, and the sign for unknown."""
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    items = [
        LegendItem(cover_colour(middle, edges), name)
        for middle, name in zip(middles, level_names(edges), strict=True)
    ]
    return [*items, LegendItem(UNKNOWN, "not known")]


def disagreement_colour(share: float | None) -> str:
    """Return the colour of a disagreement from 0 to 1, white where there is no prediction."""
    if share is None:
        return UNKNOWN
    return next(colour for edge, colour in DISAGREEMENT if share < edge)


def disagreement_legend() -> list[LegendItem]:
    """Return the steps, least first, and the sign for tiles without a prediction."""
    items, low = [], 0.0
    for edge, colour in DISAGREEMENT:
        items.append(LegendItem(colour, f"{low * 100:g}-{min(edge, 1) * 100:g} %"))
        low = edge
    return [*items, LegendItem(UNKNOWN, "no prediction")]


def state_colour(state: TileState) -> str:
    """Return the colour of how far the work on a tile has come."""
    return STATES[state][0]


def state_legend() -> list[LegendItem]:
    """Return the states in the order of the work, and the outline of validation tiles."""
    items = [LegendItem(colour, name) for colour, name in STATES.values()]
    return [*items, LegendItem(UNKNOWN, "not editable", dashed=True)]
