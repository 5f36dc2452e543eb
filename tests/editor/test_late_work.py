"""Work that goes on after the button is up: it keeps its class, its turn and its tile."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from core import history
from tests.editor.conftest import Bench, Desk

pytestmark = pytest.mark.browser

ROOF = (slice(6, 18), slice(50, 66))


def click(desk: Desk, row: float, col: float) -> None:
    desk.page.mouse.click(*desk.point(row, col))


def hold_back(desk: Desk, pattern: str) -> Callable[[], None]:
    """Let requests wait from now on; returns what lets them go."""
    held: list[Route] = []
    desk.page.route(pattern, lambda route: held.append(route))

    def let_go() -> None:
        for route in held:
            route.continue_()
        desk.page.unroute(pattern)

    return let_go


def slow_down(desk: Desk, ms: int) -> None:
    """Let labels come late, as on a large tile."""
    desk.editor(
        """(e, ms) => {
          const {scene} = e, load = scene.loadLabels.bind(scene);
          scene.loadLabels = (box) => new Promise((resolve) =>
            setTimeout(() => resolve(load(box)), ms));
        }""",
        ms,
    )


def test_presses_of_the_wand_wait_for_their_turn_and_keep_their_class(town: Bench) -> None:
    desk = town.open()
    let_go = hold_back(desk, "**/pixels/**")
    desk.press("l", "4")
    click(desk, 10, 55)
    desk.press("3")
    click(desk, 65, 35)
    desk.press("2", "b")
    desk.expect_state("saved, version 0")
    let_go()
    desk.expect_state("saved, version 2")
    assert [edit.tool for edit in history.timeline(desk.store, desk.tile)] == ["wand", "wand"]
    now = history.current(desk.store, desk.tile).labels
    assert (now[ROOF] == 3).all()
    assert (now[60:76, 30:44] == 2).all()


def test_escape_drops_what_the_wand_has_not_read(town: Bench) -> None:
    desk = town.open()
    let_go = hold_back(desk, "**/pixels/**")
    desk.press("l", "4")
    click(desk, 10, 55)
    desk.press("Escape")
    let_go()
    desk.page.wait_for_timeout(300)
    desk.expect_state("saved, version 0")


def test_leaving_waits_for_a_fill_and_says_so(bench: Bench) -> None:
    desk = bench.open(bench.scene.tiles["blank"])
    following = desk.editor("(e) => e.manifest.neighbours.next")
    slow_down(desk, 600)
    desk.press("f", "3")
    click(desk, 48, 40)
    desk.press("5", "Enter", "Enter")
    expect(desk.page.locator(".state")).to_have_text("finishing the last stroke before leaving")
    Desk(desk.page, desk.store, following).wait_painted()
    (edit,) = history.timeline(desk.store, desk.tile)
    assert edit.tool == "fill"
    assert (history.current(desk.store, desk.tile).labels == 3).all()
    assert [each["action"] for each in desk.page.evaluate("window.commands")] == ["done"]


def test_a_stroke_that_comes_too_late_for_its_tile_is_named(bench: Bench) -> None:
    desk = bench.open()
    slow_down(desk, 600)
    desk.press("f", "3")
    click(desk, 48, 40)
    desk.page.evaluate("(tile) => window.show(tile)", bench.scene.tiles["second"])
    expect(desk.page.locator(".banner")).to_contain_text("The last stroke on the tile before")


def test_strokes_before_the_history_is_there_are_not_ignored_silently(bench: Bench) -> None:
    desk = bench.open()
    second = Desk(desk.page, desk.store, bench.scene.tiles["second"])
    let_go = hold_back(desk, "**/history?*")
    desk.page.evaluate("(tile) => window.show(tile)", second.tile)
    desk.page.locator(f'.editor[data-painted="{second.tile}"]').wait_for()
    banner = desk.page.locator(".banner")
    acts: list[Callable[[], None]] = [
        lambda: desk.stroke((40, 20), (40, 60)),
        lambda: desk.press("Control+z"),
    ]
    for act in acts:
        act()
        expect(banner).to_contain_text("still being loaded")
        banner.get_by_label("Dismiss").click()
        expect(banner).to_be_hidden()
    let_go()
    second.wait_painted()
    desk.press("6")
    desk.stroke((40, 20), (40, 60))
    desk.expect_state("saved, version 1")
