"""A larger land-cover demo for tables: four regions of 50 tiles of 256 px, under six skies.

Drawn by the same code as the demo that ships, from a seed, and kept in a temporary folder as plain
arrays. Labels are what the shipped pseudo-labeller sees in the clear picture; two tiles of a region
are corrected, which is the published share of 4 %. The last column of a region is validation, and
is scored against the truth.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from core.classes import OPEN_EARTH_MAP_SAR
from core.clouds.cover import fractions
from data.demo.clouds import Weather
from data.demo.landcover import draw_region
from data.demo.regions import REGIONS, Region
from models.demo_networks import PSEUDO_LABELLER
from models.model_files import load
from models.predict import predict_array
from models.sample import Bands, Sample

SEED = 77
ROWS, COLUMNS, TILE_PX = 5, 10, 256
CORRECTED = 2
"""Corrected tiles of a region."""

SKIES = (
    Weather(0.06, 0.04, 0.8),
    Weather(0.2, 0.1, 0.9, veil=0.05),
    Weather(0.42, 0.12, 1.0, veil=0.05),
    Weather(0.7, 0.1, 1.0),
    Weather(1.35, 0.02, 1.1),
)
"""Five cloudy dates beside the clear one; with shadows they cover about 13, 33, 59, 87, 100 %."""

BANDS = {"optical": 3, "sar": 1}
CLASSES = len(OPEN_EARTH_MAP_SAR.codes)

Labels = Literal["pseudo", "mixed", "corrected", "truth"]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class DemoTile:
    """One tile: uint8 pictures of six dates [6, 3, H, W], clear first, and their cover, 0 to 1.

    `sar` is uint8 [1, H, W]; `label` (pseudo) and `truth` are class indices uint8 [H, W].
    """

    name: str
    region: str
    validation: bool
    corrected: bool
    optical: Bytes
    covers: tuple[float, ...]
    sar: Bytes
    label: Bytes
    truth: Bytes


@cache
def larger_demo(seed: int = SEED, folder: Path | None = None) -> tuple[DemoTile, ...]:
    """Return the 200 tiles, drawn at the first call (half a minute) and read after that."""
    home = folder or Path(tempfile.gettempdir()) / f"cloudbrush-larger-demo-{seed}"
    home.mkdir(parents=True, exist_ok=True)
    return tuple(tile for region in REGIONS for tile in _tiles(region, seed, home))


def for_choosing(tiles: Sequence[DemoTile]) -> tuple[DemoTile, ...]:
    """Return the tiles with the last column but one as validation, and without the last.

    A design that is chosen on these has not seen the tiles that the other tables score.
    """
    return tuple(
        replace(tile, validation=_column(tile) == COLUMNS - 2)
        for tile in tiles
        if not tile.validation
    )


def samples(
    tiles: Sequence[DemoTile],
    labels: Labels = "mixed",
    *,
    dates: Sequence[int] | None = None,
    no_optical: int = 0,
) -> list[Sample]:
    """Return training samples: pseudo-labels, those with the corrected tiles, only the latter, or
    the truth of all tiles.

    `dates` are numbers of skies, None all of them. `no_optical` further "dates" show nothing, so
    that optical is missing in that many draws of all.
    """
    chosen = [t for t in tiles if not t.validation and (labels != "corrected" or t.corrected)]
    return [_sample(tile, labels, dates, no_optical) for tile in chosen]


def _sample(tile: DemoTile, labels: Labels, dates: Sequence[int] | None, no_optical: int) -> Sample:
    use_truth = labels == "truth" or (tile.corrected and labels != "pseudo")
    pictures = range(len(tile.optical)) if dates is None else dates
    nothing = np.broadcast_to(np.float32(np.nan), tile.optical.shape[1:])
    inputs: Mapping[str, list[Bands]] = {
        "optical": [*(tile.optical[date] for date in pictures), *[nothing] * no_optical],
        "sar": [tile.sar],
    }
    return Sample(
        inputs,
        tile.truth if use_truth else tile.label,
        np.ones(tile.truth.shape, np.float32),
        tile.name,
        by_people=float(use_truth),
        checked=np.ones(tile.truth.shape, np.bool_) if use_truth else None,
    )


def _tiles(region: Region, seed: int, home: Path) -> list[DemoTile]:
    """Return the tiles of a region, from `home` where an earlier call has left them."""
    path = home / f"{region.name}.npz"
    if not path.exists():
        unfinished = home / f"{region.name}-{id(region)}.unfinished.npz"
        np.savez(unfinished, **_draw(region, seed))  # type: ignore[arg-type]
        unfinished.replace(path)
    with np.load(path, allow_pickle=False) as arrays:
        scene = dict(arrays)
    rng = np.random.default_rng([seed, region.seed, 1])
    numbers = [n for n in range(ROWS * COLUMNS) if not _is_validation(n)]
    corrected = set(rng.choice(numbers, CORRECTED, replace=False).tolist())
    return [_cut(region, scene, number, number in corrected) for number in range(ROWS * COLUMNS)]


def _column(tile: DemoTile) -> int:
    return (int(tile.name.rsplit("_", 1)[1]) - 1) % COLUMNS


def _is_validation(number: int) -> bool:
    return number % COLUMNS == COLUMNS - 1


def _draw(region: Region, seed: int) -> dict[str, npt.NDArray[Any]]:
    """Return the pictures of a whole region, with labels as class indices."""
    shape = (ROWS * TILE_PX, COLUMNS * TILE_PX)
    drawn = draw_region(region, seed, shape, SKIES)
    optical = np.stack([seen.picture.transpose(2, 0, 1) for seen in drawn.dates])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    codes, _ = predict_array(load(PSEUDO_LABELLER), {"optical": optical[0]})
    torch.set_num_threads(threads)
    lut = OPEN_EARTH_MAP_SAR.index_lut
    return {
        "optical": optical,
        "levels": np.stack([seen.levels for seen in drawn.dates]),
        "sar": drawn.amplitude[None],
        "label": lut[codes],
        "truth": lut[drawn.truth],
    }


def _cut(
    region: Region, scene: Mapping[str, npt.NDArray[Any]], number: int, corrected: bool
) -> DemoTile:
    top, left = number // COLUMNS * TILE_PX, number % COLUMNS * TILE_PX
    window = (..., slice(top, top + TILE_PX), slice(left, left + TILE_PX))
    cut = {name: np.ascontiguousarray(values[window]) for name, values in scene.items()}
    return DemoTile(
        f"{region.name}_{number + 1:02d}",
        region.name,
        _is_validation(number),
        corrected,
        cut["optical"],
        tuple(sum(fractions(levels)) for levels in cut["levels"]),
        cut["sar"],
        cut["label"],
        cut["truth"],
    )
