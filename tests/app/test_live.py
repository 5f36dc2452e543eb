"""What is asked each second: who is here, what they changed, what can be undone."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select, update
from starlette.applications import Starlette

from app import access
from core import history, presence
from core.memory import forget
from core.presence import HERE_S, Visitor
from core.settings import Settings
from core.store.engine import Store, open_store
from core.store.tables import EditRow, PresenceRow
from core.stroke import Stroke, Tool
from tests.app.client import Client
from tests.scene import Scene, make_scene
from tests.strokes import fast_store, save, stroke


@pytest.fixture
def scene(store: Store, settings: Settings) -> Scene:
    return make_scene(store, settings.workspace.parent / "data")


@pytest.fixture
def ben(app: Starlette, scene: Scene) -> Client:
    return Client(app, access.mint(scene.store, scene.ben, scene.project_id, "view"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Return the monotonic clock of `core.presence`, which stands still until it is changed."""
    now = [time.monotonic()]
    monkeypatch.setattr("core.presence.monotonic", lambda: now[0])
    yield now


def rows(scene: Scene) -> int:
    with scene.store.read() as session:
        return session.scalar(select(func.count()).select_from(PresenceRow)) or 0


class TestPresence:
    def test_others_are_told_of_each_other_and_not_of_themselves(
        self, ada: Client, ben: Client, scene: Scene
    ) -> None:
        url = f"/tile/{scene.tile}/live?since=0&client="
        assert ada.get(f"{url}a1").json()["people"] == []
        told = ben.get(f"{url}b1").json()["people"]
        assert told == [{"id": scene.ada, "name": "Ada", "you": False, "tabs": 1}]
        ada.get(f"{url}a2")
        assert ben.get(f"{url}b1").json()["people"][0]["tabs"] == 2
        assert [(one["name"], one["you"]) for one in ada.get(f"{url}a1").json()["people"]] == [
            ("Ada", True),
            ("Ben", False),
        ]

    def test_another_tile_is_another_place(self, ada: Client, ben: Client, scene: Scene) -> None:
        ada.get(f"/tile/{scene.tile}/live?since=0&client=a")
        there = f"/tile/{scene.tiles['second']}/live?since=0&client=b"
        assert ben.get(there).json()["people"] == []

    def test_who_is_silent_or_says_so_has_left(self, scene: Scene, clock: list[float]) -> None:
        store, tile = scene.store, scene.tile
        presence.visit(store, tile, scene.ada, "a")
        assert presence.visit(store, tile, scene.ben, "b") == [Visitor(scene.ada, "Ada", "a")]
        clock[0] += HERE_S - 0.1
        assert presence.visit(store, tile, scene.ben, "b")
        clock[0] += 0.2
        assert presence.visit(store, tile, scene.ben, "b") == []
        presence.visit(store, tile, scene.ada, "a")
        presence.leave(store, tile, "a")
        assert presence.visit(store, tile, scene.ben, "b") == []

    def test_another_process_sees_it_through_the_table(
        self, scene: Scene, settings: Settings, clock: list[float]
    ) -> None:
        other = open_store(settings)
        presence.visit(scene.store, scene.tile, scene.ada, "a")
        assert [v.name for v in presence.visit(other, scene.tile, scene.ben, "b")] == ["Ada"]
        with other.write() as session:
            session.execute(update(PresenceRow).values(at=datetime(2020, 1, 1, tzinfo=UTC)))
        assert presence.visit(other, scene.tile, scene.ben, "b") == []
        other.close()

    def test_asking_often_writes_seldom(self, scene: Scene, clock: list[float]) -> None:
        presence.visit(scene.store, scene.tile, scene.ada, "a")
        for number in range(50):
            presence.visit(scene.store, scene.tile, scene.ben, f"b{number}")
        assert rows(scene) == 1, "the others wait for the next writing"
        clock[0] += presence.WRITE_EVERY_S
        presence.visit(scene.store, scene.tile, scene.ada, "a")
        assert rows(scene) == 51

    @pytest.mark.parametrize("query", ["", "client=", "client=a%20b", f"client={'x' * 65}"])
    def test_a_tab_without_a_proper_name_is_refused(
        self, ada: Client, scene: Scene, query: str
    ) -> None:
        reply = ada.get(f"/tile/{scene.tile}/live?since=0&{query}")
        assert (reply.status, "query client" in reply.json()["error"]) == (400, True)

    def test_nobody_without_a_token_learns_who_is_here(self, app: Starlette, scene: Scene) -> None:
        reply = Client(app).get(f"/tile/{scene.tile}/live?since=0&client=x")
        assert reply.status == 401
        elsewhere = access.mint(scene.store, scene.ada, scene.project_id + 1, "edit")
        reply = Client(app, elsewhere).get(f"/tile/{scene.tile}/live?since=0&client=x")
        assert reply.status == 403


