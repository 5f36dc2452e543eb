"""Twenty people paint on one tile of one server: how long each waits for "saved"; all agree.

Each client keeps to the editor's rules (tests/app/queue_client.py): one stroke a second, one stroke
in flight, and once a second the question who is here and what others changed.
"""

import random
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from app import access
from core import catalogue, history
from core.patch import encode_runs
from core.settings import load_settings
from core.store.engine import Store, open_store
from tests.app.edit_server import nursery
from tests.app.queue_client import Client, Disk
from tests.bench._strokes import SIZE, strokes
from tests.scene import Scene, make_scene

CLIENTS = 20
SECONDS = 120
PERIOD_S = 1.0


class Painter(Client):
    """A client that paints a stroke a second and asks what others did, at a pace of its own."""

    def prepare(self, count: int) -> None:
        """Draw the strokes beforehand: the machine that measures is the one that is measured."""
        made = strokes(count, seed=self.seed)
        self.ready = [(box, encode_runs(mask).tolist()) for box, mask in made]
        self.times: list[float] = []
        self.polls: list[float] = []
        self.fault: BaseException | None = None

    def stroke(self) -> None:
        """Queue the next stroke; it overrules what others painted there."""
        box, runs = self.ready.pop()
        self.disk.seq += 1
        self.made.add((self.name, self.disk.seq))
        wish: dict[str, Any] = {"client_id": self.name, "seq": self.disk.seq, "force": True}
        wish |= {"base_version": self.version, "tool": "brush", "effect": "class"}
        wish |= {"to_class": 1 + self.random.randrange(8), "mask": runs}
        self.disk.entries.append(wish | {"box": [box.y0, box.x0, box.h, box.w]})

    def paint(self, begin: float, count: int) -> None:
        """Paint `count` strokes on the beat, half a beat before each question."""
        try:
            for number in range(count):
                _wait_until(begin + number * PERIOD_S)
                self.stroke()
                began = time.perf_counter()
                self.send_all()
                self.times.append(1000 * (time.perf_counter() - began))
                _wait_until(begin + (number + 0.5) * PERIOD_S)
                self.poll()
        except BaseException as error:
            self.fault = error
            raise

    def poll(self) -> None:
        """Ask who is here and what they changed, and take it up."""
        began = time.perf_counter()
        found = self.json(f"live?since={self.version}&client={self.name}")
        self.polls.append(1000 * (time.perf_counter() - began))
        if not self.advance(found["patches"], found["version"]):
            self.catch_up()


def _wait_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def run(clients: int = CLIENTS, seconds: int = SECONDS) -> dict[str, dict[str, float | str]]:
    """Return median and 95th percentile of the waits in milliseconds.

    Raises `AssertionError` when a stroke is lost or the labels differ anywhere.
    """
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(workspace=Path(folder) / "workspace")
        store = open_store(settings)
        scene = make_scene(store, Path(folder) / "data", height=SIZE, width=SIZE)
        with nursery(settings.workspace) as server:
            server.start()
            crowd = [_painter(scene, server.port, number, seconds) for number in range(clients)]
            _paint_together(crowd, seconds)
            for painter in crowd:
                painter.catch_up()
        _check(store, scene, crowd)
        store.close()
    acks = np.concatenate([painter.times for painter in crowd])
    polls = np.concatenate([painter.polls for painter in crowd])
    figures = {
        "crowd_ack_median": np.median(acks),
        "crowd_ack_p95": np.percentile(acks, 95),
        "crowd_live_p95": np.percentile(polls, 95),
    }
    return {
        name: {"value": round(float(value), 2), "unit": "ms", "n": len(acks)}
        for name, value in figures.items()
    }


def _painter(scene: Scene, port: int, number: int, count: int) -> Painter:
    person = catalogue.ensure_person(scene.store, f"Person {number}")
    token = access.mint(scene.store, person.id, scene.project_id, "edit")
    shape = (scene.grid.height, scene.grid.width)
    painter = Painter(f"crowd-{number}", port, scene.tile, token, Disk(), shape, number)
    painter.prepare(count)
    painter.open()
    return painter


def _paint_together(crowd: list[Painter], count: int) -> None:
    begin = time.monotonic() + 0.5
    offsets = random.Random(1)  # noqa: S311  # people do not paint on one beat
    threads = [
        threading.Thread(target=painter.paint, args=(begin + offsets.random() * PERIOD_S, count))
        for painter in crowd
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [painter.fault for painter in crowd] == [None] * len(crowd)


def _check(store: Store, scene: Scene, crowd: list[Painter]) -> None:
    """Every stroke is in the log or changed nothing, and every client shows what is on disk."""
    now = history.current(store, scene.tile)
    edits = history.changes(store, scene.tile, 0)[1]
    saved = {(edit.client_id, edit.seq) for edit in edits}
    made = set().union(*(painter.made for painter in crowd))
    unchanged = set().union(*(painter.unchanged for painter in crowd))
    assert len(saved) == len(edits)
    assert saved | unchanged == made, f"{len(made - saved - unchanged)} strokes are lost"
    for painter in crowd:
        assert painter.labels.tobytes() == now.labels.tobytes(), painter.name
        assert painter.provenance.tobytes() == now.provenance.tobytes(), painter.name
