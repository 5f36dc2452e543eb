"""What a recipe takes out of a person's hands on the Train page, and what the page says of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.retrain_form import escaped
from app.train.draft import Draft
from app.train.network import bound_by
from core import jobs, trained
from core.records import ModelRecord, Project
from core.store.engine import Store
from core.store.tables import ProjectRow
from models.zoo import NETWORKS
from models.zoo.recipes import network_of
from tests.app.pages.test_train import app, button, opened, text_of
from tests.app.pages.test_train_form import asked, run_of
from tests.models.conftest import make_project, project

__all__ = ["app", "make_project", "project"]  # fixtures

GUIDED = NETWORKS["uabcd_v2"].title


@pytest.fixture
def form(app: AppTest, project: Project) -> Iterator[AppTest]:
    yield opened(app, project)


@pytest.fixture
def damage(app: AppTest, project: Project, store: Store) -> Iterator[AppTest]:
    with store.write() as session:
        session.get_one(ProjectRow, project.id).kind = "damage"
    yield opened(app, project)


def test_a_recipe_about_one_network_shows_it_and_offers_no_other(
    damage: AppTest, store: Store
) -> None:
    damage.radio(key="train_network").set_value("unet").run()
    damage.radio(key="train_recipe").set_value("building_guided").run()
    assert not damage.exception
    assert "train_network" not in [radio.key for radio in damage.radio]
    assert any(escaped(GUIDED) in expander.label for expander in damage.expander)
    said = text_of(damage)
    assert "encoder small_pvt" in said and "parameters" in said
    assert any("trains this network and no other" in info.value for info in damage.info)
    button(damage, "Retrain").click().run()
    request = asked(store)
    assert (request.recipe, request.network) == ("building_guided", "uabcd_v2")


def test_the_network_can_be_chosen_again_after_such_a_recipe(damage: AppTest) -> None:
    damage.radio(key="train_recipe").set_value("building_guided").run()
    damage.radio(key="train_recipe").set_value("plain").run()
    assert not damage.exception
    damage.radio(key="train_network").set_value("unet").run()
    assert not damage.exception


def test_the_time_is_that_of_the_network_of_the_recipe(
    damage: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = network_of("building_guided", {})
    assert bound is not None
    known = [
        ModelRecord(n, 1, "m", None, name, {}, Path(), {"options": bound[1]}, datetime.now(UTC))
        for n, name in ((1, "unet"), (2, "uabcd_v2"))
    ]
    monkeypatch.setattr(trained, "models", lambda *_args: known)
    runs = [run_of(1, 1.0), run_of(2, 9.0)]
    monkeypatch.setattr(jobs, "jobs", lambda *_args, **_more: runs)
    damage.radio(key="train_recipe").set_value("building_guided").run()
    # 200 steps of the kept network and as many again before: 400 steps of 9 s.
    assert "Takes about 60 min (from the last run)" in text_of(damage)


def test_a_wrong_number_of_a_recipe_leaves_the_section_readable() -> None:
    draft = Draft({"recipe": "building_guided", "recipe_settings": {"encoder": "unknown"}})
    found = bound_by(draft)
    assert found is not None and found[1]["encoder"] == "small_pvt"


def test_what_a_recipe_fixes_is_grey_and_says_what_it_is(form: AppTest, store: Store) -> None:
    form.selectbox(key="train_optimiser").set_value("sgd")
    form.multiselect(key="train_augments").set_value(["speckle"]).run()
    form.radio(key="train_recipe").set_value("oem_sar_baseline").run()
    assert not form.exception
    for field, value in (
        (form.selectbox(key="train_optimiser_oem_sar_baseline"), "adam"),
        (form.selectbox(key="train_schedule_oem_sar_baseline"), "constant"),
        (form.number_input(key="train_warm_up_oem_sar_baseline"), 0.0),
        (form.number_input(key="train_class_balance_oem_sar_baseline"), 0.0),
        (form.checkbox(key="train_flip_oem_sar_baseline"), False),
        (form.multiselect(key="train_losses_fixed"), []),
    ):
        assert field.disabled and field.value == value
    said = text_of(form)
    assert "It fixes flips and turns off; class balance 0" in said
    assert "Set by the recipe OpenEarthMap-SAR baseline: optimiser adam, schedule constant" in said
    assert "The recipe OpenEarthMap-SAR baseline uses cross entropy." in said
    assert not form.number_input(key="train_learning_rate").disabled
    button(form, "Retrain").click().run()
    request = asked(store)
    assert [augment.name for augment in request.augments] == ["speckle"]  # nothing is against it
    assert request.optimiser == "adamw"  # the recipe's word is not put into a person's mouth


def test_changes_that_a_recipe_brings_itself_are_not_offered_twice(
    form: AppTest, store: Store
) -> None:
    form.multiselect(key="train_augments").set_value(["resize", "speckle"]).run()
    form.radio(key="train_recipe").set_value("self_training").run()
    assert not form.exception
    field = form.multiselect(key="train_augments")
    assert field.value == ["speckle"] and not any("Resize" in each for each in field.options)
    assert "its own changes to crops: resize" in text_of(form)
    button(form, "Retrain").click().run()
    assert [augment.name for augment in asked(store).augments] == ["speckle"]


def test_a_control_without_checked_labels_is_refused_on_the_form(form: AppTest) -> None:
    form.radio(key="train_recipe").set_value("self_training").run()
    form.selectbox(key="train_self_training_source").set_value("checked labels").run()
    assert not button(form, "Retrain").disabled
    form.checkbox(key="train_control").check().run()
    assert any("retraining, control" in error.value for error in form.error)
    assert button(form, "Retrain").disabled
