"""Suggestions: they help where strokes tell of a system, and are silent where they do not."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import catalogue, features, history, suggest_log
from core.classes import Provenance
from core.errors import NotFound
from core.features import Sources, sources
from core.grid import Window
from core.patch import encode_runs
from core.predictions import save_prediction
from core.records import Grid
from core.regions import find_regions
from core.store.engine import Store
from core.stroke import Stroke, Tool
from core.suggest import MOST_TIMES, REACH_PX, SPECK_PX, Example, Suggestion, suggest
from tests.scene import Scene, make_scene

SIDE = 160
WATER, TREE, ROAD = 6, 5, 4
CORRECTIONS = [(20, 20), (60, 30), (30, 64), (64, 64)]
CONFIRMATIONS = [(20, 100), (60, 110), (120, 60)]


def scene_of(seed: int = 1, contrast: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features, truth and label: water in the upper left, labelled as tree in patches."""
    generator = np.random.default_rng(seed)
    truth = np.full((SIDE, SIDE), TREE, np.uint8)
    truth[:80, :80] = WATER
    label = truth.copy()
    label[8:76, 8:76] = TREE
    signal = np.where(truth == WATER, contrast, 0.0)[..., None] * np.array([1.0, -1.0, 0.5])
    values = signal + generator.normal(0, 0.25, (SIDE, SIDE, 3))
    noise = generator.normal(0, 0.5, (SIDE, SIDE, 7))
    stacked = np.concatenate([values, noise], axis=2)
    return np.clip(np.rint(48 * stacked), -127, 127).astype(np.int8), truth, label


def example(at: tuple[int, int], old: int, new: int, radius: int = 4) -> Example:
    rows, columns = np.mgrid[
        at[0] - radius : at[0] + radius + 1, at[1] - radius : at[1] + radius + 1
    ]
    n = rows.size
    return Example(
        rows.ravel(), columns.ravel(), np.full(n, old, np.uint8), np.full(n, new, np.uint8)
    )


def painted(label: np.ndarray, examples: Sequence[Example]) -> tuple[np.ndarray, np.ndarray]:
    now, provenance = label.copy(), np.zeros_like(label)
    for one in examples:
        now[one.rows, one.columns] = one.new
        settled = Provenance.VERIFIED if one.confirms else Provenance.CHANGED
        provenance[one.rows, one.columns] = settled
    return now, provenance


def strokes() -> list[Example]:
    corrections = [example(at, TREE, WATER) for at in CORRECTIONS]
    return corrections + [example(at, TREE, TREE) for at in CONFIRMATIONS]


class TestHelp:
    def test_it_finds_the_rest_of_a_systematic_error(self) -> None:
        values, truth, label = scene_of()
        now, provenance = painted(label, strokes())
        found = suggest(values, now, provenance, strokes())
        assert found.status == "ready"
        assert found.mask is not None
        assert found.codes is not None
        assert found.check is not None
        assert (found.check.of, found.check.present, found.check.confirmations) == (7, 3, 3)
        assert found.check.right >= 6
        after = np.where(found.mask, found.codes, now)
        assert (after == truth).mean() > (now == truth).mean() + 0.1

    def test_corrections_alone_are_tried_with_what_two_ways_agree_on(self) -> None:
        values, truth, label = scene_of()
        alone = strokes()[:4]
        now, provenance = painted(label, alone)
        found = suggest(values, now, provenance, alone)
        assert found.status == "ready"
        assert found.way == "both"
        assert found.check is not None
        assert found.check.confirmations == 0
        assert found.mask is not None
        assert found.codes is not None
        after = np.where(found.mask, found.codes, now)
        assert (after == truth).mean() > (now == truth).mean()

    def test_nothing_is_suggested_where_images_tell_nothing(self) -> None:
        values, _, label = scene_of(contrast=0.0)
        # One stroke in each region, so that no region tells of another either.
        label = np.full_like(label, TREE)
        label[::8] = ROAD
        examples = [example((4 + 8 * k, 20 + 14 * k), TREE, WATER, 2) for k in range(4)]
        examples += [example((4 + 8 * k, 90 + 10 * k), TREE, TREE, 2) for k in range(4)]
        now, provenance = painted(label, examples)
        found = suggest(values, now, provenance, examples)
        assert found.status == "useless"
        assert found.mask is None
        assert found.check is not None

    def test_few_strokes_and_no_corrections(self) -> None:
        values, _, label = scene_of()
        for some in (strokes()[:2], strokes()[4:], []):
            now, provenance = painted(label, some)
            assert suggest(values, now, provenance, some).status == "few"


