"""The editor as a labeler meets it: in Chromium, on the running app, on tiles of 1024 x 1024.

Four panes show optical, SAR, label and prediction on a screen of 1920 x 1080; `..._large` repeats
the painting on a screen so large that each pane has 1024 x 1024 screen pixels as well, which a
browser without a GPU must compose by itself. Strokes are painted with the real mouse; frames count
while a button is down; a stroke is acknowledged when the browser has the server's answer, counted
from the release of the button. `fill_...` is what a fill of a whole tile takes in the browser, from
the click to the request; the page stands still for so long.
"""

import math
import tempfile
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np
from playwright.sync_api import Page, ViewportSize

from core import catalogue
from core.predictions import save_prediction
from core.records import Modality, Unit
from core.settings import load_settings
from core.store.engine import Store, open_store
from core.store.tables import LayerRow
from tests.live import chromium, live_app
from tests.scene import Scene, make_scene

SIDE = 1024
# Panes of exactly SIDE x SIDE: bar 44, read-out 30, tools 48, class list 244, gaps 2 px.
SCREEN: ViewportSize = {"width": 1920, "height": 1080}
LARGE_SCREEN: ViewportSize = {"width": 48 + 2 * SIDE + 2 + 244, "height": 44 + 2 * SIDE + 2 + 30}
STROKES, LARGE_STROKES, MOVES = 60, 24, 24
OPENINGS = 10
SLOW_FRAME_MS = 25.0

Figures = dict[str, dict[str, Any]]

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


# One class over a whole tile: the largest region that a fill can have to find and to change.
FILL = """async ([side, repeats]) => {
  const [{BLOCK, Labels}, tools, raster] = await Promise.all(
    ['labels', 'tools', 'raster'].map((name) => import(`/assets/editor/${name}.js`)));
  const once = () => {
    const labels = new Labels(side, side), n = BLOCK * BLOCK;
    for (let by = 0; by < labels.rows; by++)
      for (let bx = 0; bx < labels.columns; bx++)
        labels.setBlock(by, bx, {labels: new Uint8Array(n).fill(1), provenance: new Uint8Array(n),
          original: new Uint8Array(n).fill(1)});
    const began = performance.now(), at = {y: side / 2, x: side / 2};
    const change = tools.applyMask(labels, 'fill', 2, tools.regionAt(labels, at));
    raster.encodeRuns(change.data);
    return performance.now() - began;
  };
  return Array.from({length: repeats}, once);
}"""
FILL_REPEATS = 7


def run() -> Figures:
    """Return frames, acknowledgements and openings as figures."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "workspace"
        store = open_store(load_settings(workspace=workspace, data_roots=(Path(folder),)))
        scene = make_scene(store, Path(folder) / "scene", height=SIDE, width=SIDE)
        _add_predictions(store, scene)
        store.close()
        with live_app(workspace, "--no-demo") as app, chromium() as browser:
            page = browser.new_page(viewport=SCREEN)
            _sign_in(page, app.url, scene)
            openings = _open_tiles(page)
            frames = _paint(page, STROKES)
            timings = page.locator(".editor").evaluate("(e) => e.editor.timings.series")
            page.set_viewport_size(LARGE_SCREEN)
            large = _paint(page, LARGE_STROKES)
            fills = {side: page.evaluate(FILL, [side, FILL_REPEATS]) for side in (1024, 4096)}
    acks = timings["ack"]
    return {
        "frame_slow_share": _figure(_slow_share(frames), "%", len(frames)),
        "frame_slow_share_large": _figure(_slow_share(large), "%", len(large)),
        "frame_median": _figure(median(frames), "ms", len(frames)),
        "tile_open": _figure(median(openings) / 1000, "s", len(openings)),
        "tile_open_worst": _figure(max(openings) / 1000, "s", len(openings)),
        "pointer_move_p95": _figure(_p95(timings["move"]), "ms", len(timings["move"])),
        "draw_p95": _figure(_p95(timings["draw"]), "ms", len(timings["draw"])),
        "fill_1024": _figure(median(fills[1024]), "ms", FILL_REPEATS),
        "fill_4096": _figure(median(fills[4096]), "ms", FILL_REPEATS),
        "stroke_ack_median": _figure(median(acks), "ms", len(acks)),
        "stroke_ack_p95": _figure(_p95(acks), "ms", len(acks)),
    }


def _figure(value: float, unit: str, n: int) -> dict[str, Any]:
    return {"value": round(value, 3), "unit": unit, "n": n}


def _slow_share(frames: list[float]) -> float:
    return 100 * sum(frame > SLOW_FRAME_MS for frame in frames) / len(frames)


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


def _add_predictions(store: Store, scene: Scene) -> None:
    """Give every tile a class map to show beside its label, so that all four panes are full."""
    for tile in catalogue.tiles(store, scene.project_id):
        label = np.roll(scene.labels[tile.name], 5, axis=1)
        with store.write() as session:
            row = LayerRow(
                tile_id=tile.id,
                modality=Modality.MODEL.value,
                name="map",
                sources=[],
                bands=[],
                unit=Unit.CODE.value,
            )
            session.add(row)
            session.flush()
            source = f"layer/{row.id}"
        save_prediction(store, tile.id, source, label, np.full_like(label, 200))


def _sign_in(page: Page, url: str, scene: Scene) -> None:
    page.goto(f"{url}/correct?project={scene.project_id}&tile={scene.tiles['second']}")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Start").click()
    page.locator(".editor[data-painted]").wait_for(timeout=60_000)


def _open_tiles(page: Page) -> list[float]:
    """Go on and back between tiles; returns milliseconds from the key to everything painted."""
    found: list[float] = []
    for i in range(OPENINGS):
        here = page.locator(".editor").get_attribute("data-painted")
        page.keyboard.press("PageUp" if i % 2 else "PageDown")
        page.locator(f'.editor:not([data-painted="{here}"])').wait_for()
        found.append(page.locator(".editor").evaluate("(e) => e.editor.timings.series.open.at(-1)"))
    return found


def _paint(page: Page, strokes: int) -> list[float]:
    """Paint curved strokes of three sizes over the label pane; returns the frame intervals."""
    box = page.locator('[data-pane="label"]').bounding_box()
    assert box is not None
    page.evaluate(COUNT_FRAMES)
    editor, mouse = page.locator(".editor"), page.mouse
    for i in range(strokes):
        editor.evaluate("(e, d) => e.editor.setDiameter(d)", (8, 32, 64)[i % 3])
        page.keyboard.press(str(i % 8 + 1))
        for step in range(MOVES + 1):
            angle = 0.7 * i + 2.2 * step / MOVES
            radius = box["width"] * (0.12 + 0.3 * ((i * 7) % 10) / 10)
            x = box["x"] + box["width"] / 2 + radius * math.cos(angle)
            y = box["y"] + box["height"] / 2 + radius * math.sin(angle)
            mouse.move(x, y)
            if step == 0:
                mouse.down()
        mouse.up()
        page.wait_for_timeout(120)
    found: list[float] = page.evaluate("window.frames_")
    return found
