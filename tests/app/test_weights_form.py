"""The form that adds a model from a weights file."""

from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from app import weights_form
from core import jobs, trained
from core.errors import CloudbrushError
from core.records import Project
from core.settings import Settings
from core.store.engine import Store
from models.from_file import BASELINE, IMAGENET
from models.own_files import OWN
from tests.app.pages.test_train import app, opened
from tests.models.conftest import make_project, project, run_task

__all__ = ["app", "make_project", "project"]  # fixtures


def test_a_path_outside_the_folders_is_refused_on_the_page(
    app: AppTest, project: Project, store: Store
) -> None:
    page = opened(app, project)
    page.text_input(key="weights_path").set_value("/etc/hostname").run()
    page.button(key="weights_read").click().run()
    assert "outside the folders" in page.error[0].value
    assert jobs.queue(store) == []


def test_a_file_is_read_by_a_job_that_says_why_it_failed(
    app: AppTest, project: Project, store: Store, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "w.pt"
    torch.save({"a": torch.ones(1)}, path)
    page = opened(app, project)
    page.selectbox(key="weights_network").set_value("fpn").run()
    page.selectbox(key="weights_encoder").set_value("resnet18").run()
    page.text_input(key="weights_path").set_value(str(path)).run()
    page.button(key="weights_read").click().run()
    (job,) = jobs.queue(store)
    assert job.payload == {
        "weights": "imagenet",
        "network": "fpn",
        "options": {"encoder": "resnet18"},
        "modalities": ["optical"],
        "path": str(path),
    }
    jobs.cancel(store, job.id)
    with pytest.raises(CloudbrushError, match="tensors missing"):
        run_task(store, settings, project, "weights", **job.payload)
    assert trained.models(store, project.id) == []


def test_the_page_names_what_the_code_knows() -> None:
    """The page needs no torch, so it lists them itself."""
    named = (weights_form.IMAGENET, weights_form.BASELINE, weights_form.OWN)
    assert named == (IMAGENET, BASELINE, OWN)


def test_a_damage_project_is_offered_networks_for_damage_with_their_inputs() -> None:
    def form() -> None:
        from types import SimpleNamespace
        from typing import Any

        import streamlit as st

        from app import weights_form

        project: Any = SimpleNamespace(kind="damage")
        st.session_state["found"] = weights_form._imagenet_choices(project)

    page = AppTest.from_function(form).run()
    page.selectbox(key="weights_network").set_value("siam_crnn").run()
    assert page.session_state["found"] == {
        "network": "siam_crnn",
        "options": {"encoder": "resnet18"},
        "modalities": ["optical", "sar"],
    }
    assert "small_resnet" not in page.selectbox(key="weights_encoder").options
