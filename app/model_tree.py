"""The models of a project as a tree, with promotion and taking back."""

from typing import Any

import streamlit as st

from app.model_card import model_card_ui
from app.session import Context
from core import catalogue, jobs, trained
from core.errors import CloudbrushError
from core.records import ModelRecord, Project
from core.scores import Reference
from models.summary import main_reference, summaries, validation_summary
from models.zoo import NETWORKS
from models.zoo.recipes import RECIPES

PLAIN = RECIPES["plain"].title

REFERENCE_WORDS: dict[Reference, str] = {
    "truth": "against truth",
    "frozen": "against corrected and frozen labels",
    "pseudo": "against pseudo-labels",
}


def models_ui(here: Context, project: Project) -> None:
    """Draw every model below its parent, with its scores and what it learnt from."""
    st.subheader("Models", anchor=False)
    records = trained.models(here.store, project.id)
    if not records:
        st.caption("None yet. The first retraining starts from scratch.")
        return
    counts = validation_summary(here.store, catalogue.tiles(here.store, project.id))
    reference = main_reference(counts)
    st.caption(
        f"mIoU (mean overlap with the reference, 0 to 1) {REFERENCE_WORDS[reference]}, "
        f"{counts.get(reference, 0)} tiles: on the clearest "
        "date of each tile, and on all dates. The promoted model is the one that the editor shows."
    )
    found = summaries(here.store, project, reference)
    shown = trained.promoted(here.store, project.id)
    for depth, record in in_tree_order(records):
        _model_ui(here, project, record, depth, found.get(record.id), shown)


def in_tree_order(records: list[ModelRecord]) -> list[tuple[int, ModelRecord]]:
    """Return (depth, model), each model after its parent, oldest first among siblings."""
    known = {record.id for record in records}
    children: dict[int | None, list[ModelRecord]] = {}
    for record in records:
        parent = record.parent_id if record.parent_id in known else None
        children.setdefault(parent, []).append(record)
    ordered: list[tuple[int, ModelRecord]] = []
    waiting = [(0, record) for record in reversed(children.get(None, []))]
    while waiting:
        depth, record = waiting.pop()
        ordered.append((depth, record))
        waiting += [(depth + 1, child) for child in reversed(children.get(record.id, []))]
    return ordered


def _model_ui(
    here: Context,
    project: Project,
    record: ModelRecord,
    depth: int,
    scores: dict[str, Any] | None,
    shown: ModelRecord | None,
) -> None:
    name, learnt, clear, every, button = st.columns(
        [4, 4, 1.3, 1.3, 2], vertical_alignment="center"
    )
    indent = "&emsp;" * depth + ("└ " if depth else "")
    promoted = shown is not None and shown.id == record.id
    mark = " :material/visibility:" if promoted else ""
    name.markdown(f"{indent}**{_escaped(record.name)}**{mark}  \n{indent}{inputs_of(record)}")
    network = NETWORKS[record.network].title if record.network in NETWORKS else record.network
    recipe = str(record.card.get("recipe") or PLAIN)
    how = network if recipe == PLAIN else f"{network}; {recipe}"
    learnt.caption(f"{_escaped(how)}  \n{_learnt(record)}")
    model_card_ui(here, project, record, learnt)
    clear.metric("clear", _mean(scores, "clear"))
    every.metric("all dates", _mean(scores, "all"))
    if promoted:
        if button.button("Take back", key=f"take_back_{record.id}", width="stretch"):
            _change(here, project, None)
    elif button.button("Promote", key=f"promote_{record.id}", width="stretch"):
        _change(here, project, record.id)


def _change(here: Context, project: Project, model_id: int | None) -> None:
    """Promote a model and have its missing maps made, or take the promotion back."""
    try:
        if model_id is None:
            trained.take_back(here.store, project.id, here.person.id)
        else:
            promote(here, project, model_id)
    except CloudbrushError as error:
        st.error(str(error))
        return
    st.rerun()


def promote(here: Context, project: Project, model_id: int) -> None:
    """Show a model in the editor and have its maps made for every tile and date."""
    trained.promote(here.store, project.id, model_id, here.person.id)
    payload = {"model_id": model_id}
    jobs.submit(here.store, here.settings, "predict", payload, project.id, here.person.id)


def inputs_of(record: ModelRecord) -> str:
    """Return what a model reads, in words."""
    return " + ".join("SAR" if name == "sar" else name for name in record.bands)


def _learnt(record: ModelRecord) -> str:
    learnt = record.card.get("learnt_from")
    if not learnt:
        return str(record.card.get("trained_on", "came as files"))
    return (
        f"{len(learnt['versions'])} tiles, {learnt['corrected_px']:,} corrected px, "
        f"{record.card['config']['steps']} steps, {record.created_at:%d %b %H:%M}"
    )


def _mean(scores: dict[str, Any] | None, sky: str) -> str:
    found = (scores or {}).get(sky)
    return "-" if not found or found["miou"] is None else f"{found['miou']:.3f}"


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!:$|~<>" else c for c in text)
