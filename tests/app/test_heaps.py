"""Heaps of tiles on the map: none is lost, and each opens exactly its own."""

from collections.abc import Sequence

import numpy as np

from app.explore.heaps import CELLS, HEAPS, heaps
from core.browse import Place


def look(places: Sequence[Place]) -> tuple[str, str]:
    return "#123456", f"{len(places)}"


def some(count: int) -> list[Place]:
    rng = np.random.default_rng(0)
    return [
        Place(
            number,
            f"t{number:05}",
            "north" if number < count // 3 else "south",
            False,
            float(rng.uniform(5, 6)),
            float(rng.uniform(45, 45.4)),
            "new",
            None,
            None,
        )
        for number in range(count)
    ]


def test_cells_hold_every_tile_once() -> None:
    places = some(5000)
    found = heaps(places, True, look)
    assert sum(int(heap.footprint.value) for heap in found) == 5000
    assert len(found) <= (CELLS + 1) ** 2
    assert len({heap.footprint.tile_id for heap in found}) == len(found)
    assert all(heap.footprint.tile_id < 0 for heap in found)
    for heap in found:
        low, high = heap.area.low, heap.area.high
        assert isinstance(low, tuple) and isinstance(high, tuple)
        inside = [p for p in places if low[0] <= (p.lon or 0) <= high[0]]
        inside = [p for p in inside if low[1] <= (p.lat or 0) <= high[1]]
        assert len(inside) == int(heap.footprint.value)


def test_without_positions_they_follow_region_and_name() -> None:
    places = some(5000)
    found = heaps(places, False, look)
    assert sum(int(heap.footprint.value) for heap in found) == 5000
    assert len(found) <= HEAPS + 2
    for heap in found:
        low, high = heap.area.low, heap.area.high
        assert isinstance(low, str) and isinstance(high, str)
        inside = [p for p in places if low <= p.name <= high]
        assert len([p for p in inside if p.region == heap.area.region]) == int(heap.footprint.value)
