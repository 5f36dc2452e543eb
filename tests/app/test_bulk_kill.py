"""Kill the server inside commands on a project and their undo: sent again, they finish."""

import json
import random
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import access
from core import history
from core.settings import Settings
from core.store.engine import open_store
from tests.app.edit_server import Nursery, nursery
from tests.scene import Scene, make_scene

TILES = ("train", "second", "blank")
ROUNDS = 6


def post(server: Nursery, token: str, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """Return the last line of an answer, or None when the connection broke on the way."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {"X-Cloudbrush-Token": token, "Content-Type": "application/json"}
    try:
        connection.request("POST", path, json.dumps(body), headers)
        reply = connection.getresponse()
        lines = reply.read().splitlines()
        last = json.loads(lines[-1]) if lines else {}
        assert reply.status == 200, last
        return last if "done" not in last else None
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()


def until_done(
    server: Nursery, token: str, path: str, body: dict[str, Any], generator: random.Random
) -> int:
    """Send a request, kill the server after a while, and send it again until it is answered.

    Returns how often it was cut off.
    """
    for broken in range(3):
        killer = threading.Timer(generator.uniform(0.005, 0.15), server.kill)
        killer.start()
        answer = post(server, token, path, body)
        killer.join()
        server.start()
        if answer is not None:
            return broken
    assert post(server, token, path, body) is not None
    return 3


def labels(scene: Scene) -> list[bytes]:
    found = [history.current(scene.store, scene.tiles[name]) for name in TILES]
    return [now.labels.tobytes() + now.provenance.tobytes() for now in found]


@pytest.mark.long
def test_commands_and_their_undo_survive_kills(settings: Settings, tmp_path: Path) -> None:
    store = open_store(settings)
    scene = make_scene(store, tmp_path / "data", height=300, width=300)
    generator = random.Random(4)  # noqa: S311  # no secret
    token = access.mint(store, scene.ada, scene.project_id, "edit")
    before, broken = labels(scene), 0
    with nursery(settings.workspace) as server:
        server.start()
        for turn in range(ROUNDS):
            sources = [0, 1 + turn % 4]
            body = {"kind": "recode", "scope": "project", "from_classes": sources,
                    "to_class": 5 + turn % 3, "client_id": "tab", "seq": 2 * turn,
                    "base_version": 0}  # fmt: skip
            path = f"/tile/{scene.tile}/bulk"
            broken += until_done(server, token, path, body, generator)
            for name in TILES:
                now = history.current(store, scene.tiles[name]).labels
                assert not np.isin(now, sources).any()
            undo = {"tool": "undo", "client_id": "tab", "seq": 2 * turn + 1, "base_version": 0,
                    "reverses": {"client_id": "tab", "seq": 2 * turn}}  # fmt: skip
            path = f"/tile/{scene.tiles[TILES[turn % 3]]}/edits"
            broken += until_done(server, token, path, undo, generator)
            assert labels(scene) == before
            time.sleep(0.01)
    assert broken >= 3, "some kills should fall inside requests"
    for name in TILES:
        assert history.current(store, scene.tiles[name]).version <= 2 * ROUNDS
        stacks = history.stacks(store, scene.tiles[name], scene.ada)
        assert stacks.undo == []
    store.close()
