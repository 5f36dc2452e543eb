import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from core import catalogue, jobs, scores, trained
from core.errors import Cancelled, CloudbrushError, JobError, LeakError
from core.predictions import find_prediction, predictions, read_prediction
from core.records import Project
from core.settings import Settings
from core.store.engine import Store
from models.plan import plan
from models.predict import ensure_prediction
from models.registry import load_model
from models.request import RetrainRequest, request_of
from models.validation_set import validation_tiles
from tests.models.conftest import paint, run_task, tiles_by_name


def train(
    store: Store, settings: Settings, project: Project, recipe: dict[str, Any], **more: Any
) -> Any:
    return run_task(store, settings, project, "train", **{**recipe, **more})


def test_the_whole_loop(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    tiles = tiles_by_name(store, project)
    paint(store, tiles["t1"], np.ones((48, 48), np.bool_), 5)
    result = train(store, settings, project, quick_recipe)
    json.dumps(result)
    model = trained.model(store, result["model_id"])
    assert model.name == "Model 1" and model.parent_id is None
    assert model.bands == {"optical": 3, "sar": 1}
    learnt = model.card["learnt_from"]
    assert learnt["versions"] == {str(tiles[n].id): v for n, v in (("t0", 0), ("t1", 1), ("t2", 0))}
    assert learnt["corrected_px"] == result["corrected_px"] > 0
    assert model.card["validation"]["tiles"] == [tiles["v7"].id, tiles["v8"].id]
    assert load_model(model).codes == (1, 2, 5)

    found = scores.evaluations(store, project.id, model_id=model.id)
    assert {(e.tile_id, e.reference) for e in found} == {
        (tiles["v7"].id, "truth"),
        (tiles["v8"].id, "truth"),
    }
    assert len(found) == 4  # two tiles, two dates
    assert {int(e.matrix.sum()) for e in found} == {48 * 48}
    labels = {
        (e.tile_id, e.source)
        for e in scores.evaluations(store, project.id, reference="truth")
        if e.model_id is None
    }
    assert labels == {(t.id, s) for t in tiles.values() for s in ("label/0", "label/now")}
    summed = result["scores"]["Model 1"]
    assert summed["all"]["pixels"] == 2 * summed["clear"]["pixels"] == 4 * 48 * 48
    assert 0 <= summed["clear"]["miou"] <= 1 and len(summed["clear"]["iou"]) == 3
    for name in ("t0", "t1", "t2"):  # people find maps of the clearest date when they edit
        (made,) = predictions(store, tile_id=tiles[name].id)
        codes, _confidence = read_prediction(store, made)
        assert set(np.unique(codes)) <= {1, 2, 5}
    points = jobs.events(store, jobs.jobs(store)[0].id)
    assert points[-1]["step"] == 10 and points[-1]["val_miou"] is not None


def test_the_promoted_model_is_the_start(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    first = train(store, settings, project, quick_recipe)["model_id"]
    trained.promote(store, project.id, first)
    second = train(store, settings, project, quick_recipe, name="Second")
    assert trained.model(store, second["model_id"]).parent_id == first
    assert second["before_id"] == first and set(second["scores"]) == {"Model 1", "Second"}
    assert second["notes"] == ["Starts from Model 1."]
    sar = train(store, settings, project, quick_recipe, modalities=["sar"])
    assert trained.model(store, sar["model_id"]).parent_id is None
    assert "has another network or other inputs" in sar["notes"][0]
    with pytest.raises(JobError, match="start Model 1"):
        train(store, settings, project, quick_recipe, modalities=["sar"], start=first)


def test_sar_only_is_scored_once_per_tile(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    result = train(store, settings, project, quick_recipe, modalities=["sar"])
    found = scores.evaluations(store, project.id, model_id=result["model_id"])
    assert [e.source for e in found] == [f"m{result['model_id']}"] * 2
    assert all(e.acquisition_id is None for e in found)


def test_the_control_differs_by_its_labels_only(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    same = train(store, settings, project, quick_recipe, control=True)
    after, control = (
        load_model(trained.model(store, same[k])).network.state_dict()
        for k in ("model_id", "control_id")
    )
    assert all((after[k] == control[k]).all() for k in after)  # nothing was corrected yet
    paint(store, tiles_by_name(store, project)["t1"], np.ones((48, 48), np.bool_), 5)
    other = train(store, settings, project, quick_recipe, control=True)
    control_card = trained.model(store, other["control_id"]).card
    assert set(control_card["learnt_from"]["versions"].values()) == {0}
    changed, control = (
        load_model(trained.model(store, other[k])).network.state_dict()
        for k in ("model_id", "control_id")
    )
    assert not all((changed[k] == control[k]).all() for k in changed)


def test_a_start_that_saw_a_validation_tile_is_refused(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    first = train(store, settings, project, quick_recipe)["model_id"]
    trained.promote(store, project.id, first)
    catalogue.freeze_tiles(store, [tiles_by_name(store, project)["t2"].id])
    validation = validation_tiles(store, project)
    planned, found = plan(store, project, request_of(quick_recipe), validation)
    assert planned.start is None and "was trained on t2" in planned.notes[0]
    assert {s.name for s in found.samples} == {"t0", "t1"}
    with pytest.raises(LeakError, match="t2"):
        plan(store, project, request_of({**quick_recipe, "start": first}), validation)


def test_cancelling_leaves_no_model(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    job = jobs.add(store, "train", quick_recipe, project_id=project.id)
    attempt = jobs.claim(store)
    assert attempt is not None
    jobs.cancel(store, job.id)
    from models.retrain import retrain

    with pytest.raises(Cancelled):
        retrain(jobs.JobContext(store, settings, job, attempt))
    assert trained.models(store, project.id) == []


def test_maps_are_made_once(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    model = trained.model(store, train(store, settings, project, quick_recipe)["model_id"])
    tile = tiles_by_name(store, project)["t0"]
    clear, cloudy = catalogue.acquisitions(store, tile.id)
    assert (clear.name, cloudy.name) == ("clear", "cloudy")
    made = ensure_prediction(store, settings, tile, model, cloudy)
    written = made.path.stat().st_mtime_ns
    again = ensure_prediction(store, settings, tile, model, cloudy)
    assert again == made and again.path.stat().st_mtime_ns == written
    made.path.unlink()  # a cache: what is deleted is made again
    assert find_prediction(store, tile.id, f"m{model.id}/a{cloudy.id}") is None
    assert ensure_prediction(store, settings, tile, model, cloudy).path.exists()


def test_predict_and_evaluate_tasks(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    model_id = train(store, settings, project, quick_recipe)["model_id"]
    tile = tiles_by_name(store, project)["t0"]
    made = run_task(store, settings, project, "predict", model_id=model_id, tile_ids=[tile.id])
    assert made == {"model_id": model_id, "maps": 2, "tiles": 1}
    everything = run_task(store, settings, project, "predict", model_id=model_id)
    assert everything["maps"] == 10
    paint(store, tile, np.ones((48, 48), np.bool_), 5)
    catalogue.freeze_tiles(store, [tile.id])
    run_task(store, settings, project, "evaluate")
    found = scores.evaluations(store, project.id, reference="frozen")
    assert {e.source.split("/")[0] for e in found} == {"label", f"m{model_id}"}
    catalogue.give_back_tiles(store, [tile.id])
    run_task(store, settings, project, "evaluate")
    assert scores.evaluations(store, project.id, reference="frozen") == []
    with pytest.raises(JobError, match="model_id"):
        run_task(store, settings, project, "predict")


def test_corrected_labels_score_better_against_truth(
    store: Store, settings: Settings, project: Project
) -> None:
    tile = tiles_by_name(store, project)["t0"]
    run_task(store, settings, project, "evaluate")
    truth = validation_truth(store, project, tile.name)
    paint(store, tile, truth == 5, 5)
    run_task(store, settings, project, "evaluate")
    right = {
        e.source: int(np.trace(e.matrix[:-1, :-1]))
        for e in scores.evaluations(store, project.id, tile_id=tile.id, reference="truth")
    }
    assert right["label/now"] > right["label/0"]


def validation_truth(store: Store, project: Project, name: str) -> Any:
    from models.validation_set import read_truth

    return read_truth(store, project, tiles_by_name(store, project)[name])


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"steps": 0}, "steps"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"max_cover": 2.0}, "max_cover"),
        ({"network": "resnet"}, "network"),
        ({"colour": 1}, "colour"),
        ({"name": 5}, "name"),
        ({"regions": 5}, "regions"),
        ({"regions": "east"}, "regions"),
        ({"tile_ids": ["a"]}, "tile_ids"),
        ({"options": []}, "options"),
        ({"weights": {"pseudo": -1.0}}, "weights"),
        ({"weights": {"guess": 1.0}}, "weights"),
        ({"losses": "ce"}, "losses"),
        ({"augments": [3]}, "augments"),
        ({"start": True}, "start"),
        ({"start": ["promoted"]}, "start"),
        ({"control": "yes"}, "control"),
        ({"drop_at": 50}, "drop_at"),
        ({"recipe": []}, "recipe"),
        ({"schedule": "linear"}, "schedule"),
        ({"average": 1.5}, "average"),
        ({"patience": 0.5}, "patience"),
        ({"split_share": "half"}, "split_share"),
    ],
)
def test_requests_name_the_wrong_field(payload: dict[str, Any], field: str) -> None:
    with pytest.raises(JobError, match=field):
        request_of(payload)


def test_a_request_survives_its_payload() -> None:
    request = RetrainRequest(name="x", regions=("a", "b"), steps=7, start=3)
    assert request_of(json.loads(json.dumps(request.payload()))) == request


def test_damage_starts_with_two_branches(
    store: Store, project: Project, quick_recipe: dict[str, Any]
) -> None:
    from dataclasses import replace

    damage = replace(project, kind="damage")
    planned, _found = plan(store, damage, request_of(quick_recipe), [])
    assert planned.config.network == "two_branch"


def test_models_of_other_projects_are_no_start(store: Store, project: Project) -> None:
    with pytest.raises(CloudbrushError):
        plan(store, project, request_of({"start": 99}), [])


def test_pages_can_read_requests_and_scores_without_torch() -> None:
    script = """
import sys
sys.modules["torch"] = None
import models.request, models.summary, models.training_set
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
