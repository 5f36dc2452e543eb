"""Commands on many pixels in the editor: shown, applied, stopped and taken back."""

import threading
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from core import bulk, catalogue, history
from tests.editor.conftest import Bench, Desk

pytestmark = pytest.mark.browser


def labels(bench: Bench, name: str = "train") -> np.ndarray:
    return history.current(bench.harness.store, bench.scene.tiles[name]).labels


def recode(desk: Desk, *sources: str, to: int, scope: str = "tile") -> None:
    """Open the strip and fill it in."""
    if not desk.page.locator(".bulk").is_visible():
        desk.press("Shift+M")
    for name in sources:
        desk.page.locator(".bulk-source", has_text=name).click()
    desk.page.get_by_label("New class").select_option(str(to))
    desk.page.get_by_label("Where", exact=True).select_option(scope)


def click(desk: Desk, name: str) -> None:
    desk.page.locator(".bulk").get_by_role("button", name=name, exact=True).click()


def words(desk: Desk) -> Any:
    return expect(desk.page.locator(".bulk-words"))


def hatched(desk: Desk) -> int:
    """Return how many pixels are shown as about to change."""
    return int(
        desk.editor(
            """(e) => (e.preview.shown.get('bulk') ?? [])
            .reduce((sum, {mask}) => sum + mask.data.reduce((n, bit) => n + bit, 0), 0)"""
        )
    )


def test_a_recode_is_shown_applied_and_undone_by_a_key(bench: Bench) -> None:
    desk = bench.open()
    before = labels(bench)
    recode(desk, "Bareland", "Road", to=6)
    click(desk, "Preview")
    expected = np.isin(before, (1, 4))
    words(desk).to_contain_text(f"{expected.sum():,} px in")
    assert hatched(desk) == expected.sum()
    expect(desk.page.locator(".bulk-table")).to_contain_text("Water")
    assert np.array_equal(labels(bench), before)
    click(desk, "Apply")
    words(desk).to_contain_text(f"Recoded {expected.sum():,} px.")
    assert np.array_equal(labels(bench), np.where(expected, 6, before))
    assert desk.shown() == desk.saved()
    assert hatched(desk) == 0
    desk.press("Control+z")
    desk.expect_state("saved, version 2")
    assert np.array_equal(labels(bench), before)
    assert desk.shown() == desk.saved()
    desk.press("Control+y")
    desk.expect_state("saved, version 3")
    assert desk.shown() == desk.saved()


def test_a_project_is_changed_and_taken_back_by_the_button(bench: Bench) -> None:
    desk = bench.open()
    before = {name: labels(bench, name) for name in ("train", "second", "val")}
    recode(desk, "Tree", to=6, scope="project")
    click(desk, "Preview")
    words(desk).to_contain_text("of 2 tiles")
    click(desk, "Apply")
    words(desk).to_contain_text("in 2 tiles.")
    assert not (labels(bench, "second") == 5).any()
    assert np.array_equal(labels(bench, "val"), before["val"])
    click(desk, "Undo")
    words(desk).to_have_text("Taken back.")
    desk.expect_state("saved, version 2")
    for name, old in before.items():
        assert np.array_equal(labels(bench, name), old)
    assert desk.shown() == desk.saved()


def test_the_button_stays_until_the_command_is_taken_back(bench: Bench) -> None:
    desk = bench.open()
    before = {name: labels(bench, name) for name in ("train", "second")}
    recode(desk, "Tree", to=6, scope="project")
    click(desk, "Preview")
    click(desk, "Apply")
    words(desk).to_contain_text("in 2 tiles.")
    # Many strokes later it is no step of this page any more.
    desk.editor("(e) => e.saver.history.undoable.splice(0)")
    asked: list[Any] = []

    def lose(route: Any) -> None:
        asked.append(route.request.post_data_json["seq"])
        if len(asked) == 2:
            route.fetch()  # it reaches the server, and its answer is lost
        if len(asked) < 3:
            route.abort()
        else:
            route.continue_()

    desk.page.route("**/edits", lose)
    for _ in range(2):
        click(desk, "Undo")
        words(desk).to_contain_text("could not be taken back now")
    click(desk, "Undo")
    words(desk).to_have_text("Taken back.")
    assert len(set(asked)) == 1
    desk.expect_state("saved, version 2")
    for name, old in before.items():
        assert np.array_equal(labels(bench, name), old)
    assert desk.shown() == desk.saved()


