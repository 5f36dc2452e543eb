"""How long a stroke takes from its request to "saved", over HTTP on this machine."""

import json
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np

from app import access
from core.patch import encode_runs
from core.settings import load_settings
from core.store.engine import open_store
from tests.bench._strokes import SIZE, strokes
from tests.live import live_app
from tests.scene import make_scene

STROKES = 300


def run() -> dict[str, dict[str, float | str]]:
    """Return median and 95th percentile in milliseconds; the server is a process of its own.

    The figures of the whole app, from the browser, are in the benchmark `editor`.
    """
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(workspace=Path(folder) / "workspace")
        store = open_store(settings)
        scene = make_scene(store, Path(folder) / "data", height=SIZE, width=SIZE)
        token = access.mint(store, scene.ada, scene.project_id, "edit")
        with live_app(settings.workspace, "--no-demo") as app:
            connection = HTTPConnection(urlparse(app.url).netloc)
            times = [
                _acknowledged(connection, f"/tile/{scene.tile}/edits", token, body)
                for body in _bodies()
            ]
            connection.close()
        store.close()
    figures = {
        "http_ack_median": float(np.median(times)),
        "http_ack_p95": float(np.percentile(times, 95)),
    }
    return {
        name: {"value": round(value, 2), "unit": "ms", "n": len(times)}
        for name, value in figures.items()
    }


def _bodies() -> list[dict[str, Any]]:
    return [
        {
            "client_id": "bench",
            "seq": seq,
            "base_version": 0,
            "tool": "brush",
            "to_class": 1 + seq % 8,
            "box": [box.y0, box.x0, box.h, box.w],
            "mask": encode_runs(mask).tolist(),
            "panes_shown": ["optical", "sar", "label", "prediction"],
        }
        for seq, (box, mask) in enumerate(strokes(STROKES, seed=2))
    ]


def _acknowledged(connection: HTTPConnection, path: str, token: str, body: dict[str, Any]) -> float:
    headers = {"X-Cloudbrush-Token": token, "Content-Type": "application/json"}
    begun = time.perf_counter()
    connection.request("POST", path, json.dumps(body), headers)
    reply = connection.getresponse()
    content = json.loads(reply.read())
    milliseconds = 1000 * (time.perf_counter() - begun)
    assert reply.status == 200, str(content)[:300]
    return milliseconds
