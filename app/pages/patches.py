"""Patches: labels of whole patches, corrected by keys, one page of patches at a time."""

import math
from typing import Any
from zlib import crc32

import numpy as np
import streamlit as st

from app.links import open_page
from app.patches.mount import SPLITS, board, manifest
from app.session import Context, context, query_int
from app.theme import page_header
from core.classes import Provenance
from core.errors import CloudbrushError
from core.export.patches import patch_csv
from core.patch_index import Ids, PatchFilter, count_origins, find_patches, patches, regions_of
from core.patch_labels import KINDS, LIST, NONE
from core.patch_scores import read_predictions, score_patches
from core.records import Project, Split

BOARD_KEY = "patches_board"
FOUND_KEY = "patches_found"
END_KEY = "patches_at_end"
PER_PAGE = (48, 96, 192)
ORIGINS: dict[Provenance | None, str] = {
    Provenance.PSEUDO: "as it came",
    Provenance.CHANGED: "changed",
    Provenance.VERIFIED: "verified",
    Provenance.MODEL: "from a model",
    Provenance.UNSURE: "unsure",
}


def main() -> None:
    """Draw the page."""
    here = context()
    page_header("Patches", "Each patch has one label for all of it. One key sets it.")
    project = here.project
    if project is None or project.kind not in KINDS:
        _elsewhere(project)
        return
    wanted, per_page = _filters_ui(here, project)
    _summary_ui(here, project)
    ids = _found(here, project, wanted)
    if not len(ids):
        st.info("No patch fits these filters. Set one of them back to All.")
        return
    _board_ui(here, project, ids, per_page, f"{project.id} {wanted}")
    with st.expander("Score predictions"):
        _score_ui(here, project, ids)


def _elsewhere(project: Project | None) -> None:
    if project is None:
        st.info("No project is open. Choose one on the home page.")
    else:
        st.info(f"{project.name} has a label for each pixel: correct it with the brush.")
    if st.button("Go to Home" if project is None else "Go to Explore", type="primary"):
        open_page("home" if project is None else "explore")


def _filters_ui(here: Context, project: Project) -> tuple[PatchFilter, int]:
    """Draw the filters; return what is wanted, and how many patches make a page."""
    split, region, kind, origin, size = st.columns(5, vertical_alignment="bottom")
    names: dict[int | None, str] = {None: "All"}
    names |= {entry.code: entry.name for entry in project.classes.entries}
    if project.kind == LIST:
        names[NONE] = "No class"
    origins = {None: "All", **ORIGINS}
    part = split.selectbox(
        "Split",
        [None, *Split],
        key="patches_split",
        format_func=lambda s: SPLITS[s] if s else "All",
    )
    where = region.selectbox(
        "Region",
        [None, *regions_of(here.store, project.id)],
        key="patches_region",
        format_func=lambda name: name or "All",
    )
    code = kind.selectbox("Class", list(names), key="patches_class", format_func=names.__getitem__)
    state = origin.selectbox(
        "Label", list(origins), key="patches_origin", format_func=origins.__getitem__
    )
    per_page = size.selectbox("Patches on a page", PER_PAGE, key="patches_size")
    return PatchFilter(part, where, code, state), per_page


def _summary_ui(here: Context, project: Project) -> None:
    counts = count_origins(here.store, project.id)
    words = [f"{counts[kind]:,} {ORIGINS[kind]}" for kind in counts if counts[kind]]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("To correct: " + ", ".join(words) + "." if words else "Nothing to correct here.")
        st.button(
            "Look again",
            on_click=lambda: st.session_state.pop(FOUND_KEY, None),
            help="The list stays as it was found, so that pages do not shift under your keys.",
        )
        st.download_button(
            "Labels as CSV",
            data=lambda: patch_csv(here.store, project.id).encode(),
            file_name=f"{project.name} patches.csv",
            mime="text/csv",
            on_click="ignore",
        )


def _found(here: Context, project: Project, wanted: PatchFilter) -> Ids:
    """Return the patches that fitted when they were looked for: corrected ones stay in the list."""
    held = st.session_state.get(FOUND_KEY)
    if held is None or held[0] != (project.id, wanted):
        held = ((project.id, wanted), find_patches(here.store, project.id, wanted))
        st.session_state[FOUND_KEY] = held
    ids: Ids = held[1]
    return ids


def _board_ui(here: Context, project: Project, ids: Ids, per_page: int, what: str) -> None:
    page, start = _place(ids, per_page)
    st.query_params["page"] = str(page + 1)
    pages = -(-len(ids) // per_page)
    part = ids[page * per_page : (page + 1) * per_page]
    data: dict[str, Any] = manifest(
        here.store,
        project,
        here.person,
        patches(here.store, project.id, part.tolist()),
        page=page,
        pages=pages,
        first=page * per_page,
        total=len(ids),
        page_key=f"{what} {page} {per_page} {crc32(part.tobytes())}",
        start=start,
    )
    board(data, BOARD_KEY, _on_command)
    st.caption(f"Page {page + 1:,} of {pages:,}, {len(ids):,} patches.")


def _place(ids: Ids, per_page: int) -> tuple[int, int]:
    """Return page and patch on it, from 0: those of the tile in the address, else of the page."""
    wanted = query_int("tile")
    st.query_params.pop("tile", None)
    found = np.flatnonzero(ids == wanted) if wanted is not None else ids[:0]
    if len(found):
        page, start = divmod(int(found[0]), per_page)
        return page, start
    last = (len(ids) - 1) // per_page
    page = min(max((query_int("page") or 1) - 1, 0), last)
    return page, per_page - 1 if st.session_state.pop(END_KEY, False) else 0


def _score_ui(here: Context, project: Project, ids: Ids) -> None:
    """Score a table of predicted labels against the labels of now of the patches shown."""
    st.caption(
        'A CSV with a column patch, and either class (names or codes; lists joined by ";") or '
        "one column of scores for each class. Patches that the filters leave out do not count."
    )
    file = st.file_uploader("Predictions", type="csv", key="patches_predictions")
    if file is None:
        return
    try:
        text = file.getvalue().decode("utf-8-sig")
        made = read_predictions(text, project.classes, lists=project.kind == LIST)
        known = patches(here.store, project.id, ids.tolist())
        scores = score_patches(known, made, project.classes)
    except (CloudbrushError, UnicodeDecodeError) as error:
        st.error(str(error))
        return
    figures = {
        "Overall accuracy": scores.overall_accuracy,
        "Kappa": scores.kappa,
        "Mean F1": scores.mean_f1,
        "F1 of all": scores.micro_f1 if project.kind == LIST else math.nan,
        "mAP": scores.mean_ap,
    }
    st.write(f"{scores.patches:,} of {len(known):,} patches have a prediction.")
    shown = {name: value for name, value in figures.items() if not math.isnan(value)}
    for place, (name, value) in zip(st.columns(len(figures)), shown.items(), strict=False):
        place.metric(name, f"{value:.4f}")
    by_class = {
        "class": [entry.name for entry in project.classes.entries],
        "F1": scores.f1,
        "average precision": scores.ap,
    }
    st.dataframe(by_class, hide_index=True)


def _on_command() -> None:
    """Turn the page that the board asks for; a wish for a new token needs only the rerun."""
    command = st.session_state[BOARD_KEY].get("command") or {}
    if command.get("action") == "page" and isinstance(command.get("page"), int):
        st.query_params["page"] = str(command["page"] + 1)
        st.session_state[END_KEY] = command.get("atEnd") is True
