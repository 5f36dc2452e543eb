"""Towns for the damage demo: streets, plots, houses and trees on a pixel grid of 0.5 m.

A *block* is a piece of ground between streets. A *plot* is a piece of a block that may hold one
house. *Street coordinates* (along, across) are pixels in the turned frame of the street grid;
`_Bend` takes them to (row, column). All lengths are in pixels unless the name says metres.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.draw import polygon

from core.noise import Field, fractal
from data.demo.noise import coordinates

PIXEL_M = 0.5

Rect = tuple[float, float, float, float]  # along0, across0, along1, across1


class Ground(IntEnum):
    """What covers the ground between houses."""

    GARDEN = 0
    STREET = 1
    YARD = 2
    WOOD = 3
    WATER = 4
    FIELD = 5


@dataclass(frozen=True)
class TownStyle:
    """How a town looks: turn of its streets, size of its plots, roofs, woods and a river."""

    turn_deg: float
    plot: tuple[float, float]  # width along the street, depth
    roofs: tuple[tuple[int, int, int], ...]
    soil: tuple[int, int, int]
    green: tuple[int, int, int]
    shed_share: float = 0.08
    flats_share: float = 0.12
    empty_share: float = 0.12
    wood_share: float = 0.15
    river: bool = False


@dataclass(frozen=True)
class House:
    """One building: footprint corners, height and roof. `lean` lights one half of the roof."""

    rows: npt.NDArray[np.float64]
    cols: npt.NDArray[np.float64]
    height_m: float
    roof: tuple[int, int, int]
    ridge: tuple[float, float]  # unit vector (row, col) across the ridge
    gabled: bool

    @property
    def centre(self) -> tuple[float, float]:
        """Return the mean corner (row, column)."""
        return float(self.rows.mean()), float(self.cols.mean())


@dataclass(frozen=True)
class Town:
    """A town on its canvas: `ground` uint8 [H, W] of `Ground`, `ids` int32 [H, W] of houses from 1,
    `trees_m` float32 [H, W] crown heights, `river_px` float32 [H, W] distance to the river."""

    style: TownStyle
    ground: npt.NDArray[np.uint8]
    ids: npt.NDArray[np.int32]
    houses: tuple[House, ...]
    trees_m: Field
    river_px: Field


def build_town(shape: tuple[int, int], style: TownStyle, rng: np.random.Generator) -> Town:
    """Return a town on a canvas of `shape` (rows, columns). The same generator state gives the
    same town."""
    bend = _Bend(shape, np.deg2rad(style.turn_deg), rng.uniform(0, 2 * np.pi, 2))
    river_px = _river(shape, rng) if style.river else np.full(shape, 1e4, np.float32)
    woods = fractal(rng, shape, 420)
    wild = woods > np.quantile(woods, 1 - style.wood_share)
    ground = np.full(shape, Ground.STREET, np.uint8)
    ids = np.zeros(shape, np.int32)
    houses: list[House] = []
    reach = float(np.hypot(*shape)) / 2
    for block in _split((-reach, -reach, reach, reach), style, rng):
        if not _near(block, bend):
            continue
        _fill_block(block, bend, style, wild, ground, rng)
        for house in _plan_block(block, bend, style, ground, rng):
            _place(house, houses, ids, ground, river_px)
    ground[river_px <= 0] = Ground.WATER
    trees_m = _plant(ground, ids, rng)
    return Town(style, ground, ids, tuple(houses), trees_m, river_px)


@dataclass(frozen=True)
class _Bend:
    """Takes street coordinates to (row, column): a turn, and a slow bend as old streets have."""

    shape: tuple[int, int]
    turn: float
    phase: npt.NDArray[np.float64]

    def __call__(
        self, along: npt.NDArray[np.float64], across: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        u = along + 14 * np.sin(across / 210 + self.phase[0])
        v = across + 14 * np.sin(along / 260 + self.phase[1])
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        return self.shape[0] / 2 + sin * u + cos * v, self.shape[1] / 2 + cos * u - sin * v

    def middle(self, rect: Rect) -> tuple[int, int]:
        """Return the pixel (row, column) in the middle of a block, perhaps off the canvas."""
        along = np.array([(rect[0] + rect[2]) / 2])
        rows, cols = self(along, np.array([(rect[1] + rect[3]) / 2]))
        return round(float(rows[0])), round(float(cols[0]))


def _near(rect: Rect, bend: _Bend) -> bool:
    """Return whether a block may touch the canvas."""
    row, col = bend.middle(rect)
    reach = np.hypot(rect[2] - rect[0], rect[3] - rect[1]) / 2 + 20
    height, width = bend.shape
    return bool(-reach < row < height + reach and -reach < col < width + reach)


def _split(rect: Rect, style: TownStyle, rng: np.random.Generator, depth: int = 0) -> list[Rect]:
    """Cut a rectangle into blocks with streets between them; the first cuts are main streets."""
    long_side, short_side = 5.5 * style.plot[0], 2.6 * style.plot[1]
    along, across = rect[2] - rect[0], rect[3] - rect[1]
    if along <= long_side and across <= short_side:
        return [rect]
    street = (22.0 if depth < 4 else 12.0) / 2
    if along / long_side > across / short_side:
        cut = rect[0] + along * rng.uniform(0.4, 0.6)
        halves = ((*rect[:2], cut - street, rect[3]), (cut + street, *rect[1:]))
    else:
        cut = rect[1] + across * rng.uniform(0.4, 0.6)
        halves = ((*rect[:3], cut - street), (rect[0], cut + street, *rect[2:]))
    return [block for half in halves for block in _split(half, style, rng, depth + 1)]


def _fill_block(
    rect: Rect,
    bend: _Bend,
    style: TownStyle,
    wild: npt.NDArray[np.bool_],
    ground: npt.NDArray[np.uint8],
    rng: np.random.Generator,
) -> None:
    """Draw what covers a block; woods swallow blocks that lie in them."""
    along = np.concatenate(
        [np.linspace(rect[0], rect[2], 9), np.full(5, rect[2]), np.linspace(rect[2], rect[0], 9)]
    )
    across = np.concatenate(
        [np.full(9, rect[1]), np.linspace(rect[1], rect[3], 5), np.full(9, rect[3])]
    )
    rows, cols = _inside(*bend(along, across), ground.shape)
    if not rows.size:
        return
    shares = (style.shed_share, 0.06)
    draw = rng.uniform()
    cover = Ground.YARD if draw < shares[0] else Ground.GARDEN
    if shares[0] <= draw < sum(shares):
        cover = Ground.FIELD
    if wild[rows, cols].mean() > 0.6:
        cover = Ground.WOOD
    ground[rows, cols] = cover


def _plan_block(
    rect: Rect,
    bend: _Bend,
    style: TownStyle,
    ground: npt.NDArray[np.uint8],
    rng: np.random.Generator,
) -> list[House]:
    """Return the houses of a block, by what covers its middle."""
    row, col = bend.middle(rect)
    height, width = ground.shape
    inside = 0 <= row < height and 0 <= col < width
    cover = ground[row, col] if inside else Ground.GARDEN
    if cover in (Ground.WOOD, Ground.FIELD):
        return []
    if cover == Ground.YARD:
        return _houses(rect, (110, 75), "shed", bend, style, rng)
    if rng.uniform() < style.flats_share:
        return _houses(rect, (80, style.plot[1] * 1.1), "flats", bend, style, rng)
    return _houses(rect, style.plot, "house", bend, style, rng)


_HEIGHTS_M = {"house": (3.5, 7.5), "flats": (11.0, 20.0), "shed": (6.0, 9.0)}


def _houses(
    rect: Rect,
    plot: tuple[float, float],
    kind: str,
    bend: _Bend,
    style: TownStyle,
    rng: np.random.Generator,
) -> list[House]:
    """Return one house per plot, some plots left empty, each a little off the grid."""
    found = []
    columns = max(1, round((rect[2] - rect[0]) / plot[0]))
    rows = max(1, round((rect[3] - rect[1]) / plot[1]))
    step_u, step_v = (rect[2] - rect[0]) / columns, (rect[3] - rect[1]) / rows
    for i in range(columns):
        for j in range(rows):
            if rng.uniform() < style.empty_share:
                continue
            centre_u = rect[0] + (i + 0.5 + rng.uniform(-0.06, 0.06)) * step_u
            toward_street = -0.12 if j == 0 else 0.12
            centre_v = rect[1] + (j + 0.5 + toward_street * rng.uniform(0.2, 1)) * step_v
            size = step_u * rng.uniform(0.5, 0.74), step_v * rng.uniform(0.4, 0.6)
            found.append(_house((centre_u, centre_v), size, kind, bend, style, rng))
    return found


def _house(
    centre: tuple[float, float],
    size: tuple[float, float],
    kind: str,
    bend: _Bend,
    style: TownStyle,
    rng: np.random.Generator,
) -> House:
    """Return a house with a rectangular or L-shaped footprint."""
    half_u, half_v = size[0] / 2, size[1] / 2
    u = np.array([-half_u, half_u, half_u, -half_u])
    v = np.array([-half_v, -half_v, half_v, half_v])
    if kind != "shed" and rng.uniform() < 0.4:
        notch_u, notch_v = half_u * rng.uniform(0.0, 0.4), half_v * rng.uniform(-0.1, 0.3)
        u = np.array([-half_u, half_u, half_u, notch_u, notch_u, -half_u])
        v = np.array([-half_v, -half_v, notch_v, notch_v, half_v, half_v])
    flip, turn = rng.choice([-1.0, 1.0]), rng.normal(0, 0.05)
    u = u * flip
    rows, cols = bend(
        centre[0] + np.cos(turn) * u - np.sin(turn) * v,
        centre[1] + np.sin(turn) * u + np.cos(turn) * v,
    )
    low, high = _HEIGHTS_M[kind]
    across = np.pi / 2 if half_u >= half_v else 0.0
    angle = bend.turn + across + turn
    roof = style.roofs[int(rng.integers(len(style.roofs)))]
    if kind != "house":
        roof = ((186, 184, 178), (150, 152, 155), (205, 200, 190))[int(rng.integers(3))]
    return House(
        rows,
        cols,
        float(rng.uniform(low, high)),
        roof,
        (float(np.sin(angle)), float(np.cos(angle))),
        gabled=kind == "house",
    )


def _place(
    house: House,
    houses: list[House],
    ids: npt.NDArray[np.int32],
    ground: npt.NDArray[np.uint8],
    river_px: Field,
) -> None:
    """Draw a house where it stands free: two pixels from its neighbours, off street and water."""
    row, col = house.centre
    wider = _inside(row + (house.rows - row) * 1.12, col + (house.cols - col) * 1.12, ids.shape)
    if wider[0].size < 40 or ids[wider].any():
        return
    if (ground[wider] == Ground.STREET).mean() > 0.1 or river_px[wider].min() < 6:
        return
    houses.append(house)
    ids[_inside(house.rows, house.cols, ids.shape)] = len(houses)


def _inside(
    rows: npt.NDArray[np.float64], cols: npt.NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the pixels (rows, columns) inside a polygon, those off the canvas left out."""
    found = polygon(rows, cols, shape=shape)  # type: ignore[no-untyped-call]
    return found[0], found[1]


