"""How long commands on many pixels take to be looked at and done, and to be undone."""

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from core import bulk, catalogue, history
from core.bulk_tile import Command, Limits
from core.grid import Window
from core.log import Maker
from core.patch import encode_runs
from core.settings import load_settings
from core.store.engine import open_store
from core.stroke import Stroke, Tool
from core.undo import group_name
from tests.scene import Scene, make_scene

SIZES = (1024, 4096)
COMMANDS = (
    Command("recode", from_classes=(1, 2, 3), to_class=8),
    Command("islands", size_px=20),
    Command("holes", size_px=20),
)


def run() -> dict[str, dict[str, float | str]]:
    """Return milliseconds per command and size, on labels with islands all over."""
    figures: dict[str, dict[str, float | str]] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            store = open_store(load_settings(workspace=Path(folder) / "workspace"))
            scene = make_scene(store, Path(folder) / "data", height=size, width=size)
            figures |= _measured(scene, size)
            store.close()
    return figures


def _measured(scene: Scene, size: int) -> dict[str, dict[str, float | str]]:
    _speckle(scene, size)
    tile = catalogue.tile(scene.store, scene.tile)
    found: dict[str, float] = {}
    for seq, command in enumerate(COMMANDS, 1):
        maker = Maker(scene.ada, 0, "", group_id=group_name("bench", 2 * seq))
        name, limits = f"bulk_{command.kind}", Limits()
        looked = partial(bulk.preview, scene.store, [tile], tile.id, command, limits)
        found[f"{name}_preview_{size}"] = _timed(looked)
        done = partial(bulk.apply, scene.store, [tile], tile.id, command, limits, maker)
        found[f"{name}_{size}"] = _timed(done)
        undo = Stroke("bench", 2 * seq + 1, 0, Tool.UNDO)
        undone = partial(history.append, scene.store, tile.id, undo, scene.ada)
        found[f"{name}_undo_{size}"] = _timed(undone)
    return {name: {"value": round(value, 1), "unit": "ms", "n": 1} for name, value in found.items()}


def _speckle(scene: Scene, size: int) -> None:
    """Paint single pixels of one class on two hundredths of the tile."""
    mask = np.random.default_rng(1).random((size, size)) < 0.02
    wish = Stroke(
        "bench", 0, 0, Tool.BRUSH, Window(0, 0, size, size), encode_runs(mask), to_class=4
    )
    history.append(scene.store, scene.tile, wish, scene.ada)


def _timed(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    found = work()
    if isinstance(found, Iterator):
        list(found)
    return 1000 * (time.perf_counter() - begun)
