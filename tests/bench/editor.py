"""What a labeler feels in the whole app: painting, saving, undo, fills, opening and memory.

Figures end in the side of the tile in pixels. Four panes on a screen of 1920 x 1080, Chromium
without a graphics card.
"""

from collections.abc import Iterator
from statistics import median

import numpy as np
from sqlalchemy import func, select

from core import history
from core.grid import Window
from core.patch import encode_runs
from core.store.tables import EditRow
from core.stroke import Stroke, Tool
from tests.bench._desk import Figures, Office, figure, office, p95, slow_share
from tests.bench._memory import apart, settled_mb
from tests.bench._strokes import SIZE, Mask
from tests.bench._strokes import strokes as hand_strokes
from tests.live import live_app

SIDES = (1024, 4096)
STROKES = {1024: 60, 4096: 40}
DIAMETERS = {1024: (8, 32, 64), 4096: (64,)}
EARLIER = 2000
UNDOS = 40
OPENINGS = 10
COLD_OPENINGS = 3
FILL_REPEATS = 7

# One class over a whole tile: the largest region that a fill can have to find and to change.
FILL = """async (e, [side, repeats]) => {
  const {BLOCK, Labels} = await import('/assets/editor/labels.js');
  const tools = await import('/assets/editor/tools/fill.js');
  const times = [];
  for (let i = 0; i < repeats; i++) {
    const labels = new Labels(side, side), n = BLOCK * BLOCK;
    for (let by = 0; by < labels.rows; by++)
      for (let bx = 0; bx < labels.columns; bx++)
        labels.setBlock(by, bx, {labels: new Uint8Array(n).fill(1), provenance: new Uint8Array(n),
          original: new Uint8Array(n).fill(1)});
    const began = performance.now();
    const mask = await tools.regionAt(labels, {y: side / 2, x: side / 2}, e.worker);
    labels.apply({tool: 'fill', effect: 'class', toClass: 2}, mask);
    times.push(performance.now() - began);
  }
  return times;
}"""

# Milliseconds from the command to the frame that shows it.
UNDO = """async (e, times) => {
  const found = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    e.run('undo');
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    found.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  return found;
}"""


def run() -> Figures:
    """Return every figure at both sizes."""
    found: Figures = {}
    for side in SIDES:
        with office(side) as place:
            for name, value in _figures(place).items():
                found[f"{name}_{side}"] = value
    del found["stroke_bytes_mean_4096"]  # strokes there are twice as wide
    return found


def _figures(place: Office) -> Figures:
    side = place.side
    opened_cold = [_open_after_many(place) for _ in range(COLD_OPENINGS)]
    with place.desk() as desk:
        openings = [desk.go("PageUp" if i % 2 else "PageDown") for i in range(OPENINGS)]
        desk.timings()
        frames = desk.paint(STROKES[side], DIAMETERS[side])
        timings = desk.timings()
        undos = desk.ask(UNDO, UNDOS)
        fills = desk.ask(FILL, [side, FILL_REPEATS])
    return {
        "pointer_move_p95": figure(p95(timings["move"]), "ms", len(timings["move"])),
        "draw_p95": figure(p95(timings["draw"]), "ms", len(timings["draw"])),
        "frame_slow_share": figure(slow_share(frames), "%", len(frames)),
        "frame_median": figure(median(frames), "ms", len(frames)),
        "stroke_ack_median": figure(median(timings["ack"]), "ms", len(timings["ack"])),
        "stroke_ack_p95": figure(p95(timings["ack"]), "ms", len(timings["ack"])),
        "fill_all": figure(median(fills), "ms", len(fills)),
        "tile_open": figure(median(openings) / 1000, "s", len(openings)),
        "tile_open_2000": figure(median(opened_cold) / 1000, "s", len(opened_cold)),
        "undo_p95": figure(p95(undos), "ms", len(undos)),
        "stroke_bytes_mean": _stroke_bytes(place),
        "browser_memory": figure(_memory(place), "MB", 1),
    }


def _memory(place: Office) -> float:
    """Return the megabytes that the page holds after a sitting: tiles opened, painted, undone."""
    with live_app(place.workspace, "--no-demo") as app, apart() as browser:
        with browser.driven() as driven:
            desk = place.sit_down(driven.contexts[0].new_page(), app.url)
            for i in range(OPENINGS):
                desk.go("PageUp" if i % 2 else "PageDown")
            desk.paint(STROKES[place.side], DIAMETERS[place.side])
            desk.ask(UNDO, UNDOS)
            page = browser.page_process(driven, desk.page)
        return settled_mb(page)


def _open_after_many(place: Office) -> float:
    """Open the tile with 2,000 earlier strokes in an app that has just started."""
    store, tile = place.scene.store, place.scene.tiles["train"]
    version = history.stacks(store, tile, place.scene.ada).version
    for seq, (box, mask) in enumerate(_spread(place.side)) if version < EARLIER else ():
        wish = Stroke(
            "earlier",
            seq,
            version,
            Tool.BRUSH,
            box,
            encode_runs(mask),
            to_class=1 + seq % 8,
        )
        version = history.append(store, tile, wish, place.scene.ada).version
        if version == EARLIER:
            break
    with place.desk() as desk:
        return desk.go("PageDown")


def _spread(side: int) -> Iterator[tuple[Window, Mask]]:
    """Yield strokes of radius 16, or 32 on the large tile, spread over all of it."""
    generator = np.random.default_rng(5)
    for box, mask in hand_strokes(2 * EARLIER, seed=3, radius=16 if side == SIZE else 32):
        y0, x0 = (int(v) for v in generator.integers(0, side - SIZE + 1, 2))
        yield Window(box.y0 + y0, box.x0 + x0, box.h, box.w), mask


def _stroke_bytes(place: Office) -> dict[str, object]:
    """Return the mean size of a row of the edit log, strokes of radius 16."""
    columns = [column for column in EditRow.__table__.columns if str(column.type) == "BLOB"]
    size = sum((func.length(column) for column in columns), start=func.coalesce(0, 0))
    query = select(func.avg(size), func.count()).where(EditRow.client_id == "earlier")
    with place.scene.store.read() as session:
        mean, count = session.execute(query).one()
        row = session.scalars(select(EditRow).where(EditRow.client_id == "earlier")).first()
        others = len(
            repr([getattr(row, c.key) for c in EditRow.__table__.columns if c not in columns])
        )
    return figure((mean + others) / 1000, "kB", count)
