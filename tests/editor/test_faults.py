"""Two people's browsers over a bad network, at a server that is killed: nothing is lost or doubled.

The same promise without a browser, for many more strokes: tests/app/test_faults.py.
"""

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from core import history
from core.settings import Settings
from core.store.engine import Store
from tests.app.edit_server import Nursery, nursery
from tests.app.faults import Network
from tests.app.test_faults import check_log, digest, exported, serve
from tests.editor.conftest import FIND, Desk
from tests.scene import Scene, make_scene

pytestmark = pytest.mark.browser

HEIGHT, WIDTH = 96, 80
STEPS = int(os.environ.get("CLOUDBRUSH_FAULT_STEPS", "70"))
PATIENT_MS = 60_000
PAINT = """(e, strokes) => {
  for (const {code, from, to, diameter} of strokes) {
    e.chooseClass(code);
    e.setDiameter(diameter);
    e.hand.press(from, {shift: false});
    e.hand.drag(to, {shift: false});
    e.hand.release(performance.now());
  }
}"""
READY = f"{FIND}?.saver.ready"
LOADED = f"{FIND}.scene.labels.blocks.size > 0"
QUIET = f"""() => {{
  const {{outbox, saver}} = {FIND};
  return saver.ready && outbox.entries.length === 0 && outbox.kind === 'saved';
}}"""
AT_VERSION = f"(version) => {FIND}.scene.labels.version === version"


@dataclass
class Person:
    """A labeler at a browser of their own, who goes through tabs."""

    name: str
    context: BrowserContext
    net: Network
    scene: Scene
    random: random.Random
    errors: list[str]
    made: set[tuple[str, int]] = field(default_factory=set)
    reloads: int = 0
    tabs: int = 0

    def open(self) -> None:
        """Open the tile in a new tab."""
        self.tabs += 1
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(self.net.url(self.scene.tile, self.name))
        self.wait_ready()

    def wait_ready(self) -> None:
        self.page.wait_for_function(READY, timeout=PATIENT_MS)
        self.desk = Desk(self.page, self.scene.store, self.scene.tile)
        self.page.wait_for_function(LOADED, timeout=PATIENT_MS)

    def step(self) -> None:
        """Do something that labelers do, or that happens to them."""
        self.answer()
        before = self._seq()
        kind = self.random.choices(
            ("stroke", "burst", "undo", "redo", "wait", "reload", "reopen"),
            (40, 10, 16, 10, 10, 4, 4),
        )[0]
        if kind in ("stroke", "burst"):
            strokes = [self._stroke() for _ in range(1 if kind == "stroke" else 4)]
            self.desk.editor(PAINT, strokes)
        elif kind in ("undo", "redo"):
            self.desk.editor(f"(e) => e.hand.{kind}()")
        elif kind == "wait":
            self.page.wait_for_timeout(self.random.randrange(20, 400))
        client, last = self._seq()
        self.made |= {(client, seq) for seq in range(before[1] + 1, last + 1)}
        if kind == "reload":
            self.reloads += 1
            self.page.reload()
            self.wait_ready()
        elif kind == "reopen":
            self.page.close()
            self.open()

    def _stroke(self) -> dict[str, object]:
        def place() -> dict[str, int]:
            return {"y": self.random.randrange(HEIGHT), "x": self.random.randrange(WIDTH)}

        code, diameter = self.random.randrange(8), self.random.choice((1, 3, 8, 20))
        return {"code": code, "from": place(), "to": place(), "diameter": diameter}

    def _seq(self) -> tuple[str, int]:
        kept = json.loads(self.page.evaluate("sessionStorage.getItem('cloudbrush.client')"))
        return str(kept["id"]), int(kept["seq"])

    def answer(self) -> None:
        """Choose, where the editor asks which of two strokes stays."""
        choices = self.page.locator(".dialog:not([hidden]) [data-answer]")
        count = choices.count()
        if count:
            choices.nth(self.random.randrange(count)).click(timeout=2_000)

    def settle(self) -> None:
        """Wait until every stroke of every tab of this browser is acknowledged."""
        for _ in range(PATIENT_MS // 250):
            self.answer()
            if self.page.evaluate(QUIET):
                return
            self.page.wait_for_timeout(250)
        raise AssertionError(f"strokes of {self.name} still wait")


@pytest.fixture
def server(settings: Settings, store: Store, tmp_path: Path) -> Iterator[Nursery]:
    """Return a server of the editor's page in a process of its own, not yet started."""
    with nursery(settings.workspace, page=True) as found:
        yield found


@pytest.mark.long
@pytest.mark.parametrize("seed", [11, *[pytest.param(n, marks=pytest.mark.soak) for n in range(8)]])
def test_browsers_server_and_export_agree_after_every_fault(
    browser: Browser, server: Nursery, store: Store, tmp_path: Path, seed: int
) -> None:
    scene = make_scene(store, tmp_path / "data", height=HEIGHT, width=WIDTH)
    net, chance = Network(seed), random.Random(seed)  # noqa: S311  # no secret
    serve(net, server)
    errors: list[str] = []
    contexts = [browser.new_context(viewport={"width": 1100, "height": 700}) for _ in "ab"]
    people = [
        Person(name, context, net, scene, random.Random(seed * 10 + number), errors)  # noqa: S311
        for number, (name, context) in enumerate(zip(("Ada", "Ben"), contexts, strict=True))
    ]
    for person in people:
        person.open()
    net.rate = 0.25
    for number in range(STEPS):
        chance.choice(people).step()
        if number % (STEPS // 5) == STEPS // 10:
            server.kill()
            chance.choice(people).desk.editor(PAINT, [])  # the editors go on without it
            serve(net, server)
    net.calm()
    for person in people:
        person.settle()
    agree(people, net, store, scene)
    for context in contexts:
        context.close()
    net.close()
    assert [error for error in errors if "fetch" not in error.lower()] == []


def agree(people: list[Person], net: Network, store: Store, scene: Scene) -> None:
    """Hold browsers, server, log and export against each other."""
    saved = people[0].desk.saved()
    check_log(store, scene, net, set().union(*(person.made for person in people)))
    version = history.current(store, scene.tile).version
    for person in people:
        person.page.wait_for_function(AT_VERSION, arg=version, timeout=20_000)
        assert person.desk.shown() == saved, f"{person.name}'s screen"
    assert exported(store, scene) == digest(history.current(store, scene.tile).labels)
