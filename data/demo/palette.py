"""Colours and radar brightness of surfaces. A *palette* is one place in one season.

Colours are 8-bit values as they look in a clear sunlit picture; `reflectance` turns them into
what light falls on. Backscatter is in dB at 40 degrees incidence.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.clouds.optics import TONE
from core.noise import Field

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Surface:
    """A ground cover: class code, typical colours, backscatter, and how patchy its colour is."""

    code: int
    colours: tuple[Colour, ...]
    backscatter_db: float
    patches: float = 0.10


BARELAND, RANGELAND, DEVELOPED, ROAD, TREE, WATER, AGRICULTURE, BUILDING = range(1, 9)

SURFACES: dict[str, Surface] = {
    "grass": Surface(RANGELAND, ((98, 116, 70), (110, 124, 78), (88, 108, 64)), -12.5, 0.16),
    "meadow": Surface(RANGELAND, ((120, 128, 82), (136, 136, 92), (104, 122, 74)), -11.5, 0.2),
    "scrub": Surface(RANGELAND, ((122, 118, 84), (104, 108, 72)), -10.5, 0.3),
    "paving": Surface(DEVELOPED, ((158, 154, 146), (146, 144, 140), (170, 163, 150)), -14.5),
    "parking": Surface(DEVELOPED, ((118, 117, 116), (134, 132, 128), (106, 106, 107)), -16.5),
    "asphalt": Surface(ROAD, ((116, 115, 114), (128, 126, 122), (104, 104, 106)), -18.0, 0.06),
    "track": Surface(ROAD, ((168, 154, 128), (156, 142, 116)), -15.5, 0.1),
    "soil": Surface(BARELAND, ((166, 140, 112), (182, 156, 126), (152, 128, 104)), -13.5, 0.13),
    "sand": Surface(BARELAND, ((208, 194, 164), (198, 182, 150)), -17.5, 0.12),
    "water": Surface(WATER, ((44, 70, 74),), -27.0, 0.0),
    "ripe": Surface(AGRICULTURE, ((190, 170, 118), (200, 182, 134)), -11.0, 0.08),
    "green": Surface(AGRICULTURE, ((84, 106, 64), (102, 122, 72)), -8.5, 0.1),
    "young": Surface(AGRICULTURE, ((128, 138, 88), (140, 142, 96)), -11.5, 0.12),
    "ploughed": Surface(AGRICULTURE, ((140, 114, 88), (126, 102, 80)), -9.5, 0.12),
    "stubble": Surface(AGRICULTURE, ((178, 162, 124), (168, 154, 120)), -12.5, 0.1),
}

CROPS = ("ripe", "green", "young", "ploughed", "stubble")

TERRACOTTA: tuple[Colour, ...] = ((168, 96, 72), (180, 112, 86), (150, 88, 70), (190, 128, 100))
SLATE: tuple[Colour, ...] = ((96, 100, 108), (112, 114, 118), (84, 86, 94), (128, 122, 116))
FLAT_ROOFS: tuple[Colour, ...] = (
    (188, 186, 182),
    (160, 160, 158),
    (222, 222, 218),
    (136, 132, 128),
)
PAINTED: tuple[Colour, ...] = ((92, 120, 150), (110, 140, 128), (140, 92, 84), (206, 204, 196))


@dataclass(frozen=True)
class Palette:
    """One place in one season: crop mix, roofs, crowns and shifts of every colour.

    `tints` multiplies a surface's colours (R, G, B); `crops` are weights in the order of `CROPS`.
    """

    roofs: tuple[Colour, ...] = TERRACOTTA + SLATE
    flat_roofs: tuple[Colour, ...] = FLAT_ROOFS
    crowns: tuple[Colour, ...] = ((58, 82, 46), (70, 92, 52), (50, 74, 46), (84, 98, 56))
    crops: tuple[float, ...] = (0.2, 0.3, 0.15, 0.2, 0.15)
    water: Colour = (44, 70, 74)
    tints: tuple[tuple[str, tuple[float, float, float]], ...] = ()
    cars: tuple[Colour, ...] = (
        (225, 225, 225),
        (40, 42, 46),
        (120, 122, 126),
        (150, 40, 36),
        (44, 66, 110),
    )

    def tinted(self, **tints: tuple[float, float, float]) -> "Palette":
        """Return the palette with some surfaces in another tone."""
        return replace(self, tints=(*self.tints, *tints.items()))

    def colours(self, name: str) -> npt.NDArray[np.float32]:
        """Return the reflectances [n, 3] of a surface here."""
        base = (self.water,) if name == "water" else SURFACES[name].colours
        tint = dict(self.tints).get(name, (1.0, 1.0, 1.0))
        return reflectance(np.asarray(base, np.float32) * np.asarray(tint, np.float32))


def reflectance(colour: npt.ArrayLike) -> Field:
    """Return what reflects so that it looks like the 8-bit `colour` in the sun."""
    return np.asarray(
        np.power(np.clip(np.asarray(colour, np.float32), 0, 255) / 255, TONE), np.float32
    )
