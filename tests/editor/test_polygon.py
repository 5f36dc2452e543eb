"""Polygon, lasso and encircle in a real browser: labels, undo, what is shown."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.editor.conftest import Bench
from tests.editor.raster_reference import encircle, polygon
from tests.editor.shapes import (
    SHAPE,
    SQUARE,
    choose,
    click,
    corners,
    expected,
    painted,
    paths,
    preview_pixels,
    previews,
    tools_of,
    undo_and_reload,
)

pytestmark = pytest.mark.browser


class TestPolygon:
    def test_corners_and_a_double_click_paint_what_lies_inside(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "p")
        click(desk, *SQUARE[:3])
        assert paths(desk) == ["polygon-open"]
        click(desk, SQUARE[3], click_count=2)
        desk.expect_state("saved, version 1")
        assert paths(desk) == []
        np.testing.assert_array_equal(
            painted(desk, bench), expected(polygon(corners(SQUARE), SHAPE), bench)
        )
        assert tools_of(desk) == ["polygon"]
        undo_and_reload(desk, bench, 1)

    @pytest.mark.parametrize("how", ["Enter", "first corner"])
    def test_other_ways_to_close_it(self, bench: Bench, how: str) -> None:
        desk = bench.open()
        choose(desk, "p")
        click(desk, *SQUARE)
        if how == "Enter":
            desk.press("Enter", "Enter")
        else:
            click(desk, SQUARE[0])
        desk.expect_state("saved, version 1")
        assert painted(desk, bench).sum() == expected(polygon(corners(SQUARE), SHAPE), bench).sum()
        # The second Enter did not leave the tile.
        assert desk.editor("(e) => e.manifest.tile.id") == bench.scene.tile

    def test_a_drag_is_a_lasso(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "p")
        desk.stroke((20, 10), (20, 40), (50, 40), (50, 10))
        desk.expect_state("saved, version 1")
        assert tools_of(desk) == ["lasso"]
        mask = painted(desk, bench)
        assert mask[22:49, 12:39].sum() == expected(np.ones(SHAPE, bool), bench)[22:49, 12:39].sum()
        assert not mask[:20].any()
        assert not mask[51:].any()

    def test_backspace_takes_the_last_corner_back(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "p")
        click(desk, *SQUARE, (90, 70))
        desk.press("Backspace", "Enter")
        desk.expect_state("saved, version 1")
        np.testing.assert_array_equal(
            painted(desk, bench), expected(polygon(corners(SQUARE), SHAPE), bench)
        )

    def test_escape_drops_it_and_paints_nothing(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "p")
        before = desk.shown()
        click(desk, *SQUARE)
        desk.press("Escape")
        assert paths(desk) == []
        click(desk, *SQUARE[:3])
        desk.press("b")
        assert paths(desk) == []
        assert desk.shown() == before == desk.saved()

    def test_shapes_are_collected_and_cut_and_applied_as_one_edit(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "p")
        hole = [(30.0, 20.0), (30.0, 30.0), (40.0, 30.0), (40.0, 20.0)]
        other = [(70.0, 50.0), (70.0, 60.0), (80.0, 60.0)]
        for points, key in ((SQUARE, "Shift"), (hole, "Control"), (other, "Shift")):
            desk.page.keyboard.down(key)
            click(desk, *points, points[0])
            desk.page.keyboard.up(key)
        desk.expect_state("saved, version 0")
        assert previews(desk) == ["polygon-collected"]
        assert preview_pixels(desk, "polygon-collected") == int(collected(hole, other).sum())
        desk.press("Enter")
        desk.expect_state("saved, version 1")
        np.testing.assert_array_equal(painted(desk, bench), expected(collected(hole, other), bench))
        assert previews(desk) == []
        undo_and_reload(desk, bench, 1)

    def test_nothing_to_cut_from_is_said(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "p")
        desk.page.keyboard.down("Control")
        click(desk, *SQUARE, SQUARE[0])
        desk.page.keyboard.up("Control")
        expect(desk.page.locator(".banner")).to_contain_text("none yet")
        desk.expect_state("saved, version 0")

    def test_the_effect_in_hand_is_used(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "p")
        click(desk, *SQUARE, SQUARE[0])
        desk.expect_state("saved, version 1")
        desk.editor("(e) => e.setEffect('revert')")
        half = [(20.0, 10.0), (20.0, 25.0), (50.0, 25.0), (50.0, 10.0)]
        click(desk, *half, half[0])
        desk.expect_state("saved, version 2")
        kept = polygon(corners(SQUARE), SHAPE) & ~polygon(corners(half), SHAPE)
        np.testing.assert_array_equal(painted(desk, bench), expected(kept, bench))
        assert tools_of(desk) == ["polygon", "polygon"]
        assert desk.shown() == desk.saved()

    def test_restrictions_hold(self, bench: Bench) -> None:
        desk = bench.open()
        desk.editor("(e) => e.settings.change({recode: {on: true, from: [2, 3]}})")
        choose(desk, "p")
        click(desk, *SQUARE, SQUARE[0])
        desk.expect_state("saved, version 1")
        inside = polygon(corners(SQUARE), SHAPE) & np.isin(bench.scene.label, [2, 3])
        np.testing.assert_array_equal(painted(desk, bench), inside)
        assert desk.shown() == desk.saved()

    def test_a_validation_tile_takes_none(self, bench: Bench) -> None:
        desk = bench.open(bench.scene.tiles["val"])
        desk.expect_state("read-only: validation tile")
        desk.editor("(e) => e.setTool('polygon')")
        click(desk, *SQUARE, SQUARE[0])
        assert desk.shown() == desk.saved()


def collected(hole: Any, other: Any) -> Any:
    square, cut, more = (polygon(corners(points), SHAPE) for points in (SQUARE, hole, other))
    return (square & ~cut) | more


class TestEncircle:
    def test_what_the_line_passes_and_encloses_is_painted(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "q")
        desk.stroke((20, 10), (20, 40), (50, 40), (50, 10))
        desk.expect_state("saved, version 1")
        mask = painted(desk, bench)
        whole = encircle(corners(SQUARE), SHAPE)
        # The way of the mouse is known to within the steps it was moved in.
        assert (mask ^ expected(whole, bench)).sum() <= 60
        assert mask[20, 12:38].sum() == expected(whole, bench)[20, 12:38].sum()
        assert tools_of(desk) == ["encircle"]
        undo_and_reload(desk, bench, 1)

    def test_escape_during_the_drag_paints_nothing(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "q")
        desk.page.mouse.move(*desk.point(20, 10))
        desk.page.mouse.down()
        desk.page.mouse.move(*desk.point(40, 40), steps=4)
        assert paths(desk) == ["encircle"]
        desk.press("Escape")
        desk.page.mouse.up()
        assert paths(desk) == []
        desk.expect_state("saved, version 0")
        assert desk.shown() == desk.saved()
