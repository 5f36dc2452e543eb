"""The timeline: who changed what, earlier versions to look at, and one brought back."""

import hashlib
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from core import history
from tests.editor import node
from tests.editor.conftest import Bench, Desk

pytestmark = pytest.mark.browser

PAST = """(e) => {
  const {past} = e.features.timeline;
  return past && Array.from(past.labels.raster());
}"""
SETTLED = "(e) => e.features.timeline.past?.settled"


def at_version(desk: Desk, version: int) -> str:
    """Return the hash of labels and provenance of a version on the server."""
    found = history.at_version(desk.store, desk.tile, version)
    return hashlib.sha256(found.labels.tobytes() + found.provenance.tobytes()).hexdigest()


def looked_at(desk: Desk) -> str:
    """Return the hash of the version that is looked at in the browser."""
    desk.wait_for(SETTLED)
    return hashlib.sha256(bytes(desk.editor(PAST))).hexdigest()


def colour(desk: Desk, row: int, col: int) -> list[int]:
    """Return the colour of a label pixel on the screen."""
    found: Any = desk.editor(
        """(e, [row, col]) => {
          const pane = e.view.panes.find(({id}) => id === 'label');
          const canvas = pane.element.querySelector('canvas');
          const {scale, x, y} = e.view.transform, ratio = canvas.width / canvas.clientWidth;
          const place = [(col + 0.5) * scale + x, (row + 0.5) * scale + y].map((at) => at * ratio);
          return Array.from(canvas.getContext('2d').getImageData(...place, 1, 1).data.slice(0, 3));
        }""",
        [row, col],
    )
    return list(found)


@pytest.fixture
def desk(bench: Bench) -> Desk:
    """Return a tile with three edits: two strokes and the undo of the second."""
    desk = bench.open()
    desk.press("d", "6")
    desk.stroke((40, 20), (40, 60))
    desk.press("7")
    desk.stroke((30, 40), (60, 40))
    desk.press("Control+z")
    desk.expect_state("saved, version 3")
    desk.press("Shift+H")
    expect(desk.page.locator(".edit")).to_have_count(3)
    return desk


def expect_looked_at(desk: Desk, version: int) -> None:
    """Wait until the panes show a version: its blocks come after its number."""
    desk.soon(lambda: looked_at(desk), at_version(desk, version))


def test_every_edit_is_listed_newest_first(desk: Desk) -> None:
    rows = desk.page.locator(".edit")
    expect(rows.nth(0)).to_contain_text("undo of 2")
    expect(rows.nth(1)).to_contain_text("brush")
    expect(rows.nth(2).locator(".person")).to_have_attribute("title", "Ada")
    expect(rows.nth(2).locator(".panes-shown")).to_contain_text("optical")
    expect(rows.nth(2).locator(".dot").last).to_have_attribute("title", "Water")
    (first, *_) = history.timeline(desk.store, desk.tile)
    expect(rows.nth(2).locator(".pixels")).to_have_text(f"{first.pixels} px")


def test_a_version_is_looked_at_and_not_painted_on(desk: Desk) -> None:
    now, water = desk.shown(), colour(desk, 40, 30)
    desk.page.get_by_role("button", name="2", exact=True).click()
    expect(desk.page.locator(".where")).to_have_text("version 2 of 3")
    expect_looked_at(desk, 2)
    farmland = colour(desk, 55, 40)
    desk.page.locator(".versions").fill("0")
    expect_looked_at(desk, 0)
    desk.soon(lambda: water != colour(desk, 40, 30))
    desk.soon(lambda: farmland != colour(desk, 55, 40))
    expect(desk.page.locator('[data-pane="label"]')).to_have_attribute(
        "data-past", "version 0 of 3 · read-only"
    )
    desk.stroke((10, 20), (10, 60))
    expect(desk.page.locator(".banner")).to_contain_text("Read-only: version 0 of 3")
    desk.press("Control+z")
    assert history.current(desk.store, desk.tile).version == 3
    desk.press("Escape")
    expect(desk.page.locator(".where")).to_have_text("now, version 3")
    desk.soon(lambda: colour(desk, 40, 30), water)
    assert desk.shown() == now == desk.saved()
    desk.stroke((10, 20), (10, 60))
    desk.expect_state("saved, version 4")
    desk.press("Escape")
    expect(desk.page.locator(".timeline")).to_be_hidden()


def test_a_version_is_brought_back_as_a_new_edit_that_undo_takes_back(desk: Desk) -> None:
    before = desk.saved()
    desk.page.locator(".versions").fill("2")
    desk.page.get_by_role("button", name="Restore this version").click()
    desk.expect_state("saved, version 4")
    desk.soon(desk.shown, at_version(desk, 2))
    assert desk.shown() == desk.saved() != before
    expect(desk.page.locator(".edit").first).to_contain_text("restored version 2")
    desk.press("Control+z")
    desk.expect_state("saved, version 5")
    desk.soon(desk.shown, before)
    assert desk.saved() == before
    desk.page.reload()
    desk.wait_painted()
    desk.press("Control+Shift+z")
    desk.expect_state("saved, version 6")
    desk.soon(desk.shown, at_version(desk, 2))
    assert desk.shown() == desk.saved()