def paint(scene: Scene, count: int, client: str = "tab", first: int = 1) -> None:
    """Append strokes that each change one pixel."""
    for seq in range(first, first + count):
        y, x = divmod(seq % 1100, 30)
        code = int(history.current(scene.store, scene.tile).labels[y, x])
        wish = stroke((y, x, 1, 1), client=client, seq=seq, to_class=code % 8 + 1, force=True)
        save(scene, wish)


class TestLog:
    def test_changes_come_with_who_is_here(self, ada: Client, scene: Scene) -> None:
        paint(scene, 3)
        found = ada.get(f"/tile/{scene.tile}/live?since=1&client=a").json()
        assert [patch["version"] for patch in found["patches"]] == [2, 3]
        assert (found["version"], found["complete"], found["people"]) == (3, True, [])

    def test_everything_can_be_undone_after_a_reload(self, ada: Client, scene: Scene) -> None:
        paint(scene, 60)
        paint(scene, 60, first=101)
        for seq in range(200, 230):
            undo = Stroke("tab", seq, 0, Tool.UNDO)
            history.append(scene.store, scene.tile, undo, scene.ada)
        found = ada.get(f"/tile/{scene.tile}/history?client=tab").json()
        assert found["clients"] == ["tab"]
        assert found["undo"] == [[0, 1, 60], [0, 101, 130]]
        assert found["redo"] == [[0, 160, 131]]
        assert (found["undo_depth"], found["redo_depth"], found["last_seq"]) == (90, 30, 229)

    def test_the_highest_number_is_of_the_asking_tab(self, ada: Client, scene: Scene) -> None:
        paint(scene, 2)
        paint(scene, 1, client="other", first=50)
        assert ada.get(f"/tile/{scene.tile}/history?client=tab").json()["last_seq"] == 2
        assert ada.get(f"/tile/{scene.tile}/history?client=new").json()["last_seq"] == 0
        assert ada.get(f"/tile/{scene.tile}/history").json()["last_seq"] == 0


@pytest.mark.soak
def test_twelve_hundred_strokes_are_undone_and_redone(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    scene = make_scene(fast_store(settings), tmp_path / "deep")
    paint(scene, 1200)
    now, version = history.current(scene.store, scene.tile), 1200
    forget(scene.store)  # as after a restart
    for tool in (Tool.UNDO, Tool.REDO):
        stacks = history.stacks(scene.store, scene.tile, scene.ada)
        assert len(stacks.undo if tool is Tool.UNDO else stacks.redo) == 1200
        for _ in range(1200):
            version += 1
            saved = save(scene, Stroke("tab", version, 0, tool))
            assert (saved.status, saved.version) == ("saved", version)
        found = history.current(scene.store, scene.tile)
        expected = scene.label if tool is Tool.UNDO else now.labels
        assert found.labels.tobytes() == expected.tobytes()
        assert found.provenance.any() == (tool is Tool.REDO)
    assert found.provenance.tobytes() == now.provenance.tobytes()
    scene.store.close()


def test_what_the_browser_has_is_not_told_again(ada: Client, scene: Scene) -> None:
    paint(scene, 3, client="other")
    code = int(scene.label[39, 0]) % 8 + 1
    body = {"client_id": "tab", "seq": 1, "base_version": 0, "tool": "brush", "to_class": code}
    body |= {"box": [39, 0, 1, 1], "mask": [0, 1]}
    url = f"/tile/{scene.tile}/edits"
    first = ada.post(url, body, {"X-Cloudbrush-Known": "2"}).json()
    assert [edit["version"] for edit in first["others"]] == [3]
    again = ada.post(url, body, {"X-Cloudbrush-Known": "what"}).json()
    assert (again["status"], len(again["others"])) == ("duplicate", 3)
    with scene.store.read() as session:
        assert session.scalar(select(func.count()).select_from(EditRow)) == 4
    assert np.count_nonzero(history.current(scene.store, scene.tile).provenance) == 4
