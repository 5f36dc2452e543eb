"""A labeler's desk for the benchmarks: a project of two large tiles, the whole app, a browser."""

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

import numpy as np
from playwright.sync_api import Page, ViewportSize

from core import catalogue
from core.settings import load_settings
from core.store.engine import Store, open_store
from tests.live import chromium, live_app
from tests.scene import Scene, add_class_map, make_scene

SCREEN: ViewportSize = {"width": 1920, "height": 1080}
TILES = ("train", "second")
SLOW_FRAME_MS = 25.0
MOVES = 24
BETWEEN_STROKES_MS = 120

Figures = dict[str, dict[str, Any]]

# Counts the time between frames while the button is down.
COUNT_FRAMES = """() => {
  const known = window.frames_ !== undefined;
  window.frames_ = [];
  if (known) return;
  let last = null;
  const tick = (now) => {
    if (window.painting_ && last !== null) window.frames_.push(now - last);
    last = window.painting_ ? now : null;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  addEventListener('pointerdown', () => (window.painting_ = true), true);
  addEventListener('pointerup', () => (window.painting_ = false), true);
}"""


def figure(value: float, unit: str, n: int) -> dict[str, Any]:
    """Return one figure as the records keep it."""
    return {"value": round(value, 3), "unit": unit, "n": n}


def p95(values: list[float]) -> float:
    """Return the 95th percentile."""
    return quantiles(values, n=20)[-1]


def slow_share(frames: list[float]) -> float:
    """Return the share of frames over 25 ms, in percent."""
    return 100 * sum(frame > SLOW_FRAME_MS for frame in frames) / len(frames)


@dataclass
class Office:
    """A workspace on disk with one project of two tiles; `app()` starts the app on it."""

    folder: Path
    side: int
    scene: Scene

    @property
    def workspace(self) -> Path:
        """Return the folder of the workspace."""
        return self.folder / "workspace"

    @contextmanager
    def desk(self, tile: str = "second") -> Iterator["Desk"]:
        """Start the app and a browser, and open a tile."""
        with live_app(self.workspace, "--no-demo") as app, chromium() as browser:
            yield self.sit_down(browser.new_page(), app.url, tile)

    def sit_down(self, page: Page, url: str, tile: str = "second") -> "Desk":
        """Open a tile in a fresh page."""
        return sit_down(page, url, self.scene.project_id, self.scene.tiles[tile])


def sit_down(page: Page, url: str, project_id: int, tile_id: int) -> "Desk":
    """Open a tile in a fresh page of the app at an address, and wait until it is painted."""
    page.set_viewport_size(SCREEN)
    page.goto(f"{url}/correct?project={project_id}&tile={tile_id}")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Start").click()
    desk = Desk(page)
    desk.wait(f'[data-painted="{tile_id}"]')
    return desk


@contextmanager
def office(side: int) -> Iterator[Office]:
    """Make a project of two tiles of side x side pixels, each with a class map beside its label."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = open_store(load_settings(workspace=folder / "workspace", data_roots=(folder,)))
        scene = make_scene(store, folder / "scene", height=side, width=side, names=TILES)
        _add_predictions(store, scene)
        yield Office(folder, side, scene)
        store.close()


def _add_predictions(store: Store, scene: Scene) -> None:
    """Give every tile a class map to show beside its label, so that all four panes are full."""
    for tile in catalogue.tiles(store, scene.project_id):
        label = np.roll(scene.labels[tile.name], 5, axis=1)
        add_class_map(store, tile.id, label, np.full_like(label, 200))


@dataclass
class Desk:
    """An open editor."""

    page: Page

    def wait(self, state: str) -> None:
        """Wait until the editor element fits a selector and strokes can be saved."""
        self.page.locator(f".editor{state}").wait_for(timeout=60_000)
        self.page.wait_for_function(f"({FIND})().saver.ready", timeout=60_000)

    def ask(self, script: str, argument: Any = None) -> Any:
        """Return what a function of (editor, argument) gives in the browser."""
        return self.page.locator(".editor").evaluate(
            f"(element, argument) => ({script})(element.editor, argument)", argument
        )

    def go(self, key: str) -> float:
        """Press a key that opens another tile; returns milliseconds until it was painted."""
        here = self.page.locator(".editor").get_attribute("data-painted")
        self.page.keyboard.press(key)
        self.wait(f'[data-painted]:not([data-painted="{here}"])')
        return float(self.ask("(e) => e.timings.series.open.at(-1)"))

    def paint(self, strokes: int, diameters: tuple[int, ...]) -> list[float]:
        """Paint curved strokes over the label pane; returns the milliseconds between frames."""
        box = self.page.locator('[data-pane="label"]').bounding_box()
        assert box is not None
        self.page.evaluate(COUNT_FRAMES)
        mouse = self.page.mouse
        for i in range(strokes):
            self.ask("(e, d) => e.setDiameter(d)", diameters[i % len(diameters)])
            self.page.keyboard.press(str(i % 8 + 1))
            for step in range(MOVES + 1):
                mouse.move(*_curve(box, i, step))
                if step == 0:
                    mouse.down()
            mouse.up()
            self.page.wait_for_timeout(BETWEEN_STROKES_MS)
        self.page.wait_for_function(f"({FIND})().outbox.entries.length === 0")
        found: list[float] = self.page.evaluate("window.frames_")
        return found

    def timings(self) -> dict[str, list[float]]:
        """Return what the editor measured of itself, in milliseconds, and start afresh."""
        found: dict[str, list[float]] = self.ask(
            "(e) => { const found = e.timings.series; e.timings.series = {}; return found; }"
        )
        return found


FIND = """() => {
  const found = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.editor) return element.editor;
      const inside = element.shadowRoot && found(element.shadowRoot);
      if (inside) return inside;
    }
    return null;
  };
  return found(document);
}"""


def _curve(box: Any, stroke: int, step: int) -> tuple[float, float]:
    angle = 0.7 * stroke + 2.2 * step / MOVES
    radius = min(box["width"], box["height"]) * (0.12 + 0.3 * ((stroke * 7) % 10) / 10)
    return (
        box["x"] + box["width"] / 2 + radius * math.cos(angle),
        box["y"] + box["height"] / 2 + radius * math.sin(angle),
    )
