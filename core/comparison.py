"""Maps scored on the same ground: by cloud level, class, region or event, and against each other.

A *map* is named by its source without the acquisition: "m3", "label/0" or "label/now". A *row* is
one tile under one acquisition. Maps that know no acquisition (SAR only, labels, imported maps) are
the same under every sky, so their matrix stands in each row of the tile: every map is scored on
the same rows. Rows are summed before anything is divided.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from core import bootstrap, metrics
from core.classes import ClassTable
from core.cloud import level_names, level_of
from core.damage import stored_matrix
from core.presets import Preset
from core.scores import Evaluation

Matrices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scored:
    """Matrices of several maps on the same N rows.

    `tile_ids` and `acquisition_ids` are int64 [N] (-1 for no acquisition), `covers` float64 [N]
    (NaN where unknown), `matrices` maps a name to int64 [N, K+1, K+1].
    """

    tile_ids: npt.NDArray[np.int64]
    acquisition_ids: npt.NDArray[np.int64]
    covers: Floats
    matrices: Mapping[str, Matrices]

    @property
    def tiles(self) -> int:
        """Return the number of different tiles."""
        return len(np.unique(self.tile_ids))

    def where(self, rows: npt.NDArray[np.bool_]) -> "Scored":
        """Return the rows that are marked in bool [N]."""
        picked = {name: matrices[rows] for name, matrices in self.matrices.items()}
        return Scored(self.tile_ids[rows], self.acquisition_ids[rows], self.covers[rows], picked)

    def levels(self, edges: Sequence[float]) -> npt.NDArray[np.int64]:
        """Return the cloud level of each row, int64 [N]; -1 where the cover is unknown."""
        found = [None if np.isnan(cover) else level_of(cover, edges) for cover in self.covers]
        return np.array([-1 if level is None else level for level in found], np.int64)

    def by_tile(self, name: str) -> Matrices:
        """Return the matrices of one map summed over each tile's rows, int64 [tiles, K+1, K+1]."""
        ids, place = np.unique(self.tile_ids, return_inverse=True)
        matrices = self.matrices[name]
        summed: Matrices = np.zeros((len(ids), *matrices.shape[1:]), np.int64)
        np.add.at(summed, place, matrices)
        return summed

    def total(self, name: str) -> Matrices:
        """Return the matrix of one map summed over all rows, int64 [K+1, K+1]."""
        return np.asarray(self.matrices[name].sum(0), np.int64)


def map_of(source: str) -> str:
    """Return the map that a source belongs to: "m3" for "m3/a17"."""
    return source.split("/a", 1)[0]


def maps_in(evaluations: Iterable[Evaluation]) -> list[str]:
    """Return the maps that were scored, in the order in which they first appear."""
    return list(dict.fromkeys(map_of(evaluation.source) for evaluation in evaluations))


def align(
    evaluations: Sequence[Evaluation], maps: Sequence[str], covers: Mapping[int, float | None]
) -> Scored:
    """Return the rows on which every map was scored.

    `evaluations` share one reference; `covers` maps acquisition ids to cloud cover, 0 to 1.
    """
    return _align(evaluations, maps, covers, lambda evaluation: evaluation.matrix)


def align_buildings(
    evaluations: Sequence[Evaluation], maps: Sequence[str], covers: Mapping[int, float | None]
) -> Scored:
    """Return the same rows with matrices that count buildings (see `core.damage`)."""
    counted = [e for e in evaluations if stored_matrix(e.details) is not None]
    return _align(counted, maps, covers, lambda e: np.asarray(stored_matrix(e.details)))


