"""Strokes on their way: without a server, with an old token, refused, and against others' edits."""

import os
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from core import catalogue, history
from core.records import TileState
from core.store.engine import Store
from tests.editor.conftest import Bench, Desk
from tests.scene import make_scene

pytestmark = pytest.mark.browser


def test_strokes_wait_without_a_server_and_are_sent_when_it_is_back(bench: Bench) -> None:
    desk = bench.open()
    bench.harness.stop()
    desk.press("6")
    desk.stroke((40, 20), (50, 60))
    desk.press("7")
    desk.stroke((45, 20), (45, 60))
    desk.press("Control+z", "5")
    desk.stroke((20, 20), (25, 60))
    desk.expect_state("offline, 4 strokes waiting")
    shown = desk.shown()
    bench.harness.start()
    desk.expect_state("saved, version 4")
    assert desk.shown() == shown == desk.saved()


def test_labels_lost_on_the_way_come_by_themselves(bench: Bench) -> None:
    desk = bench.open()
    lost: list[str] = []

    def lose_once(route: Route) -> None:
        if route.request.url in lost:
            return route.continue_()
        lost.append(route.request.url)
        return route.abort()

    desk.page.route("**/labels/*/*", lose_once)
    desk.page.reload()
    banner = desk.page.locator(".banner")
    expect(banner).to_contain_text("cannot be reached")
    desk.wait_painted()
    expect(banner).to_be_hidden()
    assert lost
    assert desk.shown() == desk.saved()


def test_waiting_strokes_survive_a_reload(bench: Bench) -> None:
    desk = bench.open()
    desk.page.route("**/edits", lambda route: route.abort())
    desk.press("6")
    desk.stroke((40, 20), (50, 60))
    desk.press("7")
    desk.stroke((45, 20), (45, 60))
    desk.expect_state("offline, 2 strokes waiting")
    shown = desk.shown()
    desk.page.reload()
    desk.wait_painted()
    assert desk.shown() == shown
    desk.page.unroute("**/edits")
    desk.expect_state("saved, version 2")
    assert desk.shown() == shown == desk.saved()
    desk.press("Control+z")
    desk.expect_state("saved, version 3")
    assert desk.shown() == desk.saved()


def test_numbers_go_on_after_a_reload_and_a_copied_tab_gets_its_own_name(bench: Bench) -> None:
    desk = bench.open()
    desk.press("6")
    desk.stroke((40, 20), (50, 60))
    desk.expect_state("saved, version 1")
    desk.page.reload()
    desk.wait_painted()
    desk.press("7")
    desk.stroke((40, 20), (50, 60))
    desk.expect_state("saved, version 2")
    first, second = history.changes(bench.harness.store, desk.tile, 0)[1]
    assert (first.client_id, first.seq + 1) == (second.client_id, second.seq)
    kept = desk.page.evaluate("sessionStorage.getItem('cloudbrush.client')")
    copy = desk.page.context.new_page()
    copy.add_init_script(f"sessionStorage.setItem('cloudbrush.client', '{kept}')")
    copy.goto(desk.page.url)
    copy.locator(f'.editor[data-painted="{desk.tile}"]').wait_for()
    assert first.client_id not in copy.evaluate("sessionStorage.getItem('cloudbrush.client')")


def step(desk: Desk, command: str, times: int) -> None:
    """Undo or redo as fast as the keys repeat, and wait until all of it is saved."""
    desk.editor(f"(e) => {{ for (let i = 0; i < {times}; i++) e.hand.{command}(); }}")
    desk.expect_sent(timeout_ms=600_000)


@pytest.mark.parametrize("strokes", [120, pytest.param(1200, marks=pytest.mark.soak)])
def test_every_stroke_can_be_undone_and_redone_after_a_reload(bench: Bench, strokes: int) -> None:
    desk = bench.open()
    untouched = desk.shown()
    desk.editor(
        """(e, strokes) => {
          for (let i = 0; i < strokes; i++) {
            e.chooseClass(i % 8);
            e.hand.press({y: (7 * i) % 90, x: (11 * i) % 75}, {shift: false});
            e.hand.drag({y: (13 * i) % 90, x: (5 * i) % 75}, {shift: false});
            e.hand.release(performance.now());
          }
        }""",
        strokes,
    )
    step(desk, "redo", 0)
    painted, version = desk.saved(), history.current(desk.store, desk.tile).version
    assert (desk.shown(), version) == (painted, strokes)
    desk.page.reload()
    desk.wait_painted()
    assert desk.editor("(e) => e.saver.history.undoable.length") == strokes
    step(desk, "undo", strokes)
    desk.expect_state(f"saved, version {2 * strokes}")
    assert desk.shown() == desk.saved() == untouched
    desk.page.reload()
    desk.wait_painted()
    assert desk.editor("(e) => e.saver.history.redoable.length") == strokes
    step(desk, "redo", strokes)
    desk.expect_state(f"saved, version {3 * strokes}")
    assert desk.shown() == desk.saved() == painted


