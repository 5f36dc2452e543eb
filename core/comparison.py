"""Tables of maps scored on the same rows: overall, by cloud level, by class, by tile.

Rows are those of `core.aligned`; they are summed before anything is divided. Groups of any other
kind are in `core.grouping`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from core import bootstrap, metrics
from core.aligned import Scored
from core.bootstrap import Score
from core.boundary import boundary_iou
from core.classes import ClassTable
from core.clouds.cover import level_names
from core.damage import BACKGROUND
from core.presets import Preset, figures_shown


def overall_frame(
    scored: Scored,
    preset: Preset,
    classes: ClassTable,
    *,
    damage: bool = False,
    draws: int = bootstrap.DRAWS,
    min_tiles: int = bootstrap.MIN_TILES,
) -> pd.DataFrame:
    """Return one line per map: the preset's figures, those of its benchmark first, tiles, pixels.

    `score` with `score_low` and `score_high` is the leading figure with its interval. Without maps
    the frame is empty.
    """
    frame = map_lines(
        scored, lambda m: preset.lead_score(m, classes), preset, classes, draws, min_tiles
    )
    totals = [scored.total(name) for name in scored.matrices]
    for figure in reversed(figures_shown(preset, damage=damage)) if totals else ():
        values = [float(preset.figure(figure, total, classes)) for total in totals]
        frame.insert(list(frame).index("score_high") + 1, figure, values)
    return frame


def map_lines(
    scored: Scored,
    score: Score,
    preset: Preset,
    classes: ClassTable,
    draws: int,
    min_tiles: int,
) -> pd.DataFrame:
    """Return one line per map: `score` with its interval, and how much it was scored on."""
    lines: list[Mapping[str, object]] = []
    for name in scored.matrices:
        total = scored.total(name)
        spread = bootstrap.interval(scored.by_tile(name), score, draws=draws, min_tiles=min_tiles)
        counted = preset.counted(total, classes)
        lines.append(
            {
                "map": name,
                "score": float(spread.value),
                "score_low": float(spread.low),
                "score_high": float(spread.high),
                "classes_in_mean": preset.classes_in_mean(total, classes),
                "tiles": scored.tiles,
                "images": len(scored.tile_ids),
                "pixels": int(metrics.reference_pixels(counted).sum()),
            }
        )
    return pd.DataFrame(lines)


def class_frame(
    scored: Scored,
    before: str,
    after: str,
    preset: Preset,
    classes: ClassTable,
    *,
    draws: int = bootstrap.DRAWS,
    min_tiles: int = bootstrap.MIN_TILES,
) -> pd.DataFrame:
    """Return one line per class, the worst change first and absent classes last.

    IoU and F1 of both maps, the paired difference after - before, each IoU with its interval, the
    reference pixels, the tiles that hold the class, and the share of draws without it.
    """
    first, second = scored.by_tile(before), scored.by_tile(after)
    counted = preset.counted(second.sum(0), classes)
    options = {"draws": draws, "min_tiles": min_tiles}

    def iou(matrix: metrics.Matrix) -> metrics.Scores:
        return preset.iou(matrix, classes)

    spread = {
        "before": bootstrap.interval(first, iou, **options),
        "after": bootstrap.interval(second, iou, **options),
        "change": bootstrap.difference(first, second, iou, **options),
    }
    frame = pd.DataFrame(
        {
            "code": classes.codes,
            "class": [entry.name for entry in classes.entries],
            **{
                f"{name}{end}": values
                for name, found in spread.items()
                for end, values in (("", found.value), ("_low", found.low), ("_high", found.high))
            },
            "f1_before": preset.f1(first.sum(0), classes),
            "f1_after": preset.f1(second.sum(0), classes),
            "precision_after": metrics.precision(counted, void_counts=preset.void_counts),
            "recall_after": metrics.recall(counted),
            "pixels": metrics.reference_pixels(preset.counted(first.sum(0), classes)).astype(
                np.int64
            ),
            "tiles": (metrics.reference_pixels(first) > 0).sum(0),
            "lacking": spread["change"].lacking / draws,
        }
    )
    return frame.sort_values("change", na_position="last", kind="stable").reset_index(drop=True)


def change_of_mean(
    scored: Scored,
    before: str,
    after: str,
    preset: Preset,
    classes: ClassTable,
    *,
    draws: int = bootstrap.DRAWS,
    min_tiles: int = bootstrap.MIN_TILES,
) -> bootstrap.Interval:
    """Return the paired difference of the preset's leading figure, after - before."""
    return bootstrap.difference(
        scored.by_tile(before),
        scored.by_tile(after),
        lambda m: preset.lead_score(m, classes),
        draws=draws,
        min_tiles=min_tiles,
    )


