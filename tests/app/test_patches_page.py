"""Patches: filters and pages, and keys in a real browser that always reach the edit log."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from streamlit.testing.v1 import AppTest

from app.patches.mount import CLASS_KEYS, COMMANDS, manifest
from core import catalogue, history
from core.patch_index import PatchFilter, find_patches, patches
from core.patch_labels import NONE, codes_in
from core.records import Person, Split, Tile
from core.settings import Settings
from core.store.engine import Store
from tests.core.test_patch_labels import LISTED, listed, one, stored, whole
from tests.editor.harness import Harness
from tests.rasters import dataset

SCRIPT = "from app.pages import patches\npatches.main()\n"
PAGE = """<!doctype html><meta charset="utf-8"><div id="host"></div><script type="module">
import mount from '/assets/patches/main.js';
const parentElement = document.getElementById('host').attachShadow({mode: 'open'});
window.commands = [];
mount({data: await (await fetch('/board' + location.search)).json(), parentElement,
  setTriggerValue: (name, value) => window.commands.push(value)});
</script>"""


@dataclass
class Desk(Harness):
    """The board on its real routes without Streamlit."""

    project: int = 0

    def _page(self, _request: Request) -> Response:
        return HTMLResponse(PAGE)

    def _manifest(self, request: Request) -> Response:
        name = request.query_params.get("person")
        person = catalogue.ensure_person(self.store, name) if name else self.person
        project = catalogue.project(self.store, self.project)
        ids = find_patches(self.store, self.project, PatchFilter()).tolist()
        shown = patches(self.store, self.project, ids)
        where: Any = {"page": 0, "pages": 1, "first": 0, "total": len(ids), "page_key": "1"}
        return JSONResponse(manifest(self.store, project, person, shown, **where))

    def app(self) -> Any:
        found = super().app()
        found.add_route("/board", self._manifest)
        return found


Served = tuple[Desk, list[Tile]]


def desk(store: Store, settings: Settings, tiles: list[Tile]) -> Desk:
    ada = Person(catalogue.ensure_person(store, "Ada").id, "Ada")
    served = Desk(store, settings, ada, project=tiles[0].project_id)
    served.start()
    return served


@pytest.fixture
def one_class(store: Store, settings: Settings, tmp_path: Path) -> Iterator[Served]:
    parts = [one(tmp_path, name, 6) for name in "abc"] + [one(tmp_path, "t", 6, Split.TEST)]
    tiles, _ = stored(store, dataset(tmp_path, *parts, kind="patch"))
    served = desk(store, settings, tiles)
    yield served, tiles
    served.stop()


def opened(browser: Browser, served: Desk, person: str = "") -> Page:
    page = browser.new_context().new_page()
    page.goto(f"http://127.0.0.1:{served.port}/?person={person}")
    page.locator(".card").first.wait_for()
    return page


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def code(store: Store, tile: Tile) -> int:
    return codes_in(history.current(store, tile.id).labels, 1)[0]


@pytest.mark.browser
def test_keys_label_patches_offline_over_a_reload_and_back(
    browser: Browser, one_class: Served, store: Store
) -> None:
    served, (a, b, c, t) = one_class
    page = opened(browser, served)
    chips = page.locator(".chips")
    press(page, "3", "ArrowRight", "v", "End", "ArrowRight", "ArrowRight", "3")
    expect(chips.nth(0)).to_have_text("Developed space")
    expect(page.locator(".message")).to_contain_text("kept for scoring")
    expect(page.locator(".state")).to_have_text("All saved")
    assert [code(store, tile) for tile in (a, b, c, t)] == [3, 6, 6, 6]
    assert history.timeline(store, a.id)[-1].tool == "patch"
    served.stop()
    press(page, "a", "8")  # every patch that may be changed
    expect(chips.nth(2)).to_have_text("Building")
    expect(page.locator(".state")).to_contain_text("No connection")
    served.start()
    page.reload()
    expect(page.locator(".state")).to_have_text("All saved")
    expect(chips.nth(1)).to_have_text("Building")
    assert [code(store, tile) for tile in (a, b, c, t)] == [8, 8, 8, 6]
    press(page, "z")  # one key, one step, also after the reload
    expect(chips.nth(0)).to_have_text("Developed space")
    expect(chips.nth(2)).to_have_text("Water")
    press(page, "z", "z", "y")
    expect(page.locator(".state")).to_have_text("All saved")
    expect(chips.nth(0)).to_have_text("Developed space")
    assert [code(store, tile) for tile in (a, b, c, t)] == [3, 6, 6, 6]
    page.context.close()


@pytest.mark.browser
def test_what_another_did_is_asked_about(browser: Browser, one_class: Served, store: Store) -> None:
    served, (a, b, *_) = one_class
    page = opened(browser, served)
    grace = catalogue.ensure_person(store, "Grace").id
    for tile in (a, b):
        history.append(store, tile.id, whole(tile, tile.id, client_id="g", to_class=1), grace)
    press(page, "8")
    expect(page.locator(".message")).to_contain_text("Grace has changed a meanwhile")
    press(page, "t")
    expect(page.locator(".chips").nth(0)).to_have_text("Bareland")
    press(page, "ArrowRight", "8")
    expect(page.locator(".message")).to_contain_text("Grace has changed b meanwhile")
    press(page, "k")
    expect(page.locator(".state")).to_have_text("All saved")
    assert (code(store, a), code(store, b)) == (1, 8)
    page.context.close()


@pytest.mark.browser
def test_a_class_key_turns_a_list_on_and_off(
    browser: Browser, store: Store, settings: Settings, tmp_path: Path
) -> None:
    found = dataset(tmp_path, listed(tmp_path, "a", 0, 2), kind="patch_list", classes=LISTED)
    tiles, _ = stored(store, found)
    served = desk(store, settings, tiles)
    page = opened(browser, served)
    press(page, "2", "1", "u", "z")
    expect(page.locator(".chips")).to_have_text("c1c2")
    expect(page.locator(".state")).to_have_text("All saved")
    now = history.current(store, tiles[0].id)
    assert codes_in(now.labels, 3) == (NONE, 1, 2)
    picture = page.locator("img").first
    assert picture.evaluate("image => image.decode().then(() => image.naturalHeight)") == 48
    page.context.close()
    served.stop()


def given(page: AppTest) -> dict[str, Any]:
    (component,) = page.get("bidi_component")
    content: dict[str, Any] = json.loads(component.proto.json)
    return content


def names(page: AppTest) -> list[str]:
    return [patch["name"] for patch in given(page)["patches"]]


def test_pages_and_filters(page: AppTest, store: Store, tmp_path: Path) -> None:
    parts = [one(tmp_path, f"p{i:03}", 1 + i % 8) for i in range(60)]
    tiles, ada = stored(store, dataset(tmp_path, *parts, kind="patch"))
    page.query_params["project"] = str(tiles[0].project_id)
    page.query_params["page"] = "2"
    page.run()
    assert not page.exception
    assert (names(page)[0], len(names(page)), given(page)["pages"]) == ("p048", 12, 2)
    page.query_params["tile"] = str(tiles[50].id)  # as links to a tile have it
    page.run()
    assert (names(page)[0], given(page)["start"]) == ("p048", 2)
    page.selectbox(key="patches_class").set_value(3).run()
    assert names(page) == [f"p{i:03}" for i in range(2, 60, 8)]
    history.append(store, tiles[2].id, whole(tiles[2], 1, to_class=5), ada)
    assert "p002" in names(page.run())  # pages do not shift under the keys
    page.button[0].click().run()
    assert "p002" not in names(page)
    page.selectbox(key="patches_origin").set_value(1).run()
    assert "No patch fits" in page.info[0].value


def test_predictions_are_scored_where_they_are(page: AppTest, store: Store, tmp_path: Path) -> None:
    parts = [one(tmp_path, f"p{i}", 1 + i) for i in range(4)]
    tiles, _ = stored(store, dataset(tmp_path, *parts, kind="patch"))
    page.query_params["project"] = str(tiles[0].project_id)
    page.run()
    uploader: Any = page.get("file_uploader")[0]
    uploader.set_value([("made.csv", b"patch,class\np0,1\np1,Road\n", "text/csv")])
    page.run()
    assert not page.exception and not page.error
    metrics = {metric.label: metric.value for metric in page.metric}
    assert metrics["Overall accuracy"] == "0.5000" and "mAP" not in metrics


def test_rasters_are_sent_to_the_brush(page: AppTest, store: Store, tmp_path: Path) -> None:
    assert "No project is open" in page.run().info[0].value


def test_no_key_means_two_things() -> None:
    taken = [key for command in COMMANDS for key in command["keys"]]
    assert not set(taken) & set(CLASS_KEYS) and len(set(CLASS_KEYS)) == len(CLASS_KEYS)
    assert len(CLASS_KEYS) >= 19  # the classes of BigEarthNet
