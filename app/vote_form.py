"""The vote of buildings on a model's card: a copy that votes, or that votes no longer."""

import streamlit as st

from app.background import working
from app.session import Context
from core import jobs
from core.errors import CloudbrushError
from core.object_vote import ObjectVote, of_card
from core.records import ModelRecord, Project
from models.card import Card

RULES: dict[str, ObjectVote | None] = {
    "More than a fifth hurt: the whole building": ObjectVote("threshold"),
    "Most pixels: the whole building": ObjectVote("majority"),
    "No vote: pixels as the network gives them": None,
}


def vote_ui(here: Context, project: Project, record: ModelRecord, card: Card) -> None:
    """Draw the choice of a copy whose buildings vote; nothing for other projects than damage."""
    if project.kind != "damage":
        return
    try:
        now = of_card(card["predicts"]["finishing"])
    except CloudbrushError as error:
        st.caption(str(error))
        return
    with st.popover("A copy whose buildings vote", icon=":material/how_to_vote:"):
        st.caption(
            "Each building of its maps gets one class, and specks below 50 pixels go. It is scored "
            "like any other model. *Hurt* is damaged or destroyed."
        )
        ways = [words for words, vote in RULES.items() if vote != now]
        chosen = st.radio("Vote", ways, key=f"vote_{record.id}")
        waiting = bool(working(here, project.id, "vote"))
        if st.button("Make and score it", key=f"make_vote_{record.id}", disabled=waiting):
            vote = RULES[chosen]
            payload = {"model_id": record.id, "post": vote.card() if vote else {}}
            jobs.submit(here.store, here.settings, "vote", payload, project.id, here.person.id)
            st.caption("It is being made, and appears below this model when it is scored.")
