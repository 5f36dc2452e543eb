"""Pictures of a town for the damage demo: optical before the event, SAR after it.

The radar sees damage by what is missing: a destroyed house casts no shadow, folds no roof towards
the sensor and has no wall to make a corner with the ground; what lies there instead depends on the
event (rubble, ashes, mud). A damaged house has lost a part. Only heights and surfaces are changed;
the echo follows from `data.demo.sar`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.classes import LabelArray
from core.clouds.optics import TONE
from core.clouds.sun import Sun
from core.noise import Field, fractal, smoothstep
from data.demo.damage_field import DAMAGED, DESTROYED, Hazard
from data.demo.damage_town import PIXEL_M, Ground, Town
from data.demo.light import cast_shadow, expose, lighten, relief
from data.demo.noise import grain
from data.demo.sar import Geometry, radar_view, speckle, to_amplitude8, to_power

_STREET, _YARD, _FLOOR = (92, 92, 96), (158, 152, 144), (62, 74, 48)
_WATER, _FIELD = (58, 76, 78), (168, 150, 104)
_CROWN = (54, 80, 44)


def _colour(rgb: tuple[int, int, int]) -> Field:
    """Return the reflectance that the camera's tone curve shows as this colour."""
    return np.asarray((np.asarray(rgb, np.float32) / 255) ** TONE, np.float32)


def house_heights(town: Town) -> Field:
    """Return metres above ground of the houses before the event, float32 [H, W]."""
    by_id = np.array([0.0, *(house.height_m for house in town.houses)], np.float32)
    return by_id[town.ids]


