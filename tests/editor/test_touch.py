"""Fingers and pens: one finger paints, two move and zoom the images, a pen may press harder."""

from typing import Any

import pytest
from playwright.sync_api import CDPSession

from tests.editor.conftest import Bench, Desk
from tests.scene import VOID

pytestmark = pytest.mark.browser


class Glass:
    """A touch screen and a pen on the page of a desk, through the debugging protocol."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.cdp: CDPSession = desk.page.context.new_cdp_session(desk.page)
        self.cdp.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})

    def touch(self, kind: str, *pixels: tuple[float, float]) -> None:
        """Send touchStart, touchMove or touchEnd with fingers on these pixels of the label pane."""
        fingers = [self.desk.point(*pixel) for pixel in pixels]
        self.touch_at(kind, *fingers)

    def touch_at(self, kind: str, *places: tuple[float, float]) -> None:
        """Send the same with fingers at places of the page."""
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        self.cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def pen(self, kind: str, pixel: tuple[float, float], force: float) -> None:
        """Send mousePressed, mouseMoved or mouseReleased of a pen."""
        x, y = self.desk.point(*pixel)
        event = {"type": kind, "x": x, "y": y, "pointerType": "pen", "force": force}
        if kind != "mouseMoved":
            event |= {"button": "left", "clickCount": 1}
        self.cdp.send("Input.dispatchMouseEvent", {"buttons": int(force > 0), **event})


@pytest.fixture
def glass(bench: Bench) -> Glass:
    return Glass(bench.open())


def transform(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = desk.editor("(e) => e.view.transform")
    return found


def test_one_finger_paints_one_stroke(glass: Glass) -> None:
    desk = glass.desk
    desk.press("3", "b")
    before = transform(desk)
    glass.touch("touchStart", (20, 20))
    glass.touch("touchMove", (20, 40))
    glass.touch("touchMove", (20, 60))
    glass.touch("touchEnd")
    desk.expect_state("saved, version 1")
    assert {desk.label(20, col) for col in range(20, 61)} == {3}
    assert transform(desk) == before
    assert desk.editor("(e) => e.probe.cursor") is None


def test_two_fingers_zoom_and_drag_and_paint_nothing(glass: Glass) -> None:
    desk = glass.desk
    shown, before = desk.shown(), transform(desk)
    (x, y) = desk.point(48, 40)
    glass.touch_at("touchStart", (x - 20, y))
    glass.touch_at("touchMove", (x - 22, y))
    glass.touch_at("touchStart", (x - 22, y), (x + 20, y))
    for step in range(1, 6):
        glass.touch_at("touchMove", (x - 22 - 8 * step, y), (x + 20 + 12 * step, y + 4 * step))
    glass.touch_at("touchEnd")
    after = transform(desk)
    assert after["scale"] > 2 * before["scale"]
    assert desk.shown() == shown
    desk.expect_state("saved, version 0")
    # The middle of the fingers has moved by 12 and 10 px, and so has what lay there.
    moved = desk.point(48, 40)
    assert abs(moved[0] - x - 9) < 8 and abs(moved[1] - y - 10) < 8


def test_the_finger_that_is_left_after_two_does_not_paint(glass: Glass) -> None:
    desk = glass.desk
    shown = desk.shown()
    (x, y) = desk.point(48, 40)
    glass.touch_at("touchStart", (x, y), (x + 40, y))
    glass.touch_at("touchMove", (x, y), (x + 50, y))
    glass.touch_at("touchEnd", (x, y))
    glass.touch_at("touchMove", (x + 30, y + 30))
    glass.touch_at("touchEnd")
    assert desk.shown() == shown
    glass.touch_at("touchStart", (x, y))
    glass.touch_at("touchMove", (x + 10, y))
    glass.touch_at("touchEnd")
    desk.expect_state("saved, version 1")


def test_a_pen_presses_the_brush_larger_where_that_is_wanted(glass: Glass) -> None:
    desk = glass.desk
    desk.press("0", "b")
    desk.editor("(e) => e.setDiameter(20)")
    assert width_of_a_dab(glass, (20, 40), 0.3) == 20
    desk.page.locator('[data-command="pressure"]').first.click()
    assert width_of_a_dab(glass, (50, 40), 0.3) == 6
    assert width_of_a_dab(glass, (80, 40), 1.0) == 20


def width_of_a_dab(glass: Glass, pixel: tuple[int, int], force: float) -> int:
    """Return how many pixels of the row are void after a touch of the pen: none were before."""
    glass.pen("mouseMoved", pixel, 0)
    glass.pen("mousePressed", pixel, force)
    glass.pen("mouseReleased", pixel, 0)
    return sum(glass.desk.label(pixel[0], col) == VOID for col in range(80))


def draw(glass: Glass, row: int, cols: range, *, palms: list[tuple[float, float]]) -> None:
    """Draw a line with the pen while more and more of the hand comes to rest on the glass."""
    glass.pen("mousePressed", (row, cols[0]), 0.5)
    for i, col in enumerate(cols):
        if i < len(palms):
            glass.touch("touchStart", *palms[: i + 1])
        glass.pen("mouseMoved", (row, col), 0.5)
    if palms:
        glass.touch("touchMove", *[(down - 4, right + 4) for down, right in palms])
    glass.pen("mouseReleased", (row, cols[-1]), 0)
    if palms:
        glass.touch("touchEnd")


def test_the_hand_that_holds_the_pen_neither_paints_nor_moves(glass: Glass) -> None:
    desk = glass.desk
    desk.press("3", "b")
    desk.editor("(e) => e.setDiameter(3)")
    shown, before = desk.editor("(e) => Array.from(e.scene.labels.raster())"), transform(desk)
    draw(glass, 20, range(20, 61, 5), palms=[(70, 20), (75, 50)])
    desk.expect_state("saved, version 1")
    now = desk.editor("(e) => Array.from(e.scene.labels.raster())")
    changed = {i // 80 for i in range(96 * 80) if now[i] != shown[i]}
    assert {desk.label(20, col) for col in range(20, 61)} == {3}
    assert changed <= {19, 20, 21}
    assert transform(desk) == before


def test_a_hand_that_rests_before_the_pen_comes_does_not_shut_it_out(glass: Glass) -> None:
    desk = glass.desk
    desk.press("0", "b")
    desk.editor("(e) => e.setDiameter(3)")
    glass.touch("touchStart", (70, 20))
    glass.touch("touchMove", (70, 24))
    draw(glass, 20, range(20, 61, 5), palms=[])
    glass.touch("touchMove", (74, 24))
    glass.touch("touchEnd")
    desk.expect_state("saved, version 1")
    assert {desk.label(20, col) for col in range(20, 61)} == {VOID}
    assert desk.label(70, 22) != VOID
    # Without a pen for a while, a finger paints again.
    desk.page.wait_for_timeout(1100)
    glass.touch("touchStart", (70, 20))
    glass.touch("touchMove", (70, 24))
    glass.touch("touchEnd")
    desk.expect_state("saved, version 2")


def test_panes_leave_gestures_to_the_editor(bench: Bench) -> None:
    desk = bench.open()
    actions = desk.page.locator(".pane").evaluate_all(
        "(panes) => panes.map((pane) => getComputedStyle(pane).touchAction)"
    )
    assert actions and set(actions) == {"none"}
