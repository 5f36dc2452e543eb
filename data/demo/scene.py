"""Paint a region: ground, fields, roads, houses, trees and cars on one canvas."""

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from core.clouds.sun import Sun
from core.noise import Field, Shape, fractal, smoothstep
from data.demo import layout as lay
from data.demo.canvas import (
    Canvas,
    Crown,
    House,
    Mask,
    crowns,
    draw_car,
    draw_house,
    draw_trees,
)
from data.demo.layout import Layout, Plan, draw_layout
from data.demo.light import cast_shadow, lighten, relief
from data.demo.noise import grain, pick
from data.demo.palette import BUILDING, CROPS, DEVELOPED, ROAD, TREE, WATER, Palette, reflectance
from data.demo.sar import Geometry, radar_view, slope_gain, to_power


@dataclass(frozen=True)
class Place:
    """Everything that makes a region what it is, apart from its seed."""

    plan: Plan
    palette: Palette = field(default_factory=Palette)
    sun: Sun = field(default_factory=lambda: Sun(150, 48))
    pixel_m: float = 0.5


def paint(rng: np.random.Generator, place: Place, shape: Shape) -> Canvas:
    """Return the painted region. One generator state and place give one picture."""
    layout = draw_layout(rng, place.plan, shape)
    canvas = Canvas.blank(shape, place.pixel_m)
    canvas.terrain = place.plan.relief_m * fractal(rng, shape, max(shape) * 0.4, slope=5.0)
    painter = _Painter(rng, place, layout, canvas)
    painter.country()
    painter.quarters()
    painter.roads()
    painter.water()
    painter.houses()
    painter.trees()
    painter.cars()
    return canvas


