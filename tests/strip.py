"""The strip of docs/correct.md: one correction in six pictures, from noisy label to done.

`python -m tests.screenshots` makes it with the other pictures; `python -m tests.strip WORKSPACE`
alone, on a workspace with the demo projects.
"""

import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, TimeoutError

from core import catalogue
from core.log import Maker
from core.records import Tile
from core.restore import restore
from core.settings import load_settings
from core.store.engine import Store, open_store
from core.stroke import Tool
from core.undo import group_name
from tests.live import ROOT, LiveApp, chromium, live_app, new_page, sign_in

IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT, SHOWN = 1280, 800, 960
TRIES, SUGGESTION_MS = 6, 20_000
PROJECT, TILE = 1, "coastal-city_02"
# A yard of which the label makes buildings: (row, column) in tile pixels.
GROUND = "3"
ABOVE = ((379, 372), (379, 500))
BELOW = ((436, 372), (436, 500))
LOWER = ((456, 376), (456, 496))
BETWEEN = ((396, 424), (420, 424))
FALSE_BUILDING = (445, 430)


class Easel:
    """The editor on a page, with the gestures of the strip."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def editor(self, script: str) -> Any:
        return self.page.locator(".editor").evaluate(f"(element) => ({script})(element.editor)")

    def point(self, at: tuple[float, float]) -> tuple[float, float]:
        """Return where a pixel of the tile lies on the page."""
        box = self.page.locator('[data-pane="label"]').first.bounding_box()
        assert box is not None
        t = self.editor("(e) => e.view.transform")
        row, col = at
        return box["x"] + (col + 0.5) * t["scale"] + t["x"], box["y"] + (row + 0.5) * t[
            "scale"
        ] + t["y"]

    def stroke(self, *places: tuple[float, float]) -> None:
        mouse = self.page.mouse
        mouse.move(*self.point(places[0]))
        mouse.down()
        for place in places[1:]:
            mouse.move(*self.point(place), steps=12)
        mouse.up()
        self.page.wait_for_timeout(700)

    def suggestion(self) -> None:
        """Wait for the suggestion; ask again where the server was too busy to make it in time."""
        shown = self.page.locator(".suggestion")
        for _ in range(TRIES):
            try:
                shown.wait_for(timeout=SUGGESTION_MS)
                return
            except TimeoutError:
                self.page.keyboard.press("Shift+T")
        shown.wait_for(timeout=SUGGESTION_MS)

    def shoot(self, name: str) -> None:
        """Write one picture, small enough for a page of text."""
        self.page.wait_for_timeout(600)
        picture = Image.open(BytesIO(self.page.screenshot())).convert("RGB")
        picture = picture.resize((SHOWN, SHOWN * HEIGHT // WIDTH), Image.Resampling.LANCZOS)
        picture.save(IMAGES / f"{name}.jpg", quality=84, optimize=True)
        print(f"docs/images/{name}.jpg", flush=True)


def strip(store: Store, app: LiveApp, page: Page) -> None:
    """Correct a yard that the label takes for buildings, and photograph each step."""
    tile = next(t for t in catalogue.tiles(store, PROJECT) if t.name == TILE)
    as_it_came(store, tile)
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    page.goto(f"{app.url}/correct?project={PROJECT}&tile={tile.id}")
    page.locator(f'.editor[data-painted="{tile.id}"]').wait_for()
    easel = Easel(page)
    easel.editor("(e) => e.view.zoom(2.1, e.view.size.width * 0.75, e.view.size.height * 0.95)")
    page.wait_for_timeout(2_500)
    page.mouse.move(*easel.point(FALSE_BUILDING))
    easel.shoot("correct-1-noisy")
    page.keyboard.press(GROUND)
    easel.editor("(e) => e.setDiameter(14)")
    easel.stroke(*ABOVE)
    easel.shoot("correct-2-brush")
    easel.editor("(e) => e.setDiameter(18)")
    page.mouse.move(*easel.point(FALSE_BUILDING))
    page.keyboard.press("Shift+I")
    easel.stroke(*BELOW)
    easel.shoot("correct-3-recode")
    easel.editor("(e) => e.setDiameter(12)")
    easel.stroke(*BETWEEN)
    easel.stroke(*LOWER)
    easel.suggestion()
    easel.shoot("correct-4-suggestion")
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("o")
    page.wait_for_timeout(1_000)
    page.keyboard.press("Shift+H")
    page.wait_for_timeout(1_500)
    easel.shoot("correct-5-timeline")
    page.keyboard.press("Shift+H")
    page.keyboard.press("Shift+P")
    page.locator('[data-command="done"]').hover()
    easel.shoot("correct-6-done")


def as_it_came(store: Store, tile: Tile) -> None:
    """Take back what was painted on the tile before, also by a strip that was not finished."""
    if tile.version:
        person = catalogue.ensure_person(store, "Ada Lovelace")
        maker = Maker(
            person.id, tile.version, Tool.RESTORE.value, group_id=group_name("strip", tile.version)
        )
        restore(store, tile.id, 0, maker, force=True)


def main(workspace: Path) -> None:
    """Make the strip alone."""
    with live_app(workspace) as app, chromium() as browser:
        store = open_store(load_settings(workspace=workspace))
        page = new_page(browser, WIDTH, HEIGHT)
        sign_in(page, app.url)
        strip(store, app, page)
        store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
