"""What a reader reports about a folder: plain facts, nothing read from pixels yet.

`data.readers` make these; `core.ingest` checks the rasters and writes the catalogue.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from core.classes import ClassTable
from core.errors import DatasetError
from core.records import Modality, Split, Unit

SMALLEST_TILE, LARGEST_TILE = 64, 8192
Edge = Literal["shift", "smaller"]
Kind = Literal["land_cover", "damage", "patch", "patch_list"]


ALL_BANDS = 0


@dataclass(frozen=True)
class FoundLayer:
    """One layer as files: (path, 1-based band) in band order.

    Band 0 (`ALL_BANDS`) stands for every band of an image file but alpha, and an empty name for
    what the file calls that band: both are filled in from its header at import.

    `acquisition` names the optical date that it belongs to (optical and cloud layers), else None.
    `code_map` turns the file's codes into the class table's, where they differ.
    """

    modality: Modality
    sources: tuple[tuple[Path, int], ...]
    bands: tuple[str, ...]
    unit: Unit = Unit.RELATIVE_8BIT
    acquisition: str | None = None
    date: str | None = None
    code_map: dict[int, int] | None = None
    name: str = ""


@dataclass(frozen=True)
class FoundTile:
    """One tile and its layers. An empty `region` is found from the position at import.

    `patch_codes` is the published label of a whole patch (`core.patch_labels`), instead of a label
    raster: one code, or one cell per class of the table.
    """

    name: str
    region: str
    split: Split
    layers: tuple[FoundLayer, ...]
    patch_codes: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Finding:
    """Something a person should know about a file or tile before importing it.

    A tile with an "error" is left out; the others are imported.
    """

    level: Literal["error", "warning", "info"]
    where: str
    message: str


@dataclass(frozen=True)
class Cut:
    """How to cut: sides of a tile and what neighbours share, in pixels of the scene's grid.

    What is left at the far edges becomes a tile that is moved back into the scene ("shift", all
    tiles are of one size) or a smaller one ("smaller").
    """

    size: int = 512
    overlap: int = 0
    edge: Edge = "shift"

    def __post_init__(self) -> None:
        if (
            not SMALLEST_TILE <= self.size <= LARGEST_TILE
            or not 0 <= self.overlap <= self.size // 2
        ):
            raise DatasetError(
                "cutting scenes",
                found=f"tiles of {self.size} pixels, {self.overlap} shared",
                expected=f"{SMALLEST_TILE} to {LARGEST_TILE} pixels, at most half of them shared",
            )


@dataclass(frozen=True)
class FoundDataset:
    """A folder that a reader recognised. `why` says what gave it away.

    `way` is the way of splitting that was used and `ways` what the folder's lists allow.
    `legend_asked`: names of classes are not published and must come from a person.
    """

    reader: str
    title: str
    why: str
    root: Path
    kind: Kind
    classes: ClassTable
    preset: str
    tiles: tuple[FoundTile, ...]
    findings: tuple[Finding, ...] = field(default=())
    way: str = ""
    ways: tuple[str, ...] = ()
    legend_asked: bool = False
    cut: Cut | None = None  # how scenes were cut into these tiles
