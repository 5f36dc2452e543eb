"""The edit log: version zero, what each tool changes, what is refused, what the log tells."""

import os
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from core import catalogue, history
from core.classes import Provenance
from core.errors import BadPatch, NotEditable, NotFound, RasterError
from core.memory import forget
from core.raster import write_geotiff
from core.stroke import Tool
from tests.scene import VOID, Scene
from tests.strokes import back, rows, save, state, stroke


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
