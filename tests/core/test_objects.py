"""Objects of a damage tile: which they are, and that their ids stay."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from core import catalogue, history
from core.errors import CloudbrushError, NotFound
from core.grid import Window
from core.objects import MAX_PX, Building, find, kept_numbers
from core.patch import encode_runs
from core.store.engine import Store
from core.stroke import Stroke, Tool
from tests.scene import Scene, make_scene
from tests.town import DAMAGED, DESTROYED, HOUSES, INTACT, make_town


class Painter:
    """Saves strokes on the town, one after the other."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.seq = scene, 0

    def paint(self, y0: int, x0: int, h: int, w: int, code: int) -> None:
        self.seq += 1
        stroke = Stroke(
            client_id="tab",
            seq=self.seq,
            base_version=history.current(self.scene.store, self.scene.tile).version,
            tool=Tool.BRUSH,
            box=Window(y0, x0, h, w),
            runs=encode_runs(np.ones((h, w), np.bool_)),
            to_class=code,
        )
        history.append(self.scene.store, self.scene.tile, stroke, self.scene.ada)

    def undo(self) -> None:
        self.seq += 1
        base = history.current(self.scene.store, self.scene.tile).version
        history.append(
            self.scene.store,
            self.scene.tile,
            Stroke("tab", self.seq, base, Tool.UNDO),
            self.scene.ada,
        )

    def found(self) -> list[Building]:
        tile = catalogue.tile(self.scene.store, self.scene.tile)
        return list(find(self.scene.store, tile).found)

    def ids(self) -> list[int]:
        return [building.id for building in self.found()]


@pytest.fixture
def town(store: Store, tmp_path: Path) -> Painter:
    return Painter(make_town(store, tmp_path / "town"))


def test_buildings_as_they_came_are_numbered_in_scan_order(town: Painter) -> None:
    found = town.found()
    assert [b.id for b in found] == [1, 2, 3, 4]
    assert [b.name for b in found] == ["1", "2", "3", "4"]
    for building, (rows, columns, code) in zip(found, HOUSES.values(), strict=True):
        box = building.box
        assert (box.y0, box.y0 + box.h) == (rows.start, rows.stop)
        assert (box.x0, box.x0 + box.w) == (columns.start, columns.stop)
        assert building.at == (rows.start, columns.start)
        assert (building.pixels, building.code) == (box.h * box.w, code)


def test_a_window_gives_what_touches_it(town: Painter) -> None:
    tile = catalogue.tile(town.scene.store, town.scene.tile)
    found = find(town.scene.store, tile)
    assert [b.id for b in found.within(Window(0, 0, 31, 11))] == [1, 3]
    assert [b.id for b in found.within(Window(76, 30, 4, 4))] == []


def test_a_class_edit_changes_the_class_and_no_id(town: Painter) -> None:
    town.paint(4, 6, 10, 14, DESTROYED)
    assert [(b.id, b.code) for b in town.found()][:2] == [(1, DESTROYED), (2, DAMAGED)]


def test_two_classes_on_one_roof_are_one_object_of_the_larger_share(town: Painter) -> None:
    town.paint(4, 6, 10, 4, DAMAGED)
    assert next((b.id, b.code) for b in town.found()) == (1, INTACT)
    town.paint(4, 6, 10, 7, DAMAGED)
    # Half and half: the more severe class, because a home that needs help must not be overlooked.
    assert next((b.id, b.code) for b in town.found()) == (1, DAMAGED)


def test_a_removed_building_leaves_the_others_their_ids(town: Painter) -> None:
    town.paint(0, 0, 16, 30, 0)
    assert town.ids() == [2, 3, 4]
    town.undo()
    assert town.ids() == [1, 2, 3, 4]


def test_growing_and_shrinking_keep_the_id(town: Painter) -> None:
    town.paint(0, 0, 12, 30, INTACT)
    assert town.ids() == [1, 2, 3, 4]
    town.paint(0, 0, 12, 30, 0)
    assert [(b.id, b.pixels) for b in town.found()][1] == (1, 2 * 14)


def test_the_larger_part_of_a_split_building_keeps_the_id(town: Painter) -> None:
    town.paint(28, 24, 10, 2, 0)
    found = {b.box.x0: b for b in town.found() if b.box.y0 == 30}
    assert found[26].id == 3
    assert found[10].id > 4
    assert found[10].name == "new at 30, 10"
    town.undo()
    assert town.ids() == [1, 2, 3, 4]


def test_two_buildings_joined_are_one_with_the_larger_ones_id(town: Painter) -> None:
    town.paint(8, 18, 4, 34, INTACT)
    assert next((b.id, b.pixels) for b in town.found()) == (2, 140 + 192 + 4 * 30)
    assert town.ids() == [2, 3, 4]


def test_a_new_building_gets_an_id_of_its_own_that_stays(town: Painter) -> None:
    town.paint(80, 10, 6, 6, DAMAGED)
    (new,) = (b for b in town.found() if b.id > 4)
    assert new.name == "new at 80, 10"
    # It grows upwards and to the left, changes its class and moves in scan order.
    town.paint(78, 5, 6, 8, DAMAGED)
    town.paint(70, 0, 20, 28, DESTROYED)
    town.paint(0, 70, 3, 3, INTACT)
    by_id = {b.id: b for b in town.found()}
    assert by_id[new.id].code == DESTROYED
    assert by_id[new.id].at == (70, 0)
    assert len(by_id) == 6


def test_many_new_buildings_never_share_an_id(town: Painter) -> None:
    generator = np.random.default_rng(4)
    for _ in range(30):
        y0, x0 = (int(generator.integers(0, n - 9)) for n in (96, 80))
        h, w = (int(n) for n in generator.integers(1, 9, 2))
        town.paint(y0, x0, h, w, int(generator.integers(0, 4)))
        found = town.found()
        assert len({b.id for b in found}) == len(found)
        labels = history.current(town.scene.store, town.scene.tile).labels
        ids, count = ndimage.label(labels > 0)
        assert len(found) == count
        for place, building in enumerate(found, start=1):
            assert ids[building.at] == place
            assert building.pixels == (ids == place).sum()


def test_answers_do_not_depend_on_what_was_asked_before(town: Painter, tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    for _ in range(12):
        y0, x0 = (int(generator.integers(0, n - 9)) for n in (96, 80))
        town.paint(y0, x0, 8, 5, int(generator.integers(0, 3)))
    from core import objects

    asked = town.found()
    objects._memories.clear()
    assert town.found() == asked


def test_numbers_go_to_the_strongest_claim() -> None:
    first = np.zeros((1, 12), np.int32)
    first[0, 0:6] = 1
    first[0, 6:12] = 2
    now = np.zeros((1, 12), np.int32)
    now[0, 0:2] = 1  # 2 px of number 1
    now[0, 3:8] = 2  # 3 px of number 1, 2 px of number 2
    now[0, 9:12] = 3  # 3 px of number 2
    assert kept_numbers(now, 3, first).tolist() == [0, 1, 2]


def test_land_cover_has_no_objects(store: Store, tmp_path: Path) -> None:
    scene = make_scene(store, tmp_path / "scene")
    with pytest.raises(NotFound, match="damage project"):
        find(store, catalogue.tile(store, scene.tile))


def test_a_tile_that_is_too_large_is_refused(town: Painter) -> None:
    tile = catalogue.tile(town.scene.store, town.scene.tile)
    huge = replace(tile, grid=replace(tile.grid, height=MAX_PX))
    with pytest.raises(CloudbrushError, match="at most"):
        find(town.scene.store, huge)
