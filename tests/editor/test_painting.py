"""Painting in a real browser on the real routes: what is seen is what is saved, byte for byte."""

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import expect

from core import catalogue, history
from tests.editor.conftest import Bench, Desk

pytestmark = pytest.mark.browser


def saved_at(desk: Desk, version: int) -> None:
    desk.expect_state(f"saved, version {version}")
    assert desk.shown() == desk.saved()


def provenance_of(desk: Desk) -> npt.NDArray[np.uint8]:
    return history.current(desk.store, desk.tile).provenance


def test_a_stroke_is_saved_as_it_is_shown(bench: Bench) -> None:
    desk = bench.open()
    desk.press("6")
    desk.stroke((40, 20), (50, 60))
    saved_at(desk, 1)
    assert desk.label(45, 40) == 6
    edit = history.changes(bench.harness.store, desk.tile, 0)[1][0]
    assert (edit.tool, set(edit.patch.new_values)) == ("brush", {6})


def test_a_stroke_on_any_pane_changes_the_label(bench: Bench) -> None:
    desk = bench.open()
    for version, pane in enumerate(("optical", "sar", "prediction"), 1):
        desk.press(str(version))
        desk.stroke((20 * version, 30), (20 * version, 40), pane=pane)
        saved_at(desk, version)
        assert desk.label(20 * version, 35) == version


def test_a_one_pixel_brush_changes_one_pixel(bench: Bench) -> None:
    desk = bench.open()
    before = desk.label(33, 44)
    desk.editor("(e) => e.setDiameter(1)")
    desk.press(str(before % 8 + 1))
    desk.stroke((33, 44))
    saved_at(desk, 1)
    assert history.changes(bench.harness.store, desk.tile, 0)[1][0].patch.pixels == 1


def test_undo_and_redo_survive_a_reload(bench: Bench) -> None:
    desk = bench.open()
    as_it_came = desk.shown()
    desk.press("6")
    desk.stroke((40, 20), (50, 60))
    desk.press("7")
    desk.stroke((10, 20), (70, 50))
    saved_at(desk, 2)
    both = desk.shown()
    desk.page.reload()
    desk.wait_painted()
    assert desk.shown() == both
    desk.press("Control+z", "Control+z")
    saved_at(desk, 4)
    assert desk.shown() == as_it_came
    desk.press("Control+Shift+z", "Control+y")
    saved_at(desk, 6)
    assert desk.shown() == both


def test_undo_at_once_equals_undo_on_the_server(bench: Bench) -> None:
    desk = bench.open()
    for digit, row in (("1", 20), ("2", 30), ("3", 40), ("0", 35)):
        desk.press(digit)
        desk.stroke((row, 10), (row + 8, 70))
    desk.press("Control+z", "Control+z", "Control+z", "Control+y", "5")
    desk.stroke((60, 60), (5, 5))
    saved_at(desk, 9)
    assert desk.editor("(e) => e.saver.history.redoable.length") == 0


def test_revert_brings_back_the_label_as_it_came(bench: Bench) -> None:
    desk = bench.open()
    as_it_came = desk.shown()
    desk.press("6")
    desk.stroke((40, 30), (45, 40))
    desk.press("e", "]", "]", "]", "]", "]", "]")
    desk.stroke((30, 20), (55, 50))
    saved_at(desk, 2)
    assert desk.shown() == as_it_came


def test_fill_changes_one_connected_region(bench: Bench) -> None:
    desk = bench.open()
    desk.press("0")
    desk.stroke((40, 10), (40, 70))
    desk.press("f", "2")
    desk.stroke((40, 40))
    saved_at(desk, 2)
    labels = history.current(bench.harness.store, desk.tile).labels
    assert not (labels == 0).any()
    assert labels[40, 40] == 2


def test_painting_a_class_over_itself_sends_nothing(bench: Bench) -> None:
    desk = bench.open()
    desk.press("6")
    desk.stroke((40, 20), (50, 60))
    saved_at(desk, 1)
    desk.editor("(e) => e.setDiameter(6)")
    desk.stroke((42, 25), (48, 52))
    saved_at(desk, 1)
    assert desk.editor("(e) => e.saver.history.undoable.length") == 1


def test_escape_drops_the_stroke_and_restores_its_pixels(bench: Bench) -> None:
    desk = bench.open()
    before = desk.shown()
    desk.press("6")
    desk.page.mouse.move(*desk.point(40, 20))
    desk.page.mouse.down()
    desk.page.mouse.move(*desk.point(50, 60), steps=4)
    assert desk.shown() != before
    desk.press("Escape")
    assert desk.shown() == before
    desk.page.mouse.move(*desk.point(20, 20), steps=2)
    desk.page.mouse.up()
    assert desk.shown() == before == desk.saved()
    desk.expect_state("saved, version 0")