def _align(
    evaluations: Sequence[Evaluation],
    maps: Sequence[str],
    covers: Mapping[int, float | None],
    matrix_of: Callable[[Evaluation], Matrices],
) -> Scored:
    found: dict[str, dict[int, dict[int, Matrices]]] = {name: {} for name in maps}
    size = 0
    for evaluation in evaluations:
        name = map_of(evaluation.source)
        if name in found:
            matrix = matrix_of(evaluation)
            size = len(matrix)
            key = -1 if evaluation.acquisition_id is None else evaluation.acquisition_id
            found[name].setdefault(evaluation.tile_id, {})[key] = matrix
    rows = _common_rows(list(found.values()))
    matrices = {
        name: np.array(
            [by_tile[tile].get(acq, by_tile[tile].get(-1)) for tile, acq in rows], np.int64
        ).reshape(len(rows), size, size)
        for name, by_tile in found.items()
    }
    cover = [covers.get(acq) for _, acq in rows]
    return Scored(
        np.array([tile for tile, _ in rows], np.int64),
        np.array([acq for _, acq in rows], np.int64),
        np.array([np.nan if c is None else c for c in cover], np.float64),
        matrices,
    )


def _common_rows(found: list[dict[int, dict[int, Matrices]]]) -> list[tuple[int, int]]:
    """Return (tile, acquisition) of every row that all maps have, -1 for no acquisition."""
    if not found:
        return []
    rows: list[tuple[int, int]] = []
    for tile in sorted(set.intersection(*(set(by_tile) for by_tile in found))):
        per_map = [set(by_tile[tile]) for by_tile in found]
        bound = [acquisitions for acquisitions in per_map if -1 not in acquisitions]
        shared = set.intersection(*bound) if bound else {-1}
        rows += [(tile, acquisition) for acquisition in sorted(shared)]
    return rows


def overall_frame(
    scored: Scored,
    preset: Preset,
    classes: ClassTable,
    *,
    draws: int = bootstrap.DRAWS,
    min_tiles: int = bootstrap.MIN_TILES,
) -> pd.DataFrame:
    """Return one line per map: mIoU with interval, OA, AA, F1, kappa, FWIoU, tiles, pixels."""
    lines = []
    for name in scored.matrices:
        total = scored.total(name)
        spread = bootstrap.interval(
            scored.by_tile(name),
            lambda m: preset.mean_iou(m, classes),
            draws=draws,
            min_tiles=min_tiles,
        )
        lines.append(
            {
                "map": name,
                "miou": float(spread.value),
                "miou_low": float(spread.low),
                "miou_high": float(spread.high),
                "classes_in_mean": preset.classes_in_mean(total, classes),
                "overall_accuracy": float(metrics.overall_accuracy(total)),
                "average_accuracy": float(metrics.average_accuracy(total)),
                "mean_f1": float(metrics.mean(metrics.f1(total))),
                "kappa": float(metrics.kappa(total)),
                "fw_iou": float(metrics.frequency_weighted_iou(total)),
                "tiles": scored.tiles,
                "pixels": int(metrics.reference_pixels(total).sum()),
            }
        )
    return pd.DataFrame(lines)


