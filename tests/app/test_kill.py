"""Kill the server with SIGKILL at seeded moments: what it called saved is there, byte for byte."""

import base64
import json
import random
import threading
import time
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from app import access
from app.routes.edits import edit_json
from core import history
from core.settings import Settings
from core.store.engine import Store, open_store
from tests.app.edit_server import Nursery, nursery
from tests.scene import Scene, make_scene

HEIGHT, WIDTH = 560, 540  # four blocks
LIMIT_S = 120.0


class Tab(threading.Thread):
    """A browser tab: one stroke in flight, sent again until it is acknowledged."""

    def __init__(
        self, server: Nursery, up: threading.Event, scene: Scene, person: int, seed: int
    ) -> None:
        super().__init__(daemon=True)
        self.server, self.up, self.tile, self.seed = server, up, scene.tile, seed
        self.client = f"tab-{person}"
        self.renew = partial(access.mint, scene.store, person, scene.project_id, "edit")
        self.token = self.renew()
        self.acknowledged: list[dict[str, Any]] = []
        self.broken = 0  # requests that a kill cut off
        self.untold = 0  # of those, strokes that were saved although nobody was told
        self.refused: list[str] = []
        self.stop = False

    def run(self) -> None:
        generator, seq = random.Random(self.seed), 0  # noqa: S311  # no secret
        while not self.stop:
            seq += 1
            body = json.dumps(self.stroke(generator, seq))
            status, content = self.send_until_answered(body)
            if status != 200:
                self.refused.append(str(content))
                return
            self.untold += content["status"] == "duplicate"
            if content["status"] != "unchanged":
                self.acknowledged.append(content)

    def stroke(self, generator: random.Random, seq: int) -> dict[str, Any]:
        named = {"client_id": self.client, "seq": seq, "base_version": 0, "force": True}
        if seq % 5 == 0:
            return named | {"tool": generator.choice(("undo", "redo"))}
        y0, x0 = generator.randrange(HEIGHT - 64), generator.randrange(WIDTH - 64)
        runs, left = [], 64 * 64
        while left:
            runs.append(min(left, generator.randrange(400)))
            left -= runs[-1]
        tool = generator.choice(("brush", "brush", "brush", "revert", "verify"))
        to_class = generator.randrange(9) if tool == "brush" else None
        return named | {"tool": tool, "to_class": to_class, "box": [y0, x0, 64, 64], "mask": runs}

    def send_until_answered(self, body: str) -> tuple[int, dict[str, Any]]:
        """Send one stroke again and again, as a page does, with a new token when it grew old."""
        while True:
            answer = self.send(body)
            if answer is None:
                self.broken += 1
                self.up.wait(LIMIT_S)
            elif answer[1].get("reason") == "expired":
                self.token = self.renew()
            else:
                return answer

    def send(self, body: str) -> tuple[int, dict[str, Any]] | None:
        """Return status and answer, or None when the connection broke."""
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        headers = {"X-Cloudbrush-Token": self.token, "Content-Type": "application/json"}
        try:
            connection.request("POST", f"/tile/{self.tile}/edits", body, headers)
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())
        except (OSError, HTTPException, ValueError):
            return None
        finally:
            connection.close()


@pytest.mark.long
@pytest.mark.parametrize(
    ("kills", "seed"), [(50, 1), pytest.param(1000, 2, marks=pytest.mark.soak)]
)
def test_what_was_acknowledged_survives_kills(
    settings: Settings, tmp_path: Path, kills: int, seed: int
) -> None:
    store = open_store(settings)
    scene = make_scene(store, tmp_path / "data", height=HEIGHT, width=WIDTH)
    generator = random.Random(seed)  # noqa: S311  # no secret
    up = threading.Event()
    with nursery(settings.workspace) as server:
        tabs = [Tab(server, up, scene, who, seed + who) for who in (scene.ada, scene.ben)]
        server.start()
        up.set()
        for tab in tabs:
            tab.start()
        for _ in range(kills):
            wait_for_more(tabs, generator.randrange(1, 5))
            time.sleep(generator.uniform(0.0, 0.02))
            up.clear()
            server.kill()
            server.start()
            up.set()
        for tab in tabs:
            tab.stop = True
        for tab in tabs:
            tab.join(LIMIT_S)
    assert not any(tab.is_alive() or tab.refused for tab in tabs), [tab.refused for tab in tabs]
    assert sum(tab.broken for tab in tabs) > kills / 4, "most kills should fall inside requests"
    check_log(store, scene, [answer for tab in tabs for answer in tab.acknowledged])
    store.close()


def wait_for_more(tabs: list[Tab], count: int) -> None:
    """Return when `count` more strokes have been acknowledged."""
    wanted = sum(len(tab.acknowledged) for tab in tabs) + count
    deadline = time.monotonic() + LIMIT_S
    while sum(len(tab.acknowledged) for tab in tabs) < wanted:
        assert time.monotonic() < deadline, [tab.refused for tab in tabs]
        time.sleep(0.001)


def check_log(store: Store, scene: Scene, acknowledged: list[dict[str, Any]]) -> None:
    """Hold the log on disk against every answer, and the labels against a plain replay of them."""
    with store.read() as session:
        assert session.scalar(text("PRAGMA integrity_check")) == "ok"
    version, edits = history.changes(store, scene.tile, 0)
    kept = {edit.version: json.loads(json.dumps(edit_json(edit))) for edit in edits}
    assert sorted(kept) == list(range(1, version + 1))
    told = {answer["version"]: answer["patch"] for answer in acknowledged}
    assert len(told) == len(acknowledged)
    assert told == kept
    labels, provenance = scene.label.copy(), np.zeros_like(scene.label)
    for number in sorted(told):
        paint(labels, provenance, told[number])
    now = history.current(store, scene.tile)
    assert now.labels.tobytes() == labels.tobytes()
    assert now.provenance.tobytes() == provenance.tobytes()


def paint(labels: np.ndarray, provenance: np.ndarray, patch: dict[str, Any]) -> None:
    """Apply a patch as the browser reads it, with nothing of the code under test."""
    y0, x0, h, w = patch["box"]
    flat = np.concatenate([np.full(run, i % 2, bool) for i, run in enumerate(patch["mask"])])
    mask = flat.reshape(h, w)
    for target, name in ((labels, "values"), (provenance, "provenance")):
        values = np.frombuffer(base64.b64decode(patch[name]), np.uint8)
        target[y0 : y0 + h, x0 : x0 + w][mask] = values