def _river(shape: tuple[int, int], rng: np.random.Generator) -> Field:
    """Return the distance to the bank of a winding river, negative on the water."""
    row, col = coordinates(shape)
    phase = rng.uniform(0, 2 * np.pi, 2)
    bed = shape[0] * 0.5 + shape[0] * 0.13 * np.sin(col / shape[1] * 5.0 + phase[0])
    bed = bed + 18 * np.sin(col / 150 + phase[1])
    half_width = 26 + 5 * np.sin(col / 90 + phase[0])
    return np.asarray(np.abs(row - bed) - half_width, np.float32)


def _plant(
    ground: npt.NDArray[np.uint8], ids: npt.NDArray[np.int32], rng: np.random.Generator
) -> Field:
    """Return crown heights in metres: closed woods, loose trees in gardens, rows at fields."""
    free = ndimage.distance_transform_edt((ids == 0) & (ground != Ground.WATER))
    chance = np.array([0.0030, 0.0, 0.0006, 0.013, 0.0, 0.0004])[ground]
    row, col = np.nonzero((rng.random(ground.shape) < chance) & (free > 5))
    heights = np.zeros(ground.shape, np.float32)
    for r, c in zip(row.tolist(), col.tolist(), strict=True):
        radius = float(rng.uniform(3.5, 8.5))
        radius = min(radius, float(free[r, c]) - 1)
        reach = int(radius) + 1
        box = (slice(max(r - reach, 0), r + reach + 1), slice(max(c - reach, 0), c + reach + 1))
        y, x = np.ogrid[box]
        crown = 1 - ((y - r) ** 2 + (x - c) ** 2) / (radius * radius)
        height = (0.9 * radius + 1) * np.sqrt(np.clip(crown, 0, 1))
        patch = heights[box]
        np.maximum(patch, height[: patch.shape[0], : patch.shape[1]], out=patch)
    return heights
