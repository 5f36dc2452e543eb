"""Many tiles on the map: heaps of neighbours in one colour, each of which opens its part."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil

import numpy as np

from app.map import Footprint
from core.browse import Area, Place

MOST_FOOTPRINTS = 1_500
CELLS = 32  # heaps along the longer side of the map
HEAPS = 900  # heaps where tiles have no position

ColourOf = Callable[[Sequence[Place]], tuple[str, str]]
"""Returns the colour of some tiles together, and their value in words."""


@dataclass(frozen=True)
class Heap:
    """Neighbouring tiles: their footprint, whose id is negative, and the area that holds them."""

    footprint: Footprint
    area: Area


def heaps(places: Sequence[Place], geographic: bool, look: ColourOf) -> list[Heap]:
    """Return heaps of tiles by position, or without positions by region and name."""
    if geographic:
        return [
            _field(-1 - number, members, box, look)
            for number, (box, members) in enumerate(_cells(places))
        ]
    return [_run(-1 - number, members, look) for number, members in enumerate(_runs(places))]


Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


def _cells(places: Sequence[Place]) -> list[tuple[Box, list[Place]]]:
    """Return the cells of a grid over all tiles that hold some, each with its tiles."""
    lon = np.array([place.lon for place in places], np.float64)
    lat = np.array([place.lat for place in places], np.float64)
    # Degrees of longitude are shorter away from the equator; a cell is about square on the ground.
    shrink = max(float(np.cos(np.radians(lat.mean()))), 0.05)
    high = max(float(np.ptp(lon)) * shrink, float(np.ptp(lat)), 1e-4) / CELLS
    wide, west, south = high / shrink, float(lon.min()), float(lat.min())
    column = np.floor((lon - west) / wide).astype(int)
    row = np.floor((lat - south) / high).astype(int)
    cells: dict[tuple[int, int], list[Place]] = {}
    for key, place in zip(zip(row.tolist(), column.tolist(), strict=True), places, strict=True):
        cells.setdefault(key, []).append(place)
    return [
        ((west + x * wide, south + y * high, west + (x + 1) * wide, south + (y + 1) * high), found)
        for (y, x), found in cells.items()
    ]


def _runs(places: Sequence[Place]) -> list[list[Place]]:
    """Return tiles that follow each other by name, region by region."""
    length = ceil(len(places) / HEAPS)
    found = []
    for _, same in groupby(places, key=lambda place: place.region):
        members = list(same)
        found += [members[start : start + length] for start in range(0, len(members), length)]
    return found


def _field(number: int, members: Sequence[Place], box: Box, look: ColourOf) -> Heap:
    colour, words = look(members)
    west, south, east, north = box
    corners = ((west, north), (east, north), (east, south), (west, south))
    lon = [place.lon or 0.0 for place in members]
    lat = [place.lat or 0.0 for place in members]
    area = Area((min(lon), min(lat)), (max(lon), max(lat)))
    region = Counter(place.region for place in members).most_common(1)[0][0]
    held = all(place.held for place in members)
    return Heap(Footprint(number, _count(members), region, corners, colour, words, held), area)


def _run(number: int, members: Sequence[Place], look: ColourOf) -> Heap:
    colour, words = look(members)
    first, last, region = members[0].name, members[-1].name, members[0].region
    name = first if first == last else f"{first} to {last}"
    held = all(place.held for place in members)
    shape = Footprint(number, f"{name}, {_count(members)}", region, None, colour, words, held)
    return Heap(shape, Area(first, last, region))


def _count(members: Sequence[Place]) -> str:
    return "1 tile" if len(members) == 1 else f"{len(members):,} tiles"
