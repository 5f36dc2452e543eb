"""A tile on its way into the catalogue: what its headers say, and what its pixels hold."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.classes import ClassTable
from core.clouds import cover as cloud
from core.found import FoundLayer, FoundTile
from core.records import Grid, Layer, Modality

Stats = tuple[tuple[int, int], ...]
"""Size in bytes and time of change in ns of each file of a layer; empty where it has no file."""


@dataclass(frozen=True)
class Scan:
    """What the pixels of a tile hold.

    `codes` counts label pixels by class code, void included. By place of the layer: `fractions`
    are the shares (thin, thick, shadow) of a cloud layer, `hashes` the SHA-256 of its files.
    """

    codes: dict[int, int]
    fractions: dict[int, tuple[float, float, float]]
    hashes: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class CheckedLayer:
    """A layer that lies on its tile's grid, by its headers.

    For class layers `code_map` is complete and `nodata` the code of pixels without a value.
    `stats` are of its distinct files, in order.
    """

    found: FoundLayer
    offset_px: float
    nodata: float | None
    code_map: dict[int, int] | None
    stats: Stats = ()

    @property
    def layer(self) -> Layer:
        """Return it as a layer that can be read, though no row has it yet."""
        found = self.found
        return Layer(
            id=0,
            tile_id=0,
            acquisition_id=None,
            modality=found.modality,
            name=found.name,
            sources=found.sources,
            bands=found.bands,
            unit=found.unit,
            nodata=self.nodata,
            offset_px=self.offset_px,
            code_map=self.code_map,
        )


@dataclass(frozen=True)
class CheckedTile:
    """A tile whose headers passed; `scan` is None until its pixels were read."""

    found: FoundTile
    grid: Grid
    lonlat: tuple[tuple[float, float], ...] | None
    layers: tuple[CheckedLayer, ...]
    scan: Scan | None = None

    @property
    def codes(self) -> dict[int, int]:
        """Return label pixels by class code, as far as they were read."""
        return self.scan.codes if self.scan else {}

    @property
    def label_sha256(self) -> str | None:
        """Return the hash of the label file, None without one or before its pixels were read."""
        hashes = self.scan.hashes if self.scan else ()
        pairs = zip(self.layers, hashes, strict=False)
        return next((h[0] for la, h in pairs if h and la.found.modality is Modality.LABEL), None)

    @property
    def region(self) -> str:
        """Return the region as found, or the one-degree cell of the upper left corner, or all."""
        if self.found.region or not self.lonlat:
            return self.found.region or "all"
        lon, lat = (int(np.floor(angle)) for angle in self.lonlat[0])
        return f"{abs(lat)}{'N' if lat >= 0 else 'S'} {abs(lon)}{'E' if lon >= 0 else 'W'}"


def files_of(sources: Iterable[tuple[Path, int]]) -> list[Path]:
    """Return the distinct files of a layer's sources, in order."""
    return list(dict.fromkeys(path for path, _ in sources))


def stats_of(paths: Iterable[Path]) -> Stats:
    """Return size and time of each file; empty where one of them is no file of this machine."""
    try:
        stats = [path.stat() for path in paths]
    except OSError:
        return ()
    return tuple((stat.st_size, stat.st_mtime_ns) for stat in stats)


def known_codes(modality: Modality, classes: ClassTable) -> set[int]:
    """Return the values that a class raster may hold after its code map."""
    if modality is Modality.CLOUD:
        return set(cloud.LEVELS)
    return {*classes.codes, classes.void_code}