def test_it_is_undone_from_another_tile_after_a_reload(bench: Bench) -> None:
    desk = bench.open()
    before = labels(bench)
    recode(desk, "Tree", to=6, scope="project")
    click(desk, "Preview")
    click(desk, "Apply")
    words(desk).to_contain_text("in 2 tiles.")
    other = Desk(desk.page, desk.store, bench.scene.tiles["second"])
    desk.page.goto(bench.harness.url(other.tile))
    other.wait_painted()
    other.press("Control+z")
    other.expect_state("saved, version 2")
    assert np.array_equal(labels(bench), before)
    assert other.shown() == other.saved()


def test_changing_the_command_drops_what_was_shown(bench: Bench) -> None:
    desk = bench.open()
    recode(desk, "Tree", to=6)
    click(desk, "Preview")
    expect(desk.page.locator(".bulk").get_by_role("button", name="Apply")).to_be_visible()
    desk.page.get_by_label("New class").select_option("7")
    expect(desk.page.locator(".bulk").get_by_role("button", name="Apply")).to_be_hidden()
    assert hatched(desk) == 0
    desk.page.get_by_label("Command", exact=True).select_option("islands")
    desk.page.get_by_label("Size in pixels").fill("0")
    click(desk, "Preview")
    words(desk).to_contain_text("whole number")
    desk.page.get_by_label("Size in pixels").fill("70")
    click(desk, "Preview")
    words(desk).to_contain_text("px in")
    assert hatched(desk) > 0
    desk.page.keyboard.press("Escape")
    expect(desk.page.locator(".bulk")).to_be_hidden()
    assert hatched(desk) == 0


def test_strokes_that_wait_are_saved_first(bench: Bench) -> None:
    desk = bench.open()
    desk.page.route("**/edits", lambda route: route.abort())
    desk.press("5")
    desk.stroke((40, 20), (50, 60))
    recode(desk, "Tree", to=6)
    click(desk, "Preview")
    words(desk).to_contain_text("Waiting until every stroke is saved")
    desk.page.unroute("**/edits")
    words(desk).to_contain_text("px in")
    click(desk, "Apply")
    words(desk).to_contain_text("Recoded")
    assert not (labels(bench) == 5).any()
    assert desk.shown() == desk.saved()


def test_a_project_command_is_stopped_between_tiles(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = bench.open()
    before = {name: labels(bench, name) for name in ("train", "second")}
    recode(desk, "Tree", to=6, scope="project")
    click(desk, "Preview")
    words(desk).to_contain_text("of 2 tiles")
    gate, real, calls = threading.Event(), bulk._on_tile, []

    def slow(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            gate.wait(10)
        return real(*arguments, **options)

    monkeypatch.setattr(bulk, "_on_tile", slow)
    click(desk, "Apply")
    expect(desk.page.locator(".bulk progress")).to_have_attribute("value", "1")
    click(desk, "Cancel")
    words(desk).to_contain_text("tiles that were done stay done")
    gate.set()
    desk.soon(lambda: (labels(bench) == 5).any(), False)
    desk.soon(lambda: desk.shown() == desk.saved())
    assert len(calls) <= 2
    click(desk, "Undo")
    desk.expect_sent()
    for name, old in before.items():
        assert np.array_equal(labels(bench, name), old)
    assert desk.shown() == desk.saved()


def test_the_network_fails_in_between_and_it_is_done_once(bench: Bench) -> None:
    desk = bench.open()
    recode(desk, "Tree", to=6)
    click(desk, "Preview")
    words(desk).to_contain_text("px in")
    tries: list[int] = []

    def lose(route: Any) -> None:
        tries.append(1)
        if len(tries) == 1:
            route.fetch()  # it reaches the server, and its answer is lost
            route.abort()
        else:
            route.continue_()

    desk.page.route("**/bulk", lose)
    click(desk, "Apply")
    words(desk).to_contain_text("Recoded")
    assert catalogue.tile(bench.harness.store, desk.tile).version == 1
    assert desk.shown() == desk.saved()


def test_read_only_tiles_have_no_use_for_it(bench: Bench) -> None:
    desk = bench.open(bench.scene.tiles["val"])
    expect(desk.page.locator('[data-command="bulk"]').first).to_be_disabled()
