"""How long a tile of 500 strokes takes to replay from the log alone."""

import tempfile
import time
from pathlib import Path
from statistics import median

from sqlalchemy import delete

from core import history
from core.memory import forget
from core.original import file_sha256
from core.patch import encode_runs
from core.settings import load_settings
from core.store.engine import open_store
from core.store.tables import KeyframeRow
from core.stroke import Stroke, Tool
from tests.bench._strokes import SIZE, strokes
from tests.scene import Scene, make_scene

STROKES = 500
REPEATS = 9


def run() -> dict[str, dict[str, float | str]]:
    """Return milliseconds to read a 1024 x 1024 tile, with and without its keyframes."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(load_settings(workspace=Path(folder) / "workspace"))
        scene = make_scene(store, Path(folder) / "data", height=SIZE, width=SIZE)
        _paint(scene)
        figures = {"replay_500_keyframes": _milliseconds(scene)}
        with store.write() as session:
            session.execute(delete(KeyframeRow))
        figures["replay_500"] = _milliseconds(scene)
        store.close()
    return {name: {"value": value, "unit": "ms", "n": REPEATS} for name, value in figures.items()}


def _paint(scene: Scene) -> None:
    """Append strokes until the tile has 500 edits: a few change nothing and leave no row."""
    version = 0
    for seq, (box, mask) in enumerate(strokes(2 * STROKES, seed=1)):
        wish = Stroke(
            "bench", seq, version, Tool.BRUSH, box, encode_runs(mask), to_class=1 + seq % 8
        )
        version = history.append(scene.store, scene.tile, wish, scene.ada).version
        if version == STROKES:
            return


def _milliseconds(scene: Scene) -> float:
    times = []
    for _ in range(REPEATS):
        forget(scene.store)
        file_sha256.cache_clear()
        begun = time.perf_counter()
        found = history.current(scene.store, scene.tile)
        times.append(1000 * (time.perf_counter() - begun))
        assert found.version == STROKES
    return round(median(times), 2)
