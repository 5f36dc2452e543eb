"""Strokes of several people and threads: merged, asked about, or forced."""

import threading

import pytest

from core import history
from core.history import EditConflict
from tests.scene import VOID, Scene
from tests.strokes import save, state, stroke


class TestConflicts:
    def test_own_queued_strokes_never_conflict(self, scene: Scene) -> None:
        for seq in range(5):
            saved = save(scene, stroke(seq=seq, to_class=1 + seq))
        assert saved.version == 5
        assert saved.others == ()

    def test_disjoint_strokes_merge_and_the_others_are_told(self, scene: Scene) -> None:
        save(scene, stroke(client="a", seq=1))
        saved = save(scene, stroke((20, 20, 4, 4), client="b", seq=1), scene.ben)
        found = history.current(scene.store, scene.tile).labels
        assert (found[2:6, 3:8] == 8).all()
        assert (found[20:24, 20:24] == 8).all()
        assert [(edit.client_id, edit.person) for edit in saved.others] == [("a", "Ada")]

    def test_overlapping_strokes_ask_with_count_and_patches(self, scene: Scene) -> None:
        save(scene, stroke(client="a", seq=1, to_class=1))
        before = state(scene)
        with pytest.raises(EditConflict, match="px that Ada changed") as caught:
            save(scene, stroke((4, 4, 9, 9), client="b", seq=1), scene.ben)
        theirs = caught.value.theirs[0].patch
        inside = theirs.mask[4 - theirs.box.y0 :, 4 - theirs.box.x0 :]
        assert caught.value.overlap_px == inside.sum() > 0
        assert caught.value.version == 1
        assert state(scene) == before

    def test_force_keeps_mine(self, scene: Scene) -> None:
        save(scene, stroke(client="a", seq=1, to_class=1))
        wish = stroke(client="b", seq=1, force=True)
        assert save(scene, wish, scene.ben).status == "saved"
        assert (history.current(scene.store, scene.tile).labels[2:6, 3:8] == 8).all()

    def test_agreeing_is_no_conflict(self, scene: Scene) -> None:
        save(scene, stroke(client="a", seq=1))
        saved = save(scene, stroke(client="b", seq=1), scene.ben)
        assert saved.status == "unchanged"

    def test_what_i_have_seen_is_no_conflict(self, scene: Scene) -> None:
        save(scene, stroke(client="a", seq=1, to_class=1))
        wish = stroke(client="b", seq=1, base_version=1)
        assert save(scene, wish, scene.ben).status == "saved"

    def test_threads_that_save_at_once_each_get_a_version(self, scene: Scene) -> None:
        versions: list[int] = []

        def paint(client: int) -> None:
            for seq in range(5):
                box = (client * 5 + seq, 0, 1, 30)
                wish = stroke(box, client=f"tab{client}", seq=seq, to_class=VOID)
                versions.append(save(scene, wish).version)

        threads = [threading.Thread(target=paint, args=(client,)) for client in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(versions) == list(range(1, 31))
        assert (history.current(scene.store, scene.tile).labels[:30] == VOID).all()
