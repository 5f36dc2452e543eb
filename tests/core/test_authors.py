"""Who is behind a pixel: the newest edit that stands, through undo, redo and others' strokes."""

from itertools import count
from pathlib import Path

import numpy as np
import pytest

from core import history
from core.authors import NOBODY, authors
from core.grid import Window
from core.log import Saved
from core.patch import encode_runs
from core.store.engine import Store
from core.stroke import Stroke, Tool
from tests.scene import Scene, make_scene

SEQ = count(1)


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> Scene:
    return make_scene(store, tmp_path / "data", names=("train",))


def paint(scene: Scene, person: int, box: tuple[int, int, int, int], code: int = 8) -> Saved:
    window = Window(*box)
    runs = encode_runs(np.ones((window.h, window.w), np.bool_))
    version = history.current(scene.store, scene.tile).version
    stroke = Stroke(f"tab-{person}", next(SEQ), version, Tool.BRUSH, window, runs, code)
    return history.append(scene.store, scene.tile, stroke, person)


def back(scene: Scene, person: int, tool: Tool) -> None:
    version = history.current(scene.store, scene.tile).version
    stroke = Stroke(client_id=f"tab-{person}", seq=next(SEQ), base_version=version, tool=tool)
    history.append(scene.store, scene.tile, stroke, person)


def at(scene: Scene, *pixels: tuple[int, int]) -> list[int]:
    found = authors(scene.store, scene.tile)
    return [int(found[pixel]) for pixel in pixels]


BELOW, SHARED, ABOVE = (1, 1), (4, 4), (7, 7)


def test_the_newest_edit_counts_and_untouched_ground_has_nobody(scene: Scene) -> None:
    assert not authors(scene.store, scene.tile).any()
    paint(scene, scene.ada, (0, 0, 6, 6), 8)
    paint(scene, scene.ben, (3, 3, 6, 6), 5)
    assert at(scene, BELOW, SHARED, ABOVE, (20, 20)) == [scene.ada, scene.ben, scene.ben, NOBODY]


def test_undo_gives_the_pixel_back_and_redo_takes_it_again(scene: Scene) -> None:
    paint(scene, scene.ada, (0, 0, 6, 6), 8)
    paint(scene, scene.ben, (3, 3, 6, 6), 5)
    back(scene, scene.ben, Tool.UNDO)
    assert at(scene, BELOW, SHARED, ABOVE) == [scene.ada, scene.ada, NOBODY]
    back(scene, scene.ben, Tool.REDO)
    assert at(scene, BELOW, SHARED, ABOVE) == [scene.ada, scene.ben, scene.ben]
    back(scene, scene.ben, Tool.UNDO)
    back(scene, scene.ada, Tool.UNDO)
    assert at(scene, BELOW, SHARED, ABOVE) == [NOBODY] * 3


def test_undo_below_a_stroke_of_another_leaves_that_stroke(scene: Scene) -> None:
    paint(scene, scene.ada, (0, 0, 6, 6), 8)
    paint(scene, scene.ben, (3, 3, 6, 6), 5)
    back(scene, scene.ada, Tool.UNDO)
    assert at(scene, BELOW, SHARED, ABOVE) == [NOBODY, scene.ben, scene.ben]


def test_windows_and_earlier_versions(scene: Scene) -> None:
    paint(scene, scene.ada, (0, 0, 6, 6), 8)
    first = history.current(scene.store, scene.tile).version
    paint(scene, scene.ben, (3, 3, 6, 6), 5)
    whole = authors(scene.store, scene.tile)
    window = Window(2, 1, 5, 7)
    assert np.array_equal(authors(scene.store, scene.tile, window), whole[window.slices])
    assert set(np.unique(authors(scene.store, scene.tile, version=first))) == {NOBODY, scene.ada}
