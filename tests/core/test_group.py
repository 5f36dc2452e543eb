"""Commands of many rows: one step on every tile, resumable, and restored versions."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from core import catalogue, group, history, restore
from core.errors import BadPatch, NotEditable, NotFound
from core.grid import Window
from core.group import Prepared, append_prepared
from core.history import EditConflict, Saved
from core.log import Maker
from core.memory import forget
from core.patch import Patch, make_patch
from core.settings import Settings
from core.store.tables import EditRow
from core.stroke import Stroke, Tool
from core.undo import group_name, plain_name
from tests.scene import Scene, make_scene
from tests.strokes import back, fast_store, stroke

TILES = ("train", "second", "blank")


@pytest.fixture
def scene(settings: Settings, tmp_path: Path) -> Iterator[Scene]:
    store = fast_store(settings)
    yield make_scene(store, tmp_path / "data")
    store.close()


def maker(scene: Scene, seq: int = 1, client: str = "tab", **values: Any) -> Maker:
    wish: dict[str, Any] = {
        "person_id": scene.ada,
        "base_version": 0,
        "tool": "recode",
        "effect": "class",
    }
    return Maker(**wish | {"group_id": group_name(client, seq)} | values)


def patch(scene: Scene, name: str, box: tuple[int, int, int, int], code: int) -> Patch:
    now = history.current(scene.store, scene.tiles[name], Window(*box))
    everywhere = np.ones(now.labels.shape, np.bool_)
    found = make_patch(Window(*box), now.labels, now.provenance, everywhere, code, 1)
    assert found is not None
    return found


def command(scene: Scene, seq: int = 1, *, tiles: tuple[str, ...] = TILES, code: int = 8) -> None:
    """Paint two windows on each tile, as one command."""
    for name in tiles:
        boxes = ((0, 0, 10, 30), (10, 0, 10, 30))
        prepared = Prepared(tuple(patch(scene, name, box, code) for box in boxes), 0)
        append_prepared(scene.store, scene.tiles[name], maker(scene, seq), prepared)


def save(scene: Scene, name: str, wish: Stroke, person: int | None = None) -> Saved:
    return history.append(scene.store, scene.tiles[name], wish, person or scene.ada)


def states(scene: Scene) -> list[bytes]:
    found = [history.current(scene.store, scene.tiles[name]) for name in TILES]
    return [now.labels.tobytes() + now.provenance.tobytes() for now in found]


def depths(scene: Scene, name: str) -> tuple[int, int]:
    found = history.stacks(scene.store, scene.tiles[name], scene.ada)
    return len(found.undo), len(found.redo)


def test_names_of_commands_go_back_to_the_command() -> None:
    assert plain_name(group_name("tab.1", 7), 30_001) == ("tab.1", 7)
    assert plain_name("tab", 7) == ("tab", 7)
    with pytest.raises(BadPatch, match="client_id"):
        group_name("x" * 64, 1)


class TestUndo:
    def test_a_command_is_one_step_on_every_tile_and_undone_from_any(self, scene: Scene) -> None:
        before = states(scene)
        command(scene)
        after = states(scene)
        assert all(depths(scene, name) == (1, 0) for name in TILES)
        done = save(scene, "second", back(Tool.UNDO, seq=2))
        assert done.group is not None
        assert (done.status, done.group.tiles, done.version) == ("saved", 3, 4)
        assert len(done.others) == 1  # the second window of this tile
        assert states(scene) == before
        assert all(depths(scene, name) == (0, 1) for name in TILES)
        save(scene, "blank", back(Tool.REDO, seq=3))
        assert states(scene) == after
        assert all(depths(scene, name) == (1, 0) for name in TILES)
        save(scene, "train", back(Tool.UNDO, seq=4, reverses=("tab", 1)))
        assert states(scene) == before

    def test_it_is_found_again_without_memory(self, scene: Scene) -> None:
        before = states(scene)
        command(scene)
        forget(scene.store)
        save(scene, "train", back(Tool.UNDO, seq=2))
        forget(scene.store)
        assert states(scene) == before
        assert all(depths(scene, name) == (0, 1) for name in TILES)

    def test_a_resend_changes_nothing_and_gets_the_same_answer(self, scene: Scene) -> None:
        command(scene)
        first = save(scene, "train", back(Tool.UNDO, seq=2))
        save(scene, "train", back(Tool.REDO, seq=3))
        shown = states(scene)
        again = save(scene, "train", back(Tool.UNDO, seq=2))
        assert (again.status, again.version) == ("duplicate", first.version)
        assert again.group == first.group
        assert states(scene) == shown

    def test_killed_between_tiles_it_goes_on_when_it_is_sent_again(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = states(scene)
        command(scene)
        real, calls = group._reverse_tile, []

        def dies(*arguments: Any) -> int | str:
            calls.append(1)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return real(*arguments)

        monkeypatch.setattr(group, "_reverse_tile", dies)
        with pytest.raises(KeyboardInterrupt):
            save(scene, "train", back(Tool.UNDO, seq=2))
        assert [a == b for a, b in zip(states(scene), before, strict=True)].count(True) == 2
        monkeypatch.undo()
        again = save(scene, "train", back(Tool.UNDO, seq=2))
        assert (again.status, again.group and again.group.tiles) == ("duplicate", 3)
        assert states(scene) == before

    def test_left_half_way_it_is_finished_by_another_undo(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = states(scene)
        command(scene)
        after = states(scene)
        monkeypatch.setattr(history, "reverse_elsewhere", lambda *_: None)
        save(scene, "train", back(Tool.UNDO, seq=2))
        monkeypatch.undo()
        save(scene, "second", back(Tool.UNDO, seq=3))
        assert states(scene) == before
        save(scene, "blank", back(Tool.REDO, seq=4))
        assert states(scene) == after
        resent = save(scene, "second", back(Tool.UNDO, seq=3))
        assert resent.status == "duplicate"
        assert states(scene) == after

    def test_a_later_stroke_stays_and_its_redo_comes_back_with_the_group(
        self, scene: Scene
    ) -> None:
        command(scene)
        save(scene, "train", stroke((0, 0, 4, 4), seq=2, to_class=6))
        save(scene, "second", back(Tool.UNDO, seq=3))
        now = history.current(scene.store, scene.tile)
        assert (now.labels[:4, :4] == 6).all()
        assert np.array_equal(now.labels[4:20], scene.label[4:20])
        save(scene, "train", stroke((30, 0, 2, 2), seq=4, to_class=5))
        assert depths(scene, "train") == (2, 0)
        save(scene, "second", back(Tool.REDO, seq=5))
        now = history.current(scene.store, scene.tile)
        assert (now.labels[4:20] == 8).all()
        assert (now.labels[:4, :4] == 6).all()
        assert depths(scene, "train") == (3, 0)

    def test_a_stroke_over_a_command_that_was_taken_back_shows_what_was_below(
        self, scene: Scene
    ) -> None:
        before = states(scene)
        command(scene)
        save(scene, "train", stroke((0, 0, 4, 4), seq=2, to_class=6))
        save(scene, "second", back(Tool.UNDO, seq=3))
        done = save(scene, "train", back(Tool.UNDO, seq=4, reverses=("tab", 2)))
        assert done.left_px == 0
        assert states(scene) == before

    def test_a_tile_frozen_meanwhile_is_left_out_and_named(self, scene: Scene) -> None:
        command(scene)
        catalogue.freeze_tiles(scene.store, [scene.tiles["blank"]])
        done = save(scene, "train", back(Tool.UNDO, seq=2))
        assert done.group is not None
        assert (done.group.tiles, done.group.skipped) == (2, ("blank",))
        assert history.current(scene.store, scene.tiles["blank"]).version == 2

    def test_nobody_else_undoes_it(self, scene: Scene) -> None:
        command(scene)
        done = save(scene, "train", back(Tool.UNDO, client="other", seq=1), scene.ben)
        assert done.status == "unchanged"


class TestAppend:
    def test_resending_on_a_tile_adds_nothing(self, scene: Scene) -> None:
        command(scene)
        command(scene, code=7)
        with scene.store.read() as session:
            assert session.scalar(select(func.count()).select_from(EditRow)) == 6

    def test_pixels_changed_meanwhile_are_left(self, scene: Scene) -> None:
        prepared = Prepared((patch(scene, "train", (0, 0, 20, 30), 8),), 0)
        save(scene, "train", stroke((0, 0, 4, 4), client="ben", seq=1, to_class=6), scene.ben)
        saved = append_prepared(scene.store, scene.tile, maker(scene), prepared)
        assert saved is not None
        now = history.current(scene.store, scene.tile).labels
        assert (now[:4, :4] == 6).all()
        assert (now[4:20] == 8).all()

    def test_a_number_of_another_stroke_is_refused(self, scene: Scene) -> None:
        save(scene, "train", stroke(seq=1))
        with pytest.raises(BadPatch, match="seq"):
            command(scene)
        command(scene, 2)
        with pytest.raises(BadPatch, match="seq"):
            save(scene, "train", stroke((30, 0, 2, 2), seq=2, to_class=6))

    def test_a_frozen_tile_takes_none(self, scene: Scene) -> None:
        catalogue.freeze_tiles(scene.store, [scene.tile])
        with pytest.raises(NotEditable):
            command(scene, tiles=("train",))

    def test_the_tab_itself_is_not_somebody_else(self, scene: Scene) -> None:
        command(scene, tiles=("train",))
        done = save(scene, "train", stroke((0, 0, 4, 4), seq=2, to_class=6))
        assert (done.status, done.others) == ("saved", ())


class TestRestore:
    def test_it_brings_back_labels_and_provenance_as_a_new_edit(self, scene: Scene) -> None:
        save(scene, "train", stroke((0, 0, 9, 9), seq=1, to_class=6))
        wanted = history.current(scene.store, scene.tile)
        save(scene, "train", stroke((4, 4, 9, 9), seq=2, to_class=5))
        save(scene, "train", stroke((20, 0, 9, 9), seq=3, tool=Tool.VERIFY, to_class=None))
        shown = history.current(scene.store, scene.tile)
        saved = restore.restore(scene.store, scene.tile, 1, maker(scene, 4, base_version=3))
        assert (saved.status, saved.version, saved.undo_depth) == ("saved", 4, 4)
        assert saved.edit is not None
        assert (saved.edit.tool, saved.edit.client_id, saved.edit.seq) == ("restore", "tab", 4)
        now = history.current(scene.store, scene.tile)
        assert np.array_equal(now.labels, wanted.labels)
        assert np.array_equal(now.provenance, wanted.provenance)
        save(scene, "train", back(Tool.UNDO, seq=5, reverses=("tab", 4)))
        now = history.current(scene.store, scene.tile)
        assert np.array_equal(now.labels, shown.labels)
        assert np.array_equal(now.provenance, shown.provenance)

    def test_a_large_tile_takes_one_row_per_window_and_one_undo(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(restore, "MAX_BOX_PX", 256)
        monkeypatch.setattr(restore, "WINDOW_PX", 16)
        save(scene, "train", stroke((0, 0, 40, 30), seq=1, to_class=6))
        shown = states(scene)
        saved = restore.restore(scene.store, scene.tile, 0, maker(scene, 2, base_version=1))
        assert (saved.version, len(saved.others)) == (7, 5)
        assert np.array_equal(history.current(scene.store, scene.tile).labels, scene.label)
        assert depths(scene, "train") == (2, 0)
        save(scene, "train", back(Tool.UNDO, seq=3))
        assert states(scene) == shown

    def test_others_strokes_that_were_not_seen_are_asked_about(self, scene: Scene) -> None:
        save(scene, "train", stroke((0, 0, 4, 4), client="ben", seq=1, to_class=6), scene.ben)
        with pytest.raises(EditConflict, match="Ben"):
            restore.restore(scene.store, scene.tile, 0, maker(scene))
        seen = replace(maker(scene), base_version=1)
        assert restore.restore(scene.store, scene.tile, 0, seen).status == "saved"

    def test_the_version_of_now_and_one_to_come(self, scene: Scene) -> None:
        assert restore.restore(scene.store, scene.tile, 0, maker(scene)).status == "unchanged"
        with pytest.raises(NotFound):
            restore.restore(scene.store, scene.tile, 1, maker(scene))


class Model:
    """One person at three tiles who paints, gives commands, undoes and redoes at random."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene, self.client = scene, f"tab{seed}"
        self.generator = np.random.default_rng(seed)
        self.undo: dict[str, list[int]] = {name: [] for name in TILES}

    def act(self, seq: int) -> None:
        """Do one thing and hold the stacks to what a plain list says."""
        name = TILES[self.generator.integers(3)]
        kind = self.generator.integers(4)
        if kind == 0:
            self.command(seq)
        elif kind == 1:
            box = (int(self.generator.integers(0, 30)), 3, 6, 9)
            wish = stroke(box, client=self.client, seq=seq, to_class=self.code())
            if save(self.scene, name, wish).status == "saved":
                self.undo[name].append(seq)
        elif kind == 2:
            last = self.undo[name][-1] if self.undo[name] else None
            save(self.scene, name, back(Tool.UNDO, client=self.client, seq=seq))
            self.undo = {t: [s for s in steps if s != last] for t, steps in self.undo.items()}
        else:
            save(self.scene, name, back(Tool.REDO, client=self.client, seq=seq))
            self.undo = {tile: self.steps(tile) for tile in TILES}

    def command(self, seq: int) -> None:
        code = self.code()
        for name in TILES:
            box = Window(int(self.generator.integers(0, 30)), 0, 8, 30)
            now = history.current(self.scene.store, self.scene.tiles[name], box)
            other = now.labels != code
            found = make_patch(box, now.labels, now.provenance, other, code, 1)
            if found is not None:
                wish = maker(self.scene, seq, self.client)
                prepared = Prepared((found,), now.version)
                append_prepared(self.scene.store, self.scene.tiles[name], wish, prepared)
                self.undo[name].append(seq)

    def code(self) -> int:
        return int(self.generator.integers(1, 9))

    def steps(self, name: str) -> list[int]:
        found = history.stacks(self.scene.store, self.scene.tiles[name], self.scene.ada)
        return [step.root.name[1] for step in found.undo]


@pytest.mark.parametrize("seed", range(6))
def test_random_commands_strokes_undos_and_redos_can_all_be_taken_back(
    scene: Scene, seed: int
) -> None:
    start, model = states(scene), Model(scene, seed)
    for seq in range(1, 26):
        model.act(seq)
        for name in TILES:
            assert model.steps(name) == model.undo[name]
        if seq % 5 == 0:
            forget(scene.store)
            assert {name: model.steps(name) for name in TILES} == model.undo
    seq = 100
    while any(model.steps(name) for name in TILES):
        for name in TILES:
            seq += 1
            save(scene, name, back(Tool.UNDO, client=model.client, seq=seq))
    assert states(scene) == start
