"""Many maps on the rows that all of them share: by class, and by cloud level.

Two maps in depth are in `core.comparison`; here each map is a line of its own.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core import bootstrap
from core.aligned import Scored
from core.bootstrap import Score
from core.classes import ClassTable
from core.clouds.cover import level_names
from core.comparison import map_lines
from core.presets import Preset


def score_of(preset: Preset, classes: ClassTable, code: int | None) -> Score:
    """Return what turns matrices into a score: IoU of a class, or with None the leading figure."""
    if code is None:
        return lambda matrix: preset.lead_score(matrix, classes)
    place = classes.codes.index(code)
    return lambda matrix: preset.iou(matrix, classes)[..., place]


def by_class(
    scored: Scored,
    preset: Preset,
    classes: ClassTable,
    *,
    draws: int = bootstrap.DRAWS,
    min_tiles: int = bootstrap.MIN_TILES,
) -> pd.DataFrame:
    """Return one line per map, the best leading figure first.

    `score` with `score_low` and `score_high` is the leading figure with its interval,
    `iou_<code>` the IoU of each class, NaN where it is absent.
    """
    frame = map_lines(scored, score_of(preset, classes, None), preset, classes, draws, min_tiles)
    for place, code in enumerate(classes.codes):
        frame[f"iou_{code}"] = [
            float(preset.iou(scored.total(name), classes)[place]) for name in frame["map"]
        ]
    return frame.sort_values("score", ascending=False, kind="stable").reset_index(drop=True)


def by_level(
    scored: Scored,
    edges: Sequence[float],
    preset: Preset,
    classes: ClassTable,
    code: int | None = None,
    *,
    draws: int = bootstrap.DRAWS,
    min_tiles: int = bootstrap.MIN_TILES,
) -> pd.DataFrame:
    """Return one line per cloud level with rows and map: `level`, mean `cover`, and the score.

    `code` asks for the IoU of one class in place of the leading figure.
    """
    levels, names = scored.levels(edges), level_names(edges)
    score = score_of(preset, classes, code)
    parts = []
    for level, name in enumerate(names):
        part = scored.where(levels == level)
        if part.tiles:
            found = map_lines(part, score, preset, classes, draws, min_tiles)
            found.insert(0, "level", name)
            found.insert(1, "cover", float(part.covers.mean()))
            parts.append(found)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def flat(
    scored: Scored,
    preset: Preset,
    classes: ClassTable,
    code: int | None = None,
    *,
    draws: int = bootstrap.DRAWS,
    min_tiles: int = bootstrap.MIN_TILES,
) -> pd.DataFrame:
    """Return one line per map over all rows, for maps that are the same under any sky."""
    return map_lines(scored, score_of(preset, classes, code), preset, classes, draws, min_tiles)


def levels_wide(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a `by_level` with a line per map and a column of scores per level, in their order."""
    if frame.empty:
        return frame
    levels = list(dict.fromkeys(frame["level"]))
    wide = frame.pivot(index="map", columns="level", values="score")[levels]
    wide["mean of levels"] = wide.mean(axis=1)
    return wide.loc[list(dict.fromkeys(frame["map"]))].reset_index()


def lost(wide: pd.DataFrame) -> pd.Series:
    """Return for each line of `levels_wide` the last level less the first: what clouds cost."""
    levels = [name for name in wide.columns if name not in ("map", "mean of levels")]
    change: pd.Series = wide[levels[-1]] - wide[levels[0]]
    return change.astype(np.float64)
