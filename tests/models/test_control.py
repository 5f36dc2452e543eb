"""A control that would have nothing to learn from is refused before anything is trained."""

from typing import Any

import pytest

from core import trained
from core.errors import JobError
from core.records import Project
from core.settings import Settings
from core.store.engine import Store
from models.request import request_of
from tests.models.conftest import run_task

CHECKED = {"recipe": "self_training", "recipe_settings": {"source": "checked labels"}}


def test_no_control_of_teachers_that_learn_from_checked_labels(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    with pytest.raises(JobError, match="retraining, control: found teachers that learn from"):
        request_of({**CHECKED, "control": True})
    with pytest.raises(JobError, match="Leave the control out"):
        run_task(store, settings, project, "train", **quick_recipe, **CHECKED, control=True)
    assert not trained.models(store, project.id)


def test_each_of_the_two_alone_may_be_asked_for() -> None:
    assert not request_of(CHECKED).control
    assert request_of({"recipe": "self_training", "control": True}).control