class TestCare:
    def suggestion(self, **changes: Any) -> tuple[Suggestion, np.ndarray, np.ndarray]:
        values, _, label = scene_of(**changes)
        now, provenance = painted(label, strokes())
        return suggest(values, now, provenance, strokes()), now, provenance

    def test_settled_pixels_and_other_classes_stay(self) -> None:
        values, _, label = scene_of()
        label[10:14, 10:70] = ROAD
        now, provenance = painted(label, strokes())
        provenance[40:44, 10:60] = Provenance.VERIFIED
        provenance[48:50, 10:60] = Provenance.UNSURE
        found = suggest(values, now, provenance, strokes())
        assert found.mask is not None
        settled = np.isin(provenance, (1, 2, 4))
        assert not (found.mask & settled).any()
        assert not (found.mask & (now == ROAD)).any()
        assert found.codes is not None
        assert set(np.unique(found.codes[found.mask])) == {WATER}

    def test_it_keeps_to_the_neighbourhood(self) -> None:
        side = 480
        values, _, label = scene_of()
        wide = np.tile(values, (3, 3, 1))
        far = np.tile(label, (3, 3))
        now, provenance = painted(far, strokes())
        found = suggest(wide, now, provenance, strokes())
        assert found.mask is not None
        rows, columns = np.nonzero(found.mask)
        assert rows.max() <= 124 + REACH_PX
        assert columns.max() <= 114 + REACH_PX
        assert side > 124 + REACH_PX

    def test_confirming_what_was_painted_confirms_nothing(self) -> None:
        values, _, label = scene_of()
        label[90:110, 90:110] = WATER
        examples = [*strokes()[:4], example((100, 100), WATER, WATER)]
        now, provenance = painted(label, examples)
        found = suggest(values, now, provenance, examples)
        assert found.check is not None
        assert found.check.confirmations == 0
        assert found.way == "both"

    def test_only_changes_that_were_made_are_suggested(self) -> None:
        values, _, label = scene_of()
        label[8:40, 8:76] = ROAD
        examples = [example(at, TREE, WATER) for at in [(60, 20), (60, 40), (64, 64)]]
        # One pixel of road lay under the brush by chance.
        chance = Example(
            examples[0].rows, examples[0].columns, examples[0].old.copy(), examples[0].new
        )
        chance.old[0] = ROAD
        examples[0] = chance
        examples += [example(at, TREE, TREE) for at in CONFIRMATIONS]
        now, provenance = painted(label, examples)
        found = suggest(values, now, provenance, examples)
        assert found.mask is not None
        assert set(np.unique(now[found.mask])) == {TREE}

    def test_it_is_no_larger_than_a_multiple_of_the_corrections(self) -> None:
        values, _, label = scene_of()
        small = [example(at, TREE, WATER, 2) for at in CORRECTIONS] + strokes()[4:]
        now, provenance = painted(label, small)
        found = suggest(values, now, provenance, small)
        assert 0 < found.pixels <= MOST_TIMES * 4 * 25

    def test_broad_strokes_do_not_make_it_broader_than_can_be_judged(self) -> None:
        values, _, label = scene_of()
        broad = [example(at, TREE, WATER, 10) for at in CORRECTIONS] + strokes()[4:]
        now, provenance = painted(label, broad)
        whole = suggest(values, now, provenance, broad)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("core.suggest.MOST_PX", 50)
            found = suggest(values, now, provenance, broad)
        behind = sum(len(each.rows) for each in broad if not each.confirms)
        assert 0 < found.pixels <= max(50, behind)
        assert found.pixels < whole.pixels

    def test_it_repeats_and_has_no_specks(self) -> None:
        first, _, _ = self.suggestion()
        again, _, _ = self.suggestion()
        assert first.mask is not None
        assert again.mask is not None
        assert np.array_equal(first.mask, again.mask)
        pieces = find_regions(first.mask.astype(np.uint8))
        assert pieces.sizes[pieces.codes == 1].min() >= SPECK_PX

    @pytest.mark.parametrize("seed", range(2, 8))
    def test_what_is_shown_helps_more_often_than_it_hurts(self, seed: int) -> None:
        values, truth, label = scene_of(seed, contrast=0.4)
        now, provenance = painted(label, strokes())
        found = suggest(values, now, provenance, strokes())
        if found.status == "ready":
            assert found.mask is not None
            assert found.codes is not None
            right = (found.codes == truth)[found.mask].mean()
            assert right > 0.5