@dataclass
class _Painter:
    """The steps of painting one region, in the order in which things cover each other."""

    rng: np.random.Generator
    place: Place
    layout: Layout
    canvas: Canvas

    def __post_init__(self) -> None:
        shape = self.canvas.shape
        self.tone = 0.75 * fractal(self.rng, shape, 90, slope=2.4)
        self.tone += 0.35 * grain(self.rng, shape)
        self.choice = smoothstep(fractal(self.rng, shape, 220, slope=3.4), -1.5, 1.5)
        self.by_block = pick(self.rng, self.layout.block, 0, 1)

    def cover(self, name: str, where: Mask, choice: Field | None = None) -> None:
        """Paint a cover with this region's palette and patchiness."""
        picked = self.choice if choice is None else choice
        self.canvas.cover(name, where, self.place.palette, self.tone, picked)

    def country(self) -> None:
        """Paint fields with rows, meadows, scrub, forest floor and open soil."""
        use, layout = self.layout.use, self.layout
        mixed = np.asarray(0.6 * self.by_block + 0.4 * self.choice, np.float32)
        self.cover("meadow", use == lay.MEADOW, mixed)
        self.cover("scrub", use == lay.SCRUB)
        self.cover("grass", use == lay.FOREST)
        self.cover("scrub", use == lay.SITE)
        bare = fractal(self.rng, self.canvas.shape, 130, slope=3.6) > -0.5
        self.cover("soil", (use == lay.SITE) & bare)
        weights = np.cumsum(self.place.palette.crops) / sum(self.place.palette.crops)
        crop = np.searchsorted(weights, self.by_block)
        fields = use == lay.FIELD
        tint = pick(self.rng, layout.block, 0, 1)
        for index, name in enumerate(CROPS):
            self.cover(name, fields & (crop == index), tint)
        self._rows(fields)
        margin = fields & (layout.edge < 2.5) & (layout.width == 0)
        self.cover("meadow", margin)

    def _rows(self, fields: Mask) -> None:
        """Lay rows, wheel tracks and headlands into the fields."""
        layout, rng = self.layout, self.rng
        turned = pick(rng, layout.block, 0, 1) > 0.5
        along = np.where(turned, layout.u, layout.v)
        period = pick(rng, layout.block, 4.0, 7.5)
        depth = pick(rng, layout.block, 0.01, 0.07)
        waves = np.sin(along * (2 * np.pi / period)) * depth
        lanes = np.abs(along % pick(rng, layout.block, 36, 60)) < 1.6
        headland = layout.edge < pick(rng, layout.block, 8, 18)
        light = np.where(headland, 1.0, 1 + waves) * np.where(lanes & ~headland, 0.9, 1.0)
        light = light * np.where(headland, pick(rng, layout.block, 0.92, 1.04), 1.0)
        self.canvas.rgb[fields] *= light[fields][:, None].astype(np.float32)
        brightness = pick(rng, layout.block, -3.0, 3.0) + 12 * np.where(headland, 0, waves)
        self.canvas.backscatter[fields] += brightness[fields].astype(np.float32)

    def quarters(self) -> None:
        """Paint the ground of town blocks: lawns, yards, paving, car parks, building sites."""
        use, layout = self.layout.use, self.layout
        town = layout.town
        yards = fractal(self.rng, self.canvas.shape, 40, slope=4.5) > 0.45
        homes = town & (use == lay.RESIDENTIAL)
        self.cover("grass", homes | (town & (use == lay.PARK)))
        self.cover("paving", (homes & yards) | (town & (use == lay.CENTRE)), self.by_block)
        self.cover("parking", town & (use == lay.INDUSTRY), self.by_block)
        self.cover("parking", town & (use == lay.PARKING), self.by_block)
        self.cover("soil", town & (use == lay.SITE), self.choice)
        self.cover("grass", town & (use == lay.INDUSTRY) & (layout.edge < 26) & (layout.edge > 20))
        paths = town & (use == lay.PARK) & (np.abs((layout.u + layout.v) % 95 - 47) < 2.2)
        self.cover("track", paths)
        self.canvas.classes[paths] = DEVELOPED
        self._stalls(town & (use == lay.PARKING) & (layout.street > 5))

    def _stalls(self, lots: Mask) -> None:
        """Mark stalls of 2.5 x 5 m in car parks."""
        u, v = self.layout.u, self.layout.v
        aisle = v % 34
        lines = (np.abs(u % 5.4) < 0.9) & (np.abs(aisle - 17) > 6) & lots
        self.canvas.rgb[lines] = self.canvas.rgb[lines] * 0.6 + 0.22
        self.canvas.rgb[lots & (np.abs(aisle) < 0.7)] *= 1.25

    def roads(self) -> None:
        """Paint carriageways, pavements beside them and markings on them."""
        layout = self.layout
        town = layout.town
        self.cover("paving", town & (layout.street > 0) & (layout.street < 4.5), self.choice)
        tracks = (layout.street <= 0) & (layout.width < 5)
        self.cover("track", tracks)
        grassy = tracks & (np.abs(layout.street + 3.0) < 0.8)
        self.canvas.rgb[grassy] *= np.array([0.8, 0.88, 0.75], np.float32)
        paved = (layout.street <= 0) & (layout.width >= 5)
        self.cover("asphalt", paved, self.choice)
        position = np.where(layout.along_u, layout.u, layout.v)
        centre = paved & layout.main & (np.abs(layout.street + layout.width) < 0.9)
        dashes = centre & (position % 18 < 9)
        self.canvas.rgb[dashes] = reflectance((214, 212, 204))
        rims = paved & layout.main & (layout.street > -1.6) & (layout.street < -0.7)
        self.canvas.rgb[rims & ~town] = reflectance((196, 194, 186))

    def water(self) -> None:
        """Paint water, darker with depth, and its banks; main roads bridge rivers."""
        shore, canvas = self.layout.shore, self.canvas
        coast = self.place.plan.water == "coast"
        bridge = _bridges((self.layout.street <= 0) & self.layout.main & (shore < 1), shore)
        wet = (shore < 0) & ~bridge
        beach = (shore >= 0) & (shore < (26 if coast else 5)) & (canvas.classes != ROAD)
        quay = beach & self.layout.town
        self.cover("paving", quay)
        self.cover("sand" if coast else "meadow", beach & ~quay)
        canvas.cover("water", wet, self.place.palette, self.tone * 0.0)
        depth = smoothstep(-shore, 0, 70 if coast else 30)[wet][:, None]
        shallow = reflectance(np.asarray(self.place.palette.water, np.float32) * [1.7, 1.4, 1.2])
        ripples = 1 + 0.035 * fractal(self.rng, canvas.shape, 14, slope=1.6)[wet][:, None]
        canvas.rgb[wet] = (canvas.rgb[wet] * depth + shallow * (1 - depth)) * ripples
        canvas.backscatter[bridge & (shore < 0)] = -12

    def houses(self) -> None:
        """Place houses by land use where ground is free, turned to their street."""
        layout = self.layout
        self.blocked = (layout.street < 2.5) | (layout.shore < 6) | (self.canvas.classes == WATER)
        town, use = layout.town, layout.use
        self._build(
            town & (use == lay.CENTRE) & (layout.street < 70), 2.5, (26, 64), (20, 30), (7, 16), 0.5
        )
        self._build(town & (use == lay.CENTRE), 1.5, (14, 26), (12, 20), (4, 10), 0.5)
        self._build(town & (use == lay.INDUSTRY), 0.8, (60, 130), (36, 72), (6, 11), 8)
        self._build(town & (use == lay.INDUSTRY), 0.3, (24, 46), (20, 34), (4, 8), 6)
        self._build(town & (use == lay.RESIDENTIAL), 1.4, (17, 30), (15, 22), (3.2, 6.5), 4)
        self._build(town & (use == lay.RESIDENTIAL), 0.5, (8, 12), (7, 10), (2.4, 3), 2)
        farm = ~town & (layout.edge > 14) & (layout.street > 12) & (layout.street < 34)
        self._build(
            farm & np.isin(use, (lay.FIELD, lay.MEADOW)), 0.05, (22, 56), (16, 26), (4, 8), 6
        )

    def _build(
        self,
        where: Mask,
        density: float,
        widths: tuple[float, float],
        depths: tuple[float, float],
        heights: tuple[float, float],
        gap: float,
    ) -> None:
        """Try to place as many houses as `density` footprints per room for one."""
        rng, layout, palette = self.rng, self.layout, self.place.palette
        where &= ~self.blocked
        rows, cols = np.nonzero(where)
        room = (np.mean(widths) + gap) * (np.mean(depths) + gap)
        tries = int(len(rows) / room * density * 3)
        if not tries:
            return
        at = rng.integers(0, len(rows), tries)
        rows, cols = rows[at], cols[at]
        angles = layout.angle(rows, cols) + np.where(layout.along_u[rows, cols], 0, np.pi / 2)
        for row, col, angle in zip(rows, cols, angles, strict=True):
            width, depth = rng.uniform(*widths), rng.uniform(*depths)
            gabled = widths[1] < 80 and bool(rng.random() < (0.75 if depths[1] < 30 else 0.35))
            colours = palette.roofs if gabled else palette.flat_roofs
            colour = colours[int(rng.integers(len(colours)))]
            house = House(
                float(row),
                float(col),
                float(angle),
                width,
                depth,
                rng.uniform(*heights),
                gabled,
                colour,
            )
            if house.corners_free(self.blocked, gap):
                draw_house(self.canvas, house, self.place.sun, rng)
                self._occupy(house)

    def _occupy(self, house: House) -> None:
        reach = int(np.hypot(house.width, house.depth) / 2) + 1
        row, col = int(house.row), int(house.col)
        window = (
            slice(max(row - reach, 0), row + reach + 1),
            slice(max(col - reach, 0), col + reach + 1),
        )
        self.blocked[window] |= self.canvas.classes[window] == BUILDING

    def trees(self) -> None:
        """Plant forests, hedges, street trees, gardens and parks."""
        layout, plan, rng = self.layout, self.place.plan, self.rng
        use, town = layout.use, layout.town
        free = ~self.blocked & (self.canvas.height < 1)
        stamps = crowns(rng, self.place.sun)
        groves = fractal(rng, self.canvas.shape, 120, slope=3.0)
        forest = ~town & (use == lay.FOREST) & (layout.street > 6) & (groves > -1.6)
        self._plant(forest & free, 1 / 70, (0.1, 0.9), stamps)
        hedge = ~town & (layout.edge < 4) & (layout.width == 0) & (self.by_block < plan.hedges)
        self._plant(hedge & free, 1 / 45, (0, 0.4), stamps)
        roadside = ~town & (layout.street > 4) & (layout.street < 9) & (groves > 0.9)
        self._plant(roadside & free, 1 / 60, (0, 0.6), stamps)
        gardens = (
            town & np.isin(use, (lay.RESIDENTIAL, lay.PARK)) & (groves > 0.4 - plan.garden_trees)
        )
        self._plant(gardens & free & (layout.street > 5), plan.garden_trees / 160, (0, 0.8), stamps)
        scrub = ~town & np.isin(use, (lay.SCRUB, lay.MEADOW)) & (groves > 0.9)
        self._plant(scrub & free, 1 / 180, (0, 0.5), stamps)
        banks = (layout.shore > 5) & (layout.shore < 22) & (groves > 0.2)
        if plan.water != "coast":
            self._plant(banks & free & ~town, 1 / 90, (0.1, 0.8), stamps)
        street = np.where(layout.along_u, layout.u, layout.v)
        rows_of_trees = layout.main & town & (layout.street > 2.5) & (layout.street < 3.6)
        self._plant(rows_of_trees & (street % 30 < 1.5) & free, 0.7, (0.05, 0.35), stamps)

    def _plant(
        self, where: Mask, per_px: float, sizes: tuple[float, float], stamps: list[Crown]
    ) -> None:
        rows, cols = np.nonzero(where)
        count = int(len(rows) * per_px)
        if not count:
            return
        rng = self.rng
        at = rng.integers(0, len(rows), count)
        palette = reflectance(self.place.palette.crowns)
        picked = palette[rng.integers(0, len(palette), count)]
        colours = picked * rng.uniform(0.85, 1.15, (count, 1)).astype(np.float32)
        places = np.stack([rows[at], cols[at]], axis=1)
        draw_trees(self.canvas, places, rng.uniform(*sizes, count), stamps, colours, rng)

    def cars(self) -> None:
        """Put cars on roads and into car parks."""
        layout = self.layout
        paved = (layout.street < -2.6) & (layout.street > -6) & (layout.width >= 5)
        driving = paved & (self.canvas.classes == ROAD) & (self.canvas.height < 0.5)
        self._park(driving, 1 / 1100, 0.0)
        aisle = np.abs(layout.v % 34 - 17)
        stalls = layout.town & (layout.use == lay.PARKING) & (layout.street > 8)
        stalls &= (np.abs(layout.u % 5.4 - 2.7) < 0.5) & (np.abs(aisle - 11.5) < 0.8)
        self._park(stalls & (self.canvas.height < 0.5) & (layout.shore > 6), 0.35, np.pi / 2)

    def _park(self, where: Mask, per_px: float, turn: float) -> None:
        rows, cols = np.nonzero(where)
        count = int(len(rows) * per_px)
        if not count:
            return
        at = self.rng.integers(0, len(rows), count)
        rows, cols = rows[at], cols[at]
        angles = self.layout.angle(rows, cols) + turn
        if turn == 0.0:
            angles = angles + np.where(self.layout.along_u[rows, cols], 0, np.pi / 2)
        colours = self.place.palette.cars
        kinds = self.rng.integers(0, len(colours), count)
        for row, col, angle, kind in zip(rows, cols, angles, kinds, strict=True):
            draw_car(self.canvas, int(row), int(col), float(angle), colours[int(kind)])


