"""How long a suggestion takes after a stroke, on a tile of 1024 x 1024 px."""

import tempfile
import time
from pathlib import Path
from statistics import median
from unittest.mock import patch

import numpy as np

from core import catalogue, features, history
from core.features import prepare, sources
from core.grid import Window, whole
from core.patch import encode_runs
from core.predictions import save_prediction
from core.settings import load_settings
from core.store.engine import open_store
from core.stroke import Stroke, Tool
from core.suggest_log import suggest_on
from tests import mislabelled
from tests.scene import Scene, make_scene

SIZE = 1024
REPEATS = 9
CORRECTIONS = [(316, 316), (376, 456), (456, 346), (516, 536), (586, 406), (556, 556)]
CONFIRMATIONS = [(450, 120), (120, 460), (800, 470), (440, 800)]
RADIUS = 8


def run() -> dict[str, dict[str, float | str]]:
    """Return milliseconds to make the features and from a saved stroke to its suggestion."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(load_settings(workspace=Path(folder) / "workspace"))
        with patch("tests.scene._pixels", mislabelled.pixels):
            scene = make_scene(store, Path(folder) / "data", height=SIZE, width=SIZE)
        sure = np.full((SIZE, SIZE), 200, np.uint8)
        predicted = save_prediction(store, scene.tile, "m1", scene.label, sure)
        figures = _measured(scene, predicted.id)
        store.close()
    return figures


def _measured(scene: Scene, prediction_id: int) -> dict[str, dict[str, float | str]]:
    tile = catalogue.tile(scene.store, scene.tile)
    made, asked = [], []
    for seq, at in enumerate([*CORRECTIONS, *CONFIRMATIONS]):
        tool = Tool.BRUSH if at in CORRECTIONS else Tool.VERIFY
        _paint(scene, seq, at, tool)
    for _ in range(3):
        features._kept.clear()
        begun = time.perf_counter()
        found = sources(scene.store, tile, None, prediction_id)
        prepare(scene.store, found, whole(tile.grid))
        made.append(1000 * (time.perf_counter() - begun))
    for _ in range(REPEATS):
        begun = time.perf_counter()
        found = sources(scene.store, tile, None, prediction_id)
        suggestion = suggest_on(scene.store, found, scene.ada, "bench").suggestion
        asked.append(1000 * (time.perf_counter() - begun))
        assert suggestion.status == "ready"
    planes = features.features(scene.store, found, Window(0, 0, 1, 1)).shape[2]
    return {
        "suggest_features": {"value": round(median(made), 1), "unit": "ms", "n": 3},
        "suggest_planes": {"value": planes, "unit": "per pixel", "n": 1},
        "suggest_ready": {"value": round(median(asked), 1), "unit": "ms", "n": REPEATS},
        "suggest_ready_max": {"value": round(max(asked), 1), "unit": "ms", "n": REPEATS},
    }


def _paint(scene: Scene, seq: int, at: tuple[int, int], tool: Tool) -> None:
    rows, columns = np.mgrid[-RADIUS : RADIUS + 1, -RADIUS : RADIUS + 1]
    mask = rows * rows + columns * columns <= RADIUS * RADIUS
    side = 2 * RADIUS + 1
    box = Window(at[0] - RADIUS, at[1] - RADIUS, side, side)
    code = mislabelled.WATER if tool is Tool.BRUSH else None
    wish = Stroke("bench", seq, 0, tool, box, encode_runs(mask), to_class=code)
    history.append(scene.store, scene.tile, wish, scene.ada)
