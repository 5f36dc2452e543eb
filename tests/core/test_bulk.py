"""Commands on many pixels: what they show before, do, respect and take back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from core import bulk, bulk_tile, catalogue, history, regions, restore
from core.bulk import Applied, Preview
from core.bulk_tile import Command, Limits
from core.classes import Provenance
from core.errors import BadPatch, NotEditable, NotFound
from core.grid import Window
from core.log import Maker
from core.predictions import save_prediction
from core.records import Tile
from core.restrict import Restriction, parse_restriction
from core.settings import Settings
from core.store.tables import EditRow
from core.stroke import Tool
from core.undo import group_name
from tests.scene import CLASSES, VOID, Scene, make_scene
from tests.strokes import back, fast_store, stroke

RECODE = Command("recode", from_classes=(1, 2, 3), to_class=8)


@pytest.fixture
def scene(settings: Settings, tmp_path: Path) -> Iterator[Scene]:
    store = fast_store(settings)
    yield make_scene(store, tmp_path / "data")
    store.close()


def tile_of(scene: Scene, name: str = "train") -> Tile:
    return catalogue.tile(scene.store, scene.tiles[name])


def maker(scene: Scene, seq: int = 1, **values: Any) -> Maker:
    wish: dict[str, Any] = {"person_id": scene.ada, "base_version": 0, "tool": "recode"}
    return Maker(**wish | {"group_id": group_name("tab", seq)} | values)


def look(
    scene: Scene, command: Command, limits: Limits | None = None, scope: Any = "tile"
) -> Preview:
    tiles = bulk.scope_tiles(scene.store, tile_of(scene), scope)
    found = list(bulk.preview(scene.store, tiles, scene.tile, command, limits or Limits()))[-1]
    assert isinstance(found, Preview)
    return found


def do(
    scene: Scene, command: Command, limits: Limits | None = None, scope: Any = "tile", seq: int = 1
) -> Applied:
    tiles = bulk.scope_tiles(scene.store, tile_of(scene), scope)
    steps = bulk.apply(
        scene.store, tiles, scene.tile, command, limits or Limits(), maker(scene, seq)
    )
    found = list(steps)[-1]
    assert isinstance(found, Applied)
    return found


def now(scene: Scene, name: str = "train") -> history.Labels:
    return history.current(scene.store, scene.tiles[name])


def label(scene: Scene, name: str = "train") -> np.ndarray:
    return now(scene, name).labels


class TestPreview:
    def test_it_counts_pixels_regions_and_area_and_changes_nothing(self, scene: Scene) -> None:
        found = look(scene, RECODE)
        source = np.isin(scene.label, (1, 2, 3))
        assert found.pixels == source.sum() == sum(c.pixels for c in found.changes)
        expected = np.where(source, 8, scene.label).astype(np.uint8)
        assert found.regions == regions.count_regions(scene.label, expected)
        assert found.tiles == 1
        assert {(c.from_class, c.to_class) for c in found.changes} <= {(1, 8), (2, 8), (3, 8)}
        assert found.area_m2 == pytest.approx(found.pixels, rel=0.01)  # pixels of one metre
        assert sum(patch.pixels for patch in found.patches) == found.pixels
        assert now(scene).version == 0

    def test_over_a_project_it_sums_up_editable_tiles(self, scene: Scene) -> None:
        found = look(scene, RECODE, scope="project")
        expected = sum(
            int(np.isin(scene.labels[name], (1, 2, 3)).sum()) for name in ("train", "second")
        )
        assert (found.pixels, found.tiles, found.patches) == (expected, 2, ())

    def test_nothing_to_do(self, scene: Scene) -> None:
        found = look(scene, Command("holes", size_px=1))
        assert (found.pixels, found.regions, found.tiles, found.changes) == (0, 0, 0, ())


class TestApply:
    def test_a_recode_does_what_the_preview_said(self, scene: Scene) -> None:
        shown = look(scene, RECODE)
        done = do(scene, RECODE)
        expected = np.where(np.isin(scene.label, (1, 2, 3)), 8, scene.label)
        assert np.array_equal(label(scene), expected)
        assert (done.pixels, done.tiles) == (shown.pixels, 1)
        assert (now(scene).provenance[expected != scene.label] == Provenance.CHANGED).all()
        (edit,) = history.timeline(scene.store, scene.tile)
        assert (edit.tool, edit.restrict, edit.pixels) == ("recode", "unverified", done.pixels)

    def test_over_a_project_it_is_one_step_everywhere(self, scene: Scene) -> None:
        do(scene, RECODE, scope="project")
        assert not np.isin(label(scene, "second"), (1, 2, 3)).any()
        assert np.array_equal(label(scene, "val"), scene.labels["val"])
        undone = history.append(
            scene.store, scene.tiles["second"], back(Tool.UNDO, seq=2), scene.ada
        )
        assert undone.group is not None
        assert undone.group.tiles == 2
        assert np.array_equal(label(scene), scene.label)
        assert np.array_equal(label(scene, "second"), scene.labels["second"])

    def test_stopped_between_tiles_it_leaves_whole_ones_and_goes_on_by_the_same_name(
        self, scene: Scene
    ) -> None:
        tiles = bulk.scope_tiles(scene.store, tile_of(scene), "project")
        steps = bulk.apply(scene.store, tiles, scene.tile, RECODE, Limits(), maker(scene))
        next(steps)
        steps.close()
        assert not np.isin(label(scene), (1, 2, 3)).any()
        assert np.array_equal(label(scene, "second"), scene.labels["second"])
        done = do(scene, RECODE, scope="project")
        assert done.tiles == 2
        assert (now(scene).version, now(scene, "second").version) == (1, 1)
        assert done.saved is not None
        assert done.saved.status == "duplicate"

    def test_it_is_applied_once(self, scene: Scene) -> None:
        first = do(scene, RECODE)
        history.append(scene.store, scene.tile, stroke((0, 0, 3, 3), seq=5, to_class=1), scene.ada)
        again = do(scene, RECODE)
        assert again.pixels == first.pixels
        assert (label(scene)[:3, :3] == 1).all()

    def test_islands_and_holes(self, scene: Scene) -> None:
        void = CLASSES.void_code
        for seq, (kind, rule) in enumerate(
            [("islands", regions.remove_islands), ("holes", regions.fill_holes)], 1
        ):
            before = label(scene)
            do(scene, Command(kind, size_px=100), seq=seq)  # type: ignore[arg-type]
            assert np.array_equal(label(scene), rule(before, 100, void))

    def test_the_model_is_accepted_where_it_is_sure(self, scene: Scene) -> None:
        predicted = np.full(scene.label.shape, 6, np.uint8)
        confidence = np.zeros(scene.label.shape, np.uint8)
        confidence[5:20] = 240
        found = save_prediction(scene.store, scene.tile, "m1", predicted, confidence)
        done = do(scene, Command("accept", percent=90, prediction_id=found.id))
        changed = label(scene) != scene.label
        assert (label(scene)[5:20] == 6).all()
        assert done.pixels == changed.sum() == (scene.label[5:20] != 6).sum()
        assert (now(scene).provenance[changed] == Provenance.MODEL).all()
        assert not now(scene).provenance[~changed].any()

    def test_tiles_without_a_prediction_are_named(self, scene: Scene) -> None:
        command = Command("accept", percent=50, model="m7")
        found = look(scene, command, scope="project")
        assert [name for name, _ in found.skipped] == ["train", "blank", "second"]
        assert "m7" in found.skipped[0][1]
        with pytest.raises(NotFound, match="predict"):
            look(scene, command)

    def test_a_prediction_of_another_tile_is_not_taken(self, scene: Scene) -> None:
        codes = np.full(scene.label.shape, 6, np.uint8)
        other = save_prediction(scene.store, scene.tiles["second"], "m1", codes, codes)
        with pytest.raises(NotFound):
            look(scene, Command("accept", percent=0, prediction_id=other.id))

    def test_a_tile_frozen_on_the_way_is_skipped(self, scene: Scene) -> None:
        tiles = bulk.scope_tiles(scene.store, tile_of(scene), "project")
        catalogue.freeze_tiles(scene.store, [scene.tiles["second"]])
        steps = bulk.apply(scene.store, tiles, scene.tile, RECODE, Limits(), maker(scene))
        done = list(steps)[-1]
        assert isinstance(done, Applied)
        assert [name for name, _ in done.skipped] == ["second"]
        assert done.tiles == 1

    def test_a_validation_tile_is_refused(self, scene: Scene) -> None:
        with pytest.raises(NotEditable):
            bulk.scope_tiles(scene.store, tile_of(scene, "val"), "tile")


class TestLimits:
    def test_verified_pixels_stay_unless_asked_for(self, scene: Scene) -> None:
        verify = stroke((0, 0, 20, 30), seq=9, tool=Tool.VERIFY, to_class=None)
        history.append(scene.store, scene.tile, verify, scene.ada)
        do(scene, RECODE)
        assert np.array_equal(label(scene)[:20], scene.label[:20])
        assert not np.isin(label(scene)[20:], (1, 2, 3)).any()
        do(scene, RECODE, Limits(Restriction()), seq=2)
        assert not np.isin(label(scene), (1, 2, 3)).any()

    def test_an_island_with_a_verified_pixel_stays_whole(self, scene: Scene) -> None:
        found = regions.find_regions(scene.label)
        command = Command("islands", size_px=int(found.sizes.max()))
        changed = regions.remove_islands(scene.label, command.size_px, VOID) != scene.label
        row, column = (int(at) for at in np.argwhere(changed)[0])
        verify = stroke((row, column, 1, 1), seq=9, tool=Tool.VERIFY, to_class=None)
        history.append(scene.store, scene.tile, verify, scene.ada)
        do(scene, command)
        whole = found.ids == found.ids[row, column]
        assert np.array_equal(label(scene)[whole], scene.label[whole])
        assert (label(scene) != scene.label).any()

    def test_clouds_of_the_named_date(self, scene: Scene) -> None:
        for text, rows in (("cloudy", np.s_[:10]), ("clear", np.s_[10:])):
            limits = Limits(parse_restriction(text), acquisition="May")
            (patch,) = look(scene, RECODE, limits).patches
            found = np.zeros(scene.label.shape, np.bool_)
            found[patch.box.slices] = patch.mask
            expected = np.zeros_like(found)
            expected[rows] = np.isin(scene.label[rows], (1, 2, 3))
            assert np.array_equal(found, expected)

    def test_an_area_and_classes(self, scene: Scene) -> None:
        area = (Window(4, 4, 10, 10), np.eye(10, dtype=np.bool_))
        limits = Limits(parse_restriction("area,from:2"), area)
        (*_, patch) = look(scene, RECODE, limits).patches or (None,)
        expected = np.zeros(scene.label.shape, np.bool_)
        expected[4:14, 4:14] = area[1]
        expected &= scene.label == 2
        assert (patch.pixels if patch else 0) == expected.sum()


class TestLargeTiles:
    @pytest.fixture
    def windowed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(restore, "MAX_BOX_PX", 256)
        monkeypatch.setattr(restore, "WINDOW_PX", 16)

    @pytest.mark.usefixtures("windowed")
    @pytest.mark.parametrize("kind", ["islands", "holes"])
    def test_islands_and_holes_across_borders_are_right(self, scene: Scene, kind: Any) -> None:
        generator = np.random.default_rng(3)
        values = np.full(scene.label.shape, 1, np.uint8)
        for code in (2, 3, 4):
            for _ in range(14):
                y, x = generator.integers(1, 36), generator.integers(1, 26)
                values[y : y + generator.integers(1, 4), x : x + generator.integers(1, 4)] = code
        values[14:18, 14:18] = [[2, 2, 2, 2], [2, 3, 4, 2], [2, 3, 4, 2], [2, 2, 2, 2]]
        mask = np.ones_like(values, np.bool_)
        wish = stroke((0, 0, 40, 30), mask, seq=9, tool=Tool.IMPORT, values=values.ravel())
        history.append(scene.store, scene.tile, wish, scene.ada)
        rule = {"islands": regions.remove_islands, "holes": regions.fill_holes}[kind]
        done = do(scene, Command(kind, size_px=8))
        assert np.array_equal(label(scene), rule(values, 8, VOID))
        assert done.pixels > 0
        with scene.store.read() as session:
            rows = session.scalar(select(func.count()).where(EditRow.tool == kind))
        assert rows is not None
        assert rows > 1
        stacks = history.stacks(scene.store, scene.tile, scene.ada)
        assert len(stacks.undo) == 2
        history.append(scene.store, scene.tile, back(Tool.UNDO, seq=20), scene.ada)
        assert np.array_equal(label(scene), values)

    @pytest.mark.usefixtures("windowed")
    def test_what_lies_across_many_windows_is_found(self, scene: Scene) -> None:
        values = np.full(scene.label.shape, 1, np.uint8)
        values[2:38, 5] = values[5, 2:28] = 2
        wish = stroke((0, 0, 40, 30), seq=9, tool=Tool.IMPORT, values=values.ravel(), to_class=None)
        history.append(scene.store, scene.tile, wish, scene.ada)
        size = int((values == 2).sum())
        assert look(scene, Command("islands", size_px=size)).pixels == 0
        assert look(scene, Command("islands", size_px=size + 1)).pixels == size


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (Command("recode", to_class=1), "from_classes"),
        (Command("recode", from_classes=(1, 77), to_class=2), "from_classes"),
        (Command("recode", from_classes=(1,), to_class=77), "to_class"),
        (Command("recode", from_classes=(1,), to_class=1), "to_class"),
        (Command("islands"), "size_px"),
        (Command("holes", size_px=10**7), "size_px"),
        (Command("accept", percent=101, model="m1"), "percent"),
        (Command("accept", percent=50), "model"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(command: Command, field: str) -> None:
    with pytest.raises(BadPatch, match=field):
        bulk_tile.check_command(command, CLASSES)
