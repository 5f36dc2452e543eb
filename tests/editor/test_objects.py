"""Object mode of a damage project in a real browser: outline, name, class, undo, land cover."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from core import history
from tests.editor.conftest import Bench, Desk
from tests.town import DAMAGED, DESTROYED, HOUSES, INTACT

pytestmark = pytest.mark.browser

EAST = (10, 55)
NORTH = (12, 17)


def labels(desk: Desk) -> Any:
    return history.current(desk.store, desk.tile).labels


def click(desk: Desk, row: float, col: float, pane: str = "label") -> None:
    desk.page.mouse.click(*desk.point(row, col, pane))


def named(desk: Desk, text: str) -> None:
    """Wait until the read-out begins so."""
    expect(desk.page.locator(".readout .item").first).to_have_text(text)


def opened(town: Bench) -> Desk:
    desk = town.open()
    desk.press("Shift+O")
    return desk


def test_the_building_under_the_cursor_is_outlined_and_named(town: Bench) -> None:
    desk = opened(town)
    desk.hover(*EAST)
    named(desk, "building2  192 px  Damaged")
    corners = desk.editor("(e) => e.preview.paths.get('object')")
    rows, columns, _ = HOUSES["east"]
    assert corners["closed"]
    assert sorted((at["y"], at["x"]) for at in corners["points"]) == [
        (y, x) for y in (rows.start, rows.stop) for x in (columns.start, columns.stop)
    ]
    # In every pane.
    lines = desk.page.locator(".pane:not([hidden]) svg.paths polygon.white")
    assert lines.count() == desk.page.locator(".pane:not([hidden])").count() >= 2
    desk.hover(45, 70)
    assert desk.editor("(e) => e.preview.paths.has('object')") is False


def test_a_click_cycles_the_class_of_the_whole_building(town: Bench) -> None:
    desk = opened(town)
    expected = town.scene.label.copy()
    rows, columns, _ = HOUSES["east"]
    for version, code in enumerate((DESTROYED, INTACT, DAMAGED), start=1):
        click(desk, *EAST)
        desk.expect_state(f"saved, version {version}")
        expected[rows, columns] = code
        np.testing.assert_array_equal(labels(desk), expected)
        assert desk.shown() == desk.saved()
    edits = history.timeline(desk.store, desk.tile)
    assert {edit.tool for edit in edits} == {"object"}
    desk.press("Control+z", "Control+z")
    desk.expect_state("saved, version 5")
    expected[rows, columns] = DESTROYED
    np.testing.assert_array_equal(labels(desk), expected)
    desk.page.reload()
    desk.wait_painted()
    assert desk.shown() == desk.saved()


def test_a_digit_sets_the_class_of_the_building_under_the_cursor(town: Bench) -> None:
    desk = opened(town)
    desk.hover(*NORTH)
    named(desk, "building1  140 px  Intact")
    desk.press("4")
    desk.expect_state("saved, version 1")
    rows, columns, _ = HOUSES["north"]
    assert (labels(desk)[rows, columns] == DESTROYED).all()
    assert ((labels(desk) == DESTROYED) & (town.scene.label != DESTROYED)).sum() == 140
    named(desk, "building1  140 px  Destroyed")
    # Beside a building the digit chooses a class, as with every tool.
    desk.hover(45, 70)
    desk.press("3")
    assert desk.editor("(e) => e.classCode") == DAMAGED
    assert desk.editor("(e) => e.settings.tool") == "object"


def test_the_brush_mends_a_shape_and_the_id_stays(town: Bench) -> None:
    desk = opened(town)
    desk.editor("(e) => e.setDiameter(5)")
    desk.press("b", "2")
    desk.stroke((14, 8), (14, 16))
    desk.expect_state("saved, version 1")
    desk.press("Shift+O")
    desk.hover(*NORTH)
    grown = int((labels(desk)[:20, :40] > 0).sum())
    assert grown > 140
    named(desk, f"building1  {grown} px  Intact")
    desk.press("b", "4")
    desk.stroke((85, 60), (85, 62))
    desk.expect_state("saved, version 2")
    desk.press("Shift+O")
    desk.hover(85, 61)
    (new,) = {int(n) for n in labels(desk)[80:, 50:].ravel()} - {0}
    assert new == DESTROYED
    expect(desk.page.locator(".readout .item").first).to_contain_text("new at 83, 5")


def test_beside_a_building_it_says_what_to_do(town: Bench) -> None:
    desk = opened(town)
    click(desk, 45, 70)
    expect(desk.page.locator(".banner")).to_contain_text("no building here")
    desk.expect_state("saved, version 0")


def test_land_cover_has_no_object_mode_and_says_why(bench: Bench) -> None:
    desk = bench.open()
    desk.press("Shift+O")
    assert desk.editor("(e) => e.settings.tool") == "brush"
    expect(desk.page.locator(".banner")).to_contain_text("damage projects")
    button = desk.page.locator('.tools [data-command="object"]')
    expect(button).to_be_disabled()
    assert "land cover" in (button.get_attribute("title") or "")
