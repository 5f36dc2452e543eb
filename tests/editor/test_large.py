"""A scene larger than the screen, and than what is kept: seen from afar, edited across blocks."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from core import catalogue, history
from core.grid import Window
from core.patch import encode_runs
from core.settings import Settings
from core.store.engine import Store
from core.stroke import Stroke, Tool
from tests.bench._large_scene import add_project, make_files
from tests.editor.conftest import Bench, Desk
from tests.editor.harness import Harness
from tests.scene import make_scene

SIDE = 9000  # 324 blocks: more than are kept


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the rasters, written once."""
    folder = tmp_path_factory.mktemp("large")
    make_files(folder, SIDE)
    return folder


@pytest.fixture
def desk(
    files: Path, store: Store, settings: Settings, tmp_path: Path, browser: Browser
) -> Iterator[Desk]:
    """Return the scene opened in a browser."""
    scene = make_scene(store, tmp_path / "scene")
    tile = add_project(store, files, SIDE)[SIDE]
    person = next(p for p in catalogue.people(store) if p.id == scene.ada)
    harness = Harness(store, settings, person).start()
    bench = Bench(harness, scene, browser, [])
    open_before = len(browser.contexts)
    yield bench.open(tile)
    for context in browser.contexts[open_before:]:
        context.close()
    harness.stop()
    assert not bench.errors


def look_at(desk: Desk, row: float, col: float, scale: float) -> None:
    """Show a place in the middle of the panes at a scale, and wait for what it needs."""
    desk.editor(
        """(e, [row, col, scale]) => {
          const {width, height} = e.view.size;
          e.view.transform = {scale, x: width / 2 - col * scale, y: height / 2 - row * scale};
          e.view.pan(0, 0);
        }""",
        [row, col, scale],
    )
    desk.settle()


def loaded(desk: Desk) -> int:
    """Return how many native label blocks the browser holds."""
    return int(desk.editor("(e) => e.scene.labels.blocks.size"))


def coarse_label(desk: Desk, row: int, col: int) -> list[int]:
    """Return class and provenance of a place as the coarse block in view shows it."""
    found: list[int] = desk.editor(
        """(e, [row, col]) => {
          const {labelBlocks, view} = e.scene, z = view.level, side = 512 * 2 ** z;
          const block = labelBlocks.get(z, Math.floor(row / side), Math.floor(col / side));
          const down = (at) => Math.floor((at % side) / 2 ** z);
          const at = down(row) * block.w + down(col);
          return [block.labels[at], block.provenance[at]];
        }""",
        [row, col],
    )
    return found


def pixel(desk: Desk, row: float, col: float) -> list[int]:
    """Return the colour of a place in the label pane."""
    found: list[int] = desk.editor(
        """(e, [row, col]) => {
          const {canvas, context} = e.view.pane('label'), {scale, x, y} = e.view.transform;
          const place = (at, from) => Math.round((at * scale + from) * e.view.ratio);
          return [...context.getImageData(place(col + 0.5, x), place(row + 0.5, y), 1, 1).data];
        }""",
        [row, col],
    )
    return found


def square(box: Window, to_class: int) -> Stroke:
    """Return a stroke of somebody else over a whole box."""
    return Stroke(
        client_id="ben",
        seq=1,
        base_version=0,
        tool=Tool.BRUSH,
        box=box,
        runs=encode_runs(np.ones((box.h, box.w), np.bool_)),
        to_class=to_class,
    )


def test_the_whole_scene_is_shown_from_a_few_coarse_blocks(desk: Desk) -> None:
    assert loaded(desk) == 0
    level, coarse = desk.editor("(e) => [e.scene.view.level, e.scene.labelBlocks.size]")
    assert level >= 2
    assert 1 <= coarse <= 40
    desk.press("d")
    desk.soon(lambda: pixel(desk, 4000, 4000)[3], 255)


def test_one_stroke_over_many_blocks_is_one_edit_undone_and_reloaded(desk: Desk) -> None:
    look_at(desk, 4608, 4608, 0.4)
    desk.editor("(e) => e.setDiameter(64)")
    desk.press("6")
    desk.stroke((4300, 4100), (4500, 4700), (4800, 5100))
    desk.expect_state("saved, version 1")
    (edit,) = history.changes(desk.store, desk.tile, 0)[1]
    box = edit.patch.box
    assert box.w > 1000
    assert (box.x0 + box.w) // 512 - box.x0 // 512 >= 2
    now = history.current(desk.store, desk.tile, box)
    assert now.labels[edit.patch.mask].tolist() == [6] * edit.patch.pixels
    shown = desk.editor(
        "(e, [y0, x0, h, w]) => Array.from(e.scene.labels.window({y0, x0, h, w}))",
        [
            box.y0,
            box.x0,
            box.h,
            box.w,
        ],
    )
    assert bytes(shown) == now.labels.tobytes()
    desk.press("Control+z")
    desk.expect_state("saved, version 2")
    assert not history.current(desk.store, desk.tile, box).provenance.any()
    desk.press("Control+Shift+z")
    desk.expect_state("saved, version 3")
    desk.page.reload()
    desk.wait_painted()
    look_at(desk, 4608, 4608, 0.4)
    assert desk.label(4500, 4700) == 6


