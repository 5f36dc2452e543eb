"""The vote of buildings on a model's card: offered for damage only, made by a job."""

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.object_vote import ObjectVote
from core.store.engine import Store
from core.store.tables import ProjectRow
from tests.app.scored import make_scored

SCRIPT = """
from app.session import context
from app.vote_form import vote_ui
from core import trained
from models.card import model_card
here = context()
record = trained.models(here.store, here.project.id)[0]
vote_ui(here, here.project, record, model_card(here.store, here.project, record))
"""


def test_a_vote_is_made_by_a_job_and_for_damage_only(
    page: AppTest, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "ensure_runner", lambda *_args, **_more: None)
    made = make_scored(store)
    page.query_params["project"] = str(made.project_id)
    page.run()
    assert not page.exception and not page.radio
    with store.write() as session:
        session.get_one(ProjectRow, made.project_id).kind = "damage"
    page.run()
    rules = page.radio(key=f"vote_{made.before}")
    assert len(rules.options) == 2  # it does not vote now
    rules.set_value(rules.options[1])
    page.button(key=f"make_vote_{made.before}").click().run()
    assert not page.exception
    (job,) = jobs.jobs(store)
    asked = {"model_id": made.before, "post": ObjectVote("majority").card()}
    assert (job.kind, job.payload) == ("vote", asked)
