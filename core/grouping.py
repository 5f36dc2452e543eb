"""Scores by any grouping of rows: matrices are summed within a group and divided once.

A *key* says what a group has in common. Cloud level, region, event and its type, and split are
known of a row's tile or image, labeler and provenance of its pixels, and the input of the map
itself. Several keys together make a group for each combination that occurs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core import bootstrap
from core.aligned import Scored
from core.authors import NOBODY
from core.bright import disaster_type
from core.classes import ClassTable, Provenance
from core.clouds.cover import level_names
from core.comparison import overall_frame
from core.presets import Preset

KEYS = {
    "cloud": "cloud level",
    "region": "region",
    "event": "event",
    "type": "disaster type",
    "split": "split",
    "input": "input",
    "labeler": "labeler",
    "provenance": "provenance",
}
OF_PIXELS = frozenset({"labeler", "provenance"})
"""Keys that part the pixels of a tile; they need rows of `aligned.align_parts`."""

PROVENANCE_NAMES = {
    Provenance.PSEUDO: "as it came",
    Provenance.CHANGED: "changed",
    Provenance.VERIFIED: "verified",
    Provenance.MODEL: "accepted from a model",
    Provenance.UNSURE: "unsure",
}
UNKNOWN = "not known"
NOT_RECORDED = "not recorded"

Group = tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """What rows and maps are grouped by: by tile id, by map and by person id."""

    edges: Sequence[float]
    regions: Mapping[int, str] = field(default_factory=dict)
    splits: Mapping[int, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[int, str] = field(default_factory=dict)


def groups(scored: Scored, keys: Sequence[str], facts: Facts) -> dict[Group, Scored]:
    """Return the rows of each combination of row keys that occurs, in a sensible order.

    Every row is in exactly one group, so that sums over groups are the sums over all. "input" is
    no key of rows. Raises `KeyError` for an unknown key.
    """
    named = [_names(scored, key, facts) for key in keys]
    found: dict[tuple[tuple[int, str], ...], list[int]] = {}
    for row in range(len(scored.tile_ids)):
        found.setdefault(tuple(column[row] for column in named), []).append(row)
    every = np.arange(len(scored.tile_ids))
    return {
        tuple(name for _, name in group): scored.where(np.isin(every, found[group]))
        for group in sorted(found)
    }


def group_frame(
    scored: Scored,
    keys: Sequence[str],
    facts: Facts,
    preset: Preset,
    classes: ClassTable,
    *,
    damage: bool = False,
    draws: int = bootstrap.DRAWS,
    min_tiles: int = bootstrap.MIN_TILES,
) -> pd.DataFrame:
    """Return `overall_frame` of each group, with a column per key and the group's name.

    With "input" among the keys there is one line per kind of input instead of one per map: the
    matrices of the maps that see the same are summed.
    """
    rows = [key for key in keys if key != "input"]
    lines = []
    for group, part in groups(scored, rows, facts).items():
        pooled = _by_input(part, facts) if "input" in keys else part
        found = overall_frame(
            pooled, preset, classes, damage=damage, draws=draws, min_tiles=min_tiles
        )
        found.insert(0, "group", " · ".join(group) or "all")
        for place, (key, name) in enumerate(zip(rows, group, strict=True), 1):
            found.insert(place, key, name)
        found["images"] = len(set(zip(part.tile_ids, part.acquisition_ids, strict=True)))
        lines.append(found)
    return pd.concat(lines, ignore_index=True) if lines else pd.DataFrame()


def plain_means(frame: pd.DataFrame, figures: Sequence[str]) -> pd.DataFrame:
    """Return the plain mean over groups of each figure, one line per map, with the groups counted.

    Each group counts the same, whatever its size; groups without the figure are left out. It is
    what BRIGHT reports over events, and another number than the pooled score.
    """
    by_map = frame.groupby("map", sort=False)
    means = by_map[list(figures)].mean()
    means.insert(0, "groups", by_map.size())
    return means.reset_index()


def rows_of(scored: Scored, keys: Sequence[str], facts: Facts, group: str) -> Scored:
    """Return the rows of a group by its name as in `group_frame`, none for an unknown name."""
    found = groups(scored, [key for key in keys if key != "input"], facts)
    by_name = {" · ".join(name) or "all": part for name, part in found.items()}
    return by_name.get(group, scored.where(np.zeros(len(scored.tile_ids), np.bool_)))


def _by_input(scored: Scored, facts: Facts) -> Scored:
    inputs = dict.fromkeys(facts.inputs.get(name, UNKNOWN) for name in scored.matrices)
    summed = {
        seen: np.sum(
            [m for n, m in scored.matrices.items() if facts.inputs.get(n, UNKNOWN) == seen], axis=0
        )
        for seen in inputs
    }
    return Scored(scored.tile_ids, scored.acquisition_ids, scored.covers, summed, scored.parts)


def _names(scored: Scored, key: str, facts: Facts) -> list[tuple[int, str]]:
    """Return (place in order, name) of each row's group under one key."""
    if key == "cloud":
        names = level_names(facts.edges)
        levels = scored.levels(facts.edges)
        return [(int(n), names[n]) if n >= 0 else (len(names), UNKNOWN) for n in levels]
    if key in ("region", "event", "type"):
        regions = [facts.regions.get(int(tile)) or UNKNOWN for tile in scored.tile_ids]
        return [(0, disaster_type(name) if key == "type" else name) for name in regions]
    if key == "split":
        order = ("train", "val", "test")
        splits = [facts.splits.get(int(tile), UNKNOWN) for tile in scored.tile_ids]
        return [(order.index(s) if s in order else len(order), s) for s in splits]
    if key in OF_PIXELS and scored.parts is None:
        raise ValueError(f"{key} needs rows that are parts of tiles")
    if key == "provenance":
        return [_provenance(int(code)) for code in np.asarray(scored.parts)[:, 0]]
    if key == "labeler":
        return [_labeler(int(person), facts) for person in np.asarray(scored.parts)[:, 1]]
    raise KeyError(key)


def _provenance(code: int) -> tuple[int, str]:
    return (code, PROVENANCE_NAMES[Provenance(code)]) if code >= 0 else (99, NOT_RECORDED)


def _labeler(person: int, facts: Facts) -> tuple[int, str]:
    if person == NOBODY:
        return 0, "nobody"
    return (1, facts.people.get(person, UNKNOWN)) if person > 0 else (2, NOT_RECORDED)