class TestFeatures:
    @pytest.fixture
    def scene(self, store: Store, tmp_path: Path) -> Scene:
        return make_scene(store, tmp_path / "data", height=80, width=60)

    def made(self, scene: Scene, **wish: Any) -> Sources:
        tile = catalogue.tile(scene.store, scene.tile)
        wish = {"acquisition_id": None, "prediction_id": None} | wish
        return sources(scene.store, tile, **wish)

    def test_windows_agree_with_the_whole_and_chunks_with_each_other(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = self.made(scene)
        whole = features.features(scene.store, found, Window(0, 0, 80, 60))
        assert whole.dtype == np.int8
        part = features.features(scene.store, found, Window(10, 20, 30, 40))
        assert np.array_equal(part, whole[10:40, 20:60])
        monkeypatch.setattr(features, "CHUNK", 32)
        joined = features.features(scene.store, found, Window(0, 0, 80, 60))
        assert np.array_equal(joined, whole)

    def test_they_are_made_once_and_anew_when_a_source_changes(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: list[Window] = []
        real = features._make

        def counted(store: Store, found: Sources, chunk: Window) -> Any:
            calls.append(chunk)
            return real(store, found, chunk)

        monkeypatch.setattr(features, "_make", counted)
        window = Window(0, 0, 80, 60)
        for _ in range(2):
            features.features(scene.store, self.made(scene), window)
        assert len(calls) == 1
        codes = np.full((80, 60), 6, np.uint8)
        made = save_prediction(scene.store, scene.tile, "m1", codes, codes)
        more = features.features(scene.store, self.made(scene, prediction_id=made.id), window)
        assert len(calls) == 2
        assert more.shape[2] == features.features(
            scene.store, self.made(scene), window
        ).shape[2] + 8  # fmt: skip

    def test_they_are_bounded(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(features, "CHUNK", 16)
        features.features(scene.store, self.made(scene), Window(0, 0, 80, 60))
        assert len(features._kept[scene.store.engine].chunks) == features.KEPT_CHUNKS

    def test_what_belongs_to_another_tile_is_refused(self, scene: Scene) -> None:
        codes = np.full((80, 60), 6, np.uint8)
        other = save_prediction(scene.store, scene.tiles["second"], "m1", codes, codes)
        with pytest.raises(NotFound):
            self.made(scene, prediction_id=other.id)
        with pytest.raises(NotFound):
            self.made(scene, acquisition_id=scene.acquisitions["second"])

    def test_a_tile_without_images_has_features_of_nothing(self, scene: Scene) -> None:
        bare = replace(self.made(scene), layers=(), cloud=None)
        assert features.features(scene.store, bare, Window(0, 0, 8, 8)).shape == (8, 8, 1)


class TestLog:
    @pytest.fixture
    def scene(self, store: Store, tmp_path: Path) -> Scene:
        return make_scene(store, tmp_path / "data", height=80, width=60)

    def paint(self, scene: Scene, seq: int, box: tuple[int, int, int, int], **wish: Any) -> None:
        window = Window(*box)
        runs = encode_runs(np.ones((window.h, window.w), np.bool_))
        values: dict[str, Any] = {"tool": Tool.BRUSH, "to_class": WATER, "base_version": 0} | wish
        stroke = Stroke(client_id="tab", seq=seq, box=window, runs=runs, **values)
        history.append(scene.store, scene.tile, stroke, scene.ada)

    def patches(self, scene: Scene, client: str = "tab") -> list[Window]:
        found, _ = suggest_log._strokes(scene.store, scene.tile, scene.ada, client)
        return [patch.box for patch in found]

    def test_it_learns_from_strokes_that_stand_of_this_tab(self, scene: Scene) -> None:
        self.paint(scene, 1, (0, 0, 8, 8))
        self.paint(scene, 2, (16, 16, 8, 8))
        self.paint(scene, 3, (32, 0, 8, 8), tool=Tool.RECODE)
        self.paint(scene, 4, (40, 40, 8, 8), tool=Tool.VERIFY, to_class=None)
        undo = Stroke("tab", 5, 0, Tool.UNDO, reverses=("tab", 2))
        history.append(scene.store, scene.tile, undo, scene.ada)
        boxes = self.patches(scene)
        assert len(boxes) == 2
        assert boxes[0].y0 < 8
        assert boxes[1].y0 >= 40
        assert self.patches(scene, "other") == []

    def test_few_strokes_suggest_nothing(self, scene: Scene) -> None:
        tile = catalogue.tile(scene.store, scene.tile)
        made = sources(scene.store, tile, None, None)
        found = suggest_log.suggest_on(scene.store, made, scene.ada, "tab")
        assert found.suggestion.status == "few"

    def test_the_window_follows_the_newest_stroke(self) -> None:
        grid = Grid(4000, 4000, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), None)
        boxes = [Window(0, 0, 9, 9), Window(3000, 3000, 9, 9), Window(3100, 3050, 9, 9)]
        window, near = suggest_log.neighbourhood(boxes, grid)
        assert near == [1, 2]
        assert window == Window(
            3000 - REACH_PX, 3000 - REACH_PX, 109 + 2 * REACH_PX, 59 + 2 * REACH_PX
        )
        window, near = suggest_log.neighbourhood([Window(0, 0, 4000, 4000)], grid)
        assert (window.h, window.w) == (1024, 1024)
