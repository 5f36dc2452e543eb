"""Tallies: pixels per class and disagreement, read again only when something has changed."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete

from core import catalogue, history
from core.classes import OPEN_EARTH_MAP_SAR
from core.grid import Window
from core.patch import encode_runs
from core.predictions import save_prediction
from core.records import ModelRecord
from core.store.engine import Store
from core.store.tables import TallyRow
from core.stroke import Stroke, Tool
from core.tally import Tally, count_stale, refresh, stale, tallies, tally
from core.trained import add_model
from tests.scene import Scene, make_scene


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> Scene:
    return make_scene(store, tmp_path / "scene")


@pytest.fixture
def model(scene: Scene) -> ModelRecord:
    weights = scene.store.workspace / "models" / "m.safetensors"
    card = {"network": "unet", "bands": {"optical": 3}, "sha256": "0"}
    return add_model(scene.store, scene.project_id, "m", weights, card)


def count(scene: Scene, shown: ModelRecord | None) -> dict[int, Tally]:
    return tallies(
        scene.store,
        catalogue.project(scene.store, scene.project_id),
        catalogue.tiles(scene.store, scene.project_id),
        catalogue.project_acquisitions(scene.store, scene.project_id),
        shown,
    )


def test_disagreement_is_the_share_of_labelled_pixels_that_differ() -> None:
    labels = np.array([[1, 1, 2, 0]], np.uint8)
    predicted = np.array([[1, 2, 2, 5]], np.uint8)
    found = tally(labels, predicted, OPEN_EARTH_MAP_SAR)
    assert found.pixels == {1: 2, 2: 1}
    assert found.disagreement == pytest.approx(1 / 3)
    assert tally(labels, None, OPEN_EARTH_MAP_SAR).disagreement is None


def test_unlabelled_tile_has_no_classes_and_no_disagreement(scene: Scene) -> None:
    found = count(scene, None)[scene.tiles["blank"]]
    assert found == Tally({}, None)


def test_pixels_are_those_of_the_label(scene: Scene) -> None:
    found = count(scene, None)[scene.tile]
    codes, numbers = np.unique(scene.labels["train"], return_counts=True)
    assert found.pixels == dict(zip(codes.tolist(), numbers.tolist(), strict=True))


def test_new_prediction_replaces_what_was_kept(scene: Scene, model: ModelRecord) -> None:
    assert count(scene, model)[scene.tile].disagreement is None
    label = scene.labels["train"]
    acquisition = catalogue.acquisitions(scene.store, scene.tile)[0].id
    for shift, expected in ((0, 0.0), (1, 1.0)):
        predicted = (label % 8 + 1 if shift else label).astype(np.uint8)
        save_prediction(
            scene.store,
            scene.tile,
            f"m{model.id}/a{acquisition}",
            predicted,
            np.zeros_like(predicted),
            model_id=model.id,
            acquisition_id=acquisition,
        )
        assert count(scene, model)[scene.tile].disagreement == expected


def test_second_look_reads_no_raster(scene: Scene) -> None:
    first = count(scene, None)
    for path in scene.folder.iterdir():
        path.unlink()
    assert count(scene, None) == first


def test_only_tiles_that_changed_are_counted_again(scene: Scene) -> None:
    project = catalogue.project(scene.store, scene.project_id)
    assert len(stale(scene.store, project.id, None, 100)) == len(scene.tiles)
    assert refresh(scene.store, project) == 0
    assert stale(scene.store, project.id, None, 100) == []
    mask = np.ones((2, 2), np.bool_)
    wish = Stroke("tab", 1, 0, Tool.BRUSH, Window(0, 0, 2, 2), encode_runs(mask), to_class=8)
    history.append(scene.store, scene.tile, wish, scene.ada)
    assert stale(scene.store, project.id, None, 100) == [scene.tile]
    assert refresh(scene.store, project, seconds=0.0) == 1
    assert refresh(scene.store, project) == 0
    assert count_stale(scene.store, project.id, None) == 0


def test_large_scenes_are_estimated_from_a_sample(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = count(scene, None)[scene.tile]
    with scene.store.write() as session:
        session.execute(delete(TallyRow))
    monkeypatch.setattr("core.tally.WHOLE_PX", 100)
    monkeypatch.setattr("core.tally.SAMPLED_SIDE", 10)
    monkeypatch.setattr("core.history.current", None)  # nothing is read wholly
    found = count(scene, None)[scene.tile]
    assert found.classes <= exact.classes
    assert sum(found.pixels.values()) == pytest.approx(sum(exact.pixels.values()), rel=0.1)
