"""Suggestions in the editor: shown after a few strokes, taken or dropped by a key."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from core import history
from core.classes import Provenance
from core.settings import Settings
from core.store.engine import Store
from tests import mislabelled
from tests.editor import node
from tests.editor.conftest import Bench, Desk, served
from tests.mislabelled import TREE, WATER
from tests.scene import make_scene

pytestmark = pytest.mark.browser


@pytest.fixture
def lake(
    store: Store,
    settings: Settings,
    tmp_path: Path,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Bench]:
    """Return a bench with a lake that the label calls forest."""
    monkeypatch.setattr("tests.scene._pixels", mislabelled.pixels)
    scene = make_scene(store, tmp_path / "scene", height=96, width=96)
    with served(scene, settings, browser) as bench:
        yield bench


def correct(desk: Desk, count: int = 3) -> None:
    """Paint water here and there in the lake."""
    desk.press("6")
    desk.editor("(e) => e.setDiameter(5)")
    for row, column in [(30, 30), (45, 50), (55, 32), (37, 44)][:count]:
        desk.stroke((row, column), (row, column + 4))


def words(desk: Desk) -> str:
    expect(desk.page.locator(".suggestion")).to_be_visible()
    return desk.page.locator(".suggestion [role=status]").inner_text()


def test_after_three_strokes_the_rest_is_hatched_and_accepted_by_a_key(lake: Bench) -> None:
    desk = lake.open()
    correct(desk, 2)
    desk.expect_state("saved, version 2")
    desk.page.wait_for_timeout(200)
    expect(desk.page.locator(".suggestion")).to_be_hidden()
    desk.stroke((55, 32), (55, 36))
    said = words(desk)
    assert "Water: right on 3 of 3 held-out strokes;" in said
    assert "verify a right place" in said
    desk.expect_state("saved, version 3")
    assert desk.editor("(e) => e.preview.shown.get('suggest')[0].style") == "hatch"
    assert desk.shown() == desk.saved()
    desk.press("Shift+Enter")
    desk.expect_state("saved, version 4")
    now = history.current(lake.harness.store, desk.tile)
    water = mislabelled.lake(lake.scene.grid)
    assert (now.labels[water] == WATER).mean() > 0.75
    assert (now.labels[~water] == TREE).mean() > 0.95
    assert set(np.unique(now.provenance)) == {
        Provenance.PSEUDO,
        Provenance.CHANGED,
        Provenance.MODEL,
    }
    assert desk.shown() == desk.saved()
    expect(desk.page.locator(".suggestion")).to_be_hidden()
    assert [e.tool for e in history.timeline(lake.harness.store, desk.tile)][-1] == "suggestion"
    desk.press("Control+z")
    desk.expect_state("saved, version 5")
    assert desk.shown() == desk.saved()
    assert (history.current(lake.harness.store, desk.tile).provenance != Provenance.MODEL).all()


def test_it_is_dropped_by_a_key_and_changes_nothing(lake: Bench) -> None:
    desk = lake.open()
    correct(desk)
    words(desk)
    before = desk.saved()
    desk.press("Shift+Backspace")
    expect(desk.page.locator(".suggestion")).to_be_hidden()
    assert not desk.editor("(e) => e.preview.shown.has('suggest')")
    desk.page.wait_for_timeout(300)
    assert desk.shown() == desk.saved() == before
    # Who has dropped one is not asked again after the next stroke.
    desk.stroke((37, 44), (37, 48))
    desk.expect_state("saved, version 4")
    desk.page.wait_for_timeout(500)
    expect(desk.page.locator(".suggestion")).to_be_hidden()


def test_what_lies_out_of_view_is_shown_before_it_is_accepted(lake: Bench) -> None:
    desk = lake.open()
    correct(desk, 2)
    desk.editor("(e) => { e.view.place = {y: 55, x: 34, scale: 48}; }")
    desk.stroke((55, 32), (55, 36))
    desk.expect_state("saved, version 3")
    desk.page.wait_for_timeout(600)
    expect(desk.page.locator(".suggestion")).to_be_hidden()  # most of it cannot be seen
    desk.press("Shift+T")
    assert "out of view" in words(desk)
    desk.editor("(e) => { e.view.place = {y: 92, x: 92, scale: 48}; }")
    desk.press("Shift+Enter")
    expect(desk.page.locator(".banner")).to_contain_text("out of view")
    assert desk.editor("(e) => e.view.place") is None
    desk.press("Shift+Enter")
    expect(desk.page.locator(".suggestion")).to_be_hidden()
    desk.expect_state("saved, version 4")


def test_pixels_out_of_view_are_counted_and_said() -> None:
    script = """({outOfView, words}, box) => {
      const mask = {y0: 2, x0: 3, h: 2, w: 3, data: Uint8Array.from([1, 0, 1, 1, 1, 1])};
      const reply = {status: 'ready', check: {right: 3, of: 4, confirmations: 1}, pixels: 5};
      return [outOfView(mask, box), words(reply, outOfView(mask, box))];
    }"""
    box = {"y0": 3, "x0": 0, "h": 9, "w": 5}
    assert node.call("features/suggest.js", script, box) == [
        3,
        "right on 3 of 4 held-out strokes; 5 px, 3 out of view.",
    ]


def test_a_new_stroke_replaces_a_stale_one(lake: Bench) -> None:
    desk = lake.open()
    correct(desk)
    assert "3 of 3" in words(desk)
    desk.stroke((37, 44), (37, 48))
    expect(desk.page.locator(".suggestion")).to_contain_text("4 of 4")


def test_confirmations_are_counted_and_undo_takes_the_ground_away(lake: Bench) -> None:
    desk = lake.open()
    desk.editor(
        """async (e) => {
          const data = new Uint8Array(64).fill(1);
          for (const [y0, x0] of [[70, 70], [80, 20]]) {
            const mask = {y0, x0, h: 8, w: 8, data: data.slice()};
            await e.hand.apply('region', mask, {effect: 'verify'});
          }
        }"""
    )
    correct(desk)
    assert "right on 5 of 5 held-out strokes" in words(desk)
    assert "verify a right place" not in words(desk)
    desk.press("Control+z")
    expect(desk.page.locator(".suggestion")).to_be_hidden()


def test_undo_calls_off_a_suggestion_that_is_being_made(lake: Bench) -> None:
    desk = lake.open()
    asked = []
    desk.page.on("request", lambda r: asked.append(r.url) if r.url.endswith("/suggest") else None)
    for row in (36, 39, 42):
        desk.stroke((row, 44), (row, 48))
    desk.press("Control+z")
    desk.page.wait_for_timeout(600)
    assert not asked


def test_it_can_be_turned_off_and_asked_for(lake: Bench) -> None:
    desk = lake.open()
    desk.page.get_by_role("button", name="Suggestions", exact=True).click()
    desk.page.get_by_label("after 3 strokes").uncheck()
    correct(desk)
    desk.expect_state("saved, version 3")
    desk.page.wait_for_timeout(400)
    expect(desk.page.locator(".suggestion")).to_be_hidden()
    desk.press("Shift+T")
    assert "3 of 3" in words(desk)
    desk.page.keyboard.press("Escape")
    expect(desk.page.locator(".suggestion")).to_be_hidden()
    desk.page.reload()
    desk.wait_painted()
    assert desk.editor("(e) => e.features.suggest.on") is False


def test_too_few_strokes_are_told_when_asked(lake: Bench) -> None:
    desk = lake.open()
    desk.press("Shift+T")
    expect(desk.page.locator(".banner")).to_contain_text("takes 3 strokes")