def test_an_old_token_makes_strokes_wait_for_a_new_one(bench: Bench) -> None:
    desk = bench.open()
    bench.harness.spoil_token = True
    desk.page.evaluate(f"show({desk.tile})")
    desk.wait_for("(e) => e.server.token === 'spoiled'")
    desk.page.evaluate("window.stay = true")
    desk.press("6")
    desk.stroke((40, 20), (50, 60))
    desk.expect_state("renewing access, 1 stroke waiting")
    assert any(c["action"] == "renew" for c in desk.page.evaluate("window.commands"))
    bench.harness.spoil_token = False
    desk.page.evaluate(f"show({desk.tile})")
    desk.expect_state("saved, version 1")
    assert desk.shown() == desk.saved()


def test_a_stroke_on_a_tile_frozen_meanwhile_is_refused_and_the_tile_is_read_only(
    bench: Bench,
) -> None:
    desk = bench.open()
    before = desk.shown()
    catalogue.freeze_tiles(bench.harness.store, [desk.tile])
    desk.press("6")
    desk.stroke((40, 20), (50, 60))
    expect(desk.page.locator(".banner")).to_contain_text("A brush stroke was refused")
    desk.expect_state("read-only: frozen tile")
    desk.soon(desk.shown, before)
    assert desk.saved() == before
    assert desk.editor("(e) => [e.saver.history.undoable.length, e.outbox.entries.length]") == [
        0,
        0,
    ]


def kept(desk: Desk) -> int:
    """Return how many strokes the browser's disk holds."""
    return int(desk.editor("(e) => e.outbox.storage.all().then((entries) => entries.length)"))


def expect_kept(desk: Desk, count: int) -> None:
    """Wait until the browser's disk holds so many strokes."""
    desk.soon(lambda: kept(desk), count)


def test_strokes_wait_while_another_project_is_open(
    bench: Bench, store: Store, tmp_path: Path
) -> None:
    other = make_scene(store, tmp_path / "other", height=96, width=80, seed=2)
    desk = bench.open()
    desk.page.route(f"**/tile/{desk.tile}/edits", lambda route: route.abort())
    desk.press("6")
    desk.stroke((40, 20), (50, 60))
    desk.press("7")
    desk.stroke((45, 20), (45, 60))
    desk.expect_state("offline, 2 strokes waiting")
    painted = desk.shown()
    elsewhere = Desk(desk.page, store, other.tile)
    desk.page.evaluate(f"show({other.tile})")
    elsewhere.wait_painted()
    desk.page.unroute(f"**/tile/{desk.tile}/edits")
    elsewhere.expect_state("saved, version 0; 2 strokes waiting for Scene scene")
    elsewhere.press("5")
    elsewhere.stroke((20, 20), (25, 60))
    elsewhere.expect_state("saved, version 1; 2 strokes waiting for Scene scene")
    assert elsewhere.shown() == elsewhere.saved()
    assert kept(elsewhere) == 2
    desk.page.goto(bench.harness.url(other.tile))
    elsewhere.wait_painted()
    elsewhere.expect_state("saved, version 1; 2 strokes waiting for Scene scene")
    desk.page.evaluate(f"show({desk.tile})")
    desk.wait_painted()
    desk.expect_state("saved, version 2")
    assert desk.shown() == painted == desk.saved()
    expect_kept(desk, 0)
    desk.press("Control+z", "Control+z")
    desk.expect_state("saved, version 4")


def test_strokes_of_a_closed_tab_are_sent_by_another(bench: Bench) -> None:
    lost = bench.open()
    lost.page.route("**/edits", lambda route: route.abort())
    lost.press("6")
    lost.stroke((40, 20), (50, 60))
    lost.expect_state("offline, 1 stroke waiting")
    painted = lost.shown()
    left = lost.page.context.new_page()
    lost.page.close()
    left.goto(bench.harness.url(bench.scene.tile))
    found = Desk(left, bench.harness.store, bench.scene.tile)
    found.wait_painted()
    found.expect_state("saved, version 1")
    found.soon(found.shown, painted)
    assert found.saved() == painted
    found.press("Control+z")
    found.expect_state("saved, version 2")


