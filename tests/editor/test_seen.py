"""The wand reads what is seen: a nudge moves the values along with the picture."""

import pytest
from playwright.sync_api import expect

from core import history
from tests.editor.conftest import Bench
from tests.editor.node import call
from tests.town import houses

EAST = (slice(6, 18), slice(50, 66))  # a house, bright in the optical image


@pytest.mark.parametrize(
    ("nudge", "box"),
    [
        (None, [10, 20]),
        ({"y": 0, "x": 0}, [10, 20]),
        ({"y": 3, "x": -2}, [7, 22]),
        ({"y": 0.5, "x": -0.5}, [10, 21]),
    ],
)
def test_a_place_of_the_tile_is_read_where_it_is_seen(
    nudge: dict[str, float] | None, box: list[int]
) -> None:
    script = """({seenFrom}, nudge) => seenFrom({y0: 10, x0: 20, h: 4, w: 5}, nudge)"""
    found = call("tools/image_values.js", script, nudge)
    assert [found["y0"], found["x0"], found["h"], found["w"]] == [*box, 4, 5]


@pytest.mark.browser
def test_the_wand_takes_a_house_where_it_is_seen(town: Bench) -> None:
    desk = town.open()
    desk.editor("(e) => { e.features.views.nudge.toggle(0); }")
    desk.editor("(e) => { e.features.views.nudge.move(1, 0, {shiftKey: true}); }")
    desk.editor("(e) => { e.features.views.nudge.close(); }")
    desk.press("l", "4")
    desk.page.mouse.click(*desk.point(26, 55))
    desk.expect_state("saved, version 1")
    now = history.current(desk.store, desk.tile).labels
    expected = houses()
    expected[16:28, EAST[1]] = 3
    assert (now == expected).all()


@pytest.mark.browser
def test_where_a_nudge_leaves_no_image_nothing_is_taken(town: Bench) -> None:
    desk = town.open()
    desk.editor("(e) => { e.features.views.nudge.toggle(0); }")
    desk.editor(
        "(e) => { for (let i = 0; i < 20; i++) "
        "e.features.views.nudge.move(1, 0, {shiftKey: true}); }"
    )
    desk.press("l", "4")
    desk.page.mouse.click(*desk.point(26, 55))
    expect(desk.page.locator(".banner")).to_contain_text("no image under this pixel")
