"""Undo and redo: back and forth, one's own only, and what others changed stays."""

import numpy as np
import pytest

from core import history
from core.errors import BadPatch
from core.memory import forget
from core.stroke import Tool
from tests.scene import VOID, Scene
from tests.strokes import back, rows, save, state, stroke


class TestUndo:
    def test_undo_and_redo_walk_back_and_forth(self, scene: Scene) -> None:
        states = [state(scene)]
        for seq in range(3):
            save(scene, stroke((seq, seq, 5, 5), seq=seq))
            states.append(state(scene))
        for step in (2, 1, 0):
            saved = save(scene, back(Tool.UNDO, seq=10 + step))
            assert state(scene) == states[step]
            assert (saved.undo_depth, saved.redo_depth) == (step, 3 - step)
        for step in (1, 2, 3):
            save(scene, back(Tool.REDO, seq=20 + step))
            assert state(scene) == states[step]
        assert history.current(scene.store, scene.tile).version == 9

    def test_undo_takes_only_ones_own(self, scene: Scene) -> None:
        save(scene, stroke(client="a", seq=1))
        save(scene, stroke((20, 20, 4, 4), client="b", seq=1), scene.ben)
        save(scene, back(Tool.UNDO, client="a", seq=2))
        found = history.current(scene.store, scene.tile).labels
        assert np.array_equal(found[2:6, 3:8], scene.label[2:6, 3:8])
        assert (found[20:24, 20:24] == 8).all()

    def test_undo_follows_the_person_into_another_tab(self, scene: Scene) -> None:
        before = state(scene)
        save(scene, stroke(client="a", seq=1))
        save(scene, back(Tool.UNDO, client="b", seq=1))
        assert state(scene) == before

    def test_undo_leaves_what_others_changed_and_says_how_much(self, scene: Scene) -> None:
        save(scene, stroke((2, 3, 4, 5), seq=1, to_class=VOID))
        theirs = stroke((2, 3, 2, 5), client="b", seq=1, to_class=7, base_version=1)
        save(scene, theirs, scene.ben)
        saved = save(scene, back(Tool.UNDO, seq=2))
        found = history.current(scene.store, scene.tile).labels
        assert saved.left_px == 10
        assert (found[2:4, 3:8] == 7).all()
        assert np.array_equal(found[4:6, 3:8], scene.label[4:6, 3:8])

    def test_an_undo_that_finds_nothing_left_still_counts(self, scene: Scene) -> None:
        save(scene, stroke(seq=1, to_class=VOID))
        theirs = stroke(client="b", seq=1, to_class=7, base_version=1)
        save(scene, theirs, scene.ben)
        before = state(scene)
        saved = save(scene, back(Tool.UNDO, seq=2))
        assert (saved.left_px, saved.undo_depth, saved.redo_depth) == (20, 0, 1)
        assert saved.edit is not None and saved.edit.patch.pixels == 0
        assert state(scene) == before

    def test_undo_leaves_pixels_that_somebody_verified(self, scene: Scene) -> None:
        save(scene, stroke(seq=1))
        wish = stroke(seq=2, tool=Tool.REVERT, to_class=None)
        save(scene, wish)
        wish = stroke(client="b", seq=1, tool=Tool.VERIFY, to_class=None, base_version=2)
        save(scene, wish, scene.ben)
        before = state(scene)
        saved = save(scene, back(Tool.UNDO, seq=3))
        assert saved.left_px > 0
        assert state(scene) == before

    def test_a_new_edit_closes_ones_own_redo_only(self, scene: Scene) -> None:
        for client, person in (("a", scene.ada), ("b", scene.ben)):
            y0 = 0 if client == "a" else 20
            save(scene, stroke((y0, 0, 3, 3), client=client, seq=1), person)
            save(scene, back(Tool.UNDO, client=client, seq=2), person)
        save(scene, stroke((9, 9, 2, 2), client="a", seq=3))
        assert not history.stacks(scene.store, scene.tile, scene.ada).redo
        assert len(history.stacks(scene.store, scene.tile, scene.ben).redo) == 1

    def test_nothing_to_undo_leaves_no_row(self, scene: Scene) -> None:
        for tool in (Tool.UNDO, Tool.REDO):
            saved = save(scene, back(tool, seq=1))
            assert (saved.status, saved.version) == ("unchanged", 0)
        assert rows(scene) == 0

    def test_a_named_stroke_is_undone_and_redone(self, scene: Scene) -> None:
        for seq in (1, 2):
            history.append(
                scene.store,
                scene.tile,
                stroke((seq * 10, 0, 3, 3), seq=seq, to_class=VOID),
                scene.ada,
            )
        wish = back(Tool.UNDO, seq=3, reverses=("tab", 1))
        save(scene, wish)
        found = history.current(scene.store, scene.tile).labels
        assert np.array_equal(found[10:13, :3], scene.label[10:13, :3])
        assert (found[20:23, :3] == VOID).all()
        wish = back(Tool.REDO, seq=4, reverses=("tab", 1))
        save(scene, wish)
        assert (history.current(scene.store, scene.tile).labels[10:13, :3] == VOID).all()

    def test_a_stroke_is_undone_once_however_often_it_is_named(self, scene: Scene) -> None:
        save(scene, stroke(seq=1))
        for seq, status in ((2, "saved"), (3, "unchanged")):
            wish = back(Tool.UNDO, seq=seq, reverses=("tab", 1))
            assert save(scene, wish).status == status

    def test_somebody_elses_stroke_cannot_be_undone(self, scene: Scene) -> None:
        save(scene, stroke(seq=1))
        wish = back(Tool.UNDO, client="b", seq=1, reverses=("tab", 1))
        with pytest.raises(BadPatch, match="field reverses"):
            save(scene, wish, scene.ben)

    @pytest.mark.parametrize(
        ("count", "undone"), [(1000, 20), pytest.param(1500, 1500, marks=pytest.mark.soak)]
    )
    def test_a_thousand_strokes_can_be_undone(self, scene: Scene, count: int, undone: int) -> None:
        generator = np.random.default_rng(5)
        states = []
        for seq in range(count):
            states.append(state(scene))
            y0, x0 = int(generator.integers(0, 39)), int(generator.integers(0, 29))
            code = 1 + int(history.current(scene.store, scene.tile).labels[y0, x0]) % 8
            save(scene, stroke((y0, x0, 1, 1), seq=seq, to_class=code))
        forget(scene.store)
        assert len(history.stacks(scene.store, scene.tile, scene.ada).undo) == count
        for seq in range(count, count + undone):
            save(scene, back(Tool.UNDO, seq=seq))
            assert state(scene) == states.pop()
        saved = save(scene, back(Tool.UNDO, seq=3 * count, reverses=("tab", 0)))
        assert saved.status == ("unchanged" if undone == count else "saved")
