"""Shapes that are not painted yet keep one on the tile until a second press."""

import pytest
from playwright.sync_api import expect

from tests.editor.conftest import Bench, Desk

pytestmark = pytest.mark.browser


@pytest.fixture
def desk(bench: Bench) -> Desk:
    """Return a tile with one before and one after it, and the polygon in hand."""
    desk = bench.open(bench.scene.tiles["second"])
    desk.press("6", "p")
    return desk


def click(desk: Desk, *pixels: tuple[float, float]) -> None:
    for pixel in pixels:
        desk.page.mouse.click(*desk.point(*pixel))


def left(desk: Desk) -> list[str]:
    """Return the ways in which the tile has been left."""
    return [each["action"] for each in desk.page.evaluate("window.commands")]


def test_backspace_after_the_last_corner_stays_on_the_tile(desk: Desk) -> None:
    click(desk, (30, 20), (30, 60))
    desk.press("Backspace", "Backspace", "Backspace", "Backspace")
    assert desk.editor("(e) => e.hand.unfinished") is None
    assert left(desk) == []
    desk.page.wait_for_timeout(750)
    desk.press("Backspace")
    assert left(desk) == ["previous"]


@pytest.mark.parametrize(("key", "action"), [("n", "skip"), ("PageDown", "next")])
def test_leaving_with_an_open_shape_takes_a_second_press(desk: Desk, key: str, action: str) -> None:
    click(desk, (30, 20), (30, 60), (60, 60))
    desk.press(key)
    expect(desk.page.locator(".banner")).to_contain_text("A shape is drawn that is not closed")
    assert left(desk) == []
    assert desk.editor("(e) => e.hand.unfinished") is not None
    desk.press(key)
    assert left(desk) == [action]


def test_collected_shapes_are_asked_about_and_painted_ones_are_not(desk: Desk) -> None:
    desk.page.keyboard.down("Shift")
    click(desk, (30, 20), (30, 60), (60, 60), (30, 20))
    desk.page.keyboard.up("Shift")
    desk.press("PageDown")
    expect(desk.page.locator(".banner")).to_contain_text("Shapes are collected")
    desk.press("Enter")
    desk.expect_state("saved, version 1")
    desk.press("PageDown")
    assert left(desk) == ["next"]