def optical_before(town: Town, sun: Sun, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return the picture before the event, uint8 [H, W, 3]."""
    shape = town.ids.shape
    patches = fractal(rng, shape, 140)
    fine = grain(rng, shape)
    surface = _ground_colours(town, patches, fine)
    _draw_cars(surface, town, rng)
    _draw_roofs(surface, town, sun, fine)
    heights = np.maximum(house_heights(town), town.trees_m)
    crowns = (town.trees_m > 0) & (town.ids == 0)
    shade_of_leaf = 0.9 + 0.12 * patches[crowns] * 0.5 + 0.14 * fine[crowns]
    surface[crowns] = _colour(_CROWN) * shade_of_leaf[:, None]
    rough = np.where(crowns, town.trees_m * 0.35 + 0.1 * fine, 0.03 * fine).astype(np.float32)
    light = lighten(surface, relief(rough, sun, PIXEL_M), cast_shadow(heights, sun, PIXEL_M))
    return expose(rng, light, blur_px=0.7, noise=0.008)


def _ground_colours(town: Town, patches: Field, fine: Field) -> Field:
    style = town.style
    palette = np.stack([_colour(c) for c in (style.green, _STREET, _YARD, _FLOOR, _WATER, _FIELD)])
    surface = palette[town.ground]
    dry = smoothstep(patches + 0.25 * fine, 0.1, 1.6)[..., None] * 0.75
    garden = (town.ground == Ground.GARDEN)[..., None]
    surface = np.where(garden, surface * (1 - dry) + _colour(style.soil) * dry, surface)
    roughness = np.array([0.10, 0.04, 0.05, 0.12, 0.015, 0.07], np.float32)[town.ground]
    surface *= (1 + roughness * fine + 0.06 * patches * (town.ground != Ground.WATER))[..., None]
    return np.asarray(surface, np.float32)


def _draw_cars(surface: Field, town: Town, rng: np.random.Generator) -> None:
    """Draw parked cars of about 4 m x 2 m on streets and yards; in place."""
    paved = np.array([0.0, 1.0, 0.6, 0.0, 0.0, 0.0])[town.ground] * (town.ids == 0)
    rows, cols = np.nonzero(rng.random(town.ids.shape) < 0.0006 * paved)
    tones = rng.choice(np.array([0.04, 0.1, 0.3, 0.7, 0.8]), len(rows))
    turned = rng.random(len(rows)) < 0.5
    for row, col, tone, tall in zip(rows.tolist(), cols.tolist(), tones, turned, strict=True):
        half_r, half_c = (4, 2) if tall else (2, 4)
        box = (slice(max(row - half_r, 0), row + half_r), slice(max(col - half_c, 0), col + half_c))
        if (paved[box] > 0).all():
            surface[box] = tone


def _draw_roofs(surface: Field, town: Town, sun: Sun, fine: Field) -> None:
    """Draw roofs: the half that faces the sun is brighter, flat roofs have an even tone."""
    rows, cols = np.nonzero(town.ids)
    which = town.ids[rows, cols] - 1
    if not len(which):
        return
    centre = np.array([house.centre for house in town.houses], np.float32)
    ridge = np.array([house.ridge for house in town.houses], np.float32)
    colour = np.stack([_colour(house.roof) for house in town.houses])
    gabled = np.array([house.gabled for house in town.houses])
    off = (rows - centre[which, 0]) * ridge[which, 0] + (cols - centre[which, 1]) * ridge[which, 1]
    to_sun = -(ridge @ np.array(sun.away, np.float32))[which]
    slope = np.where(gabled[which], 0.28 * np.tanh(off) * to_sun, 0.03 * np.sin(off * 1.3))
    tone = 1 + slope + 0.05 * fine[rows, cols]
    surface[rows, cols] = colour[which] * tone[:, None]


@dataclass(frozen=True)
class Remains:
    """What is left of a destroyed house: height, backscatter, its roughness, and spill around."""

    height_m: float
    power_db: float
    texture_db: float
    spill_px: int


REMAINS: dict[Hazard, Remains] = {
    "earthquake": Remains(1.3, -8.0, 2.6, 3),
    "wildfire": Remains(0.4, -12.0, 4.0, 0),
    "flood": Remains(0.5, -13.5, 3.0, 5),
    "explosion": Remains(1.0, -8.5, 3.0, 5),
}

_GROUND_DB = np.array([-11.5, -17.5, -14.0, -9.0, -24.0, -12.5], np.float32)
_ROOF_DB, _CROWN_DB = -10.5, -8.0
_BURNT_DB, _MUD_DB = -3.0, -16.5
_FULL_SCALE_DB = -2.0


def sar_after(
    town: Town,
    hazard: Hazard,
    grades: LabelArray,
    hit: npt.NDArray[np.bool_],
    geometry: Geometry,
    rng: np.random.Generator,
) -> npt.NDArray[np.uint8]:
    """Return the 8-bit amplitude after the event, uint8 [H, W].

    `grades` uint8 [n + 1] is the damage class by house id, `hit` the ground that burnt or lies
    under mud.
    """
    shape = town.ids.shape
    lumps = fractal(rng, shape, 7, slope=1.5)
    backscatter = _ground_db(town, hazard, hit) + 1.1 * fractal(rng, shape, 60)
    standing, fallen = _what_stands(town, hazard, grades, rng)
    remains = REMAINS[hazard]
    heights = np.where(standing, house_heights(town), 0).astype(np.float32)
    rubble_m = remains.height_m * np.clip(0.6 + 0.4 * lumps, 0.05, 2.0)
    heights = np.where(fallen, rubble_m, heights).astype(np.float32)
    backscatter = np.where(standing, np.float32(_ROOF_DB), backscatter)
    rubble_db = remains.power_db + remains.texture_db * lumps
    backscatter = np.where(fallen, rubble_db, backscatter).astype(np.float32)
    # Crowns are soft: they return from all heights and make no corner with the ground.
    heights = np.maximum(heights, np.where(standing | fallen, 0, town.trees_m * 0.15))
    seen = radar_view(to_power(backscatter), heights, geometry)
    return to_amplitude8(speckle(rng, seen), full_scale_db=_FULL_SCALE_DB)


def _ground_db(town: Town, hazard: Hazard, hit: npt.NDArray[np.bool_]) -> Field:
    backscatter = _GROUND_DB[town.ground]
    crowns = town.trees_m > 0
    backscatter[crowns] = _CROWN_DB
    if hazard == "wildfire":
        green = crowns | np.isin(town.ground, (Ground.GARDEN, Ground.WOOD, Ground.FIELD))
        backscatter[hit & green] += _BURNT_DB
    if hazard == "flood":
        backscatter[hit & ~crowns & (town.ground != Ground.WATER)] = _MUD_DB
    return np.asarray(backscatter, np.float32)


def _what_stands(
    town: Town, hazard: Hazard, grades: LabelArray, rng: np.random.Generator
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return where houses still stand and where their remains lie, both bool [H, W].

    A damaged house has lost the part beyond a line through it, 35 to 60 % of its depth.
    """
    grade = grades[town.ids]
    fallen = grade == DESTROYED
    rows, cols = np.nonzero(grade == DAMAGED)
    if len(rows):
        which = town.ids[rows, cols] - 1
        angle = rng.uniform(0, 2 * np.pi, len(town.houses))
        lost = rng.uniform(0.35, 0.6, len(town.houses))
        centre = np.array([house.centre for house in town.houses])
        off = (rows - centre[which, 0]) * np.sin(angle[which])
        off += (cols - centre[which, 1]) * np.cos(angle[which])
        reach = ndimage.maximum(np.abs(off), which, np.arange(len(town.houses)))
        fallen[rows, cols] = off > (1 - 2 * lost[which]) * np.asarray(reach)[which]
    standing = (town.ids > 0) & ~fallen
    spill = REMAINS[hazard].spill_px
    if spill:
        fallen = ndimage.binary_dilation(fallen, iterations=spill) & ~standing
    return standing, fallen
