"""How large the pixels of a grid are on the ground, and where north is: for scale bars."""

from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, radians, sin, sqrt

from core.grid import pixel_to_lonlat
from core.records import Grid

# WGS 84: half of the longer axis in metres, and the square of the eccentricity.
AXIS_M = 6_378_137.0
ECCENTRICITY_2 = 0.006_694_379_990_14
STEP_PX = 32.0


@dataclass(frozen=True)
class Ground:
    """Pixels on the ground at the centre of a grid.

    `width_m` and `height_m` are the sides of one pixel in metres. `north_deg` is the direction of
    true north, in degrees clockwise from the top of the image.
    """

    width_m: float
    height_m: float
    north_deg: float


def ground(grid: Grid) -> Ground | None:
    """Return pixel size and north of a grid; None without a way from it to the globe.

    Metres are true ones, also in degrees and in projections that stretch, such as web Mercator.
    """
    if grid.crs is None:
        return None
    row, column = grid.height / 2 - 0.5, grid.width / 2 - 0.5
    step = min(STEP_PX, max(grid.height, grid.width) / 2)
    right = _metres(grid, (row, column - step), (row, column + step))
    up = _metres(grid, (row + step, column), (row - step, column))
    if right is None or up is None:
        return None
    width, height = hypot(*right) / (2 * step), hypot(*up) / (2 * step)
    if not (width > 0 and height > 0):
        return None
    return Ground(width, height, _north(right, up, width, height, step))


def _north(
    right: tuple[float, float], up: tuple[float, float], width: float, height: float, step: float
) -> float:
    """Return where north lies on the screen: right and up have unit length there."""
    x, y = right[1] / (2 * step * width), up[1] / (2 * step * height)
    angle = degrees(atan2(x, y))
    return 0.0 if abs(angle) < 1e-9 else angle


def _metres(
    grid: Grid, start: tuple[float, float], end: tuple[float, float]
) -> tuple[float, float] | None:
    """Return (east, north) in metres from one pixel position to another near it."""
    a, b = pixel_to_lonlat(grid, *start), pixel_to_lonlat(grid, *end)
    if a is None or b is None:
        return None
    latitude = radians((a[1] + b[1]) / 2)
    bulge = 1 - ECCENTRICITY_2 * sin(latitude) ** 2
    across = AXIS_M / sqrt(bulge) * cos(latitude)
    along = AXIS_M * (1 - ECCENTRICITY_2) / bulge**1.5
    # The shorter way round, where a grid lies across the date line.
    east = (b[0] - a[0] + 180) % 360 - 180
    return radians(east) * across, radians(b[1] - a[1]) * along
