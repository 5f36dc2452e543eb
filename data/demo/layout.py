"""The plan of a region: water, a net of roads, and blocks with a land use.

A region is laid out on bent coordinates (u along, v across). Coarse lines in u and v are roads or
field edges and cut the ground into *cells*; each cell is town or country as a whole. Cells are cut
again into *blocks*, by streets in town and by field edges in the country. All distances are pixels.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from core.noise import Field, Shape, fractal
from data.demo.noise import coordinates, rotated

CENTRE, RESIDENTIAL, INDUSTRY, PARK, PARKING, SITE, FIELD, MEADOW, FOREST, SCRUB = range(10)

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Plan:
    """What kind of place a region is. Shares are weights; lengths in pixels, relief in metres.

    `water` is "river", "coast", "stream" or "pond". `town` places the built-up area: "round" (about
    the middle), "coast" (any dry cell) or "dots" (any cell), and how much of it, 0 to 1.
    `country` are weights of field, meadow, forest, scrub and open soil among the country blocks;
    `quarters` those of centre, residential, industry, park, parking and building site among town
    blocks. `staggered` cells meet in T junctions instead of crossings.
    """

    water: str
    town: tuple[str, float]
    cell_px: tuple[float, float] = (250.0, 190.0)
    block_px: tuple[float, float] = (120.0, 88.0)
    bend_px: float = 50.0
    staggered: bool = True
    country: tuple[float, ...] = (0.5, 0.2, 0.2, 0.05, 0.05)
    quarters: tuple[float, ...] = (0.15, 0.5, 0.1, 0.1, 0.1, 0.05)
    relief_m: float = 6.0
    road_share: float = 0.5
    hedges: float = 0.4
    garden_trees: float = 0.5


@dataclass(frozen=True)
class Layout:
    """The plan drawn on the grid.

    `use` is the land use per pixel and `block` its block. `edge` is the distance to the nearest
    block edge and `street` that to the nearest carriageway's rim, negative on the carriageway.
    `width` is the nearest road's half width (0: only a field edge). `shore` is the distance to
    water, negative in it. `along_u` tells whether the nearest line runs along u.
    """

    use: npt.NDArray[np.uint8]
    block: Ids
    edge: Field
    street: Field
    width: Field
    main: npt.NDArray[np.bool_]
    shore: Field
    u: Field
    v: Field
    along_u: npt.NDArray[np.bool_]
    town: npt.NDArray[np.bool_]

    def angle(self, rows: npt.NDArray[np.int64], cols: npt.NDArray[np.int64]) -> Field:
        """Return the direction of the u lines at some pixels, in radians."""
        height, width = self.v.shape
        down = (
            self.v[np.minimum(rows + 2, height - 1), cols] - self.v[np.maximum(rows - 2, 0), cols]
        )
        right = (
            self.v[rows, np.minimum(cols + 2, width - 1)] - self.v[rows, np.maximum(cols - 2, 0)]
        )
        return np.asarray(np.arctan2(-right, down), np.float32)


@dataclass
class _Cells:
    """Intervals of one coordinate: index, distance to the lower cut, width and cut numbers."""

    index: Ids
    low: Field
    width: Field
    cuts: npt.NDArray[np.float64] = field(repr=False)

    @property
    def high(self) -> Field:
        return np.asarray(self.width - self.low, np.float32)


def _cut(rng: np.random.Generator, coordinate: Field, spacing: float) -> _Cells:
    """Cut a coordinate at irregular places about `spacing` apart."""
    start, stop = float(coordinate.min()) - spacing, float(coordinate.max()) + spacing
    steps = spacing * rng.uniform(0.7, 1.35, int((stop - start) / spacing / 0.7) + 3)
    cuts = start - spacing + np.cumsum(steps)
    index = np.searchsorted(cuts, coordinate).astype(np.int32)
    index = np.clip(index, 1, len(cuts) - 1)
    low = np.asarray(coordinate - cuts[index - 1], np.float32)
    return _Cells(index, low, np.asarray(np.diff(cuts)[index - 1], np.float32), cuts)


def draw_layout(rng: np.random.Generator, plan: Plan, shape: Shape) -> Layout:
    """Return the plan of a region drawn with one seed."""
    u, v = _bent(rng, plan, shape)
    across = _cut(rng, v, plan.cell_px[1])
    shifts = rng.uniform(0, plan.cell_px[0], len(across.cuts)) * plan.staggered
    along = _cut(rng, np.asarray(u + shifts[across.index], np.float32), plan.cell_px[0])
    cell = across.index * np.int32(len(along.cuts) + 1) + along.index
    shore = _shore(rng, plan, shape)
    town_cells = _town(rng, plan, cell, shape, shore)
    town = town_cells[cell]

    sub_u, edge_u, last_u = _subdivide(rng, cell, along, plan.block_px[0], town)
    sub_v, edge_v, last_v = _subdivide(rng, cell, across, plan.block_px[1], town)
    edge_u = np.asarray(edge_u / _steepness(u), np.float32)
    edge_v = np.asarray(edge_v / _steepness(v), np.float32)
    parts = cell * np.int32(64) + np.minimum(sub_u, 7) * np.int32(8) + np.minimum(sub_v, 7)
    block = np.unique(parts, return_inverse=True)[1].reshape(shape).astype(np.int32)

    half_u = _half_widths(rng, plan, along, last_u, town)
    half_v = _half_widths(rng, plan, across, last_v, town)
    gap_u, gap_v = edge_u - half_u, edge_v - half_v
    along_u = gap_v < gap_u
    width = np.where(along_u, half_v, half_u)
    street = np.where(width > 0, np.minimum(gap_u, gap_v), np.float32(99))
    street = np.where(half_u > 0, np.minimum(street, gap_u), street)
    street = np.where(half_v > 0, np.minimum(street, gap_v), street)
    return Layout(
        use=_uses(rng, plan, block, town),
        block=block,
        edge=np.minimum(edge_u, edge_v),
        street=np.asarray(street, np.float32),
        width=np.asarray(width, np.float32),
        main=np.asarray(width > 8, np.bool_),
        shore=shore,
        u=u,
        v=v,
        along_u=np.asarray(along_u, np.bool_),
        town=town,
    )


def _bent(rng: np.random.Generator, plan: Plan, shape: Shape) -> tuple[Field, Field]:
    """Return the bent coordinates of a region."""
    u, v = rotated(shape, float(rng.uniform(-0.5, 0.5)))
    wave = max(shape) * 0.55
    u = u + np.float32(plan.bend_px) * fractal(rng, shape, wave, slope=7.0)
    v = v + np.float32(plan.bend_px) * fractal(rng, shape, wave, slope=7.0)
    return np.asarray(u, np.float32), np.asarray(v, np.float32)


def _shore(rng: np.random.Generator, plan: Plan, shape: Shape) -> Field:
    """Return the distance to water, negative in it; smooth banks with small bays."""
    rows, cols = coordinates(shape)
    height, width = shape
    t = cols / np.float32(width)
    bays = 4.5 * fractal(rng, shape, 150, slope=6.0)
    phase = rng.uniform(0, 6.28, 3)
    if plan.water == "river":
        middle = height * (
            rng.uniform(0.4, 0.6)
            + 0.16 * np.sin(2 * np.pi * t * 0.9 + phase[0])
            + 0.05 * np.sin(2 * np.pi * t * 2.3 + phase[1])
        )
        half = height * (0.07 + 0.02 * np.sin(2 * np.pi * t * 1.7 + phase[2]))
        return np.asarray(np.abs(rows - middle) * 0.85 - half + bays, np.float32)
    if plan.water == "coast":
        line = height * (0.70 + 0.1 * np.sin(2 * np.pi * t * 1.1 + phase[0]))
        line = line + 12 * np.sin(2 * np.pi * t * 4 + phase[1])
        return np.asarray((line - rows) * 0.9 + bays, np.float32)
    if plan.water == "stream":
        middle = height * (0.3 + 0.2 * np.sin(2 * np.pi * t * 1.3 + phase[0]) + 0.25 * t)
        stream = np.abs(rows - middle) * 0.8 - height * 0.012 + 0.6 * bays
    else:
        stream = np.full(shape, np.float32(1e3))
    centre = (rng.uniform(0.25, 0.75) * height, rng.uniform(0.2, 0.8) * width)
    reach = np.hypot(rows - centre[0], (cols - centre[1]) * 0.7)
    pond = reach - height * rng.uniform(0.07, 0.1) + 5 * bays
    return np.asarray(np.minimum(stream, pond), np.float32)


def _town(
    rng: np.random.Generator, plan: Plan, cell: Ids, shape: Shape, shore: Field
) -> npt.NDArray[np.bool_]:
    """Return bool per cell id: whether it is built up."""
    rows, cols = coordinates(shape)
    kind, size = plan.town
    count = np.maximum(np.bincount(cell.ravel()), 1)

    def mean(values: Field) -> npt.NDArray[np.float64]:
        full = np.broadcast_to(values, shape).ravel()
        return np.asarray(np.bincount(cell.ravel(), weights=full) / count, np.float64)

    at_row, at_col = mean(rows) / shape[0], mean(cols) / shape[1]
    luck = rng.normal(0, 0.08, len(count))
    if kind == "round":
        far = np.hypot((at_row - 0.5) * 0.8, (at_col - rng.uniform(0.4, 0.6)) * 1.0)
        return np.asarray(far + luck < 0.62 * size, np.bool_)
    if kind == "coast":
        return np.asarray(rng.random(len(count)) < size, np.bool_) & (mean(shore) > 0)
    return np.asarray(rng.random(len(count)) < size, np.bool_)


def _subdivide(
    rng: np.random.Generator, cell: Ids, cells: _Cells, block: float, town: npt.NDArray[np.bool_]
) -> tuple[Ids, Field, npt.NDArray[np.bool_]]:
    """Return the part of its cell that a pixel is in, the distance to the nearest cut, and
    whether that cut is the cell's own edge."""
    jitter = rng.uniform(0.75, 1.3, int(cell.max()) + 1)[cell]
    size = np.where(town, block, block * 1.9) * jitter
    parts = np.clip(np.round(cells.width / size), 1, 6).astype(np.float32)
    part_width = cells.width / parts
    sub = np.clip(np.floor(cells.low / part_width), 0, parts - 1).astype(np.int32)
    inner_low = cells.low - sub * part_width
    edge = np.minimum(inner_low, part_width - inner_low)
    outer = np.minimum(cells.low, cells.high)
    return sub, np.asarray(edge, np.float32), np.asarray(outer <= edge + 0.01, np.bool_)


