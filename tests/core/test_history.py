"""The edit log: exact replay, merging, conflicts, undo and redo, and caches that may vanish."""

import os
import threading
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, func, select

from core import catalogue, history
from core.classes import Provenance
from core.errors import BadPatch, NotEditable, NotFound, RasterError
from core.grid import Window
from core.history import EditConflict, Saved
from core.memory import forget, memory
from core.patch import encode_runs
from core.raster import write_geotiff
from core.settings import Settings
from core.store.engine import Store, open_store
from core.store.tables import EditRow, KeyframeRow
from core.stroke import Stroke, Tool
from tests.conftest import DATABASE_URL
from tests.scene import VOID, Scene, make_scene


def fast_store(settings_: Settings) -> Store:
    """Open a store that does not wait for the disk: these tests kill nothing."""
    opened = open_store(settings_)
    if opened.engine.dialect.name != "sqlite":
        return opened
    opened.engine.dispose()
    event.listen(
        opened.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous = OFF").close()
    )
    return opened


@pytest.fixture
def scene(settings: Settings, tmp_path: Path) -> Iterator[Scene]:
    store = fast_store(settings)
    yield make_scene(store, tmp_path / "data")
    store.close()


def stroke(
    box: tuple[int, int, int, int] = (2, 3, 4, 5),
    mask: np.ndarray | None = None,
    *,
    client: str = "tab",
    seq: int,
    **values: Any,
) -> Stroke:
    window = Window(*box)
    full = np.ones((window.h, window.w), np.bool_) if mask is None else mask
    wish: dict[str, Any] = {"base_version": 0, "tool": Tool.BRUSH, "to_class": 8} | values
    return Stroke(client_id=client, seq=seq, box=window, runs=encode_runs(full), **wish)


def back(tool: Tool, *, client: str = "tab", seq: int, **values: Any) -> Stroke:
    return Stroke(client_id=client, seq=seq, tool=tool, **{"base_version": 0} | values)


def save(scene: Scene, wish: Stroke, person: int | None = None) -> Saved:
    return history.append(scene.store, scene.tile, wish, person or scene.ada)


def state(scene: Scene) -> tuple[bytes, bytes]:
    found = history.current(scene.store, scene.tile)
    return found.labels.tobytes(), found.provenance.tobytes()


def rows(scene: Scene, table: type = EditRow) -> int:
    with scene.store.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


class TestVersionZero:
    def test_it_is_the_label_as_it_came(self, scene: Scene) -> None:
        found = history.current(scene.store, scene.tile)
        assert np.array_equal(found.labels, scene.label)
        assert not found.provenance.any()
        assert found.version == 0

    def test_a_tile_without_labels_is_all_void(self, scene: Scene) -> None:
        assert (history.current(scene.store, scene.tiles["blank"]).labels == VOID).all()

    def test_it_stays_readable_after_edits(self, scene: Scene) -> None:
        save(scene, stroke(seq=1))
        assert np.array_equal(history.original(scene.store, scene.tile), scene.label)
        found = history.at_version(scene.store, scene.tile, 0)
        assert np.array_equal(found.labels, scene.label)

    def test_a_changed_label_file_is_refused(self, scene: Scene) -> None:
        save(scene, stroke(seq=1))
        path = scene.folder / "train_label.tif"
        write_geotiff(path, 9 - scene.label, scene.grid)
        os.utime(path, (1, 1))
        forget(scene.store)
        with pytest.raises(RasterError, match=r"train_label\.tif: found other content"):
            history.current(scene.store, scene.tile)

    def test_a_missing_label_file_is_named(self, scene: Scene) -> None:
        (scene.folder / "train_label.tif").unlink()
        with pytest.raises(RasterError, match=r"train_label\.tif.*Put the file back"):
            history.current(scene.store, scene.tile)

    def test_a_version_of_the_future_is_refused(self, scene: Scene) -> None:
        with pytest.raises(NotFound, match="version 3"):
            history.at_version(scene.store, scene.tile, 3)


