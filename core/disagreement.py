"""Where models disagree: pixels to which their maps give different classes. Needs no reference.

It says that at least one of the maps is wrong there, and never which. Rows are those of
`core.aligned`: one tile under one acquisition. A tile with a side of more than 1,024 pixels is
estimated from a regular sample, so that a look at a list never reads large scenes wholly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from core import pyramid
from core.aligned import common_rows
from core.classes import ClassTable
from core.metrics import confusion
from core.records import Grid, Prediction

SAMPLED_SIDE = 1024

Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class SharedRow:
    """A tile under an acquisition with the map of each model, in the order asked for."""

    tile_id: int
    acquisition_id: int | None
    maps: tuple[Prediction, ...]


@dataclass(frozen=True, eq=False)
class Difference:
    """Pixels in which some maps of one row differ.

    `pixels` have a class in at least one map, and `differing` of them not the same in all.
    `tables` maps the places of two maps to int64 [K+1, K+1]: rows are classes of the first of the
    two, columns of the second, the last of each is no class.
    """

    pixels: int
    differing: int
    tables: dict[tuple[int, int], npt.NDArray[np.int64]]

    @property
    def share(self) -> float:
        """Return the share of pixels that differ, NaN where no map has a class."""
        return self.differing / self.pixels if self.pixels else float("nan")


def shared_rows(found: Sequence[Prediction], models: Sequence[int]) -> list[SharedRow]:
    """Return every row for which all models have a map whose file is there.

    The map of a model without optical input stands in each row of its tile.
    """
    by_model: dict[int, dict[int, dict[int, Prediction]]] = {model: {} for model in models}
    for made in found:
        if made.model_id in by_model and made.path.exists():
            key = -1 if made.acquisition_id is None else made.acquisition_id
            by_model[made.model_id].setdefault(made.tile_id, {})[key] = made
    return [
        SharedRow(
            tile,
            None if date == -1 else date,
            tuple(by_model[m][tile].get(date) or by_model[m][tile][-1] for m in models),
        )
        for tile, date in common_rows(list(by_model.values()))
    ]


def read_maps(row: SharedRow, grid: Grid) -> list[Codes]:
    """Return the class codes of the maps of a row, uint8 of one small shape."""
    step = max(1, -(-max(grid.height, grid.width) // SAMPLED_SIDE))
    shape = (-(-grid.height // step), -(-grid.width // step))
    return [pyramid.small_prediction(made, grid, shape) for made in row.maps]


def difference(maps: Sequence[Codes], classes: ClassTable) -> Difference:
    """Return in how many pixels two or more maps of class codes, uint8 [H, W], differ.

    Pixels to which no map gives a class are left out. Raises `ValueError` when the shapes differ.
    """
    tables = {
        (one, other): confusion(maps[one], maps[other], classes.index_lut)
        for one, other in combinations(range(len(maps)), 2)
    }
    if len(maps) == 2:  # the table says it all
        table = tables[0, 1]
        pixels = int(table.sum() - table[-1, -1])
        return Difference(pixels, pixels - int(np.trace(table[:-1, :-1])), tables)
    apart, known = apart_and_known(maps, classes)
    return Difference(int(known.sum()), int(apart.sum()), tables)


def apart_and_known(
    maps: Sequence[Codes], classes: ClassTable
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return where maps give different classes, and where any gives one, both bool [H, W]."""
    places = np.stack([classes.index_lut[codes] for codes in maps])
    known = (places != 255).any(0)
    return (places != places[0]).any(0) & known, known


def pooled(found: Sequence[Difference]) -> Difference:
    """Return the sum over rows of the same maps; raises `ValueError` when there is none."""
    if not found:
        raise ValueError("no rows to sum")
    return Difference(
        sum(row.pixels for row in found),
        sum(row.differing for row in found),
        {pair: np.sum([row.tables[pair] for row in found], 0) for pair in found[0].tables},
    )
