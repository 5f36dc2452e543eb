"""The queue's promise under faults: every stroke counts once, in order, and all agree at the end.

Tabs of two people paint, undo and redo over a network that loses, delays, repeats and reorders, to
a server that is killed with SIGKILL again and again, while tabs crash and others take up what they
left. Then the labels in the tabs, on the server and in the export are the same. The same with real
browsers: tests/editor/test_faults.py.
"""

import hashlib
import random
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio

from app import access
from core import history
from core.export.labels import export_labels
from core.settings import Settings
from core.store.engine import Store, open_store
from tests.app.edit_server import Nursery, nursery
from tests.app.faults import FAULTS, Network
from tests.app.queue_client import Client, Disk
from tests.scene import Scene, make_scene

HEIGHT, WIDTH = 560, 540  # four blocks
LIMIT_S = 1_800.0
TABS = 4
CRASH = 0.01
BURST = 4


class Labeler(threading.Thread):
    """Somebody who paints `strokes` strokes in tabs that crash now and then."""

    def __init__(self, net: Network, scene: Scene, number: int, strokes: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.net, self.scene, self.number, self.strokes = net, scene, number, strokes
        self.random = random.Random(seed)  # noqa: S311  # no secret
        self.made: set[tuple[str, int]] = set()
        self.crashes = 0
        self.fault: BaseException | None = None
        self.client = self._tab(Disk(), "tab0")

    def _tab(self, disk: Disk, name: str) -> Client:
        person = (self.scene.ada, self.scene.ben)[self.number % 2]
        token = access.mint(self.scene.store, person, self.scene.project_id, "edit")
        return Client(
            f"{name}-{self.number}",
            self.net.entry,
            self.scene.tile,
            token,
            disk,
            (HEIGHT, WIDTH),
            self.random.randrange(10**9),
        )

    def run(self) -> None:
        try:
            self._paint()
        except BaseException as error:
            self.fault = error
            raise

    def _paint(self) -> None:
        self.client.open()
        while len(self.made) < self.strokes:
            for _ in range(self.random.randrange(1, BURST)):
                self.client.stroke()
            self.made |= self.client.made
            if self.random.random() < CRASH:
                self._crash()
            self.client.send_all()
        self.client.catch_up()

    def _crash(self) -> None:
        """Lose the page: a reload keeps the tab's name, a new tab takes up what the old left."""
        self.crashes += 1
        self.client.close()
        disk, name = self.client.disk, self.client.name.rsplit("-", 1)[0]
        if self.random.random() < 0.5:
            disk, name = Disk(disk.entries), f"tab{self.crashes}"
        self.client = self._tab(disk, name)
        self.client.open()


@pytest.mark.long
@pytest.mark.parametrize(
    ("strokes", "kills", "seed"),
    [(300, 6, 3), pytest.param(10_000, 150, 4, marks=pytest.mark.soak)],
)
def test_every_stroke_counts_once_and_in_order(
    settings: Settings, tmp_path: Path, strokes: int, kills: int, seed: int
) -> None:
    store = open_store(settings)
    scene = make_scene(store, tmp_path / "data", height=HEIGHT, width=WIDTH)
    net = Network(seed, rate=0.2)
    with nursery(settings.workspace) as server:
        serve(net, server)
        labelers = [Labeler(net, scene, n, strokes // TABS, seed + n) for n in range(TABS)]
        for labeler in labelers:
            labeler.start()
        kill_often(net, server, labelers, kills, seed)
        for labeler in labelers:
            labeler.join(LIMIT_S)
        net.calm()
        assert [labeler.fault for labeler in labelers] == [None] * TABS
        for labeler in labelers:
            labeler.client.catch_up()
    net.close()
    assert set(net.faults) == set(FAULTS), "every kind of fault should have happened"
    check_log(store, scene, net, set().union(*(labeler.made for labeler in labelers)))
    check_labels(store, scene, [labeler.client for labeler in labelers])
    store.close()


def serve(net: Network, server: Nursery) -> None:
    server.start()
    net.port = server.port


def kill_often(
    net: Network, server: Nursery, labelers: list[Labeler], kills: int, seed: int
) -> None:
    """Kill the server at seeded moments, spread over the strokes to come."""
    generator = random.Random(seed)  # noqa: S311  # no secret
    for number in range(1, kills + 1):
        wanted = number * sum(labeler.strokes for labeler in labelers) // (kills + 1)
        while sum(len(one.made) for one in labelers) < wanted:
            if not all(one.is_alive() for one in labelers):
                break
            time.sleep(0.002)
        time.sleep(generator.uniform(0.0, 0.02))
        server.kill()
        time.sleep(generator.uniform(0.0, 0.1))
        serve(net, server)


def check_log(store: Store, scene: Scene, net: Network, made: set[tuple[str, int]]) -> None:
    """Every stroke has one row, in the order painted, or an answer that says why it has none."""
    version, edits = history.changes(store, scene.tile, 0)
    names = [(edit.client_id, edit.seq) for edit in edits]
    assert version == len(edits)
    assert len(set(names)) == len(names), "no stroke counts twice"
    assert set(names) <= made
    for name in made - set(names):
        assert net.outcomes.get(name, set()) & {"unchanged", "conflict"}, f"{name} is lost"
    for client in {client for client, _ in names}:
        seqs = [seq for name, seq in names if name == client]
        assert seqs == sorted(seqs), f"strokes of {client} are out of order"


def check_labels(store: Store, scene: Scene, clients: list[Client]) -> None:
    """Tabs, server and export agree."""
    now = history.current(store, scene.tile)
    for client in clients:
        assert client.version == now.version
        assert client.labels.tobytes() == now.labels.tobytes()
        assert client.provenance.tobytes() == now.provenance.tobytes()
    assert exported(store, scene) == digest(now.labels)


def digest(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def exported(store: Store, scene: Scene) -> str:
    """Return the hash of the labels that a person would be given."""
    done = export_labels(store, scene.project_id, "End", person="Ada")
    with rasterio.open(done.folder / "labels/train.tif") as label:
        return digest(label.read(1))