def test_verifying_changes_provenance_only(bench: Bench) -> None:
    desk = bench.open()
    labels = history.current(bench.harness.store, desk.tile).labels
    desk.hover(20, 20)
    desk.press("w")
    saved_at(desk, 1)
    region = history.current(bench.harness.store, desk.tile).provenance
    assert region[20, 20] == 2
    assert (labels[region == 2] == labels[20, 20]).all()
    desk.press("Shift+W")
    saved_at(desk, 2)
    now = history.current(bench.harness.store, desk.tile)
    assert (now.provenance == 2).all()
    np.testing.assert_array_equal(now.labels, labels)


def test_done_marks_the_tile_changes_no_pixel_and_goes_on(bench: Bench) -> None:
    blank = bench.scene.tiles["blank"]
    desk = bench.open(blank)
    before = desk.saved()
    following = desk.editor("(e) => e.manifest.neighbours.next")
    desk.press("Enter")
    Desk(desk.page, desk.store, following).wait_painted()
    assert catalogue.tile(bench.harness.store, blank).state == "done"
    assert desk.saved() == before
    desk.press("Backspace")
    desk.wait_painted()


def test_shift_paints_a_straight_line_from_the_last_stroke(bench: Bench) -> None:
    desk = bench.open()
    desk.editor("(e) => e.setDiameter(3)")
    desk.press("6")
    desk.stroke((10, 10))
    desk.page.keyboard.down("Shift")
    desk.stroke((80, 70))
    desk.page.keyboard.up("Shift")
    saved_at(desk, 2)
    assert desk.label(45, 40) == 6


def test_the_wheel_zooms_at_the_cursor_in_every_pane(bench: Bench) -> None:
    desk = bench.open()
    desk.hover(30, 50, "sar")
    before = desk.point(30, 50, "sar")
    desk.page.mouse.wheel(0, -600)
    desk.settle()
    after = desk.point(30, 50, "sar")
    assert np.abs(np.subtract(before, after)).max() < desk.editor("(e) => e.view.transform.scale")
    offset = np.subtract(desk.point(30, 50, "label"), desk.point(30, 50, "optical"))
    assert offset[0] == 0


def test_pick_swap_and_brush_keys(bench: Bench) -> None:
    desk = bench.open()
    desk.press("3")
    desk.hover(50, 50)
    desk.press("i")
    assert desk.editor("(e) => e.classCode") == desk.label(50, 50)
    desk.press("6", "2", "x")
    assert desk.editor("(e) => e.classCode") == 6
    size = desk.editor("(e) => e.settings.diameter")
    desk.press("]", "]", "[", "[")
    assert desk.editor("(e) => e.settings.diameter") == size
    desk.page.keyboard.down("Shift")
    desk.page.mouse.wheel(0, -100)
    desk.page.keyboard.up("Shift")
    assert desk.editor("(e) => e.settings.diameter") > size


def test_hold_to_peek_shows_the_labels_again(bench: Bench) -> None:
    desk = bench.open()
    desk.page.keyboard.down("h")
    assert desk.editor("(e) => e.display.hidden") is True
    desk.page.wait_for_timeout(350)
    desk.page.keyboard.up("h")
    assert desk.editor("(e) => e.display.hidden") is False
    desk.press("h")
    assert desk.editor("(e) => e.display.hidden") is True


def test_provenance_is_marked_with_patterns_as_it_changes(bench: Bench) -> None:
    desk = bench.open()
    marked = """(e) => [...(e.scene.provenance.masks.get(e.scene.labels.block(0, 0)) ?? [])]
        .filter(([, mask]) => mask).map(([level]) => level)"""
    legend = desk.page.locator(".legend")
    desk.press("Shift+P")
    expect(legend).to_be_visible()
    assert desk.editor(marked) == []
    desk.press("6")
    desk.stroke((40, 20), (50, 60))
    saved_at(desk, 1)
    painted = provenance_of(desk) == 1
    # One region with water that lay there before: that is verified, what somebody painted stays so.
    desk.press("w")
    saved_at(desk, 2)
    now = provenance_of(desk)
    assert (now[painted] == 1).all()
    assert set(now[~painted]) == {0, 2}
    desk.press("w")
    expect(desk.page.locator(".banner")).to_contain_text("This region is settled already.")
    saved_at(desk, 2)
    desk.wait_for(f"(e) => ({marked})(e).sort().join() === '1,2'")
    desk.press("Shift+P")
    expect(legend).to_be_hidden()


def test_legend_counts_pixels_as_they_are_painted(bench: Bench) -> None:
    desk = bench.open()
    desk.editor("(e) => e.setDiameter(256)")
    desk.press("6")
    desk.stroke((40, 40))
    expect(desk.page.locator('[data-command="class-6"] .share')).to_have_text("100 %")


def test_validation_tile_says_why_it_takes_no_stroke(bench: Bench) -> None:
    desk = bench.open(bench.scene.tiles["val"])
    desk.expect_state("read-only: validation tile")
    before = desk.shown()
    desk.press("6")
    desk.stroke((40, 20), (50, 60))
    desk.press("Shift+W", "f")
    desk.stroke((40, 20))
    assert desk.shown() == before == desk.saved()
    expect(desk.page.locator(".banner")).to_contain_text("Models are scored here")
