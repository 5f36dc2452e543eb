"""Which labels a model learnt from, how it was split and by what recipe, on its card."""

from typing import Any

import numpy as np
import pytest

from core import trained
from core.records import Project
from core.settings import Settings
from core.store.engine import Store
from models.card import model_card
from models.card_text import as_markdown
from tests.models.conftest import paint, run_task, tiles_by_name

WEIGHT = "Weight of a pixel by where it comes from"


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ("weighted", "Labels used: all, each pixel by where it comes from\n"),
        ("mixed", "Labels used: all, every pixel alike\n"),
        ("corrected", "Labels used: of tiles that are done or verified as a whole, every pixel"),
    ],
)
def test_weights_stand_on_a_card_only_where_pixels_counted_by_them(
    store: Store,
    settings: Settings,
    project: Project,
    quick_recipe: dict[str, Any],
    labels: str,
    says: str,
) -> None:
    paint(store, tiles_by_name(store, project)["t1"], np.ones((48, 48), np.bool_), 5)
    made = run_task(store, settings, project, "train", **quick_recipe, labels=labels)
    card = model_card(store, project, trained.model(store, made["model_id"]))
    page = as_markdown(card)
    assert says in page
    assert card["learnt_from"]["labels"] == labels
    assert ("weights" in card["learnt_from"]) is (WEIGHT in page) is (labels == "weighted")


def test_a_control_says_that_its_labels_are_those_that_came(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    made = run_task(store, settings, project, "train", **quick_recipe, control=True)
    control = model_card(store, project, trained.model(store, made["control_id"]))
    assert control["learnt_from"]["weights"] == {"pseudo": 1.0}
    assert "as they came: a control" in as_markdown(control)
    after = model_card(store, project, trained.model(store, made["model_id"]))
    assert after["learnt_from"]["weights"]["changed"] == 4.0
    assert "as they came: a control" not in as_markdown(after)


def test_split_and_settings_of_the_recipe_are_on_the_card(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    asked = {"recipe": "co_teaching", "recipe_settings": {"noise": 0.3}}
    west = {"split": "region", "split_groups": ["west"]}
    made = run_task(store, settings, project, "train", **quick_recipe, **asked, **west)
    card = model_card(store, project, trained.model(store, made["model_id"]))
    page = as_markdown(card)
    assert card["training"]["split"]["held_out"] == ["t0", "t2"]
    assert "- Split: whole regions\n- Held out of learning: t0, t2\n" in page
    assert "- Watched while it learnt: t0, t2\n" in page
    # What was left at its default is said too: a default may change one day.
    assert "- Settings of the recipe: noise 0.3, ramp 0.3, by_class True\n" in page
    plain = run_task(store, settings, project, "train", **quick_recipe)
    page = as_markdown(model_card(store, project, trained.model(store, plain["model_id"])))
    assert "- Split: validation tiles\n- Watched while it learnt: v7, v8\n" in page


def test_cards_of_older_models_still_read(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    made = run_task(store, settings, project, "train", **quick_recipe)
    record = trained.model(store, made["model_id"])
    for key in ("split", "recipe_settings"):
        del record.card[key]
    for key in ("labels", "as_they_came"):
        del record.card["learnt_from"][key]
    page = as_markdown(model_card(store, project, record))
    assert f"{WEIGHT}: pseudo 1.0" in page and "is not recorded)" in page
    assert "Labels used" not in page and "Split" not in page


def test_a_recipe_that_counts_pixels_alike_has_no_weights_on_its_card(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    asked = {**quick_recipe, "recipe": "oem_sar_baseline", "network": "unet", "start": "scratch"}
    made = run_task(store, settings, project, "train", **asked)
    page = as_markdown(model_card(store, project, trained.model(store, made["model_id"])))
    assert "Labels used: all of a weight above 0, every pixel alike\n" in page
    assert WEIGHT not in page
