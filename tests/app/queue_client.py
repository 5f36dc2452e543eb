"""An editor's queue without a browser: the same rules as `saver.js` and `outbox.js`, in Python.

Strokes are numbered and kept "on disk" before they are sent; one is in flight at a time and it is
sent again until the server has said what became of it. Answers bring the labels from version to
version without a gap, or the changes are fetched. What is kept outlives the client.
"""

import json
import random
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.app.test_kill import paint

Labels = npt.NDArray[np.uint8]
Answer = tuple[int, dict[str, Any]]

AGAIN_S = 0.01
LIMIT_S = 120.0


class Refused(AssertionError):
    """The server would not take a stroke that nothing is wrong with."""


@dataclass
class Disk:
    """What a browser keeps over a crash: strokes not acknowledged, and the highest number used."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    seq: int = 0


@dataclass
class Client:
    """One tab of a person on a tile. `answer` is how it settles conflicts."""

    name: str
    port: int
    tile: int
    token: str
    disk: Disk
    shape: tuple[int, int]
    seed: int
    version: int = 0
    made: set[tuple[str, int]] = field(default_factory=set)
    unchanged: set[tuple[str, int]] = field(default_factory=set)
    undoable: list[tuple[str, int]] = field(default_factory=list)
    redoable: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311  # no secret
        self.labels = np.zeros(self.shape, np.uint8)
        self.provenance = np.zeros(self.shape, np.uint8)
        self.original = np.zeros(self.shape, np.uint8)
        self.connection: HTTPConnection | None = None

    # ---- requests

    def once(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes] | None:
        """Return status and content of one attempt, or None when the network failed."""
        headers = {"X-Cloudbrush-Token": self.token, "X-Cloudbrush-Known": str(self.version)}
        if self.connection is None:
            self.connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            self.connection.request(method, path, body, headers)
            reply = self.connection.getresponse()
            return reply.status, reply.read()
        except (OSError, HTTPException):
            self.connection.close()
            self.connection = None
            return None

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        """Try until there is an answer that is not a fault of network, server or token."""
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            found = self.once(method, f"/tile/{self.tile}/{path}", body)
            if found is not None and found[0] < 500 and found[0] != 401:
                return found
            time.sleep(AGAIN_S)
        raise AssertionError(f"{self.name} got no answer to {path}")

    def json(self, path: str) -> Any:
        """Return what a route of the tile gives."""
        status, content = self.ask("GET", path)
        if status != 200:
            raise Refused(content)
        return json.loads(content)

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    # ---- opening a tile

    def open(self) -> None:
        """Load labels and what can be undone, as after a reload, and send what waits."""
        height, width = self.shape
        versions = []
        for by in range(-(-height // 512)):
            for bx in range(-(-width // 512)):
                versions.append(self._load(by, bx))
        self.version = min(versions)
        self.send_all()
        known = self.json(f"history?client={self.name}")
        self.disk.seq = max(self.disk.seq, known["last_seq"])
        self.undoable = _steps(known["clients"], known["undo"])
        self.redoable = _steps(known["clients"], known["redo"])

    def _load(self, by: int, bx: int) -> int:
        y, x = by * 512, bx * 512
        h, w = min(512, self.shape[0] - y), min(512, self.shape[1] - x)
        # The version comes as a header, which `ask` leaves out: ask for one that is known.
        now = int(self.json("changes?since=999999999")["version"])
        for version in (0, now):
            status, content = self.ask("GET", f"labels/{by}/{bx}?version={version}")
            if status != 200:
                raise Refused(content)
            planes = np.frombuffer(content, np.uint8).reshape(2, h, w)
            target = self.labels if version == now else self.original
            target[y : y + h, x : x + w] = planes[0]
        self.provenance[y : y + h, x : x + w] = planes[1]
        if now == 0:
            self.original[y : y + h, x : x + w] = planes[0]
        return now

    # ---- strokes

    def stroke(self) -> None:
        """Paint, undo or redo something at random; it is on disk when this returns."""
        self.disk.seq += 1
        name = (self.name, self.disk.seq)
        wish: dict[str, Any] = {"client_id": name[0], "seq": name[1], "base_version": self.version}
        kind = self.random.random()
        if kind < 0.15 and self.undoable:
            self.redoable.append(self.undoable.pop())
            wish |= _reversal("undo", self.redoable[-1])
        elif kind < 0.25 and self.redoable:
            self.undoable.append(self.redoable.pop())
            wish |= _reversal("redo", self.undoable[-1])
        else:
            wish |= self._painted()
            self.undoable.append(name)
            self.redoable.clear()
        self.made.add(name)
        self.disk.entries.append(wish)

    def _painted(self) -> dict[str, Any]:
        h, w = self.random.randrange(1, 40), self.random.randrange(1, 40)
        y0 = self.random.randrange(self.shape[0] - h)
        x0 = self.random.randrange(self.shape[1] - w)
        runs, left = [], h * w
        while left:
            runs.append(min(left, self.random.randrange(120)))
            left -= runs[-1]
        effect = self.random.choice(("class", "class", "class", "revert", "verify", "unsure"))
        code = self.random.randrange(9) if effect == "class" else None
        wish = {"tool": "brush", "effect": effect, "to_class": code}
        return wish | {"box": [y0, x0, h, w], "mask": runs}

    def send_all(self) -> None:
        """Send what waits, in order, and take up what comes of it."""
        while self.disk.entries:
            entry = self.disk.entries[0]
            status, content = self.ask("POST", "edits", json.dumps(entry))
            try:
                reply = json.loads(content)
            except ValueError:
                continue
            if status == 409:
                self._settle_conflict(entry, reply)
            elif status != 200:
                raise Refused(f"{status} {reply}")
            else:
                self.disk.entries.pop(0)
                self._take(entry, reply)

    def _settle_conflict(self, entry: dict[str, Any], reply: dict[str, Any]) -> None:
        if self.random.random() < 0.5:
            entry["force"] = True
        else:
            self.disk.entries.pop(0)
            name = (entry["client_id"], entry["seq"])
            self.undoable = [step for step in self.undoable if step != name]
            self.redoable = [step for step in self.redoable if step != name]

    def _take(self, entry: dict[str, Any], reply: dict[str, Any]) -> None:
        edits = [*reply["others"]]
        if reply["patch"] is not None:
            edits.append(reply["patch"])
        elif reply["status"] == "saved" and reply["version"] == self.version + 1:
            self._shown(entry)
            self.version += 1
        if reply["status"] == "unchanged":
            name = (entry["client_id"], entry["seq"])
            self.unchanged.add(name)
            self.undoable = [step for step in self.undoable if step != name]
        if not self.advance(edits, reply["version"]):
            self.catch_up()

    def _shown(self, entry: dict[str, Any]) -> None:
        """Do what the browser shows at once: the server saved exactly that."""
        y0, x0, h, w = entry["box"]
        flat = np.concatenate([np.full(n, i % 2, bool) for i, n in enumerate(entry["mask"])])
        mask, rows, cols = flat.reshape(h, w), slice(y0, y0 + h), slice(x0, x0 + w)
        if entry["effect"] == "revert":
            self.labels[rows, cols][mask] = self.original[rows, cols][mask]
        if entry["effect"] == "class":
            self.labels[rows, cols][mask] = entry["to_class"]
        behind = {"class": 1, "verify": 2, "unsure": 4, "revert": 0}[entry["effect"]]
        self.provenance[rows, cols][mask] = behind

    def advance(self, edits: list[dict[str, Any]], version: int) -> bool:
        """Write edits if no version is missing; returns whether they lead to `version`."""
        fresh = sorted(
            (e for e in edits if e["version"] > self.version), key=lambda e: e["version"]
        )
        numbers = [edit["version"] for edit in fresh]
        if numbers != list(range(self.version + 1, self.version + 1 + len(fresh))):
            return False
        for edit in fresh:
            paint(self.labels, self.provenance, edit)
        self.version += len(fresh)
        return self.version >= version

    def catch_up(self) -> None:
        """Fetch what others changed, until nothing is missing."""
        while True:
            found = self.json(f"changes?since={self.version}")
            if self.advance(found["patches"], found["version"]):
                return


def _reversal(tool: str, step: tuple[str, int]) -> dict[str, Any]:
    return {"tool": tool, "reverses": {"client_id": step[0], "seq": step[1]}}


def _steps(clients: list[str], runs: list[list[int]]) -> list[tuple[str, int]]:
    found = []
    for client, first, last in runs:
        way = 1 if first <= last else -1
        found += [(clients[client], seq) for seq in range(first, last + way, way)]
    return found