def reference_buildings(counted: Scored, name: str, classes: ClassTable) -> npt.NDArray[np.int64]:
    """Return buildings of the reference by class, int64 [K], each once for all images of it.

    `counted` as from `core.aligned.align_buildings`, `name` one of its maps.
    """
    first = np.unique(counted.tile_ids, return_index=True)[1]
    matrices = counted.matrices[name][first].sum(0)
    damage = [code != BACKGROUND for code in classes.codes]
    return np.where(damage, matrices[:-1].sum(1), 0)


def boundary_frame(scored: Scored, preset: Preset, classes: ClassTable) -> pd.DataFrame:
    """Return one line per class of rows of `align_boundaries`: a column per map, and edge pixels.

    The last line, with code -1, is the mean over the preset's classes.
    """
    totals = {name: scored.total(name) for name in scored.matrices}
    values = {name: boundary_iou(counts) for name, counts in totals.items()}
    frame = pd.DataFrame(
        {
            "code": [*classes.codes, -1],
            "class": [*(entry.name for entry in classes.entries), "mean"],
            **{n: [*v, float(preset.mean(v, classes))] for n, v in values.items()},
        }
    )
    edge = next(iter(totals.values()))[1]
    frame["pixels"] = [*edge, edge.sum()]
    return frame


def level_frame(
    scored: Scored,
    edges: Sequence[float],
    preset: Preset,
    classes: ClassTable,
    *,
    draws: int = bootstrap.DRAWS,
    min_tiles: int = bootstrap.MIN_TILES,
) -> pd.DataFrame:
    """Return `overall_frame` by cloud level that has rows, with the level's middle cover."""
    levels, names = scored.levels(edges), level_names(edges)
    lines = []
    for level in range(len(names)):
        part = scored.where(levels == level)
        if part.tiles == 0:
            continue
        found = overall_frame(part, preset, classes, draws=draws, min_tiles=min_tiles)
        found.insert(0, "level", names[level])
        found.insert(1, "cover", float(part.covers.mean()))
        found["images"] = len(part.tile_ids)
        lines.append(found)
    return pd.concat(lines, ignore_index=True) if lines else pd.DataFrame()


def level_class_frame(
    scored: Scored, name: str, edges: Sequence[float], preset: Preset, classes: ClassTable
) -> pd.DataFrame:
    """Return one line per cloud level and class of one map: IoU, pixels, tiles with the class."""
    levels, names = scored.levels(edges), level_names(edges)
    lines = []
    for level, label in enumerate(names):
        part = scored.where(levels == level)
        total, by_tile = part.total(name), part.by_tile(name)
        held = (metrics.reference_pixels(by_tile) > 0).sum(0)
        for entry, value, pixels, tiles in zip(
            classes.entries,
            preset.iou(total, classes),
            metrics.reference_pixels(total),
            held,
            strict=True,
        ):
            lines.append((label, entry.code, entry.name, value, int(pixels), int(tiles)))
    return pd.DataFrame(lines, columns=["level", "code", "class", "iou", "pixels", "tiles"])


def tile_frame(
    scored: Scored, before: str, after: str, preset: Preset, classes: ClassTable
) -> pd.DataFrame:
    """Return one line per row, the lowest score of `after` first.

    Columns `iou_<code>` hold the IoU of `after` in each class, NaN where the row lacks it.
    """
    frame = pd.DataFrame(
        {
            "tile": scored.tile_ids,
            "acquisition": scored.acquisition_ids,
            "cover": scored.covers,
            "before": preset.lead_score(scored.matrices[before], classes),
            "after": preset.lead_score(scored.matrices[after], classes),
        }
    )
    frame["change"] = frame["after"] - frame["before"]
    for code, values in zip(
        classes.codes, preset.iou(scored.matrices[after], classes).T, strict=True
    ):
        frame[f"iou_{code}"] = values
    return frame.sort_values("after", na_position="last", kind="stable").reset_index(drop=True)


def confused_frame(scored: Scored, name: str, reference: int, predicted: int) -> pd.DataFrame:
    """Return the rows in which `name` took one class for another, most pixels first.

    `reference` and `predicted` are indices into the matrix, K for void.
    """
    pixels = scored.matrices[name][:, reference, predicted]
    frame = pd.DataFrame(
        {
            "tile": scored.tile_ids,
            "acquisition": scored.acquisition_ids,
            "cover": scored.covers,
            "pixels": pixels,
            "share": pixels / np.maximum(scored.matrices[name][:, reference].sum(-1), 1),
        }
    )
    found = frame[frame["pixels"] > 0]
    return found.sort_values("pixels", ascending=False, kind="stable").reset_index(drop=True)
