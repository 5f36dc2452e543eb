"""What a reload keeps of where one was, and moving over the ground by keys."""

from typing import Any

import pytest

from tests.editor import node
from tests.editor.conftest import Bench

TILE = {"id": 7, "height": 96, "width": 80}
AREA = [{"x": 10, "y": 10}, {"x": 60, "y": 10}, {"x": 60, "y": 70}]


def kept(**changes: Any) -> dict[str, Any]:
    place = {"y": 40.5, "x": 30.0, "scale": 9.0}
    return {"tile": 7, "place": place, "classCode": 3, "area": AREA} | changes


@pytest.mark.parametrize(
    ("given", "place", "area"),
    [
        (kept(), True, True),
        (kept(place=None), False, True),
        (kept(place={"y": "4", "x": 1, "scale": 2}), False, True),
        (kept(place={"y": 4, "x": 9000, "scale": 2}), False, True),
        (kept(place={"y": 4, "x": 4, "scale": 0}), False, True),
        (kept(area=[{"x": 1, "y": 2}]), True, False),
        (kept(area=[*AREA, None]), True, False),
        (kept(area="far"), True, False),
    ],
)
def test_a_place_is_taken_up_where_it_reads(given: Any, place: bool, area: bool) -> None:
    script = "({usable}, [kept, tile]) => usable(kept, tile)"
    found = node.call("features/kept_place.js", script, [given, TILE])
    assert found == {
        "place": given["place"] if place else None,
        "classCode": 3,
        "area": given["area"] if area else None,
    }


@pytest.mark.parametrize("given", [None, 3, "{", {"tile": 8}])
def test_what_is_of_another_tile_is_left(given: Any) -> None:
    script = "({usable}, [kept, tile]) => usable(kept, tile)"
    assert node.call("features/kept_place.js", script, [given, TILE]) is None


@pytest.mark.browser
def test_a_reload_keeps_place_class_and_area_and_arrows_move(bench: Bench) -> None:
    desk = bench.open()
    desk.hover(40, 40)
    desk.press("+", "+", "+", "3")
    before = desk.editor("(e) => e.view.transform")
    desk.press("ArrowRight", "ArrowDown")
    moved = desk.editor("(e) => e.view.transform")
    assert moved["x"] < before["x"] and moved["y"] < before["y"]
    cursor = desk.editor("(e) => e.probe.cursor")
    assert cursor["x"] > 40.6 and cursor["y"] > 40.6
    desk.press("Shift+A")
    desk.stroke((40, 40), (40, 55), (55, 55), (55, 40))
    size = desk.editor("(e) => [e.hand.area.h, e.hand.area.w, e.hand.area.data.length]")
    desk.page.reload()
    desk.wait_painted()
    after = desk.editor("(e) => e.view.transform")
    assert after == pytest.approx(moved, abs=1)
    assert desk.editor("(e) => e.classCode") == 3
    assert desk.editor("(e) => [e.hand.area.h, e.hand.area.w, e.hand.area.data.length]") == size
    # A second person's tab starts with nothing of it.
    assert bench.open(person="Ben").editor("(e) => [e.hand.area, e.view.place]") == [None, None]
