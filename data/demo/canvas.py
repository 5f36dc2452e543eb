"""The canvas that a region is painted on, and brushes for houses, trees and cars.

Everything is painted into four fields at once - reflectance, height, backscatter and class - so
that optical, SAR and truth show the same things.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.clouds.sun import Sun
from core.noise import Field, Shape, fractal
from data.demo.palette import BUILDING, SURFACES, TREE, Palette, reflectance

Mask = npt.NDArray[np.bool_]


@dataclass
class Canvas:
    """Fields of one region, all on the same grid; `height` is metres above ground."""

    rgb: Field
    height: Field
    terrain: Field
    backscatter: Field
    classes: npt.NDArray[np.uint8]
    pixel_m: float

    @staticmethod
    def blank(shape: Shape, pixel_m: float) -> "Canvas":
        """Return an empty canvas without class."""
        zeros = np.zeros(shape, np.float32)
        return Canvas(
            np.zeros((*shape, 3), np.float32),
            zeros,
            zeros.copy(),
            np.full(shape, -12, np.float32),
            np.zeros(shape, np.uint8),
            pixel_m,
        )

    @property
    def shape(self) -> Shape:
        """Return rows and columns."""
        return self.height.shape[0], self.height.shape[1]

    def cover(
        self, name: str, where: Mask, palette: Palette, tone: Field, choice: Field | None = None
    ) -> None:
        """Paint a ground cover; `tone` is patchy noise, `choice` 0..1 picks among its colours."""
        surface = SURFACES[name]
        rows, cols = np.nonzero(where)
        colours = palette.colours(name)
        if choice is None:
            colour = colours[0][None]
        else:
            at = choice[rows, cols] * (len(colours) - 1)
            low = np.minimum(at.astype(np.int64), max(len(colours) - 2, 0))
            part = (at - low)[:, None]
            colour = (
                colours[low] * (1 - part) + colours[np.minimum(low + 1, len(colours) - 1)] * part
            )
        shade = 1 + np.float32(surface.patches) * np.clip(tone[rows, cols], -2.2, 2.2)
        self.rgb[rows, cols] = colour * shade[:, None]
        self.backscatter[rows, cols] = surface.backscatter_db
        self.classes[rows, cols] = surface.code


@dataclass(frozen=True)
class House:
    """A rectangle with a roof. Position and size in pixels, height in metres, angle in radians."""

    row: float
    col: float
    angle: float
    width: float
    depth: float
    height: float
    gabled: bool
    colour: tuple[int, int, int]

    def corners_free(self, blocked: Mask, margin: float) -> bool:
        """Return whether the footprint, widened by `margin`, touches nothing blocked."""
        along = np.linspace(-0.5, 0.5, 7) * (self.width + 2 * margin)
        across = np.linspace(-0.5, 0.5, 6) * (self.depth + 2 * margin)
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        cols = (self.col + along[:, None] * cos - across[None] * sin).astype(np.int64)
        rows = (self.row + along[:, None] * sin + across[None] * cos).astype(np.int64)
        height, width = blocked.shape
        if rows.min() < 0 or cols.min() < 0 or rows.max() >= height or cols.max() >= width:
            return False
        return not bool(blocked[rows, cols].any())


def draw_house(canvas: Canvas, house: House, sun: Sun, rng: np.random.Generator) -> None:
    """Paint a house: roof faces in the light of the sun, ridge, parapet and roof units."""
    reach = int(np.hypot(house.width, house.depth) / 2) + 2
    top, left = max(int(house.row) - reach, 0), max(int(house.col) - reach, 0)
    window = (slice(top, int(house.row) + reach + 1), slice(left, int(house.col) + reach + 1))
    rows, cols = canvas.height[window].shape
    y = np.arange(top, top + rows, dtype=np.float32)[:, None] - np.float32(house.row)
    x = np.arange(left, left + cols, dtype=np.float32)[None] - np.float32(house.col)
    cos, sin = np.float32(np.cos(house.angle)), np.float32(np.sin(house.angle))
    u, v = x * cos + y * sin, y * cos - x * sin
    inside = (np.abs(u) <= house.width / 2) & (np.abs(v) <= house.depth / 2)
    light, height = (_gable if house.gabled else _flat)(house, u, v, sun, canvas.pixel_m, rng)
    light = light * (1 + 0.03 * rng.standard_normal(light.shape, np.float32))
    colour = reflectance(house.colour) * np.float32(rng.uniform(0.88, 1.1))
    canvas.rgb[window][inside] = (light[..., None] * colour)[inside]
    canvas.height[window][inside] = height[inside]
    canvas.backscatter[window][inside] = rng.normal(-9.5 if house.gabled else -12.0, 1.5)
    canvas.classes[window][inside] = BUILDING


def _gable(
    house: House, u: Field, v: Field, sun: Sun, pixel_m: float, rng: np.random.Generator
) -> tuple[Field, Field]:
    """Return light and height of a roof with two faces and a ridge along its width."""
    away_y, away_x = sun.away
    across = -away_x * np.sin(house.angle) + away_y * np.cos(house.angle)
    light = np.where(v * across < 0, 1 + 0.2 * abs(across), 1 - 0.32 * abs(across))
    light = np.where(np.abs(v) < 0.7, light * 1.08, light)
    courses = 1 + 0.03 * np.sin(v * np.float32(2.1) + rng.uniform(0, 6))
    rise = (house.depth / 2 - np.abs(v)) * np.float32(0.55 * pixel_m)
    return np.asarray(light * courses, np.float32), np.asarray(house.height + rise, np.float32)


def _flat(
    house: House, u: Field, v: Field, sun: Sun, pixel_m: float, rng: np.random.Generator
) -> tuple[Field, Field]:
    """Return light and height of a flat roof with a parapet and a few units on it."""
    del sun, pixel_m
    light = np.ones_like(u)
    height = np.full_like(u, house.height)
    edge = np.minimum(house.width / 2 - np.abs(u), house.depth / 2 - np.abs(v))
    light[edge < 1.6] = 0.82
    height[edge < 1.6] += 0.7
    for _ in range(int(rng.integers(0, 2 + int(house.width * house.depth / 900)))):
        at_u = rng.uniform(-0.35, 0.35) * house.width
        at_v = rng.uniform(-0.35, 0.35) * house.depth
        unit = (np.abs(u - at_u) < rng.uniform(1.5, 5)) & (np.abs(v - at_v) < rng.uniform(1.5, 4))
        light[unit] *= rng.uniform(0.75, 1.25)
        height[unit] += 1.6
    seams = np.abs((u + 200) % rng.uniform(9, 16)) < 0.8
    light[seams & (edge > 1.6)] *= 0.96
    return light, height


@dataclass(frozen=True)
class Crown:
    """A tree seen from above: which pixels, how high (0 to 1) and how lit."""

    mask: Mask
    dome: Field
    light: Field


def crowns(rng: np.random.Generator, sun: Sun, *, count: int = 48) -> list[Crown]:
    """Return crowns of radius 4 to 13 pixels, lumpy and lit from the sun's side."""
    made = []
    for radius in np.linspace(4, 13, count):
        size = 2 * int(radius + 2) + 1
        axis = np.arange(size, dtype=np.float32) - size // 2
        y, x = axis[:, None], axis[None]
        lumps = fractal(rng, (size, size), radius, slope=2.2)
        reach = np.hypot(y, x) / np.float32(radius) + 0.13 * lumps
        dome = np.sqrt(np.clip(1 - reach**2, 0, 1)) * (1 + 0.1 * lumps)
        bumps = ndimage.gaussian_filter(dome + 0.1 * lumps, 0.8)
        slope_y, slope_x = np.gradient(bumps * np.float32(radius))
        towards = slope_y * sun.away[0] + slope_x * sun.away[1]
        light = np.clip(0.82 + 0.36 * np.clip(towards, -1.2, 1.2) + 0.12 * lumps, 0.3, 1.6)
        made.append(
            Crown(reach < 0.98, np.asarray(dome, np.float32), np.asarray(light, np.float32))
        )
    return made


