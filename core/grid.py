"""Pixel grids: windows, comparison with a tolerance, and positions on the globe.

Grids are never compared with `==`: co-registered files differ in the 15th digit of the pixel size.
All distances are in pixels of the first grid. A grid without CRS and with the identity transform
is *unplaced*: it has a shape but no position.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import hypot, isfinite

from rasterio._err import CPLE_BaseError
from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.transform import Affine
from rasterio.warp import transform as warp_points

from core.errors import GridMismatch
from core.records import Grid

BLOCK = 512
SAME_PX = 0.01
MAX_OFFSET_PX = 1.0
ROUNDING_PX = 1e-3
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels: upper left corner, height and width."""

    y0: int
    x0: int
    h: int
    w: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Return the row and column slices of an array on the same grid."""
        return slice(self.y0, self.y0 + self.h), slice(self.x0, self.x0 + self.w)


def whole(grid: Grid) -> Window:
    """Return the window of the whole grid."""
    return Window(0, 0, grid.height, grid.width)


def blocks(grid: Grid, size: int = BLOCK) -> Iterator[Window]:
    """Yield windows of `size` pixels in row-major order; those at the far edges are smaller."""
    for y0 in range(0, grid.height, size):
        for x0 in range(0, grid.width, size):
            yield Window(y0, x0, min(size, grid.height - y0), min(size, grid.width - x0))


def block(grid: Grid, by: int, bx: int, size: int = BLOCK) -> Window:
    """Return one block by its row and column of blocks; raises `GridMismatch` outside the grid."""
    y0, x0 = by * size, bx * size
    if not (0 <= y0 < grid.height and 0 <= x0 < grid.width):
        raise GridMismatch(
            f"block {by}/{bx}",
            found=f"row {y0}, column {x0}",
            expected=f"inside {grid.height} x {grid.width} pixels",
        )
    return Window(y0, x0, min(size, grid.height - y0), min(size, grid.width - x0))


def is_placed(grid: Grid) -> bool:
    """Return whether the grid says where it lies, be it only in local coordinates."""
    return grid.crs is not None or grid.transform != IDENTITY


def pixel_map(a: Grid, b: Grid) -> Affine:
    """Return the affine map from pixel coordinates (x, y) of `a` to those of `b`.

    An unplaced grid is taken to cover the same ground as the other.
    """
    if not (is_placed(a) and is_placed(b)):
        return Affine.scale(b.width / a.width, b.height / a.height)
    to_b: Affine = ~Affine(*b.transform) @ Affine(*a.transform)
    return to_b


def offset_px(a: Grid, b: Grid) -> float:
    """Return the largest distance between corners of `a` and `b`, in pixels of `a`.

    Raises `GridMismatch` when CRS differ, when a side differs by more than one pixel of `a`, when
    the grids are turned against each other, or when an unplaced grid has another shape.
    """
    if not (is_placed(a) and is_placed(b)):
        _check_same_shape(a, b)
        return 0.0
    # Where one file lost its CRS but lies on the same coordinates, chance is ruled out.
    if a.crs and b.crs and not same_crs(a.crs, b.crs):
        raise GridMismatch("CRS", found=b.crs, expected=a.crs, todo="Reproject one of the files.")
    to_a = pixel_map(b, a)
    x0, y0 = to_a @ (0.0, 0.0)
    x1, y1 = to_a @ (float(b.width), float(b.height))
    turn = max(abs(to_a.b) * b.height, abs(to_a.d) * b.width)
    left, right, top, bottom = (
        min(x0, x1),
        max(x0, x1) - a.width,
        min(y0, y1),
        max(y0, y1),
    )
    bottom -= a.height
    worst = max(abs(left), abs(right), abs(top), abs(bottom))
    if not isfinite(worst + turn) or worst > MAX_OFFSET_PX + ROUNDING_PX or turn > MAX_OFFSET_PX:
        raise GridMismatch(
            "bounds",
            found=f"sides off by {left:.1f}, {top:.1f}, {right:.1f}, {bottom:.1f} pixels "
            "(left, top, right, bottom)",
            expected=f"at most {MAX_OFFSET_PX:g} pixel and no turn",
            todo="Cut the files to the same ground.",
        )
    return max(hypot(x, y) for x in (left, right) for y in (top, bottom))


def _check_same_shape(a: Grid, b: Grid) -> None:
    if (a.height, a.width) != (b.height, b.width):
        raise GridMismatch(
            "size",
            found=f"{b.height} x {b.width} pixels",
            expected=f"{a.height} x {a.width} pixels, as at least one file has no position",
            todo="Cut or georeference the files to the same ground.",
        )


def same_grid(a: Grid, b: Grid, tolerance_px: float = SAME_PX) -> bool:
    """Return whether shapes agree and all corners lie within `tolerance_px`."""
    if (a.height, a.width) != (b.height, b.width):
        return False
    try:
        to_b = pixel_map(a, b)
        return offset_px(a, b) <= tolerance_px and to_b.a > 0 and to_b.e > 0
    except GridMismatch:
        return False


@lru_cache(maxsize=256)
def same_crs(a: str | None, b: str | None) -> bool:
    """Return whether two CRS texts mean the same system; two missing ones count as the same."""
    if a is None or b is None or a == b:
        return a == b
    return bool(CRS.from_string(a) == CRS.from_string(b))


def bounds(grid: Grid) -> tuple[float, float, float, float]:
    """Return the least x and y and the greatest x and y of a grid's corners, in units of its CRS.

    A rotated grid lies within them.
    """
    a, b, c, d, e, f = grid.transform
    corners = [(0, 0), (grid.width, 0), (0, grid.height), (grid.width, grid.height)]
    xs = [a * x + b * y + c for x, y in corners]
    ys = [d * x + e * y + f for x, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def lonlat_corners(grid: Grid) -> tuple[tuple[float, float], ...] | None:
    """Return (longitude, latitude) of the four corners, clockwise from the upper left.

    None without CRS, or where the CRS has no way to the globe.
    """
    corners = ((0, 0), (0, grid.width), (grid.height, grid.width), (grid.height, 0))
    return _lonlat(grid, [(float(row), float(column)) for row, column in corners])


def pixel_to_lonlat(grid: Grid, row: float, col: float) -> tuple[float, float] | None:
    """Return (longitude, latitude) of the centre of a pixel, or None without CRS."""
    found = _lonlat(grid, [(row + 0.5, col + 0.5)])
    return found[0] if found else None


def _lonlat(
    grid: Grid, points: Sequence[tuple[float, float]]
) -> tuple[tuple[float, float], ...] | None:
    """Return (longitude, latitude) of points (y, x) in pixels; None where one has none."""
    if grid.crs is None:
        return None
    to_ground = Affine(*grid.transform)
    east, north = zip(*(to_ground @ (x, y) for y, x in points), strict=True)
    try:
        lon, lat = warp_points(_crs(grid.crs), _crs("EPSG:4326"), east, north)
    except (
        CRSError,
        CPLE_BaseError,
    ):  # a local engineering system has no way to the globe
        return None
    found = tuple(zip(lon, lat, strict=True))
    return found if all(isfinite(x) and isfinite(y) for x, y in found) else None


@lru_cache(maxsize=256)
def _crs(text: str) -> CRS:
    return CRS.from_string(text)