def class_frame(
    scored: Scored,
    before: str,
    after: str,
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
    options = {"draws": draws, "min_tiles": min_tiles}
    spread = {
        "before": bootstrap.interval(first, metrics.iou, **options),
        "after": bootstrap.interval(second, metrics.iou, **options),
        "change": bootstrap.difference(first, second, metrics.iou, **options),
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
            "f1_before": metrics.f1(first.sum(0)),
            "f1_after": metrics.f1(second.sum(0)),
            "precision_after": metrics.precision(second.sum(0)),
            "recall_after": metrics.recall(second.sum(0)),
            "pixels": metrics.reference_pixels(first.sum(0)).astype(np.int64),
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
    """Return the paired difference of the preset's mean IoU, after - before."""
    return bootstrap.difference(
        scored.by_tile(before),
        scored.by_tile(after),
        lambda m: preset.mean_iou(m, classes),
        draws=draws,
        min_tiles=min_tiles,
    )


def level_frame(
    scored: Scored,
    edges: Sequence[float],
    preset: Preset,
    classes: ClassTable,
    *,
    draws: int = bootstrap.DRAWS,
    min_tiles: int = bootstrap.MIN_TILES,
) -> pd.DataFrame:
    """Return one line per map and cloud level that has rows: mIoU, interval, middle cover, n."""
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
    scored: Scored, name: str, edges: Sequence[float], classes: ClassTable
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
            metrics.iou(total),
            metrics.reference_pixels(total),
            held,
            strict=True,
        ):
            lines.append((label, entry.code, entry.name, value, int(pixels), int(tiles)))
    return pd.DataFrame(lines, columns=["level", "code", "class", "iou", "pixels", "tiles"])


def group_frame(
    scored: Scored, groups: Mapping[int, str], preset: Preset, classes: ClassTable
) -> pd.DataFrame:
    """Return one line per group and map, without intervals; `groups` maps tiles to a region.

    For damage it holds the location and damage F1 of BRIGHT too, absent classes left out.
    """
    names = np.array([groups.get(int(tile), "") for tile in scored.tile_ids])
    lines = []
    for group in sorted(set(names)):
        part = scored.where(names == group)
        found = overall_frame(part, preset, classes, draws=1, min_tiles=part.tiles + 1)
        found.insert(0, "group", group)
        totals = [part.total(name) for name in part.matrices]
        found["location_f1"] = [float(metrics.localisation(m)["f1"]) for m in totals]
        found["damage_f1"] = [float(metrics.harmonic_mean(metrics.damage_f1(m))) for m in totals]
        lines.append(found.drop(columns=["miou_low", "miou_high"]))
    return pd.concat(lines, ignore_index=True) if lines else pd.DataFrame()


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
            "before": preset.mean_iou(scored.matrices[before], classes),
            "after": preset.mean_iou(scored.matrices[after], classes),
        }
    )
    frame["change"] = frame["after"] - frame["before"]
    for code, values in zip(classes.codes, metrics.iou(scored.matrices[after]).T, strict=True):
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


def in_words(
    change: bootstrap.Interval, by_class: pd.DataFrame, before: str, after: str, rule: str
) -> str:
    """Return one sentence or two: the change of the mean with its interval, who gained, who lost.

    `by_class` is a `class_frame`; differences are given in points of IoU (hundredths).
    """
    value = float(change.value)
    if np.isnan(value):
        return f"{after} and {before} share no scored class, so there is nothing to compare."
    points = abs(value) * 100
    verb = "gains" if value > 0 else "loses"
    head = f"{after} {verb} {points:.1f} points of mIoU over {before}"
    if points < 0.05:
        head = f"{after} and {before} have the same mIoU"
    low, high = float(change.low) * 100, float(change.high) * 100
    if np.isnan(low):
        doubt = f" ({change.tiles} tiles, too few for an interval)"
    else:
        doubt = f" (95 % interval {low:+.1f} to {high:+.1f}, {change.tiles} tiles)"
        if low <= 0 <= high and points >= 0.05:
            doubt += ", which may be chance"
    return f"{head}{doubt}; {rule}. {_who(by_class)}".strip()


def _who(by_class: pd.DataFrame) -> str:
    known = by_class.dropna(subset=["change"])
    sure = known["change_low"].notna()
    better = known[(known["change"] > 0.005) & (~sure | (known["change_low"] > 0))]
    worse = known[(known["change"] < -0.005) & (~sure | (known["change_high"] < 0))]
    parts = []
    if len(worse):
        parts.append(f"{_list(worse.head(3))} got worse")
    if len(better):
        parts.append(f"{_list(better.tail(3).iloc[::-1])} gained most")
    text = "; ".join(parts)
    return text + "." if text else "No class changed beyond chance."


def _list(lines: pd.DataFrame) -> str:
    named = [
        f"{name} ({change * 100:+.1f})"
        for name, change in zip(lines["class"], lines["change"], strict=True)
    ]
    return named[0] if len(named) == 1 else ", ".join(named[:-1]) + " and " + named[-1]