def draw_trees(
    canvas: Canvas,
    at: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.float64],
    stamps: list[Crown],
    colours: Field,
    rng: np.random.Generator,
) -> None:
    """Paint trees centred at `at` [n, 2]; `sizes` 0..1 picks the stamp, `colours` is [n, 3]."""
    height, width = canvas.shape
    turn = rng.random(len(at))
    for (row, col), size, colour, luck in zip(at.tolist(), sizes, colours, turn, strict=True):
        stamp = stamps[min(int(size * len(stamps)), len(stamps) - 1)]
        half = stamp.mask.shape[0] // 2
        top, left = row - half, col - half
        if top < 0 or left < 0 or row + half >= height or col + half >= width:
            continue
        window = (slice(top, row + half + 1), slice(left, col + half + 1))
        tall = (3.0 + 0.75 * half) * (0.8 + 0.4 * luck)
        crown = stamp.dome * np.float32(tall)
        here = canvas.height[window]
        wins = stamp.mask & (crown + 1.5 > here)
        here[wins] = np.maximum(crown, 1.0)[wins]
        canvas.rgb[window][wins] = stamp.light[wins][:, None] * colour
        canvas.backscatter[window][wins] = -8.5 + 7 * (stamp.light[wins] - 0.9)
        canvas.classes[window][wins] = TREE


def draw_car(
    canvas: Canvas, row: int, col: int, angle: float, colour: tuple[int, int, int]
) -> None:
    """Paint a car of about 4.5 x 2 m, higher than its road but of the road's class."""
    reach = 6
    height, width = canvas.shape
    if not (reach <= row < height - reach and reach <= col < width - reach):
        return
    axis = np.arange(-reach, reach + 1, dtype=np.float32)
    u = axis[None] * np.cos(angle) + axis[:, None] * np.sin(angle)
    v = axis[:, None] * np.cos(angle) - axis[None] * np.sin(angle)
    body = (np.abs(u) < 4.4) & (np.abs(v) < 1.9)
    window = (slice(row - reach, row + reach + 1), slice(col - reach, col + reach + 1))
    glass = (np.abs(np.abs(u - 0.3) - 2.2) < 0.7) & body
    canvas.rgb[window][body] = reflectance(colour)
    canvas.rgb[window][glass] *= 0.45
    canvas.height[window][body] = 1.4
    canvas.backscatter[window][body] = -6.0
