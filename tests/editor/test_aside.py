"""A stroke on which the server fails for ever: the queue says so, and goes on without it."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.editor import node
from tests.editor.conftest import FIND, Bench

# A server that fails on the stroke with number 1 and takes the others.
PLAY = """async ({Outbox}, {failing}) => {
  globalThis.addEventListener = () => {};
  const sent = [], told = [];
  const server = {token: 'a', person: 1, post: async (path, {seq}) => {
    sent.push(seq);
    if (seq !== 1) return {ok: true, status: 200, json: async () => ({status: 'applied'})};
    return {ok: false, status: failing, json: async () => ({error: 'broken'})};
  }};
  const storage = {works: true, put() {}, remove() {}, all: async () => []};
  const outbox = new Outbox(server, storage);
  outbox.listener = {onState() {}, onSaved: ({seq}) => told.push(`saved ${seq}`), onRefused() {},
    knownFor: () => 0, onStuck: ({seq}) => told.push(`stuck ${seq}`)};
  for (const seq of [1, 2, 3])
    outbox.add({client_id: 'c', seq, tile: 1, project: 'P', path: '/edits', body: {seq}});
  for (let i = 0; i < 6; i++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    outbox.retryNow();
  }
  await new Promise((resolve) => setTimeout(resolve, 2));
  const before = {stuck: outbox.stuck?.seq ?? null, told: [...told], tries: sent.length};
  outbox.setAside(outbox.entries[0]);
  await new Promise((resolve) => setTimeout(resolve, 2));
  const {kind, stuck} = outbox, waiting = outbox.entries.length;
  return {before, after: {told, waiting, kind, stuck}};
}"""


def test_a_stroke_that_always_fails_is_named_once_and_can_be_set_aside() -> None:
    answer = node.call("outbox.js", PLAY, {"failing": 500})
    assert answer["before"] == {"stuck": 1, "told": ["stuck 1"], "tries": 7}
    after = answer["after"]
    assert after == {
        "told": ["stuck 1", "saved 2", "saved 3"],
        "waiting": 0,
        "kind": "saved",
        "stuck": None,
    }


def test_a_server_that_is_away_makes_no_stroke_stuck() -> None:
    assert node.call("outbox.js", PLAY, {"failing": 503})["before"]["told"] == []


def test_the_file_has_all_of_the_stroke() -> None:
    entry = {"client_id": "c", "seq": 4, "tile": 9, "project": "P", "person": 2, "at": 0}
    entry |= {"path": "/tile/9/edits", "body": {"mask": [0, 3], "box": [1, 2, 1, 3]}}
    text = node.call("aside.js", "({asideFile}, entry) => asideFile({...entry, wish: 1})", entry)
    kept = json.loads(text)
    assert kept["body"] == entry["body"] and kept["path"] == entry["path"] and "wish" not in kept
    assert kept["painted_at"] == "1970-01-01T00:00:00.000Z"


@pytest.mark.browser
def test_the_person_sets_it_aside_and_the_rest_is_saved(bench: Bench, tmp_path: Path) -> None:
    desk = bench.open()
    page = desk.page

    def fail_on_first(route: Route) -> None:
        first = (route.request.post_data_json or {}).get("to_class") == 5
        if first:
            route.fulfill(status=500, body="broken")
        else:
            route.continue_()

    page.route("**/edits", fail_on_first)
    desk.press("5")
    desk.stroke((20, 20), (20, 30))
    desk.press("3")
    desk.stroke((60, 20), (60, 30))
    page.evaluate(f"setInterval(() => {FIND}.outbox.wake(), 50)")
    expect(page.locator(".state")).to_have_text("the server fails on a stroke, 2 strokes waiting")
    page.get_by_role("button", name="What now?").click()
    page.wait_for_timeout(500)
    with page.expect_download() as kept:
        page.get_by_role("button", name="Set it aside").click()
    path = tmp_path / "kept.json"
    kept.value.save_as(path)
    assert json.loads(path.read_text())["body"]["to_class"] == 5
    desk.expect_state("saved, version 1")
    assert desk.label(60, 25) == 3 and desk.label(20, 25) != 5
    assert desk.shown() == desk.saved()
