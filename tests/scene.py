"""Small tiles for tests of edits and routes: a project in the store and its files on disk."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from core import catalogue
from core.classes import OPEN_EARTH_MAP_SAR, ClassTable
from core.predictions import save_prediction
from core.raster import write_geotiff
from core.records import Grid, Modality, Unit
from core.store.engine import Store
from core.store.tables import AcquisitionRow, ClassEntryRow, LayerRow, ProjectRow, TileRow, now

Labels = npt.NDArray[np.uint8]

CLASSES: ClassTable = OPEN_EARTH_MAP_SAR
VOID = CLASSES.void_code
SPLITS = {"train": "train", "second": "train", "blank": "train", "val": "val"}


@dataclass
class Scene:
    """One project with four tiles and two people. "blank" came without labels."""

    store: Store
    folder: Path
    grid: Grid
    ada: int
    ben: int
    project_id: int = 0
    tiles: dict[str, int] = field(default_factory=dict)
    layers: dict[tuple[str, str], int] = field(default_factory=dict)
    acquisitions: dict[str, int] = field(default_factory=dict)
    labels: dict[str, Labels] = field(default_factory=dict)

    @property
    def tile(self) -> int:
        """Return the first training tile."""
        return self.tiles["train"]

    @property
    def label(self) -> Labels:
        """Return the label of the first training tile as it came."""
        return self.labels["train"]


def make_scene(
    store: Store,
    folder: Path,
    *,
    height: int = 40,
    width: int = 30,
    seed: int = 1,
    names: Iterable[str] = tuple(SPLITS),
) -> Scene:
    """Write the files of a project and its rows; `names` are the tiles to make."""
    grid = Grid(height, width, (1.0, 0.0, 500_000.0, 0.0, -1.0, 4_000_000.0), "EPSG:32654")
    ada, ben = (catalogue.ensure_person(store, name).id for name in ("Ada", "Ben"))
    scene = Scene(store, folder, grid, ada, ben)
    generator = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    with store.write() as session:
        scene.project_id = add_project(session, folder, f"Scene {folder.name}", CLASSES)
        for name in names:
            _add_tile(session, scene, name, SPLITS[name], generator)
    return scene


def add_project(
    session: Session,
    folder: Path,
    name: str,
    classes: ClassTable,
    kind: str = "land_cover",
) -> int:
    """Add a project with its classes and return its id."""
    project = ProjectRow(
        name=name,
        kind=kind,
        reader="folder",
        root=str(folder),
        preset="plain",
        class_table=classes.name,
        void_code=classes.void,
    )
    session.add(project)
    session.flush()
    for position, entry in enumerate(classes.entries):
        session.add(
            ClassEntryRow(
                project_id=project.id,
                position=position,
                code=entry.code,
                name=entry.name,
                colour=entry.colour,
            )
        )
    return project.id


def add_class_map(store: Store, tile_id: int, codes: Labels, confidence: Labels) -> int:
    """Add a class map as if it had been imported, and return the id of its prediction."""
    with store.write() as session:
        row = LayerRow(
            tile_id=tile_id,
            modality=Modality.MODEL.value,
            name="map",
            sources=[],
            bands=[],
            unit=Unit.CODE.value,
        )
        session.add(row)
        session.flush()
        source = f"layer/{row.id}"
    return save_prediction(store, tile_id, source, codes, confidence).id


def _add_tile(
    session: Session, scene: Scene, name: str, split: str, generator: np.random.Generator
) -> None:
    grid = scene.grid
    layers = _pixels(grid, generator)
    scene.labels[name] = layers["label"]
    if name == "blank":
        scene.labels[name] = np.full_like(layers.pop("label"), VOID)
    paths = {kind: scene.folder / f"{name}_{kind}.tif" for kind in layers}
    for kind, values in layers.items():
        write_geotiff(paths[kind], values, grid, nodata=0 if kind == "optical" else None)
    label = paths.get("label")
    tile = TileRow(
        project_id=scene.project_id,
        name=name,
        region="north",
        split=split,
        height=grid.height,
        width=grid.width,
        crs=grid.crs,
        transform=list(grid.transform),
        label_sha256=hashlib.sha256(label.read_bytes()).hexdigest() if label else None,
        scanned_at=now(),
    )
    session.add(tile)
    session.flush()
    scene.tiles[name] = tile.id
    acquisition = AcquisitionRow(tile_id=tile.id, name="May", thin=0.1, thick=0.1, shadow=0.0)
    session.add(acquisition)
    session.flush()
    scene.acquisitions[name] = acquisition.id
    for kind, path in paths.items():
        row = _layer_row(tile.id, acquisition.id, kind, path)
        session.add(row)
        session.flush()
        scene.layers[name, kind] = row.id


def _pixels(grid: Grid, generator: np.random.Generator) -> dict[str, Labels]:
    """Return every layer: labels in patches of 8 px, optical with a corner of nodata."""
    shape = (grid.height, grid.width)
    codes = np.array(CLASSES.codes, np.uint8)
    coarse = generator.choice(codes, (shape[0] // 8 + 1, shape[1] // 8 + 1))
    optical = generator.integers(1, 255, (3, *shape), dtype=np.uint8)
    optical[:, :4, :4] = 0
    cloud = np.zeros(shape, np.uint8)
    cloud[:10] = 2
    return {
        "label": np.kron(coarse, np.ones((8, 8), np.uint8))[: shape[0], : shape[1]],
        "optical": optical,
        "sar": generator.integers(1, 255, shape, dtype=np.uint8),
        "cloud": cloud,
        "truth": np.full(shape, codes[0]),
    }


def _layer_row(tile_id: int, acquisition_id: int, kind: str, path: Path) -> LayerRow:
    bands = ["red", "green", "blue"] if kind == "optical" else [kind]
    return LayerRow(
        tile_id=tile_id,
        acquisition_id=acquisition_id if kind in ("optical", "cloud") else None,
        modality=kind,
        name=kind,
        sources=[[str(path), number] for number in range(1, len(bands) + 1)],
        bands=bands,
        unit=(Unit.RELATIVE_8BIT if kind in ("optical", "sar") else Unit.CODE).value,
        nodata=0 if kind == "optical" else None,
    )