def _steepness(coordinate: Field) -> Field:
    """Return how much a bent coordinate changes per pixel, which turns it into a distance."""
    down = (coordinate[2:, 1:-1] - coordinate[:-2, 1:-1]) * np.float32(0.5)
    right = (coordinate[1:-1, 2:] - coordinate[1:-1, :-2]) * np.float32(0.5)
    return np.asarray(np.pad(np.maximum(np.hypot(down, right), 0.2), 1, mode="edge"), np.float32)


def _half_widths(
    rng: np.random.Generator,
    plan: Plan,
    cells: _Cells,
    outer: npt.NDArray[np.bool_],
    town: npt.NDArray[np.bool_],
) -> Field:
    """Return the half width of the road on the nearest cut: main, side street, track or none."""
    line = cells.index - (cells.low < cells.high)
    level = rng.random(len(cells.cuts) + 2)
    main = level[line] < 0.35
    track = (level[line] < 0.35 + plan.road_share * 0.65) & outer
    width = np.where(outer & main, 9.5, np.where(town, 5.6, np.where(track, 3.6, 0.0)))
    return np.asarray(width, np.float32)


def _uses(
    rng: np.random.Generator, plan: Plan, block: Ids, town: npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint8]:
    """Return the land use per pixel, drawn per block."""
    count = int(block.max()) + 1
    country = np.asarray(plan.country) / sum(plan.country)
    quarters = np.asarray(plan.quarters) / sum(plan.quarters)
    rural = rng.choice([FIELD, MEADOW, FOREST, SCRUB, SITE], count, p=country).astype(np.uint8)
    urban = rng.choice([CENTRE, RESIDENTIAL, INDUSTRY, PARK, PARKING, SITE], count, p=quarters)
    return np.where(town, urban.astype(np.uint8)[block], rural[block])
