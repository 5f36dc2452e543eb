"""The tour in a real browser: import, paint, undo, reload, retrain, compare, export.

After the last step the raster has the same hash in the browser, on the server and in the file.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import rasterio
from playwright.sync_api import Browser, Page, expect

from core import catalogue, history
from core.raster import describe
from core.settings import load_settings
from core.store.engine import Store, open_store
from data.demo.landcover import Size, build_files, write_classes
from tests.live import LiveApp, assert_clean, live_app, new_page, settle, sign_in

pytestmark = pytest.mark.browser
# Remembers whether the cookie was there when the page first said who is signed in.
WATCH_COOKIE = """new MutationObserver(() => {
  if (window.cookieAtFirst === undefined && document.body?.innerText.includes('Signed in as'))
    window.cookieAtFirst = document.cookie;
}).observe(document, {childList: true, subtree: true, characterData: true});"""
SIZE = Size(regions=1, rows=1, columns=4, tile_px=160)
WRONG = {1: 3, 7: 2}  # bareland called developed, agriculture called rangeland


@dataclass
class Tour:
    """A person in front of the app, and a look behind it."""

    app: LiveApp
    page: Page
    store: Store
    data: Path

    def go(self, page: str, heading: str, **query: int) -> None:
        """Open a page by its address, as from a link."""
        address = "&".join(f"{name}={value}" for name, value in query.items())
        self.page.goto(f"{self.app.url}/{page}?{address}")
        self.page.get_by_role("heading", name=heading, level=1).wait_for()
        settle(self.page)

    def open_tile(self, tile: int) -> None:
        """Open a tile in the editor and wait until it can be painted."""
        self.page.goto(f"{self.app.url}/correct?project=1&tile={tile}")
        self.wait_painted(tile)

    def wait_painted(self, tile: int) -> None:
        self.page.locator(f'.editor[data-painted="{tile}"]').wait_for()
        self.page.wait_for_function(
            "() => { const find = (node) => { for (const e of node.querySelectorAll('*')) {"
            " if (e.editor) return e.editor; const inner = e.shadowRoot && find(e.shadowRoot);"
            " if (inner) return inner; } return null; };"
            " return find(document)?.saver.ready; }"
        )

    def stroke(self, *pixels: tuple[int, int], pane: str = "label") -> None:
        """Paint from pixel to pixel in one stroke."""
        box = self.page.locator(f'[data-pane="{pane}"]').bounding_box()
        assert box is not None
        view = self.page.locator(".editor").evaluate("e => e.editor.view.transform")
        points = [
            (
                box["x"] + (x + 0.5) * view["scale"] + view["x"],
                box["y"] + (y + 0.5) * view["scale"] + view["y"],
            )
            for y, x in pixels
        ]
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*point, steps=4)
        self.page.mouse.up()

    def expect_saved(self, version: int) -> None:
        expect(self.page.locator(".state")).to_have_text(f"saved, version {version}")

    def hash_in_browser(self) -> str:
        raster = self.page.locator(".editor").evaluate(
            "e => Array.from(e.editor.scene.labels.raster())"
        )
        return sha256(bytes(raster)).hexdigest()

    def hash_on_server(self, tile: int) -> str:
        now = history.current(self.store, tile)
        return sha256(now.labels.tobytes() + now.provenance.tobytes()).hexdigest()


@pytest.fixture
def tour(tmp_path: Path, browser: Browser) -> Iterator[Tour]:
    """Return a person signed in to an empty workspace, with a dataset on disk."""
    data = tmp_path / "Coast"
    build_files(data, 3, SIZE)
    for path in sorted((data / "truth").glob("*.tif")):
        with rasterio.open(path) as truth:
            labels = truth.read(1)
        for right, wrong in WRONG.items():
            labels[labels == right] = wrong
        write_classes(data / "label" / path.name, labels, describe(path).grid)
    workspace = tmp_path / "workspace"
    flags = ("--no-demo", "--data-roots", str(tmp_path), "--device", "cpu")
    with live_app(workspace, *flags) as app:
        page = new_page(browser)
        page.add_init_script(WATCH_COOKIE)
        sign_in(page, app.url)
        assert "cloudbrush_person" in page.evaluate("window.cookieAtFirst")
        store = open_store(load_settings(workspace=workspace, data_roots=(tmp_path,)))
        yield Tour(app, page, store, data)
        assert_clean()
        page.context.close()
        store.close()


@pytest.mark.long
def test_the_tour(tour: Tour, tmp_path: Path) -> None:
    import_dataset(tour)
    tiles = catalogue.tiles(tour.store, 1)
    assert len(tiles) == 4
    first = next(tile for tile in tiles if tile.editable)
    paint_undo_and_reload(tour, first.id)
    retrain(tour)
    compare(tour)
    export(tour, first.id, tmp_path / "download.zip")


def import_dataset(tour: Tour) -> None:
    tour.go("new", "New project")
    folder = tour.page.get_by_role("textbox", name="Folder").first
    folder.fill(str(tour.data))
    folder.press("Enter")
    tour.page.get_by_role("button", name="Import", exact=True).click()
    tour.page.get_by_text("Coast is ready with 4 tiles.").wait_for()
    tour.go("explore", "Explore", project=1)


def paint_undo_and_reload(tour: Tour, tile: int) -> None:
    tour.open_tile(tile)
    tour.page.keyboard.press("1")
    tour.stroke((40, 40), (40, 80), (90, 90))
    tour.expect_saved(1)
    tour.page.keyboard.press("7")
    tour.stroke((120, 20), (120, 60), pane="optical")
    tour.expect_saved(2)
    tour.page.keyboard.press("Control+z")
    tour.expect_saved(3)
    tour.page.reload()
    tour.wait_painted(tile)
    tour.expect_saved(3)
    tour.page.keyboard.press("Control+z")  # the first stroke, from before the reload
    tour.expect_saved(4)
    assert (history.current(tour.store, tile).labels == history.original(tour.store, tile)).all()
    tour.page.keyboard.press("Control+Shift+z")
    tour.expect_saved(5)
    assert tour.hash_in_browser() == tour.hash_on_server(tile)


def retrain(tour: Tour) -> None:
    tour.go("train", "Train", project=1)
    tour.page.locator(".st-key-train_section_training summary").click()
    steps = tour.page.get_by_label("Steps", exact=True)
    steps.fill("10")
    steps.press("Enter")
    settle(tour.page)
    tour.page.get_by_role("button", name="Retrain", exact=True).click()
    tour.page.get_by_role("button", name="Cancel").wait_for()
    tour.page.reload()  # the job outlives the page that started it
    tour.page.get_by_text(re.compile(r"Done: Model 1")).wait_for(timeout=180_000)
    tour.page.get_by_role("button", name=re.compile("^Promote")).first.click()
    tour.page.get_by_text("Its predictions are shown in the editor.").wait_for()


def compare(tour: Tour) -> None:
    tour.go("compare", "Compare", project=1)
    tour.page.locator(".js-plotly-plot").first.wait_for()
    expect(tour.page.get_by_text("mIoU").first).to_be_visible()
    expect(tour.page.locator('[data-testid="stException"]')).to_have_count(0)


def export(tour: Tour, tile: int, archive: Path) -> None:
    tour.go("export", "Export", project=1)
    tour.page.get_by_role("button", name="Export", exact=True).click()
    tour.page.get_by_text(re.compile("Read back and equal")).wait_for()
    tour.page.get_by_text("Prepare a zip to download").click()
    with tour.page.expect_download() as download:
        tour.page.get_by_role("button", name=re.compile(r"^Download .*\.zip")).click()
    download.value.save_as(archive)
    name = catalogue.tile(tour.store, tile).name
    with zipfile.ZipFile(archive) as files:
        found = {Path(entry).name: entry for entry in files.namelist()}
        files.extractall(archive.with_suffix(""))
    planes = []
    for kind in ("", "_provenance"):
        with rasterio.open(archive.with_suffix("") / found[f"{name}{kind}.tif"]) as raster:
            planes.append(np.ascontiguousarray(raster.read(1)))
            assert raster.crs is not None
    in_file = sha256(planes[0].tobytes() + planes[1].tobytes()).hexdigest()
    tour.open_tile(tile)
    assert in_file == tour.hash_on_server(tile) == tour.hash_in_browser()
