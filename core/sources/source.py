"""Where the pixels of a band come from: a file and a band, or a part of what a file holds.

A source unpacks as (path, band), so a plain tuple of the two is a source as well. `part` says the
rest: which array of an HDF5, NetCDF or Zarr file, which ground of a scene, what is drawn of a file
of outlines, what the values mean. Sources travel in records and are stored as JSON lists.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from core.grid import bounds
from core.records import Grid

AXES = ("y", "x", "b")


@dataclass(frozen=True)
class Part:
    """What of a file is meant, where path and band do not say it.

    `array` names an array of an HDF5, NetCDF or Zarr file and `axes` its dimensions in order: "y",
    "x", "b" (bands), or the whole number chosen along that dimension. `grid` lays the pixels on
    that grid, which may be a piece of the file's ground (or, with `stretch`, the ground of a file
    that has no position), or draws outlines on it: 1 inside, or by
    `codes` the code of the text in `field`. For class rasters `codes` gives the code of each value
    of the file that counts; all others become 255; `above` makes it 1 wherever a band of the file
    holds more, else 0. `nodata`, `scale` and `offset` stand in for what the file does not say;
    scaled values are float32.
    """

    array: str = ""
    axes: tuple[int | str, ...] = ()
    grid: Grid | None = None
    stretch: bool = False
    field: str = ""
    codes: tuple[tuple[str, int], ...] = ()
    above: float | None = None
    nodata: float | None = None
    scale: float = 1.0
    offset: float = 0.0


class Source(tuple[Path, int]):
    """One band: (path, 1-based band), and its part where the two are not enough."""

    part: Part | None

    def __new__(cls, path: Path, band: int, part: Part | None = None) -> "Source":
        """Return the source; a part that says nothing counts as none."""
        made = super().__new__(cls, (path, band))
        made.part = part if part != Part() else None
        return made

    def __eq__(self, other: object) -> bool:
        return tuple.__eq__(self, other) is True and self.part == part_of(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((*self, self.part)) if self.part else tuple.__hash__(self)

    def __repr__(self) -> str:
        return f"Source({self[0]!r}, {self[1]}, {self.part!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Source, (*self, self.part)


def part_of(source: object) -> Part | None:
    """Return the part of a source; None for a plain (path, band)."""
    return source.part if isinstance(source, Source) else None


def with_path(source: tuple[Path, int], path: Path) -> Source:
    """Return the same band and part of another path."""
    return Source(path, source[1], part_of(source))


def on_grid(source: tuple[Path, int], grid: Grid) -> Source:
    """Return the source laid on `grid`, such as one tile of the scene that the file holds."""
    old = part_of(source) or Part()
    kept = {field.name: getattr(old, field.name) for field in fields(Part)}
    return Source(*source, Part(**(kept | {"grid": grid})))


def share_pixels(a: tuple[Path, int], b: tuple[Path, int]) -> bool:
    """Return whether two sources can show a pixel of one file in common: tiles can share a file."""
    one, other = part_of(a) or Part(), part_of(b) or Part()
    if a[0] != b[0] or (one.array, one.axes) != (other.array, other.axes):
        return False
    if one.grid is None or other.grid is None or one.grid.crs != other.grid.crs:
        return True
    (x0, y0, x1, y1), (u0, v0, u1, v1) = bounds(one.grid), bounds(other.grid)
    pixel = max(abs(number) for number in one.grid.transform[:2])
    return min(x1, u1) - max(x0, u0) > pixel / 2 and min(y1, v1) - max(y0, v0) > pixel / 2


def by_raster(sources: Iterable[tuple[Path, int]]) -> dict[tuple[Path, Part | None], list[int]]:
    """Return the bands of each (path, part), in the order in which they are first met."""
    found: dict[tuple[Path, Part | None], list[int]] = {}
    for source in sources:
        found.setdefault((source[0], part_of(source)), []).append(source[1])
    return found


def to_json(source: tuple[Path, int]) -> list[Any]:
    """Return [path, band] or [path, band, part] for the catalogue."""
    path, band = source
    part = part_of(source)
    if part is None:
        return [str(path), band]
    default = asdict(Part())
    return [str(path), band, {k: v for k, v in asdict(part).items() if v != default[k]}]


def from_json(stored: list[Any]) -> Source:
    """Return the source of a list made by `to_json`; [path, band] is one as well."""
    path, band, *rest = stored
    if not rest:
        return Source(Path(path), band)
    values = dict(rest[0])
    if "grid" in values:
        grid = values["grid"]
        values["grid"] = Grid(grid["height"], grid["width"], tuple(grid["transform"]), grid["crs"])
    if "axes" in values:
        values["axes"] = tuple(values["axes"])
    if "codes" in values:
        values["codes"] = tuple((text, code) for text, code in values["codes"])
    return Source(Path(path), band, Part(**values))
