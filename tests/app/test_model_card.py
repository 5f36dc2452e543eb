"""The card of a model on the page: opened from the tree, with its files."""

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.store.engine import Store
from tests.app.scored import make_scored

SCRIPT = """
import streamlit as st
from app.model_card import card_ui, model_card_ui
from app.session import context
from core import trained
here = context()
record = trained.models(here.store, here.project.id)[0]
model_card_ui(here, here.project, record, st.container())
if "opened" in st.query_params:
    card_ui(here, here.project, record)
"""


def test_the_card_opens_with_scores_limits_and_downloads(page: AppTest, store: Store) -> None:
    made = make_scored(store)
    page.query_params["project"] = str(made.project_id)
    page.run()
    page.button(key=f"card_{made.before}").click().run()
    assert not page.exception
    text = next(part.value for part in page.markdown if part.value.startswith("# Old"))
    for part in ("## Limits", "against truth", "came as files", "| cloud cover | mIoU |"):
        assert part in text
    labels = [getattr(button, "label", "") for button in page.get("download_button")]
    assert labels == ["Card as Markdown", "Card as JSON"]  # no weights lie there in this test
    assert any("no longer there" in part.value for part in page.caption)


def test_files_and_copies_are_made_by_jobs(
    page: AppTest, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "ensure_runner", lambda *_args, **_more: None)
    made = make_scored(store)
    page.query_params["project"] = str(made.project_id)
    page.query_params["opened"] = "1"
    page.run()
    page.button(key=f"onnx_{made.before}").click().run()
    page.radio(key=f"views_{made.before}").set_value(8)
    page.button(key=f"make_views_{made.before}").click().run()
    assert not page.exception
    asked = {job.kind: job.payload for job in jobs.jobs(store)}
    assert asked == {
        "onnx": {"model_id": made.before},
        "views": {"model_id": made.before, "views": 8},
    }
    assert any("ONNX file is being made" in part.value for part in page.caption)
