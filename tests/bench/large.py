"""Scenes far larger than memory: opening, panning, and what a stroke costs there.

Tiles of 1,024, 10,980 and 40,000 px a side lie in one project; names of figures end in the side.
The rasters are made once and kept, in a folder outside the checkout (`CLOUDBRUSH_LARGE`).
`stroke_cost_ratio` compares the median stroke on the largest scene with that on the small tile.
"""

import os
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from core.settings import load_settings
from core.store.engine import open_store
from tests.bench._desk import (
    COUNT_FRAMES,
    Desk,
    Figures,
    figure,
    p95,
    sit_down,
    slow_share,
)
from tests.bench._large_scene import add_project
from tests.bench._memory import apart, private_mb, settled_mb
from tests.live import live_app

SMALL, MIDDLE, LARGE = 1024, 10_980, 40_000
FOLDER = Path(os.environ.get("CLOUDBRUSH_LARGE", Path(tempfile.gettempdir()) / "cloudbrush-large"))
ROUNDS = 3
STROKES = 40
PANS, PAN_MOVES = 8, 40
DIAMETERS = (16, 64)

# Shows the middle of the tile at a scale.
LOOK = """(e, scale) => {
  const {width, height} = e.view.size, {tile} = e.view;
  const middle = (room, extent) => (room - extent * scale) / 2;
  e.view.transform = {scale, x: middle(width, tile.width), y: middle(height, tile.height)};
  e.view.pan(0, 0);
}"""


def run() -> Figures:
    """Return every figure."""
    with tempfile.TemporaryDirectory() as name:
        workspace = Path(name) / "workspace"
        store = open_store(load_settings(workspace=workspace, data_roots=(FOLDER,)))
        tiles = add_project(store, FOLDER, SMALL, MIDDLE, LARGE)
        store.close()
        with live_app(workspace, "--no-demo") as app, apart() as browser:
            with browser.driven() as driven:
                desk = sit_down(driven.contexts[0].new_page(), app.url, 1, tiles[SMALL])
                found = _figures(desk)
                process = browser.page_process(driven, desk.page)
            found["server_memory"] = figure(private_mb(app.process.pid), "MB", 1)
            found["browser_memory"] = figure(settled_mb(process), "MB", 1)
    return found


def _figures(desk: Desk) -> Figures:
    small = _strokes(desk)
    openings: dict[int, list[float]] = {MIDDLE: [], LARGE: []}
    for _ in range(ROUNDS):
        openings[MIDDLE].append(desk.go("PageDown"))
        openings[LARGE].append(desk.go("PageDown"))
        desk.go("PageUp")
        desk.go("PageUp")
    found = {f"open_{side}": figure(max(t) / 1000, "s", len(t)) for side, t in openings.items()}
    for side in (MIDDLE, LARGE):
        desk.go("PageDown")
        for scale in (1.0, 0.25):
            frames = _pan(desk, scale)
            name = f"pan_slow_share_{side}" + ("" if scale == 1 else "_from_afar")
            found[name] = figure(slow_share(frames), "%", len(frames))
        acks = _strokes(desk)
        found[f"stroke_ack_median_{side}"] = figure(median(acks), "ms", len(acks))
        found[f"stroke_ack_p95_{side}"] = figure(p95(acks), "ms", len(acks))
    found["stroke_ack_median_1024"] = figure(median(small), "ms", len(small))
    found["stroke_cost_ratio"] = figure(median(acks) / median(small), "times", len(acks))
    return found


def _strokes(desk: Desk) -> list[float]:
    """Paint at native size; returns milliseconds to each answer."""
    desk.ask(LOOK, 1.0)
    desk.page.wait_for_timeout(1500)
    desk.timings()
    desk.paint(STROKES, DIAMETERS)
    return desk.timings()["ack"]


def _pan(desk: Desk, scale: float) -> list[float]:
    """Drag the scene by the middle button; returns the milliseconds between frames."""
    desk.ask(LOOK, scale)
    desk.page.wait_for_timeout(1000)
    box: Any = desk.page.locator('[data-pane="label"]').bounding_box()
    desk.page.evaluate(COUNT_FRAMES)
    mouse, middle = desk.page.mouse, (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for number in range(PANS):
        dx, dy = ((1, 0), (0, 1), (-1, 0), (0.7, 0.7))[number % 4]
        mouse.move(*middle)
        mouse.down(button="middle")
        for step in range(1, PAN_MOVES + 1):
            mouse.move(middle[0] + 8 * dx * step, middle[1] + 4 * dy * step)
        mouse.up(button="middle")
    found: list[float] = desk.page.evaluate("window.frames_")
    return found
