from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import session
from app.background import in_words
from app.device import Device
from app.model_tree import in_tree_order
from app.pages import train as page
from app.train_charts import change_chart, curves_chart
from core import catalogue, jobs, scores, trained
from core.jobs import Attempt
from core.records import JobState, ModelRecord, Project, Split
from core.scores import Evaluation
from core.settings import Settings
from core.store.engine import Store
from models.request import RetrainRequest, request_of
from tests.models.conftest import (
    CLASSES,
    make_project,
    make_tile,
    paint,
    project,
    quick_recipe,
    run_task,
)

__all__ = ["make_project", "project", "quick_recipe"]  # fixtures

SCRIPT = """
import streamlit as st
from app.pages import train
from app.theme import install_chart_template
install_chart_template()
train.main()
"""


@pytest.fixture
def app(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """Return the page with a person at the keyboard; no runner is started."""
    monkeypatch.setattr(session, "_served", (settings, store))
    monkeypatch.setattr(jobs, "ensure_runner", lambda _settings: None)
    monkeypatch.setattr(page, "device", lambda _settings: Device("CPU, 2 cores, bf16"))
    test = AppTest.from_string(SCRIPT, default_timeout=30)
    test.session_state[session.PERSON_KEY] = catalogue.ensure_person(store, "Ada").id
    yield test


def opened(app: AppTest, project: Project) -> AppTest:
    app.query_params["project"] = str(project.id)
    found = app.run()
    assert not found.exception
    return found


def text_of(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.success, app.warning, app.error)
    parts = [str(element.value) for kind in kinds for element in kind]
    return "\n".join([*parts, *(str(e.value) for e in app.subheader)])


def button(app: AppTest, label: str) -> Any:
    return next(b for b in app.button if b.label.startswith(label))


def begin(store: Store, job_id: int) -> Attempt:
    attempt = jobs.claim(store)
    assert attempt is not None and attempt.job_id == job_id
    jobs.begin(store, attempt, 1)
    return attempt


def test_without_a_project_it_says_what_to_do(app: AppTest) -> None:
    app.run()
    assert not app.exception
    assert "No project is open" in text_of(app)


def test_one_button_is_enough(app: AppTest, store: Store, project: Project) -> None:
    found = opened(app, project)
    text = text_of(found)
    assert "Runs on: CPU, 2 cores, bf16" in text
    assert "Learns from **3 tiles**" in text and "**2 validation tiles** with truth" in text
    assert "Nothing trained yet" in text and "not measured here yet" in text
    button(found, "Retrain").click().run()
    (job,) = jobs.jobs(store)
    assert (job.kind, job.project_id, job.state) == ("train", project.id, JobState.QUEUED)
    assert request_of(job.payload) == RetrainRequest()
    assert "waits in the queue, next" in text_of(found)


def test_settings_reach_the_job(app: AppTest, store: Store, project: Project) -> None:
    found = opened(app, project)
    found.text_input(key="train_name").set_value("Careful")
    found.number_input(key="train_steps").set_value(50)
    found.number_input(key="train_weight_changed").set_value(9.0)
    found.selectbox(key="train_inputs").set_value(("sar",))
    found.slider(key="train_cover").set_value(40)
    found.checkbox(key="train_control").check()
    button(found, "Retrain").click().run()
    request = request_of(jobs.jobs(store)[0].payload)
    assert (request.name, request.steps, request.control) == ("Careful", 50, True)
    assert request.modalities == ("sar",) and request.max_cover == 0.4
    assert request.weights["changed"] == 9.0 and request.weights["pseudo"] == 1.0


def test_a_running_job_shows_progress_and_can_be_cancelled(
    app: AppTest, store: Store, settings: Settings, project: Project
) -> None:
    job = jobs.add(store, "train", {"name": "Mine", "steps": 10}, project_id=project.id)
    attempt = begin(store, job.id)
    context = jobs.JobContext(store, settings, job, attempt)
    context.report(0.4, "Epoch 1 of 2", arm="training", step=5, loss=1.2, val_miou=0.3)
    found = opened(app, project)
    assert "Mine" in text_of(found)
    assert len(found.get("plotly_chart")) == 1
    button(found, "Cancel").click().run()
    assert context.cancelled()
    jobs.finish(store, attempt, JobState.CANCELLED, "Cancelled")
    found.run()
    assert "No model was kept" in text_of(found)


def test_a_job_of_another_project_is_ahead_in_the_queue(
    app: AppTest, store: Store, project: Project
) -> None:
    begin(store, jobs.add(store, "train", {}).id)
    jobs.add(store, "train", {"name": "Mine"}, project_id=project.id)
    found = opened(app, project)
    assert "**Mine** waits in the queue, 1 ahead of it" in text_of(found)
    button(found, "Cancel").click().run()
    assert jobs.jobs(store, project.id)[0].state is JobState.CANCELLED


def test_a_failure_gives_its_reason(app: AppTest, store: Store, project: Project) -> None:
    job = jobs.add(store, "train", {}, project_id=project.id)
    jobs.finish(store, begin(store, job.id), JobState.FAILED, "tile 7: found nothing.")
    assert "**Failed.** tile 7: found nothing." in text_of(opened(app, project))


def test_a_result_is_shown_promoted_and_taken_back(
    app: AppTest,
    store: Store,
    settings: Settings,
    project: Project,
    quick_recipe: dict[str, Any],
) -> None:
    run_task(store, settings, project, "train", **quick_recipe)
    found = opened(app, project)
    text = text_of(found)
    assert "**Done: Model 1.**" in text and "against truth" in text
    assert "from one of another size" in text  # the quick recipe makes a tiny network
    assert found.metric[0].label == "mIoU, Model 1"
    by_cloud = found.dataframe[0].value
    assert list(by_cloud["map"]) == ["Model 1"] and by_cloud.shape[1] > 2
    button(found, "Promote: show it").click().run()
    shown = trained.promoted(store, project.id)
    assert shown is not None and shown.name == "Model 1"
    assert [j.kind for j in jobs.queue(store)] == ["predict"]
    assert "Its predictions are shown in the editor" in text_of(found)
    button(found, "Take back").click().run()
    assert not found.exception
    assert trained.promoted(store, project.id) is None


def test_before_and_after_stand_side_by_side(
    app: AppTest,
    store: Store,
    settings: Settings,
    project: Project,
    quick_recipe: dict[str, Any],
) -> None:
    first = run_task(store, settings, project, "train", **quick_recipe)
    trained.promote(store, project.id, first["model_id"])
    run_task(store, settings, project, "train", **quick_recipe, name="Second", control=True)
    labels = [metric.label for metric in opened(app, project).metric]
    assert labels[:3] == ["mIoU, Second", "mIoU, Model 1", "mIoU, Second, control"]


def test_without_clean_labels_it_says_against_pseudo_labels(
    app: AppTest, store: Store, tmp_path: Path, make_project: Any
) -> None:
    tiles = tuple(make_tile(tmp_path, f"p{n}", Split.TRAIN, n, truth=False) for n in range(2))
    text = text_of(opened(app, make_project(tiles, "dirty")))
    assert "scores read **against pseudo-labels**" in text


def test_models_come_after_their_parents(store: Store, project: Project) -> None:
    def model(number: int, parent: int | None) -> ModelRecord:
        made = project.created_at
        return ModelRecord(number, 1, f"m{number}", parent, "unet", {}, Path(), {}, made)

    order = in_tree_order([model(1, None), model(2, None), model(3, 1), model(4, 3), model(5, 1)])
    assert [(depth, m.id) for depth, m in order] == [(0, 1), (1, 3), (2, 4), (1, 5), (0, 2)]


def test_curves_and_changes_leave_absent_values_out() -> None:
    points = [
        {"arm": "training", "step": 5, "loss": 1.0, "val_miou": None},
        {"arm": "training", "step": 10, "loss": 0.8, "val_miou": 0.4},
    ]
    parted = curves_chart(points, 15, [(5, "step 1"), (15, "step 3")])
    assert [note.text for note in parted.layout.annotations][2:] == ["step 1", "step 3"]
    assert [line.x0 for line in parted.layout.shapes] == [5]
    loss, score = curves_chart(points, 10).data
    assert list(loss.x) == [5, 10] and list(score.x) == [10]
    assert [len(trace.x) for trace in curves_chart(points[:1], 10).data] == [1, 0]  # both axes
    summaries = {"a": {"iou": [0.1, None, 0.5]}, "b": {"iou": [0.2, 0.3, None]}}
    figure = change_chart(CLASSES, summaries, "b")
    assert [len(t.x) for t in figure.data if t.mode == "lines"] == [2]  # one class in both
    assert list(figure.data[-1].text) == ["0.20", "0.30", ""]


def test_paint_is_counted(app: AppTest, store: Store, project: Project) -> None:
    tile = catalogue.tiles(store, project.id)[0]
    paint(store, tile, np.ones((48, 48), np.bool_), 5)
    assert "1 of them corrected (1 edits)" in text_of(opened(app, project))


def test_a_whole_region_is_set_aside_at_once(app: AppTest, store: Store, project: Project) -> None:
    west = [t for t in catalogue.tiles(store, project.id) if t.trainable and t.region == "west"]
    found = choose(opened(app, project), "Whole regions or events", ["west"], "Reserve")
    assert f"{len(west)} reserved and still to be frozen" in text_of(found)
    assert all(catalogue.tile(store, tile.id).reserved for tile in west)


def test_frozen_tiles_are_scored_once_and_given_back(
    app: AppTest, store: Store, project: Project
) -> None:
    found = opened(app, project)
    first, second = [t for t in catalogue.tiles(store, project.id) if t.trainable][:2]
    found = choose(found, "Set aside for validation", [first.id, second.id], "Reserve")
    assert "2 reserved and still to be frozen" in text_of(found)
    found = choose(found, "Freeze what is corrected", [first.id], "Freeze")
    assert catalogue.tile(store, first.id).frozen and not catalogue.tile(store, second.id).frozen
    found = choose(found, "Freeze what is corrected", [second.id], "Freeze")
    (job,) = jobs.jobs(store)
    assert (job.kind, job.project_id, job.state) == ("evaluate", project.id, JobState.QUEUED)
    jobs.cancel(store, job.id)
    matrix = np.eye(len(project.classes.entries) + 1, dtype=np.int64)
    scores.save_evaluations(store, [Evaluation(first.id, "label/0", "frozen", matrix)])
    found = choose(found, "Give back to training", [first.id], "Give back")
    assert catalogue.tile(store, first.id).trainable
    assert scores.evaluations(store, project.id, reference="frozen") == []
    assert [job.kind for job in jobs.queue(store)] == ["evaluate"]


def choose(app: AppTest, label: str, chosen: list[Any], press: str) -> AppTest:
    box = next(box for box in app.multiselect if box.label == label)
    box.set_value(chosen).run()
    found: AppTest = button(app, press).click().run()
    assert not found.exception
    return found


def test_jobs_are_called_by_what_they_do(store: Store, project: Project) -> None:
    words = [
        in_words(store, jobs.add(store, kind, payload, project_id=project.id))
        for kind, payload in (
            ("train", {"name": "Mine"}),
            ("evaluate", {}),
            ("predict", {"model_id": 99}),
        )
    ]
    assert words == [
        "Mine",
        "Scoring the models on the validation tiles",
        "Drawing the maps of a model",
    ]
