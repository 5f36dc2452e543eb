"""People who paint and undo, for the tests of exports."""

import numpy as np

from core import catalogue, history
from core.grid import Window
from core.pixels import encode_runs
from core.store.engine import Store
from core.stroke import Stroke, Tool


def paint(
    store: Store,
    tile_id: int,
    box: Window,
    to_class: int,
    person: str = "Ada",
    tool: Tool = Tool.BRUSH,
) -> int:
    """Paint a rectangle and return the new version."""
    version = catalogue.tile(store, tile_id).version
    runs = encode_runs(np.ones((box.h, box.w), np.bool_))
    stroke = Stroke(
        f"{person}-{tile_id}", version + 1, version, tool, box=box, runs=runs, to_class=to_class
    )
    saved = history.append(store, tile_id, stroke, catalogue.ensure_person(store, person).id)
    return saved.version


def back(store: Store, tile_id: int, tool: Tool = Tool.UNDO, person: str = "Ada") -> int:
    """Undo or redo a person's newest stroke and return the new version."""
    version = catalogue.tile(store, tile_id).version
    stroke = Stroke(f"{person}-{tile_id}", version + 1, version, tool)
    saved = history.append(store, tile_id, stroke, catalogue.ensure_person(store, person).id)
    return saved.version
