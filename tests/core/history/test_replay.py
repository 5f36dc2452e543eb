"""Replay is exact: it equals whole arrays that two people changed in any order."""

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from core import history
from core.memory import forget
from core.store.tables import EditRow, KeyframeRow
from core.stroke import Tool
from tests.scene import Scene
from tests.strokes import back, stroke

PEOPLE = ("ada", "ben")
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from(("brush", "brush", "brush", "revert", "verify", "undo", "undo", "redo")),
        st.integers(0, 7),
        st.integers(0, 7),
        st.integers(1, 5),
        st.integers(0, 8),
    ),
    max_size=25,
)


class Live:
    """What a plain program would do with whole arrays: the yardstick for the log.

    A row is [before, after, the row it takes back or None]; stacks hold numbers of rows.
    """

    def __init__(self, label: np.ndarray) -> None:
        self.first = label.astype(int) * 256
        self.now = self.first.copy()
        self.rows: list[tuple[np.ndarray, np.ndarray, int | None]] = []
        self.done: dict[str, list[int]] = {person: [] for person in PEOPLE}
        self.undone: dict[str, list[int]] = {person: [] for person in PEOPLE}

    def act(self, person: str, tool: str, y: int, x: int, size: int, code: int) -> None:
        if tool in ("undo", "redo"):
            source, target = self.done[person], self.undone[person]
            if tool == "redo":
                source, target = target, source
            if source:
                taken = source.pop()
                new = self.rows[taken][1]
                old = self.below(taken) if tool == "undo" else self.rows[taken][0]
                changed = self.rows[taken][0] != new
                self.add(np.where(changed & (self.now == new), old, self.now), taken)
                target.append(len(self.rows) - 1)
            return
        new = self.now.copy()
        part = new[y : y + size, x : x + size]
        if tool == "brush":
            part[:] = np.where(part // 256 != code, code * 256 + 1, part)
        elif tool == "revert":
            part[:] = self.first[y : y + size, x : x + size]
        else:
            part[:] = np.where(part % 256 != 1, part // 256 * 256 + 2, part)
        if (new != self.now).any():
            self.add(new, None)
            self.done[person].append(len(self.rows) - 1)
            self.undone[person].clear()

    def add(self, after: np.ndarray, takes_back: int | None) -> None:
        self.rows.append((self.now, after, takes_back))
        self.now = after

    def below(self, number: int) -> np.ndarray:
        """Return what lay below a row, without rows under it that were taken back since."""
        takers = {row[2]: i for i, row in enumerate(self.rows) if i > number and row[2] is not None}
        old = self.rows[number][0]
        for i in reversed(range(number)):
            times, last = 0, i
            while last in takers:
                times, last = times + 1, takers[last]
            before, after, _ = self.rows[i]
            if times % 2:
                old = np.where((before != after) & (old == after), before, old)
        return old


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(actions=ACTIONS)
def test_replay_equals_live_arrays_of_two_people(scene: Scene, actions: list[Any]) -> None:
    store, tile = scene.store, scene.tile
    with store.write() as session:
        session.execute(delete(EditRow))
        session.execute(delete(KeyframeRow))
    forget(store)
    live = Live(scene.label)
    states = [live.now]
    for seq, (person, tool, y, x, size, code) in enumerate(actions):
        version = history.current(store, tile).version
        wish: dict[str, Any] = {"base_version": version, "client": person, "seq": seq}
        if tool in ("undo", "redo"):
            asked = back(Tool(tool), **wish)
        else:
            asked = stroke((y, x, size, size), tool=Tool(tool), to_class=code, **wish)
        saved = history.append(store, tile, asked, getattr(scene, person))
        live.act(person, tool, y, x, size, code)
        if saved.status == "saved":
            states.append(live.now)
        assert saved.undo_depth == len(live.done[person])
        assert saved.redo_depth == len(live.undone[person])
    for forgetful in (False, True):
        if forgetful:
            forget(store)
        for version, expected in enumerate(states):
            found = history.at_version(store, tile, version)
            assert np.array_equal(found.labels, expected // 256)
            assert np.array_equal(found.provenance, expected % 256)
        assert history.current(store, tile).version == len(states) - 1
