"""Scenes far larger than memory, made from a cheap pattern: optical, SAR and label of one tile.

`python -m tests.bench._large_scene FOLDER [SIDE]` writes the files, by default 40,000 px a side:
tiled, compressed, with overviews, strip by strip. They are kept: a folder that has them is left as
it is.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.windows import Window
from sqlalchemy.orm import Session

from core.classes import OPEN_EARTH_MAP_SAR
from core.original import file_sha256
from core.records import Modality, Unit
from core.store.engine import Store
from core.store.tables import LayerRow, TileRow, now
from tests.scene import add_project as _new_project

SIDE = 40_000
BLOCK = 512
TRANSFORM = (10.0, 0.0, 300_000.0, 0.0, -10.0, 4_500_000.0)
CRS = "EPSG:32654"
PATCH_PX = 32
KINDS = {
    Modality.OPTICAL: (("red", "green", "blue"), Unit.RELATIVE_8BIT),
    Modality.SAR: (("VV",), Unit.RELATIVE_8BIT),
    Modality.LABEL: (("label",), Unit.CODE),
}

Bytes = npt.NDArray[np.uint8]


def make_files(folder: Path, side: int = SIDE) -> dict[Modality, Path]:
    """Write the files of a scene of `side` x `side` pixels where they are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {kind: folder / f"{kind.value}_{side}.tif" for kind in KINDS}
    for kind, path in paths.items():
        if not path.exists():
            part = path.with_suffix(".part.tif")
            _write(part, kind, side)
            part.rename(path)
    return paths


def _write(path: Path, kind: Modality, side: int) -> None:
    bands = len(KINDS[kind][0])
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "height": side,
        "width": side,
        "count": bands,
        "dtype": "uint8",
        "crs": CRS,
        "transform": Affine(*TRANSFORM),
        "tiled": True,
        "blockxsize": BLOCK,
        "blockysize": BLOCK,
        "compress": "zstd",
        "zstd_level": 1,
        "interleave": "pixel",
        "num_threads": "all_cpus",
        "bigtiff": "yes",
    }
    with rasterio.Env(GDAL_NUM_THREADS="ALL_CPUS", COMPRESS_OVERVIEW="ZSTD", ZSTD_LEVEL_OVERVIEW=1):
        with rasterio.open(path, "w", **profile) as target:
            for y0, strip in _strips(kind, side):
                target.write(strip, window=Window(0, y0, side, strip.shape[1]))
        with rasterio.open(path, "r+") as target:
            target.build_overviews(_factors(side), Resampling.nearest)


def _factors(side: int) -> list[int]:
    factors, factor = [], 2
    while side // factor >= BLOCK // 2:
        factors.append(factor)
        factor *= 2
    return factors


def _strips(kind: Modality, side: int) -> Iterator[tuple[int, Bytes]]:
    """Yield strips of one block's height: patches of 32 px, shifted from strip to strip."""
    generator = np.random.default_rng(11)
    bands = len(KINDS[kind][0])
    wide = -(-side // PATCH_PX)
    if kind is Modality.LABEL:
        values = np.array(OPEN_EARTH_MAP_SAR.codes, np.uint8)
    else:
        values = np.arange(20, 250, 5, dtype=np.uint8)
    patches = generator.choice(values, (bands, BLOCK // PATCH_PX, wide))
    strip = patches.repeat(PATCH_PX, axis=1).repeat(PATCH_PX, axis=2)[:, :, :side]
    for number, y0 in enumerate(range(0, side, BLOCK)):
        yield y0, np.roll(strip, 96 * number, axis=2)[:, : side - y0]


def add_project(store: Store, folder: Path, *sides: int) -> dict[int, int]:
    """Return tile ids by side of a new project over scenes in a folder, made where missing."""
    scenes = {side: make_files(folder, side) for side in sides}
    with store.write() as session:
        project_id = _new_project(session, folder, "Large scenes", OPEN_EARTH_MAP_SAR)
        return {side: _tile_row(session, project_id, side, scenes[side]) for side in sides}


def _tile_row(session: Session, project_id: int, side: int, paths: dict[Modality, Path]) -> int:
    stat = paths[Modality.LABEL].stat()
    tile = TileRow(
        project_id=project_id,
        name=f"scene {side:05}",
        region="all",
        split="train",
        height=side,
        width=side,
        crs=CRS,
        transform=list(TRANSFORM),
        label_sha256=file_sha256(paths[Modality.LABEL], stat.st_size, stat.st_mtime_ns),
        scanned_at=now(),
    )
    session.add(tile)
    session.flush()
    for kind, path in paths.items():
        bands, unit = KINDS[kind]
        session.add(
            LayerRow(
                tile_id=tile.id,
                modality=kind.value,
                name=kind.value,
                sources=[[str(path), number + 1] for number in range(len(bands))],
                bands=list(bands),
                unit=unit.value,
            )
        )
    return tile.id


if __name__ == "__main__":
    made = make_files(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else SIDE)
    for written in made.values():
        print(f"{written} {written.stat().st_size / 2**20:.0f} MB")
