"""Fixtures of the editor's tests: one Chromium, and a small project served on its real routes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from core import catalogue, history
from core.settings import Settings
from core.store.engine import Store
from tests.editor.harness import Harness
from tests.scene import Scene, make_scene
from tests.town import make_town

FIND = "document.querySelector('#host')?.shadowRoot.querySelector('.editor')?.editor"
SOON_S = 15.0
# Two frames in a row with nothing to load and nothing to draw: what came last is on the screen.
CALM = """async (e) => {
  const end = performance.now() + 15_000;
  for (let calm = 0; calm < 2; calm = e.scene.settled && e.view.requested === 0 ? calm + 1 : 0) {
    if (performance.now() > end) throw new Error('something still loads or moves');
    await new Promise(requestAnimationFrame);
  }
}"""


@dataclass
class Bench:
    """A served project and a browser: what a labeler sits at."""

    harness: Harness
    scene: Scene
    browser: Browser
    errors: list[str]

    def open(self, tile: int | None = None, person: str | None = None) -> "Desk":
        """Open a tile in a tab of its own and wait until it is painted."""
        context = self.browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        who = catalogue.ensure_person(self.harness.store, person) if person else None
        page.goto(self.harness.url(tile or self.scene.tile, who))
        desk = Desk(page, self.harness.store, tile or self.scene.tile)
        desk.wait_painted()
        return desk


@dataclass
class Desk:
    """An open editor with the few gestures that tests need."""

    page: Page
    store: Store
    tile: int

    def wait_painted(self) -> None:
        """Wait until labels and images are on the screen and strokes can be undone."""
        self.page.locator(f'.editor[data-painted="{self.tile}"]').wait_for(timeout=15_000)
        self.wait_for("(e) => e.saver.ready")

    def wait_for(self, script: str, argument: Any = None, timeout_ms: float = 30_000) -> Any:
        """Wait until a function of (editor, argument) gives something true in the browser."""
        asked = f"(argument) => {FIND} && ({script})({FIND}, argument)"
        found = self.page.wait_for_function(asked, arg=argument, timeout=timeout_ms)
        return found.json_value()

    def settle(self) -> None:
        """Wait until what the view needs has come and is drawn."""
        self.editor(CALM)

    def soon(self, read: Callable[[], object], wanted: object = True) -> None:
        """Wait until `read()` gives what is wanted; fails with what it gave last."""
        deadline = time.monotonic() + SOON_S
        while (found := read()) != wanted and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)
        assert found == wanted

    def expect_sent(self, timeout_ms: float = 30_000) -> None:
        """Wait until the server has every stroke and every mark."""
        self.wait_for("(e) => e.outbox.entries.length === 0", timeout_ms=timeout_ms)

    def editor(self, script: str, argument: Any = None) -> Any:
        """Return what a function of (editor, argument) gives in the browser."""
        return self.page.locator(".editor").evaluate(
            f"(element, argument) => ({script})(element.editor, argument)", argument
        )

    def point(self, row: float, col: float, pane: str = "label") -> tuple[float, float]:
        """Return where the centre of a tile pixel lies on the page."""
        box = self.page.locator(f'[data-pane="{pane}"]').bounding_box()
        assert box is not None
        t = self.editor("(e) => e.view.transform")
        return (
            box["x"] + (col + 0.5) * t["scale"] + t["x"],
            box["y"] + (row + 0.5) * t["scale"] + t["y"],
        )

    def stroke(self, *pixels: tuple[float, float], pane: str = "label") -> None:
        """Paint from pixel to pixel, all in one stroke."""
        mouse = self.page.mouse
        mouse.move(*self.point(*pixels[0], pane))
        mouse.down()
        for row, col in pixels[1:]:
            mouse.move(*self.point(row, col, pane), steps=3)
        mouse.up()

    def hover(self, row: float, col: float, pane: str = "label") -> None:
        """Rest the cursor on a pixel."""
        self.page.mouse.move(*self.point(row, col, pane))

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def expect_state(self, text: str) -> None:
        """Wait until the state line reads so."""
        expect(self.page.locator(".state")).to_have_text(text, timeout=15_000)

    def shown(self) -> str:
        """Return the hash of labels and provenance in the browser."""
        raster = self.editor("(e) => Array.from(e.scene.labels.raster())")
        return sha256(bytes(raster)).hexdigest()

    def saved(self) -> str:
        """Return the hash of labels and provenance on the server."""
        now = history.current(self.store, self.tile)
        return sha256(now.labels.tobytes() + now.provenance.tobytes()).hexdigest()

    def label(self, row: int, col: int) -> int:
        """Return the class code of a pixel in the browser."""
        return int(self.editor("(e, [r, c]) => e.scene.labels.at(r, c).label", [row, col]))


@pytest.fixture
def bench(store: Store, settings: Settings, tmp_path: Path, browser: Browser) -> Iterator[Bench]:
    """Return a served project; fails the test when a script error was thrown in the browser."""
    scene = make_scene(store, tmp_path / "scene", height=96, width=80)
    with served(scene, settings, browser) as sat:
        yield sat


@pytest.fixture
def town(store: Store, settings: Settings, tmp_path: Path, browser: Browser) -> Iterator[Bench]:
    """Return a served damage project of one tile with four houses."""
    with served(make_town(store, tmp_path / "town"), settings, browser) as sat:
        yield sat


@contextmanager
def served(scene: Scene, settings: Settings, browser: Browser) -> Iterator[Bench]:
    """Serve a project for the length of a test, which fails when the browser threw an error."""
    store = scene.store
    person = next(p for p in catalogue.people(store) if p.id == scene.ada)
    harness = Harness(store, settings, person).start()
    errors: list[str] = []
    open_before = len(browser.contexts)
    yield Bench(harness, scene, browser, errors)
    for context in browser.contexts[open_before:]:
        context.close()
    harness.stop()
    assert not errors
