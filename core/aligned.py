"""Maps scored on the same rows, so that they can be compared.

A *map* is named by its source without the acquisition: "m3", "label/0" or "label/now". A *row* is
one tile under one acquisition. Maps that know no acquisition (SAR only, labels, imported maps) are
the same under every sky, so their matrix stands in each row of the tile: every map is scored on
the same rows. Rows are summed before anything is divided.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.boundary import stored_counts
from core.clouds.cover import level_of
from core.damage import stored_matrix
from core.parts import Matrices as Parts
from core.parts import Part, stored_parts
from core.scores import Evaluation

Matrices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scored:
    """Matrices of several maps on the same N rows.

    `tile_ids` and `acquisition_ids` are int64 [N] (-1 for no acquisition), `covers` float64 [N]
    (NaN where unknown), `matrices` maps a name to int64 [N, K+1, K+1]. A row may be a part of a
    tile (`core.parts`): `parts` is then int64 [N, 2], provenance code and person id.
    """

    tile_ids: npt.NDArray[np.int64]
    acquisition_ids: npt.NDArray[np.int64]
    covers: Floats
    matrices: Mapping[str, Matrices]
    parts: Matrices | None = None

    @property
    def tiles(self) -> int:
        """Return the number of different tiles."""
        return len(np.unique(self.tile_ids))

    def where(self, rows: npt.NDArray[np.bool_]) -> "Scored":
        """Return the rows that are marked in bool [N]."""
        picked = {name: matrices[rows] for name, matrices in self.matrices.items()}
        parts = None if self.parts is None else self.parts[rows]
        return Scored(
            self.tile_ids[rows], self.acquisition_ids[rows], self.covers[rows], picked, parts
        )

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


def align_boundaries(
    evaluations: Sequence[Evaluation], maps: Sequence[str], covers: Mapping[int, float | None]
) -> Scored:
    """Return the same rows with counts of edge pixels, int64 [N, 3, K] (see `core.boundary`).

    Only evaluations of the width that most of them were counted with are taken.
    """
    widths = [
        e.details["boundary"]["px"] for e in evaluations if e.details and "boundary" in e.details
    ]
    width = max(set(widths), key=widths.count) if widths else None
    counted = [e for e in evaluations if stored_counts(e.details, width) is not None]
    return _align(counted, maps, covers, lambda e: np.asarray(stored_counts(e.details)))


def align_parts(
    evaluations: Sequence[Evaluation],
    maps: Sequence[str],
    covers: Mapping[int, float | None],
    edited: Collection[int],
) -> Scored:
    """Return the rows of `align`, one for each part of a tile's pixels (see `core.parts`).

    `edited` holds the ids of tiles whose label somebody has changed.
    """
    apart: dict[tuple[int, int, str], Parts] = {}
    for e in evaluations:
        key = (e.tile_id, -1 if e.acquisition_id is None else e.acquisition_id, map_of(e.source))
        apart[key] = stored_parts(e.details, e.matrix, edited=e.tile_id in edited)
    whole = align(evaluations, maps, covers)
    rows: list[int] = []
    parts: list[Part] = []
    matrices: dict[str, list[Matrices]] = {name: [] for name in maps}
    for row, (tile, date) in enumerate(zip(whole.tile_ids, whole.acquisition_ids, strict=True)):
        found = {m: apart.get((tile, date, m)) or apart[tile, -1, m] for m in maps}
        nothing = np.zeros_like(whole.matrices[maps[0]][row])
        for part in sorted(set().union(*found.values())):
            rows.append(row)
            parts.append(part)
            for name in maps:
                matrices[name].append(found[name].get(part, nothing))
    size = whole.matrices[maps[0]].shape[1:] if maps else (0, 0)
    return Scored(
        whole.tile_ids[rows],
        whole.acquisition_ids[rows],
        whole.covers[rows],
        {name: np.array(m, np.int64).reshape(len(rows), *size) for name, m in matrices.items()},
        np.array(parts, np.int64).reshape(len(rows), 2),
    )


def _align(
    evaluations: Sequence[Evaluation],
    maps: Sequence[str],
    covers: Mapping[int, float | None],
    matrix_of: Callable[[Evaluation], Matrices],
) -> Scored:
    found: dict[str, dict[int, dict[int, Matrices]]] = {name: {} for name in maps}
    size: tuple[int, ...] = (0, 0)
    for evaluation in evaluations:
        name = map_of(evaluation.source)
        if name in found:
            matrix = matrix_of(evaluation)
            size = matrix.shape
            key = -1 if evaluation.acquisition_id is None else evaluation.acquisition_id
            found[name].setdefault(evaluation.tile_id, {})[key] = matrix
    rows = common_rows(list(found.values()))
    matrices = {
        name: np.array(
            [by_tile[tile].get(acq, by_tile[tile].get(-1)) for tile, acq in rows], np.int64
        ).reshape(len(rows), *size)
        for name, by_tile in found.items()
    }
    cover = [covers.get(acq) for _, acq in rows]
    return Scored(
        np.array([tile for tile, _ in rows], np.int64),
        np.array([acq for _, acq in rows], np.int64),
        np.array([np.nan if c is None else c for c in cover], np.float64),
        matrices,
    )


def common_rows(found: Sequence[Mapping[int, Mapping[int, object]]]) -> list[tuple[int, int]]:
    """Return (tile, acquisition) of every row that all maps have, -1 for no acquisition.

    `found` holds for each map what it has by tile and acquisition.
    """
    if not found:
        return []
    rows: list[tuple[int, int]] = []
    for tile in sorted(set.intersection(*(set(by_tile) for by_tile in found))):
        per_map = [set(by_tile[tile]) for by_tile in found]
        bound = [acquisitions for acquisitions in per_map if -1 not in acquisitions]
        shared = set.intersection(*bound) if bound else {-1}
        rows += [(tile, acquisition) for acquisition in sorted(shared)]
    return rows
