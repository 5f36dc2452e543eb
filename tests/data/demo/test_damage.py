"""The damage demo: towns, what struck them, and BRIGHT's layout on disk."""

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from core.classes import BRIGHT
from core.damage import buildings
from core.raster import describe
from core.records import Split
from data.demo.damage import EVENTS, DamageTile, Event, draw_event, truth_path, write_tiles
from data.demo.damage_field import DESTROYED, INTACT
from data.demo.damage_picture import house_heights, sar_after
from data.demo.damage_town import Ground, Town, build_town

SHAPE = (256, 384)


@pytest.fixture(scope="module")
def town() -> Town:
    return build_town(SHAPE, EVENTS[0].style, np.random.default_rng(3))


@pytest.fixture(scope="module")
def tiles() -> list[DamageTile]:
    return [
        tile
        for event in EVENTS
        for tile in draw_event(event, 5, tile_px=192, rows=1, columns=3, validation=1)
    ]


def amplitude(town: Town, grade: int, hazard_index: int = 0) -> npt.NDArray[np.float32]:
    """Return the SAR picture with every house in one state, as float32."""
    event = EVENTS[hazard_index]
    grades = np.full(len(town.houses) + 1, grade, np.uint8)
    grades[0] = 0
    hit = np.zeros(SHAPE, np.bool_)
    seen = sar_after(town, event.hazard, grades, hit, event.radar, np.random.default_rng(1))
    return seen.astype(np.float32)


def test_houses_stand_apart_so_that_each_is_one_component(town: Town) -> None:
    _, count = buildings(np.minimum(town.ids, 1).astype(np.uint8), BRIGHT)
    assert count == len(town.houses) > 20


def test_no_house_stands_in_a_river() -> None:
    flooded = build_town(SHAPE, EVENTS[2].style, np.random.default_rng(3))
    assert (flooded.ground == Ground.WATER).mean() > 0.05
    assert not flooded.ids[flooded.ground == Ground.WATER].any()


def test_standing_houses_cast_radar_shadows_and_destroyed_ones_do_not(town: Town) -> None:
    def dark(grade: int) -> float:
        return float((amplitude(town, grade) < 25).mean())

    assert dark(INTACT) > 1.5 * dark(DESTROYED)


def test_destroyed_houses_lose_their_double_bounce(town: Town) -> None:
    facing_wall = np.zeros(SHAPE, np.bool_)
    heights = house_heights(town)
    facing_wall[:, :-1] = (heights[:, 1:] > 3) & (heights[:, :-1] == 0)
    standing = amplitude(town, INTACT)[facing_wall].mean()
    assert standing > 1.3 * amplitude(town, DESTROYED)[facing_wall].mean()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_every_event_shows_all_damage_classes(event: Event, tiles: list[DamageTile]) -> None:
    found = [tile for tile in tiles if tile.id.startswith(event.name)]
    assert set(np.unique(np.stack([tile.truth for tile in found]))) == {0, 1, 2, 3}
    assert sum(tile.split is Split.VAL for tile in found) == 1


def test_events_are_of_different_kinds() -> None:
    assert len({event.hazard for event in EVENTS}) == len(EVENTS) == 3


def test_the_same_seed_writes_the_same_files(tmp_path: Path) -> None:
    def files(root: Path, seed: int) -> dict[str, str]:
        drawn = draw_event(EVENTS[1], seed, tile_px=96, rows=1, columns=2, validation=1)
        write_tiles(root, drawn, {tile.id: tile.truth for tile in drawn})
        found = sorted(path for path in root.rglob("*") if path.is_file())
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in found
        }

    first = files(tmp_path / "a", 1)
    assert len(first) == 2 * 4 + 2
    assert first == files(tmp_path / "b", 1)
    assert first != files(tmp_path / "c", 2)


def test_the_layout_is_brights(tmp_path: Path, tiles: list[DamageTile]) -> None:
    write_tiles(tmp_path, tiles[:3], {tile.id: tile.truth for tile in tiles})
    name = tiles[0].id
    assert name.rsplit("_", 1) == ["arden-earthquake", "00000000"]
    before = describe(tmp_path / "pre-event" / f"{name}_pre_disaster.tif")
    after = describe(tmp_path / "post-event" / f"{name}_post_disaster.tif")
    truth = describe(truth_path(tmp_path, name))
    assert (before.count, after.count, truth.count) == (3, 1, 1)
    assert before.grid == after.grid == truth.grid == tiles[0].grid
    train, val = ((tmp_path / f"{s}_set.txt").read_text().split() for s in ("train", "val"))
    assert sorted(train + val) == sorted(tile.id for tile in tiles[:3])
    assert not set(train) & set(val)


def test_tiles_of_an_event_lie_side_by_side(tiles: list[DamageTile]) -> None:
    left, right = tiles[0].grid.transform, tiles[1].grid.transform
    assert right[2] - left[2] == 192 * left[0]
    assert right[5] == left[5]
