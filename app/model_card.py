"""The card of a model: what is known of it in words, with its files to take away."""

import json
import re

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.background import working
from app.session import Context
from app.vote_form import vote_ui
from core import jobs
from core.errors import CloudbrushError
from core.records import JobState, ModelRecord, Project
from models.card import Card, model_card
from models.card_text import as_markdown, onnx_path, zipped
from models.zoo.views import VIEWS


def model_card_ui(
    here: Context, project: Project, record: ModelRecord, place: DeltaGenerator
) -> None:
    """Draw the button in `place` that opens a model's card."""
    if place.button(
        "Card", icon=":material/description:", key=f"card_{record.id}", type="tertiary"
    ):
        st.dialog("Model card", width="large")(card_ui)(here, project, record)


def card_ui(here: Context, project: Project, record: ModelRecord) -> None:
    """Draw a model's card and what can be taken away or made from the model."""
    try:
        card = model_card(here.store, project, record)
    except CloudbrushError as error:
        st.error(str(error))
        return
    _downloads(record, card)
    _onnx(here, project, record)
    _views(here, project, record, card)
    vote_ui(here, project, record, card)
    st.divider()
    st.markdown(as_markdown(card))


def _downloads(record: ModelRecord, card: Card) -> None:
    """Draw what takes away the weights with the card, and the card alone."""
    stem = file_stem(record)
    left, middle, right = st.columns(3)
    if record.weights_path.exists():
        left.download_button(
            "Weights and card",
            lambda: zipped(card, record.weights_path),
            f"{stem}.zip",
            "application/zip",
            help="Weights as safetensors, the card for this app, and this page.",
            on_click="ignore",
            width="stretch",
        )
    else:
        left.caption("The weights are no longer there.")
    middle.download_button(
        "Card as Markdown",
        as_markdown(card),
        f"{stem}.md",
        "text/markdown",
        on_click="ignore",
        width="stretch",
    )
    right.download_button(
        "Card as JSON",
        json.dumps(card, indent=1),
        f"{stem}.json",
        "application/json",
        on_click="ignore",
        width="stretch",
    )


def _onnx(here: Context, project: Project, record: ModelRecord) -> None:
    """Draw the ONNX file, or the button that has it made, or why it cannot be."""
    path = onnx_path(record)
    if path.exists():
        st.download_button(
            "ONNX file",
            path.read_bytes,
            f"{file_stem(record)}.onnx",
            "application/octet-stream",
            help="Raw values in, logits out; normalisation is in the graph.",
            on_click="ignore",
        )
        return
    asked = jobs.jobs(here.store, project.id, kind="onnx")
    mine = [job for job in asked if job.payload.get("model_id") == record.id]
    if mine and mine[0].state in (JobState.QUEUED, JobState.RUNNING):
        st.caption("The ONNX file is being made: open the card again in a moment.")
        return
    if mine and mine[0].state is JobState.FAILED:
        st.caption(f"ONNX file: {mine[0].message}")
    if st.button("Make an ONNX file", key=f"onnx_{record.id}"):
        payload = {"model_id": record.id}
        jobs.submit(here.store, here.settings, "onnx", payload, project.id, here.person.id)
        st.caption("It is being made: open the card again in a moment.")


def _views(here: Context, project: Project, record: ModelRecord, card: Card) -> None:
    """Draw the choice of a copy that looks at several views of an image."""
    if card["predicts"]["views"] != 1:
        return
    with st.popover("A copy that looks several times", icon=":material/layers:"):
        st.caption(
            "Its maps are the mean of several views of each image: slower by as many times, often "
            "a little better. It is scored like any other model."
        )
        chosen = st.radio(
            "Views",
            [count for count in VIEWS if count > 1],
            format_func=lambda count: f"{count}: {VIEWS[count]}",
            key=f"views_{record.id}",
        )
        waiting = bool(working(here, project.id, "views"))
        if st.button("Make and score it", key=f"make_views_{record.id}", disabled=waiting):
            payload = {"model_id": record.id, "views": chosen}
            jobs.submit(here.store, here.settings, "views", payload, project.id, here.person.id)
            st.caption("It is being made, and appears below this model when it is scored.")


def file_stem(record: ModelRecord) -> str:
    """Return a model's name as part of a file's name."""
    words = re.findall(r"\w+", record.name.lower(), re.ASCII)
    return "-".join(words) or f"model-{record.id}"