def test_playing_goes_from_the_first_version_to_now(desk: Desk) -> None:
    seen: list[str] = []
    desk.page.expose_function("note", lambda text: seen.append(text))
    desk.editor(
        """(e) => {
          const where = e.element.querySelector('.where');
          new MutationObserver(() => window.note(where.textContent))
            .observe(where, {childList: true, characterData: true, subtree: true});
        }"""
    )
    desk.page.get_by_role("button", name="Play", exact=True).click()
    expect(desk.page.locator(".where")).to_have_text("now, version 3", timeout=10_000)
    desk.settle()
    texts = [text for i, text in enumerate(seen) if i == 0 or text != seen[i - 1]]
    expected = [f"version {n} of 3" for n in range(3)] + ["now, version 3"]
    assert texts[-4:] == expected
    assert desk.shown() == desk.saved()


def test_edits_of_others_join_the_list_and_one_person_can_be_picked(
    desk: Desk, bench: Bench
) -> None:
    ben = bench.open(person="Ben")
    ben.press("5")
    ben.stroke((70, 20), (70, 60))
    expect(desk.page.locator(".edit")).to_have_count(4, timeout=8_000)
    desk.page.get_by_label("Whose edits").select_option(label="Ben · 1")
    expect(desk.page.locator(".edit")).to_have_count(1)
    expect(desk.page.locator(".edit .person")).to_have_attribute("title", "Ben")
    desk.page.get_by_role("button", name="Go to the place").click()
    expect(desk.page.locator(".where")).to_have_text("now, version 4")


def test_a_lost_page_of_the_list_can_be_loaded_again(desk: Desk) -> None:
    asked: list[str] = []

    def lose_the_second(route: Route) -> None:
        asked.append(route.request.url.partition("before=")[2])
        if asked[-1] and len(asked) == 2:
            return route.abort()
        found = route.fetch().json()
        return route.fulfill(json=found | {"more": len(asked) == 1})

    desk.page.route("**/timeline?*", lose_the_second)
    edits = desk.page.locator(".edits")
    edits.evaluate("(list) => list.firstElementChild.classList.add('before')")
    desk.press("Shift+H", "Shift+H")
    rows, again = desk.page.locator(".edit"), desk.page.get_by_role("button", name="Load again")
    expect(desk.page.locator(".before")).to_have_count(0)
    expect(rows).to_have_count(3)
    edits.evaluate("(list) => list.lastElementChild.remove()")  # as if it were on the second page
    for _ in range(3):
        edits.dispatch_event("scroll")
        expect(again).to_have_count(1)
    again.click()
    expect(again).to_have_count(0)
    expect(rows).to_have_count(3)
    assert asked == ["", "2", "2"]


def test_a_list_that_was_lost_says_so_once_and_comes_by_itself(desk: Desk, bench: Bench) -> None:
    desk.page.clock.install()
    desk.page.route("**/timeline?*", lambda route: route.abort())
    desk.page.evaluate(f"show({bench.scene.tiles['second']})")
    failed = desk.page.locator(".edits .muted")
    expect(failed).to_contain_text("could not be loaded")
    expect(desk.page.locator(".edit")).to_have_count(0)
    desk.page.clock.run_for(12_000)
    expect(failed).to_have_count(1)
    desk.page.unroute("**/timeline?*")
    desk.page.clock.run_for(12_000)
    expect(failed).to_have_text("Nobody has changed this tile yet.")


def test_a_version_seen_from_too_far_says_so_once() -> None:
    script = """async ({Past}) => {
      const said = [], side = 20480, layer = {markDirty() {}, clear() {}};
      let box = {y0: 0, x0: 0, h: side / 2, w: side / 2};
      const panel = {say: (text) => {
        said.push(text);
        return () => said.push('gone');
      }};
      const server = {bytes: async () => ({bytes: new Uint8Array(2 * 512 * 512)})};
      const scene = {labelBlocks: {}, server, label: layer, provenance: layer,
        tile: {id: 1, height: side, width: side}};
      const past = new Past({view: {draw() {}, visible: () => box}, panel}, scene);
      past.show(3);
      for (const part of [box, box, {...box, h: 9, w: 9}]) said.push(past.pieces(part).length);
      box = {y0: 0, x0: 0, h: 1000, w: 1000};
      past.pieces(box);
      return said;
    }"""
    said = node.call("features/past.js", script)
    assert said[0].startswith("Zoom in to see version 3")
    assert said[1:] == [0, 0, 0, "gone"]
