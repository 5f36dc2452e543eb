"""Recipes through the job that the Train page starts."""

from typing import Any

import numpy as np
import pytest

from core import catalogue, trained
from core.predictions import find_prediction, read_prediction
from core.records import Project
from core.scores import model_source
from core.settings import Settings
from core.store.engine import Store
from models.registry import load_model
from models.zoo.recipes import RECIPES
from tests.models.conftest import run_task


@pytest.mark.parametrize(
    ("name", "settings_of"),
    [
        ("self_training", {"cleaning": "one", "label_views": "1", "views": "4"}),
        ("cross_modal", {"label_views": "1"}),
        ("co_teaching", {"noise": 0.3}),
    ],
)
def test_a_recipe_from_the_page_ends_as_a_model_that_says_how_it_came_about(
    store: Store,
    settings: Settings,
    project: Project,
    quick_recipe: dict[str, Any],
    name: str,
    settings_of: dict[str, Any],
) -> None:
    asked = {**quick_recipe, "recipe": name, "recipe_settings": settings_of}
    result = run_task(store, settings, project, "train", **asked)
    record = trained.model(store, result["model_id"])
    loaded = load_model(record)
    assert record.card["recipe"] == RECIPES[name].title
    assert record.card["recipe_settings"] == RECIPES[name].settle(settings_of)
    assert set(record.bands) == set(RECIPES[name].inputs or ("optical", "sar"))
    assert loaded.views == int(settings_of.get("views", 1))
    assert loaded.valid_area is (name == "self_training")
    tile = next(t for t in catalogue.tiles(store, project.id) if t.editable)
    date = catalogue.acquisitions(store, tile.id)[0] if record.uses_optical else None
    made = find_prediction(store, tile.id, model_source(record.id, date.id if date else None))
    assert made is not None
    assert np.isin(read_prediction(store, made)[0], (*project.classes.codes, 0)).all()
