"""Model cards say what the store holds, and what follows from it."""

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest

from core import catalogue, trained
from core.errors import NotFound
from core.records import Project
from core.settings import Settings
from core.store.engine import Store
from models.card import model_card
from models.card_text import as_markdown, limits, zipped
from models.learnt import seen_classes
from models.model_files import load
from models.sample import Sample
from tests.app.scored import make_scored
from tests.models.conftest import paint, run_task, tiles_by_name


def test_a_trained_model_says_what_it_learnt_from(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    tiles = tiles_by_name(store, project)
    paint(store, tiles["t1"], np.ones((48, 48), np.bool_), 5)
    made = run_task(store, settings, project, "train", **quick_recipe, max_cover=0.3)
    record = trained.model(store, made["model_id"])
    card = model_card(store, project, record)
    assert json.loads(json.dumps(card, allow_nan=False)) == card
    learnt = card["learnt_from"]
    assert learnt["versions"] == {"t0": 0, "t1": 1, "t2": 0}
    assert learnt["regions"] == ["east", "west"] and learnt["corrected_px"] > 0
    # t1 was painted whole; in the others Top was taken for Mid, and a corner is void.
    assert learnt["class_px"]["5"] == 48 * 48
    assert sum(learnt["class_px"].values()) == 3 * 48 * 48 - 2 * 4 * 4
    assert learnt["images_by_cover"]["0-5 %"] == 3 and sum(learnt["images_by_cover"].values()) == 3
    (measured,) = card["scores"]
    assert measured["reference"] == "truth" and measured["tiles"] == 2
    assert sum(row["pixels"] for row in measured["by_class"]) == 2 * 2 * 48 * 48
    seen = [row["cover"] for row in card["scores"][0]["by_cloud"] if row["images"]]
    assert len(seen) == 2  # the clear date and the half covered one
    assert card["network"]["title"].startswith("Small U-Net")
    assert any("Never saw an image with a cloud cover of" in line for line in card["limits"])
    assert any("Scored on 2 tiles" in line for line in card["limits"])
    page = as_markdown(card)
    for text in (
        "t1 v1",
        "## Limits",
        "against truth",
        "mIoU 0.",
        "| Top |",
        record.card["sha256"],
        '"steps"',
    ):
        assert text in page


def test_scores_by_class_and_cloud_are_those_of_the_matrices(store: Store) -> None:
    made = make_scored(store)
    project = catalogue.project(store, made.project_id)
    card = model_card(store, project, trained.model(store, made.before))
    (measured,) = card["scores"]
    first = measured["by_class"][0]
    right = np.array([60 + n - loss for n in range(6) for loss in (0, 35)])
    wrong = 100 - right  # as many of the class before it were taken for this one
    assert first["iou"] == pytest.approx(right.sum() / (right + 2 * wrong).sum(), abs=1e-4)
    assert first["from"] <= first["iou"] <= first["to"] and first["pixels"] == 1200
    clear, cloudy = (row for row in measured["by_cloud"] if row["images"])
    assert clear["images"] == cloudy["images"] == 6 and clear["score"] > cloudy["score"] + 0.2
    absent = measured["by_class"][-1]
    assert absent["iou"] is None and absent["pixels"] == 0
    assert any(absent["class"] in line for line in card["limits"])
    radar = model_card(store, project, trained.model(store, made.sar))
    assert radar["scores"][0]["by_cloud"] == []  # clouds cannot change what it says


def test_limits_follow_from_facts() -> None:
    sure: dict[str, Any] = {
        "reference": "truth",
        "tiles": 40,
        "by_class": [{"class": "Road", "pixels": 9}],
        "by_cloud": [{"cover": "0-5 %", "images": 3}],
    }
    learnt = {
        "class_px": {"1": 5},
        "corrected_px": 5,
        "images_by_cover": {"0-5 %": 1},
        "regions": [],
    }
    card = {
        "inputs": {"optical": 3, "sar": 1},
        "classes": {"1": "Road"},
        "learnt_from": learnt,
        "scores": [sure],
    }
    assert limits(card) == []
    for changed, said in (
        ({"learnt_from": {**learnt, "class_px": {}}}, "Never saw these classes: Road"),
        ({"learnt_from": {**learnt, "corrected_px": 0}}, "nobody had corrected"),
        ({"learnt_from": {**learnt, "images_by_cover": {"5-20 %": 0}}}, "cloud cover of 5-20 %"),
        ({"learnt_from": {**learnt, "regions": ["Tokyo"]}}, "Learnt from Tokyo and from no other"),
        ({"learnt_from": None}, "came as files"),
        ({"scores": []}, "has not been scored"),
        ({"scores": [{**sure, "reference": "pseudo"}]}, "pseudo-labels only"),
        ({"scores": [{**sure, "tiles": 3}]}, "Scored on 3 tiles"),
        ({"inputs": {"optical": 3}}, "optical images alone"),
    ):
        (line,) = limits({**card, **changed})
        assert said in line


def test_pixels_that_do_not_count_are_not_seen() -> None:
    label = np.array([[0, 0, 1], [255, 2, 2]], np.uint8)
    weight = np.array([[1, 0, 1], [1, 0.5, 1]], np.float32)
    sample = Sample({"sar": [np.zeros((1, 2, 3))]}, label, weight, "a")
    assert seen_classes([sample, sample], (4, 7, 9, 11)) == {"4": 2, "7": 2, "9": 4, "11": 0}


def test_what_is_taken_away_can_be_brought_back(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any], tmp_path: Any
) -> None:
    record = trained.model(
        store, run_task(store, settings, project, "train", **quick_recipe)["model_id"]
    )
    card = model_card(store, project, record)
    with zipfile.ZipFile(io.BytesIO(zipped(card, record.weights_path))) as archive:
        assert set(archive.namelist()) == {
            "model.safetensors",
            "model.json",
            "card.json",
            "card.md",
        }
        archive.extractall(tmp_path)
    assert load(tmp_path / "model.safetensors").codes == (1, 2, 5)
    record.weights_path.unlink()
    with pytest.raises(NotFound, match="weights of Model 1"):
        zipped(card, record.weights_path)


def test_a_copy_of_several_views_is_scored_beside_its_model(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    first = run_task(store, settings, project, "train", **quick_recipe)["model_id"]
    made = run_task(store, settings, project, "views", model_id=first, views=4)
    card = model_card(store, project, trained.model(store, made["model_id"]))
    assert card["predicts"]["views"] == 4 and card["parents"] == ["Model 1"]
    assert card["scores"][0]["tiles"] == 2 and card["learnt_from"]["tiles"] == 3
