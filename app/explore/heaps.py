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
    groups = _cells(places) if geographic else _runs(places)
    return [_heap(-1 - number, members, geographic, look) for number, members in enumerate(groups)]


def _cells(places: Sequence[Place]) -> list[list[Place]]:
    """Return tiles by cell of a grid over all of them, in the order of their first tile."""
    lon = np.array([place.lon for place in places], np.float64)
    lat = np.array([place.lat for place in places], np.float64)
    # Degrees of longitude are shorter away from the equator; a cell is about square on the ground.
    shrink = max(float(np.cos(np.radians(lat.mean()))), 0.05)
    side = max(np.ptp(lon) * shrink, np.ptp(lat), 1e-9) / CELLS
    column = np.floor((lon - lon.min()) * shrink / side).astype(int)
    row = np.floor((lat - lat.min()) / side).astype(int)
    cells: dict[tuple[int, int], list[Place]] = {}
    for key, place in zip(zip(row.tolist(), column.tolist(), strict=True), places, strict=True):
        cells.setdefault(key, []).append(place)
    return list(cells.values())


def _runs(places: Sequence[Place]) -> list[list[Place]]:
    """Return tiles that follow each other by name, region by region."""
    length = ceil(len(places) / HEAPS)
    found = []
    for _, same in groupby(places, key=lambda place: place.region):
        members = list(same)
        found += [members[start : start + length] for start in range(0, len(members), length)]
    return found


def _heap(number: int, members: Sequence[Place], geographic: bool, look: ColourOf) -> Heap:
    colour, words = look(members)
    region = Counter(place.region for place in members).most_common(1)[0][0]
    count = "1 tile" if len(members) == 1 else f"{len(members):,} tiles"
    held = all(place.held for place in members)
    if not geographic:
        first, last = members[0].name, members[-1].name
        name = first if first == last else f"{first} to {last}"
        area = Area(first, last, region)
        shape = Footprint(number, f"{name}, {count}", region, None, colour, words, held)
        return Heap(shape, area)
    west, east = (f(place.lon or 0.0 for place in members) for f in (min, max))
    south, north = (f(place.lat or 0.0 for place in members) for f in (min, max))
    pad = max(east - west, north - south, 1e-4) * 0.05
    box = (west - pad, north + pad), (east + pad, north + pad)
    corners = (*box, (east + pad, south - pad), (west - pad, south - pad))
    shape = Footprint(number, count, region, corners, colour, words, held)
    return Heap(shape, Area((west, south), (east, north)))
