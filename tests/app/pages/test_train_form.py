"""The form of the Train page: what is offered, what reaches the job, what is wrong and where."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.train import estimate
from app.train.options import read_list, step_of
from app.train.recipe import fixes, steps_in_words
from core import jobs
from core.records import Job, JobState, ModelRecord, Project
from core.store.engine import Store
from models.request import RetrainRequest, request_of
from models.zoo import NETWORKS, for_task
from models.zoo.entry import Option
from models.zoo.recipes import RECIPES
from tests.app.pages.test_train import app, button, opened, text_of
from tests.models.conftest import make_project, project

__all__ = ["app", "make_project", "project"]  # fixtures


@pytest.fixture
def form(app: AppTest, project: Project) -> Iterator[AppTest]:
    yield opened(app, project)


def asked(store: Store) -> RetrainRequest:
    return request_of(jobs.jobs(store)[0].payload)


def test_networks_are_those_of_the_task_and_the_inputs(form: AppTest) -> None:
    names = form.radio(key="train_network").options
    fits = for_task("land cover").values()
    assert names[1:] == [entry.title for entry in fits]
    assert NETWORKS["changeos"].title not in names  # of damage


def test_a_small_variant_is_two_clicks(form: AppTest, store: Store) -> None:
    form.radio(key="train_network").set_value("cloud_lulc").run()
    assert not form.exception
    assert "has not run here yet" in text_of(form)
    form.session_state["train_size_cloud_lulc"] = "smallest"
    form.run()
    button(form, "Retrain").click().run()
    request = asked(store)
    assert request.network == "cloud_lulc"
    assert dict(request.options) == {"widths": [8, 16, 32], "channels": 16, "blocks": 1}


def test_own_options_are_bounded_and_named(form: AppTest, store: Store) -> None:
    form.radio(key="train_network").set_value("unet").run()
    form.session_state["train_size_unet"] = "own"
    form.run()
    form.text_input(key="train_unet_widths").set_value("8, many").run()
    errors = [error.value for error in form.error]
    assert "Network, widths: found “8, many”, expected 2 to 6 numbers from 1 to 1024." in errors
    assert button(form, "Retrain").disabled
    form.text_input(key="train_unet_widths").set_value("8, 16").run()
    button(form, "Retrain").click().run()
    assert asked(store).options["widths"] == [8, 16]


def test_inputs_that_a_network_lacks_are_named(form: AppTest) -> None:
    form.radio(key="train_network").set_value("cloud_lulc")
    form.selectbox(key="train_inputs").set_value(("sar",)).run()
    assert "Images, inputs: found sar, expected optical and sar" in form.error[0].value
    assert button(form, "Retrain").disabled


def test_sections_say_what_stands_in_them(form: AppTest) -> None:
    labels = [expander.label for expander in form.expander]
    assert any("Training" in label and "200 steps" in label for label in labels)
    form.number_input(key="train_steps").set_value(30).run()
    labels = [expander.label for expander in form.expander]
    assert any("Training" in label and "30 steps" in label for label in labels)


def test_lists_and_steps_of_fields() -> None:
    assert read_list("1, 2,3") == (1, 2, 3) and read_list("") == ()
    assert read_list("1; 2") is None and read_list("1.5") is None
    assert step_of(Option(0.2, 0.0, 1.0)) == pytest.approx(0.02)
    assert step_of(Option(0.0, 0.0, 1.0)) == pytest.approx(0.05)


def test_every_recipe_reads_as_its_steps() -> None:
    for recipe in RECIPES.values():
        lines = steps_in_words(recipe, 100).splitlines()
        assert len(lines) == len(recipe.steps)
        assert all(line.startswith(f"{n}. ") for n, line in enumerate(lines, 1))
    assert "*(50 steps)*" in steps_in_words(RECIPES["cross_modal"], 100)
    assert fixes(RECIPES["plain"]) == ""
    assert "(SAR)" in fixes(RECIPES["cross_modal"])
    assert "a start from scratch" in fixes(RECIPES["cross_modal"])


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def run_of(model: int, per_step: float, **payload: Any) -> Job:
    result = {"model_id": model, "seconds_per_step": per_step, "steps": 100, "seconds": 130.0}
    return Job(model, "train", 1, None, JobState.DONE, payload, 1.0, "", result)


def record(number: int, network: str, **options: Any) -> ModelRecord:
    card = {"options": options}
    return ModelRecord(number, 1, "m", None, network, {}, Path(), card, NOW)


def test_time_is_that_of_the_same_network_scaled() -> None:
    known = {1: record(1, "unet", widths=[8, 16]), 2: record(2, "fpn"), 3: record(3, "unet")}
    past = [run_of(2, 9.0), run_of(3, 2.0), run_of(1, 1.0, batch=4, crop_px=192)]
    found = estimate.pace("unet", {"widths": (8, 16)}, past, known)
    assert found is not None and found.source == "from the last run"
    assert (found.per_step, found.overhead) == (2.0, 30.0)  # half the batch took 1 s
    asks = replace(RetrainRequest(), steps=10, batch=16, control=True)
    assert estimate.seconds(found, asks, 10) == 2 * (4.0 * 10 + 30)
    other = estimate.pace("unet", {"widths": (4, 8)}, past, known)
    assert other is not None and other.source == "from one of another size"
    assert estimate.pace("segformer", {}, past, known) is None
    guess = estimate.pace("unet", {}, [], {})
    assert guess is not None and guess.source == "not measured here yet"


@pytest.mark.parametrize(
    ("spent", "words"), [(1, "5 s"), (98, "100 s"), (130, "2 min"), (9000, "2.5 h")]
)
def test_time_in_words(spent: float, words: str) -> None:
    assert estimate.in_words(spent) == words


def test_a_run_without_a_measured_step_tells_nothing() -> None:
    job = Job(1, "train", 1, None, JobState.DONE, {}, 1.0, "", {"steps": 1})
    assert estimate.measured(job) is None