def renderers(bench: Bench) -> set[int]:
    """Return the process ids of the browser's pages."""
    session = bench.browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return {int(process["id"]) for process in found if process["type"] == "renderer"}


@pytest.mark.soak  # kills processes of the browser: beside other tests it may never end
def test_strokes_survive_a_crash_of_the_tab(bench: Bench) -> None:
    others = renderers(bench)
    desk = bench.open()
    desk.page.route("**/edits", lambda route: route.abort())
    desk.editor(
        """(e) => {
          for (const row of [10, 30, 50]) {
            e.hand.press({y: row, x: 20}, {shift: false});
            e.hand.drag({y: row + 10, x: 60}, {shift: false});
            e.hand.release(performance.now());
          }
        }"""
    )
    painted = desk.shown()
    with desk.page.expect_event("crash"):
        for process in renderers(bench) - others:
            os.kill(process, signal.SIGKILL)
    after = desk.page.context.new_page()
    after.goto(bench.harness.url(bench.scene.tile))
    found = Desk(after, bench.harness.store, bench.scene.tile)
    found.wait_painted()
    found.expect_state("saved, version 3")
    found.soon(found.shown, painted)
    assert found.saved() == painted


def test_an_answer_cut_short_does_not_stop_the_queue(bench: Bench) -> None:
    desk = bench.open()
    cut = [True]

    def answer(route: Route) -> None:
        found = route.fetch()
        route.fulfill(status=200, body=found.text()[:20]) if cut else route.fulfill(response=found)
        cut.clear()

    desk.page.route("**/edits", answer)
    desk.press("6")
    desk.stroke((40, 20), (50, 60))
    desk.press("7")
    desk.stroke((45, 20), (45, 60))
    desk.expect_state("saved, version 2")
    assert desk.shown() == desk.saved()


def test_strokes_wait_while_the_page_may_only_look(bench: Bench) -> None:
    desk, val = bench.open(), bench.scene.tiles["val"]
    desk.page.route("**/edits", lambda route: route.abort())
    desk.press("6")
    desk.stroke((40, 20), (50, 60))
    desk.expect_state("offline, 1 stroke waiting")
    looking = Desk(desk.page, desk.store, val)
    desk.page.evaluate(f"show({val})")
    looking.wait_painted()
    desk.page.unroute("**/edits")
    looking.expect_state("read-only: validation tile; 1 stroke waiting for Scene scene")
    assert kept(looking) == 1
    desk.page.evaluate(f"show({bench.scene.tiles['second']})")
    Desk(desk.page, desk.store, bench.scene.tiles["second"]).expect_state("saved, version 0")
    expect_kept(looking, 0)
    assert history.current(bench.harness.store, desk.tile).version == 1


def test_strokes_of_two_people_on_other_pixels_merge(bench: Bench) -> None:
    ada, ben = bench.open(), bench.open(person="Ben")
    ben.press("7")
    ben.stroke((10, 20), (10, 60))
    ben.expect_state("saved, version 1")
    ada.press("6")
    ada.stroke((60, 20), (60, 60))
    ada.expect_state("saved, version 2")
    ada.soon(lambda: ada.shown() == ada.saved())
    assert ada.label(10, 40) == 7


def test_a_burst_of_strokes_arrives_in_order(bench: Bench) -> None:
    desk = bench.open()
    desk.editor(
        """(e) => {
          for (let i = 0; i < 40; i++) {
            e.chooseClass(i % 8);
            e.hand.press({y: 10 + i, x: 10 + i}, {shift: false});
            e.hand.drag({y: 60 - i, x: 15 + i});
            e.hand.release(performance.now());
          }
        }"""
    )
    desk.expect_sent()
    desk.soon(lambda: desk.shown() == desk.saved())
    edits = history.changes(bench.harness.store, desk.tile, 0)[1]
    assert [edit.seq for edit in edits] == sorted(edit.seq for edit in edits)


def test_a_mark_made_offline_is_sent_later(bench: Bench) -> None:
    desk = bench.open()
    desk.page.route("**/state", lambda route: route.abort())
    with desk.page.expect_event("requestfailed"):
        desk.press("Enter")
    desk.page.unroute("**/state")
    desk.expect_sent()
    assert catalogue.tile(bench.harness.store, desk.tile).state == TileState.DONE