def _bridges(crossing: Mask, shore: Field) -> Mask:
    """Return the crossings that join two banks; the others would end in the water."""
    banks, _ = ndimage.label(shore >= 0)
    pieces, count = ndimage.label(crossing)
    grown = ndimage.grey_dilation(pieces, size=5)
    at = (grown > 0) & (banks > 0)
    pairs = np.unique(np.stack([grown[at], banks[at]], axis=1), axis=0)
    joined = np.bincount(pairs[:, 0], minlength=count + 1) > 1
    return np.asarray(joined[pieces] & crossing, np.bool_)


def radiance(canvas: Canvas, sun: Sun) -> Field:
    """Return what a camera sees of a canvas before clouds, blur and noise: [H, W, 3]."""
    sunlight = relief(canvas.terrain, sun, canvas.pixel_m)
    shade = cast_shadow(canvas.height, sun, canvas.pixel_m)
    return lighten(canvas.rgb, sunlight, shade)


def echo(canvas: Canvas, geometry: Geometry) -> Field:
    """Return the radar power of a canvas before speckle: [H, W], linear.

    Crowns let the pulse in: they displace and shade like softer things of a third of their height.
    """
    power = to_power(canvas.backscatter) * slope_gain(canvas.terrain, geometry)
    wooded = canvas.classes == TREE
    canopy = np.where(wooded, canvas.height * np.float32(0.35), np.float32(0))
    soft = ndimage.gaussian_filter(canopy, 1.8, truncate=2.5)
    height = np.where(wooded, soft, canvas.height)
    return radar_view(power, np.asarray(height, np.float32), geometry)
