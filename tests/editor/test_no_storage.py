"""A browser that keeps nothing, and a token that ran out: the editor works all the same."""

import pytest
from playwright.sync_api import expect

from tests.editor.conftest import Bench, Desk
from tests.editor.node import call

BLOCKED = """
const blocked = () => { throw new DOMException('blocked', 'SecurityError'); };
for (const name of ['sessionStorage', 'localStorage', 'indexedDB'])
  Object.defineProperty(window, name, {get: blocked});
window.BroadcastChannel = class { constructor() { blocked(); } };
"""


@pytest.mark.browser
def test_strokes_are_held_in_memory_where_the_browser_keeps_no_data(bench: Bench) -> None:
    context = bench.browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.on("pageerror", lambda error: bench.errors.append(str(error)))
    page.add_init_script(BLOCKED)
    page.goto(bench.harness.url(bench.scene.tile))
    desk = Desk(page, bench.harness.store, bench.scene.tile)
    desk.wait_painted()
    page.route("**/edits", lambda route: route.abort())
    desk.press("6")
    desk.stroke((40, 20), (50, 60))
    desk.expect_state("offline, 1 stroke waiting")
    page.locator(".state").click()
    expect(page.locator(".banner")).to_contain_text("held in this page alone")
    page.unroute("**/edits")
    desk.expect_state("saved, version 1")
    desk.press("Control+z")
    desk.expect_state("saved, version 2")
    assert desk.shown() == desk.saved()


# A server that no longer takes the token of a page, which brings another one.
RENEWED = """async ({Server}) => {
  const sent = [];
  globalThis.fetch = async (path, {headers}) => {
    sent.push(headers['X-Cloudbrush-Token']);
    return {status: sent.at(-1) === 'old' ? 401 : 200};
  };
  const server = new Server(() => queueMicrotask(() => server.setToken('new')));
  server.setToken('old');
  const {status} = await server.stream('/tile/1/suggest', {}, null);
  return {sent, status};
}"""


def test_a_suggestion_waits_for_another_token() -> None:
    assert call("server.js", RENEWED) == {"sent": ["old", "new"], "status": 200}
