"""Plain records that travel between layers. Only these leave the store; table rows never do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from core.classes import ClassTable


class Modality(StrEnum):
    """What a layer shows."""

    OPTICAL = "optical"
    SAR = "sar"
    HEIGHT = "height"  # above ground or sea level, in metres
    LABEL = "label"
    TRUTH = "truth"  # clean reference; scored on, never shown in the editor
    CLOUD = "cloud"  # cloud levels of one acquisition: 0 clear, 1 thin, 2 thick, 3 shadow, 255 none
    MODEL = "model"  # an imported class map, shown as a prediction


class Unit(StrEnum):
    """The unit of a layer's values."""

    RELATIVE_8BIT = "relative 8-bit"  # display amplitude without calibration
    DB = "dB"
    LINEAR = "linear power"
    REFLECTANCE = "reflectance"
    METRE = "metre"
    CODE = "code"
    NUMBER = "number"  # anything else; stretched by percentile and labelled as relative


class Split(StrEnum):
    """Part of a dataset. Validation tiles are never edited or trained on."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


class TileState(StrEnum):
    """How far the work on a tile has come."""

    NEW = "new"
    OPENED = "opened"
    SKIPPED = "skipped"
    DONE = "done"


class JobState(StrEnum):
    """The life of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True)
class Grid:
    """A pixel grid. `transform` holds the six affine numbers a..f in rasterio's order.

    `crs` is an authority code or WKT, or None where the tile is not georeferenced.
    """

    height: int
    width: int
    transform: tuple[float, float, float, float, float, float]
    crs: str | None


@dataclass(frozen=True)
class Person:
    """Somebody who edits."""

    id: int
    name: str


@dataclass(frozen=True)
class Project:
    """One dataset opened with its class table and scoring preset.

    `kind` is "land_cover" or "damage", or for labels of whole patches "patch" (one class each) or
    "patch_list" (several).
    """

    id: int
    name: str
    kind: str
    reader: str
    root: Path
    preset: str
    classes: ClassTable
    created_at: datetime
    archived: bool
    options: Mapping[str, Any] = field(default_factory=dict)  # settings; `core.options` reads them


@dataclass(frozen=True)
class Tile:
    """A piece of ground on one pixel grid, the label's."""

    id: int
    project_id: int
    name: str
    region: str
    split: Split
    grid: Grid
    state: TileState
    version: int  # count of edits
    reserved: bool  # set aside for validation: corrected by hand, and never trained on
    frozen: bool  # a reserved tile whose labels are final: not editable, models are scored on it
    lonlat: tuple[tuple[float, float], ...] | None  # footprint corners, lon/lat; None without CRS
    scanned: bool = True  # its pixels were read; until then only headers are known
    problem: str | None = None  # why its pixels cannot be worked on

    @property
    def editable(self) -> bool:
        """Return whether the editor may change labels here."""
        return self.split is Split.TRAIN and not self.frozen and self.problem is None

    @property
    def trainable(self) -> bool:
        """Return whether networks may learn from this tile."""
        return self.split is Split.TRAIN and not self.reserved


@dataclass(frozen=True)
class Acquisition:
    """One optical image of a tile at one date with its cloud fractions of valid pixels, 0 to 1.

    Fractions are None where no cloud mask is known. `cloud_source` says how they were found, and
    `simulated` holds seed and settings where the clouds were simulated (`core.clouds.levels`).
    """

    id: int
    tile_id: int
    name: str
    date: str | None
    thin: float | None
    thick: float | None
    shadow: float | None
    cloud_source: str | None = None
    simulated: Mapping[str, Any] | None = None

    @property
    def cover(self) -> float | None:
        """Return the share of valid pixels under thin or thick cloud or shadow."""
        if self.thin is None or self.thick is None or self.shadow is None:
            return None
        return self.thin + self.thick + self.shadow


@dataclass(frozen=True)
class Layer:
    """One raster of a tile: the files and bands to read, and how they relate to the tile's grid.

    `sources` lists (path, 1-based band) in band order; one file with three bands has three entries.
    `offset_px` is the distance between its grid and the tile's, reported at import. Class layers
    (label, truth, cloud, model): `code_map` turns the file's values into class codes where they
    differ, and `nodata` is the code of pixels without a value.
    """

    id: int
    tile_id: int
    acquisition_id: int | None
    modality: Modality
    name: str
    sources: tuple[tuple[Path, int], ...]
    bands: tuple[str, ...]
    unit: Unit
    nodata: float | None
    offset_px: float
    code_map: dict[int, int] | None = None


@dataclass(frozen=True)
class ModelRecord:
    """A trained network: weights and card in the workspace."""

    id: int
    project_id: int
    name: str
    parent_id: int | None
    network: str
    bands: dict[str, int]
    weights_path: Path
    card: dict[str, Any]
    created_at: datetime

    @property
    def uses_optical(self) -> bool:
        """Return whether predictions depend on the acquisition."""
        return "optical" in self.bands


@dataclass(frozen=True)
class Prediction:
    """Class map and 8-bit confidence of one model on one tile and acquisition, as files.

    `acquisition_id` is None for SAR-only models and imported maps, `model_id` for imported maps.
    """

    id: int
    tile_id: int
    model_id: int | None
    acquisition_id: int | None
    path: Path


@dataclass(frozen=True)
class Job:
    """Durable work and how far it has come. `progress` runs from 0 to 1."""

    id: int
    kind: str
    project_id: int | None
    person_id: int | None
    state: JobState
    payload: dict[str, Any]
    progress: float
    message: str
    result: dict[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
