"""A small damage project: houses on empty ground, before and after."""

import hashlib
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from core import catalogue
from core.classes import BRIGHT
from core.raster import write_geotiff
from core.records import Grid, Unit
from core.store.engine import Store
from core.store.tables import LayerRow, TileRow, now
from tests.scene import Labels, Scene, add_project

INTACT, DAMAGED, DESTROYED = 1, 2, 3
HOUSES = {
    # name: (rows, columns, class), in scan order
    "north": (slice(4, 14), slice(6, 20), INTACT),
    "east": (slice(6, 18), slice(50, 66), DAMAGED),
    "long": (slice(30, 36), slice(10, 60), INTACT),
    "south": (slice(60, 76), slice(30, 44), DESTROYED),
}


def houses(height: int = 96, width: int = 80) -> Labels:
    """Return the label as it came."""
    label = np.zeros((height, width), np.uint8)
    for rows, columns, code in HOUSES.values():
        label[rows, columns] = code
    return label


def make_town(store: Store, folder: Path) -> Scene:
    """Write a damage project of one tile: its label, an image before and SAR after."""
    label = houses()
    grid = Grid(
        label.shape[0], label.shape[1], (1.0, 0.0, 500_000.0, 0.0, -1.0, 4_000_000.0), "EPSG:32654"
    )
    ada, ben = (catalogue.ensure_person(store, name).id for name in ("Ada", "Ben"))
    scene = Scene(store, folder, grid, ada, ben)
    folder.mkdir(parents=True, exist_ok=True)
    with store.write() as session:
        scene.project_id = add_project(session, folder, "Town", BRIGHT, "damage")
        _add_tile(session, scene, label)
    return scene


def _add_tile(session: Session, scene: Scene, label: Labels) -> None:
    grid = scene.grid
    generator = np.random.default_rng(1)
    # Speckled, and brighter in the western half.
    sar = generator.integers(40, 80, label.shape, dtype=np.uint8)
    sar[:, : label.shape[1] // 2] += 100
    bright = np.where(label > 0, 200, 90).astype(np.uint8)
    layers = {
        "label": label,
        "optical": np.stack([bright, bright, bright]),
        "sar": sar,
    }
    paths = {kind: scene.folder / f"town_{kind}.tif" for kind in layers}
    for kind, values in layers.items():
        write_geotiff(paths[kind], values, grid)
    tile = TileRow(
        project_id=scene.project_id,
        name="town",
        region="north",
        split="train",
        height=grid.height,
        width=grid.width,
        crs=grid.crs,
        transform=list(grid.transform),
        label_sha256=hashlib.sha256(paths["label"].read_bytes()).hexdigest(),
        scanned_at=now(),
    )
    session.add(tile)
    session.flush()
    scene.tiles["train"], scene.labels["train"] = tile.id, label
    for kind, path in paths.items():
        bands = ["red", "green", "blue"] if kind == "optical" else [kind]
        row = LayerRow(
            tile_id=tile.id,
            modality=kind,
            name=kind,
            sources=[[str(path), number] for number in range(1, len(bands) + 1)],
            bands=bands,
            unit=(Unit.CODE if kind == "label" else Unit.RELATIVE_8BIT).value,
        )
        session.add(row)
        session.flush()
        scene.layers["train", kind] = row.id
