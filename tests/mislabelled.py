"""A scene with a systematic error: a lake that the images show and the label calls forest."""

from typing import Any

import numpy as np
import numpy.typing as npt

from core.records import Grid

WATER, TREE = 6, 5


def lake(grid: Grid) -> npt.NDArray[np.bool_]:
    """Return bool [h, w]: the lake, two fifths of the tile a side, from a quarter of it on."""
    found = np.zeros((grid.height, grid.width), np.bool_)
    top, left = grid.height // 4, grid.width // 4
    found[top : top + 2 * grid.height // 5, left : left + 2 * grid.width // 5] = True
    return found


def pixels(grid: Grid, generator: np.random.Generator) -> dict[str, npt.NDArray[np.uint8]]:
    """Return the layers of a tile; stands in for `tests.scene._pixels`."""
    water = lake(grid)
    noise = generator.normal(0, 12, (4, *water.shape))
    bands = np.where(water, 60, 150) + noise
    layers: dict[str, Any] = {
        "label": np.full(water.shape, TREE),
        "optical": bands[:3],
        "sar": np.where(water, 40, 170) + noise[3],
        "cloud": np.zeros(water.shape),
        "truth": np.where(water, WATER, TREE),
    }
    return {name: np.clip(np.rint(v), 1 if name == "optical" else 0, 254).astype(np.uint8)
            for name, v in layers.items()}  # fmt: skip
