"""Pixels of one raster on another grid: a tile of a scene, or layers of another resolution."""

from dataclasses import replace

from rasterio.transform import Affine

from core.errors import GridMismatch
from core.grid import MAX_OFFSET_PX, SAME_PX, Window, is_placed, same_crs
from core.records import Grid
from core.resample import bilinear, centres, nearest, plan_axis
from core.sources.base import Opened, Raster


class LaidRaster:
    """A raster laid on a grid of its own, which may be any piece of its ground."""

    def __init__(self, under: Opened, grid: Grid, *, stretch: bool = False) -> None:
        """Raise `GridMismatch` where the grids are turned or of another CRS.

        `stretch` takes a file without position to cover the ground of the grid.
        """
        self._under = under
        file = under.info.grid
        if stretch and not is_placed(file):
            self._to_file = Affine.scale(file.width / grid.width, file.height / grid.height)
        else:
            self._to_file = _straight_map(grid, file)
        old = under.info
        self.info = replace(old, height=grid.height, width=grid.width, grid=grid, has_gcps=False)

    def read(
        self, bands: list[int], window: Window, shape: tuple[int, int], categorical: bool
    ) -> Raster:
        """Return a window of the grid; pixels beyond the file are not valid."""
        inside = _shifted(self._to_file, window, self.info.grid, self._under.info.grid)
        if inside:
            return self._under.read(bands, inside, shape, categorical)
        return sample(self._under, self._to_file, bands, window, shape, categorical)

    def holds_classes(self) -> bool:
        """Return what the file says."""
        return self._under.holds_classes()

    def close(self) -> None:
        """Leave the file to whoever opened it."""


def sample(
    under: Opened,
    to_file: Affine,
    bands: list[int],
    window: Window,
    shape: tuple[int, int],
    categorical: bool,
) -> Raster:
    """Sample a file at the centres of the wanted pixels, one axis after the other.

    `to_file` maps pixels of the wanted grid to the file's; it must not turn, so the axes separate.
    """
    ys = to_file.e * centres(window.y0, window.h, shape[0]) + to_file.f
    xs = to_file.a * centres(window.x0, window.w, shape[1]) + to_file.c
    step_y, step_x = abs(to_file.e) * window.h / shape[0], abs(to_file.a) * window.w / shape[1]
    rows = plan_axis(ys, step_y, under.info.height)
    columns = plan_axis(xs, step_x, under.info.width)
    part = Window(rows.start, columns.start, rows.length, columns.length)
    raster = under.read(bands, part, (rows.read, columns.read), categorical)
    how = nearest if categorical else bilinear
    values, valid = how(raster.values, raster.valid, rows, columns)
    if not valid.all():
        values[:, ~valid] = 0
    return Raster(values, valid)


def _straight_map(grid: Grid, file: Grid) -> Affine:
    """Return the map from pixels of `grid` to those of `file`; raises where it turns."""
    if grid.crs and file.crs and not same_crs(grid.crs, file.crs):
        raise GridMismatch("CRS", found=file.crs, expected=grid.crs, todo="Reproject the file.")
    if is_placed(file) and file.crs and not is_placed(grid):
        raise GridMismatch("grid", found="no position", expected=f"one in {file.crs}")
    to_file: Affine = ~Affine(*file.transform) @ Affine(*grid.transform)
    turn = max(abs(to_file.b) * grid.height, abs(to_file.d) * grid.width)
    if not turn <= MAX_OFFSET_PX:
        raise GridMismatch(
            "grid", found="grids turned against each other", expected="the same directions"
        )
    return to_file


def _shifted(to_file: Affine, window: Window, grid: Grid, file: Grid) -> Window | None:
    """Return the same pixels as a window of the file, or None where it has none of that size."""
    drift = max(abs(to_file.a - 1) * grid.width, abs(to_file.e - 1) * grid.height)
    x0, y0 = round(to_file.c + window.x0), round(to_file.f + window.y0)
    off = max(abs(to_file.c + window.x0 - x0), abs(to_file.f + window.y0 - y0))
    fits = 0 <= y0 <= file.height - window.h and 0 <= x0 <= file.width - window.w
    return Window(y0, x0, window.h, window.w) if fits and drift + off <= SAME_PX else None
