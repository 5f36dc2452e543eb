"""The read-out: band values are those of the pixel under the cursor, or a dash."""

import pytest
from playwright.sync_api import expect

from tests.editor.conftest import Bench, Desk
from tests.editor.many_bands import enrich
from tests.editor.wall import LEFT, RIGHT, Wall

pytestmark = pytest.mark.browser


@pytest.fixture
def wall(bench: Bench) -> Wall:
    ids = enrich(bench.scene)
    wall = Wall(bench.open(), ids)
    wall.choose(0, "SAR s1, as stored")
    wall.over(2, RIGHT)
    expect(wall.desk.page.locator(".readout")).to_contain_text("VH -25.0 dB")
    return wall


def hold_values(wall: Wall) -> None:
    """Let no more values come."""
    wall.desk.page.route("**/values/**", lambda route: None)


def test_while_the_cursor_moves_no_values_of_another_pixel_are_shown(wall: Wall) -> None:
    readout = wall.desk.page.locator(".readout")
    hold_values(wall)
    wall.over(2, LEFT)
    expect(readout).to_contain_text(f"col{LEFT[1]}")
    expect(readout).not_to_contain_text("-25.0")
    expect(readout).to_contain_text("–")


def test_another_tile_does_not_keep_the_values_of_the_last(wall: Wall, bench: Bench) -> None:
    hold_values(wall)
    second = bench.scene.tiles["second"]
    wall.desk.page.evaluate("(tile) => window.show(tile)", second)
    Desk(wall.desk.page, wall.desk.store, second).wait_painted()
    x, y = wall.place(2, RIGHT)
    wall.desk.page.mouse.move(x + 0.5, y)
    expect(wall.desk.page.locator(".readout")).to_contain_text(f"col{RIGHT[1]}")
    expect(wall.desk.page.locator(".readout")).not_to_contain_text("-25.0")


def test_another_view_is_asked_for_its_values_at_once(wall: Wall) -> None:
    readout = wall.desk.page.locator(".readout")
    wall.desk.editor(
        "(e) => e.display.setView(0, {...e.display.views[0], base: {modality: 'optical'}})"
    )
    wall.desk.editor(
        """(e) => e.display.setView(1, {...e.display.views[1],
          rendering: {expr: 'VV - VH'}, base: {modality: 'sar', name: 's1'}})"""
    )
    expect(readout).to_contain_text("VV-VH dB25.000")


def test_a_nudge_is_asked_for_the_values_that_it_brings(wall: Wall) -> None:
    readout = wall.desk.page.locator(".readout")
    wall.over(0, RIGHT)
    wall.desk.editor("(e) => { e.features.views.nudge.toggle(0); }")
    wall.desk.editor(
        "(e) => { for (let i = 0; i < 4; i++) "
        "e.features.views.nudge.move(0, 1, {shiftKey: true}); }"
    )
    expect(readout).to_contain_text("VV -25.0")