def test_a_stroke_shows_from_afar_at_once(desk: Desk) -> None:
    look_at(desk, 4608, 4608, 0.25)
    desk.editor("(e) => e.setDiameter(256)")
    desk.press("6")
    desk.stroke((4600, 4600), (4600, 4700))
    desk.press("z")
    desk.soon(lambda: coarse_label(desk, 4600, 4650), [6, 1])
    desk.expect_state("saved, version 1")
    desk.page.reload()
    desk.wait_painted()
    assert coarse_label(desk, 4600, 4650) == [6, 1]


@pytest.mark.parametrize("near", [False, True])
def test_strokes_of_others_show_from_afar(desk: Desk, near: bool) -> None:
    if near:
        look_at(desk, 600, 600, 0.25)  # some native blocks are loaded, but not those
        desk.press("z")
    ben = catalogue.ensure_person(desk.store, "Ben")
    history.append(desk.store, desk.tile, square(Window(6000, 6000, 512, 512), 5), ben.id)
    desk.soon(lambda: coarse_label(desk, 6256, 6256), [5, 1])


def test_painting_where_labels_are_not_loaded_loads_them_first(desk: Desk) -> None:
    look_at(desk, 4500, 4500, 0.07)
    assert desk.editor("(e) => e.scene.view.level") > 0
    assert desk.editor("(e) => e.scene.tooFar") is None
    before = loaded(desk)
    desk.editor("(e) => e.setDiameter(128)")
    desk.press("4")
    desk.stroke((4200, 3900), (4300, 4600), (4400, 5300))
    desk.expect_state("saved, version 1")
    (edit,) = history.changes(desk.store, desk.tile, 0)[1]
    assert edit.patch.box.w > 1400
    assert loaded(desk) - before >= 3
    found = history.current(desk.store, desk.tile, Window(4290, 4590, 20, 20))
    assert (found.labels == 4).all()


def test_another_tool_does_not_drop_a_stroke_that_waits_for_labels(desk: Desk) -> None:
    look_at(desk, 4500, 4500, 0.07)
    desk.editor("(e) => e.setDiameter(128)")
    desk.press("4")
    desk.stroke((4200, 3900), (4300, 4600), (4400, 5300))
    desk.press("l")
    desk.expect_state("saved, version 1")


def test_the_revert_brush_waits_for_labels_as_they_came(desk: Desk) -> None:
    ben = catalogue.ensure_person(desk.store, "Ben")
    box = Window(4100, 4100, 600, 600)
    history.append(desk.store, desk.tile, square(box, 5), ben.id)
    look_at(desk, 4500, 4500, 0.07)
    assert loaded(desk) == 0
    desk.editor("(e) => e.setDiameter(256)")
    desk.press("e")
    desk.stroke((4400, 4200), (4400, 4600))
    desk.expect_state("saved, version 2")
    found = history.current(desk.store, desk.tile, Window(4390, 4200, 20, 400))
    assert not found.provenance.any()
    first = history.original(desk.store, desk.tile, Window(4390, 4200, 20, 400))
    assert np.array_equal(found.labels, first)


def test_far_out_it_says_how_near_to_go(desk: Desk) -> None:
    desk.press("z")
    desk.editor("(e) => { e.scene.view.box = {y0: 0, x0: 0, h: 9000, w: 9000}; }")
    desk.press("4")
    desk.stroke((4000, 4000), (4100, 4100))
    assert "Zoom in to paint: at most 8,192 px" in desk.page.locator(".editor").inner_text()
    assert history.current(desk.store, desk.tile, Window(0, 0, 1, 1)).version == 0


def test_blocks_not_looked_at_are_let_go_of(desk: Desk) -> None:
    budget = int(
        desk.editor("() => import('/assets/editor/scene.js').then((m) => m.NATIVE_LABELS)")
    )
    desk.editor("(e) => e.outbox.hold?.()")  # strokes wait, as without a network
    look_at(desk, 600, 600, 0.25)
    desk.press("6")
    desk.stroke((600, 600), (640, 700))
    for row in (2000, 5000, 8000):
        for col in (1500, 4500, 7500):
            look_at(desk, row, col, 0.25)
            assert loaded(desk) <= budget
    assert desk.editor("(e) => e.outbox.entries.length") == 1
    assert desk.label(600, 600) == 6  # under a stroke that waits
    assert desk.editor("(e) => e.scene.labels.block(0, 8)") is None
    assert desk.editor("(e) => e.scene.labels.counts.reduce((a, b) => a + b)") == desk.editor(
        "(e) => e.scene.labels.loaded"
    )