class TestTools:
    def test_the_brush_changes_pixels_of_other_classes_only(self, scene: Scene) -> None:
        saved = save(scene, stroke((0, 0, 16, 16), seq=1))
        found = history.current(scene.store, scene.tile)
        assert (found.labels[:16, :16] == 8).all()
        changed = found.labels != scene.label
        assert np.array_equal(found.provenance == Provenance.CHANGED, changed)
        assert saved.edit is not None
        assert saved.edit.patch.pixels == changed.sum() > 0

    def test_void_can_be_painted(self, scene: Scene) -> None:
        save(scene, stroke(seq=1, to_class=VOID))
        assert (history.current(scene.store, scene.tile).labels[2:6, 3:8] == VOID).all()

    def test_painting_a_class_over_itself_leaves_no_row(self, scene: Scene) -> None:
        save(scene, stroke(seq=1))
        saved = save(scene, stroke(seq=2))
        assert (saved.status, saved.version, saved.edit) == ("unchanged", 1, None)
        assert rows(scene) == 1

    def test_revert_brings_back_the_label_and_its_provenance(self, scene: Scene) -> None:
        before = state(scene)
        save(scene, stroke(seq=1))
        wish = stroke((0, 0, 20, 20), seq=2, tool=Tool.REVERT, to_class=None)
        save(scene, wish)
        assert state(scene) == before

    def test_verify_changes_provenance_alone_and_not_where_a_person_painted(
        self, scene: Scene
    ) -> None:
        save(scene, stroke(seq=1))
        painted = history.current(scene.store, scene.tile)
        wish = stroke((0, 0, 40, 30), seq=2, tool=Tool.VERIFY, to_class=None)
        save(scene, wish)
        found = history.current(scene.store, scene.tile)
        assert np.array_equal(found.labels, painted.labels)
        changed = painted.provenance == Provenance.CHANGED
        assert (found.provenance[changed] == Provenance.CHANGED).all()
        assert (found.provenance[~changed] == Provenance.VERIFIED).all()

    def test_an_import_brings_a_value_for_each_pixel(self, scene: Scene) -> None:
        wanted = np.roll(scene.label, 5, axis=0)
        wish = stroke((0, 0, 40, 30), seq=1, tool=Tool.IMPORT, values=wanted.ravel())
        save(scene, wish)
        assert np.array_equal(history.current(scene.store, scene.tile).labels, wanted)

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"to_class": 77}, "to_class"),
            ({"to_class": None}, "to_class"),
            ({"from_classes": (300,)}, "from_classes"),
            ({"base_version": 9}, "base_version"),
            ({"base_version": -1}, "base_version"),
            ({"client": ""}, "client_id"),
            ({"client": "x" * 65}, "client_id"),
            ({"seq": -1}, "seq"),
            ({"box": (38, 0, 4, 5)}, "box"),
            ({"mask": np.ones((1, 1), np.bool_)}, "mask"),
            ({"tool": Tool.IMPORT}, "values"),
            ({"tool": Tool.IMPORT, "values": np.full(20, 99, np.uint8)}, "values"),
        ],
    )
    def test_a_bad_stroke_is_refused_by_its_field(
        self, scene: Scene, values: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(BadPatch, match=f"field {field}"):
            save(scene, stroke(**{"seq": 1} | values))
        assert rows(scene) == 0

    def test_a_stroke_without_pixels_is_refused(self, scene: Scene) -> None:
        with pytest.raises(BadPatch, match="box and mask"):
            save(scene, back(Tool.BRUSH, seq=1, to_class=3))

    def test_validation_and_frozen_tiles_take_no_edits(self, scene: Scene) -> None:
        with pytest.raises(NotEditable, match="tile val"):
            history.append(scene.store, scene.tiles["val"], stroke(seq=1), scene.ada)
        saved = save(scene, stroke(seq=2))
        catalogue.freeze_tiles(scene.store, [scene.tile])
        with pytest.raises(NotEditable):
            save(scene, stroke(seq=3, to_class=1))
        resent = save(scene, stroke(seq=2))
        assert (resent.status, resent.version) == ("duplicate", saved.version)

    def test_nobody_and_nowhere_are_refused(self, scene: Scene) -> None:
        with pytest.raises(NotFound, match="person 99"):
            save(scene, stroke(seq=1), 99)
        with pytest.raises(NotFound, match="tile 99"):
            history.append(scene.store, 99, stroke(seq=1), scene.ada)


class TestResends:
    def test_a_resend_changes_nothing_and_gets_the_same_answer(self, scene: Scene) -> None:
        first = save(scene, stroke(seq=1))
        save(scene, stroke((9, 9, 3, 3), seq=2))
        before = state(scene)
        again = save(scene, stroke(seq=1))
        assert (again.status, again.version) == ("duplicate", first.version)
        assert again.edit is not None and first.edit is not None
        assert np.array_equal(again.edit.patch.runs, first.edit.patch.runs)
        assert state(scene) == before
        assert rows(scene) == 2

    def test_a_resent_undo_undoes_once(self, scene: Scene) -> None:
        for seq in (1, 2):
            save(scene, stroke(seq=seq, to_class=seq))
        undone = save(scene, back(Tool.UNDO, seq=3))
        again = save(scene, back(Tool.UNDO, seq=3))
        assert (again.status, again.version) == ("duplicate", undone.version)
        assert (again.undo_depth, again.redo_depth) == (1, 1)

    @pytest.mark.parametrize(("tile", "person"), [("second", "ada"), ("train", "ben")])
    def test_a_number_used_for_another_stroke_is_refused(
        self, scene: Scene, tile: str, person: str
    ) -> None:
        save(scene, stroke(seq=1))
        with pytest.raises(BadPatch, match="field seq"):
            history.append(scene.store, scene.tiles[tile], stroke(seq=1), getattr(scene, person))


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


class TestCaches:
    def paint(self, scene: Scene, count: int) -> dict[int, tuple[bytes, bytes]]:
        """Paint, and return the state at every version."""
        generator = np.random.default_rng(3)
        states = {0: state(scene)}
        for seq in range(count):
            y0, x0 = int(generator.integers(0, 32)), int(generator.integers(0, 22))
            mask = generator.random((8, 8)) < 0.5
            saved = save(scene, stroke((y0, x0, 8, 8), mask, seq=seq, to_class=seq % 9))
            states[saved.version] = state(scene)
        return states

    def test_deleting_every_keyframe_changes_nothing(self, scene: Scene) -> None:
        self.paint(scene, 60)
        before = state(scene)
        assert rows(scene, KeyframeRow) > 0
        with scene.store.write() as session:
            session.execute(delete(KeyframeRow))
        forget(scene.store)
        assert state(scene) == before

    def test_damaged_keyframes_are_passed_over(self, scene: Scene) -> None:
        self.paint(scene, 60)
        before = state(scene)
        for data in (b"", b"damaged", zlib.compress(b"short")):
            with scene.store.write() as session:
                for row in session.scalars(select(KeyframeRow)):
                    row.data = data
            forget(scene.store)
            assert state(scene) == before

    def test_keyframes_are_used(self, scene: Scene) -> None:
        self.paint(scene, 52)
        with scene.store.write() as session:
            frame = session.scalars(select(KeyframeRow)).one()
            size = scene.grid.height * scene.grid.width
            frame.data = zlib.compress(bytes([7]) * 2 * size)
        forget(scene.store)
        assert (history.at_version(scene.store, scene.tile, 50).labels == 7).all()

    def test_every_version_can_be_read_again(self, scene: Scene) -> None:
        states = self.paint(scene, 55)
        assert max(states) == 55
        forget(scene.store)
        for version in (55, 0, 51, 50, 49, 1):
            found = history.at_version(scene.store, scene.tile, version)
            assert (found.labels.tobytes(), found.provenance.tobytes()) == states[version]

    def test_another_process_is_seen_at_once(self, scene: Scene, settings: Settings) -> None:
        other = open_store(settings)
        here = replace(scene, store=other)
        for seq in range(4):
            writer = here if seq % 2 else scene
            wish = stroke((seq * 5, 0, 4, 4), client=f"t{seq % 2}", seq=seq, to_class=VOID)
            history.append(writer.store, scene.tile, wish, scene.ada)
            assert state(scene) == state(here)
        history.append(other, scene.tile, back(Tool.UNDO, client="t0", seq=9), scene.ada)
        assert len(history.stacks(scene.store, scene.tile, scene.ada).undo) == 3
        other.close()

    def test_a_reopened_store_has_the_same_labels(self, scene: Scene, settings: Settings) -> None:
        self.paint(scene, 20)
        again = open_store(settings)
        assert state(replace(scene, store=again)) == state(scene)
        again.close()

    @pytest.mark.skipif(bool(DATABASE_URL), reason="only SQLite gives an id away again")
    def test_a_tile_id_given_away_again_starts_afresh(self, scene: Scene, tmp_path: Path) -> None:
        self.paint(scene, 3)
        catalogue.delete_project(scene.store, scene.project_id)
        fresh = make_scene(scene.store, tmp_path / "again", seed=9)
        assert fresh.tile == scene.tile
        assert np.array_equal(history.current(scene.store, fresh.tile).labels, fresh.label)

    def test_a_caller_may_write_into_what_it_gets(self, scene: Scene) -> None:
        before = state(scene)
        history.current(scene.store, scene.tile).labels[:] = 0
        assert state(scene) == before


class TestBlocks:
    @pytest.fixture
    def wide(self, settings: Settings, tmp_path: Path) -> Iterator[Scene]:
        store = fast_store(settings)
        yield make_scene(store, tmp_path / "wide", height=600, width=1100)
        store.close()

    def test_a_stroke_across_four_blocks_is_whole(self, wide: Scene) -> None:
        generator = np.random.default_rng(2)
        expected = wide.label.copy()
        for seq in range(53):
            y0, x0 = int(generator.integers(400, 560)), int(generator.integers(400, 1000))
            mask = generator.random((40, 90)) < 0.7
            wish = stroke((y0, x0, 40, 90), mask, seq=seq, to_class=seq % 9)
            history.append(wide.store, wide.tile, wish, wide.ada)
            expected[y0 : y0 + 40, x0 : x0 + 90][mask] = seq % 9
        for _ in range(2):
            assert np.array_equal(history.current(wide.store, wide.tile).labels, expected)
            part = Window(300, 500, 290, 540)
            found = history.current(wide.store, wide.tile, part)
            assert np.array_equal(found.labels, expected[part.slices])
            forget(wide.store)

    def test_a_stroke_elsewhere_does_not_read_a_block(self, wide: Scene) -> None:
        history.append(wide.store, wide.tile, stroke((0, 0, 5, 5), seq=1), wide.ada)
        assert {key[2] for key in memory(wide.store).blocks} == {(0, 0)}


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


def test_the_timeline_tells_who_changed_what(scene: Scene) -> None:
    begun = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
    wish = stroke(
        (0, 0, 4, 4),
        seq=1,
        panes_shown=("optical", "sar"),
        started_at=begun,
        ended_at=begun.replace(second=2),
        restrict="cloudy",
        reason="shadow",
    )
    save(scene, wish)
    save(scene, back(Tool.UNDO, seq=2))
    first, second = history.timeline(scene.store, scene.tile)
    assert (first.person, first.tool, first.pixels, first.seconds) == ("Ada", "brush", 16, 2.0)
    assert first.changes == {(int(scene.label[0, 0]), 8): 16}
    assert first.panes_shown == ("optical", "sar")
    assert (second.tool, second.reverses) == ("undo", 1)


def test_the_log_as_rows_names_classes(scene: Scene) -> None:
    save(scene, stroke((0, 0, 4, 4), seq=1, to_class=VOID))
    (row,) = history.edits_frame(scene.store, scene.project_id)
    name = next(e.name for e in class_entries(scene) if e.code == scene.label[0, 0])
    assert row["changes"] == f"{name} -> void: 16"
    assert (row["tile"], row["version"], row["y0"], row["w"]) == ("train", 1, 0, 4)
    assert str(row["saved_at"]).endswith("+00:00")


def class_entries(scene: Scene) -> tuple[Any, ...]:
    return catalogue.project(scene.store, scene.project_id).classes.entries
