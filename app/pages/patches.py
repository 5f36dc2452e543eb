"""Patches: labels of whole patches, corrected by keys, one page of patches at a time."""

from typing import Any
from zlib import crc32

import streamlit as st

from app.links import open_page
from app.patches.mount import SPLITS, board, manifest
from app.session import Context, context, query_int
from app.theme import page_header
from core.classes import Provenance
from core.export.patches import patch_csv
from core.patch_index import Ids, PatchFilter, count_origins, find_patches, patches, regions_of
from core.patch_labels import KINDS, LIST, NONE
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
    pages = -(-len(ids) // per_page)
    page = min((query_int("page") or 1) - 1, pages - 1) if query_int("page") else 0
    st.query_params["page"] = str(page + 1)
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
        at_end=bool(st.session_state.pop(END_KEY, False)),
    )
    board(data, BOARD_KEY, _on_command)
    st.caption(f"Page {page + 1:,} of {pages:,}, {len(ids):,} patches.")


def _on_command() -> None:
    """Turn the page that the board asks for; a wish for a new token needs only the rerun."""
    command = st.session_state[BOARD_KEY].get("command") or {}
    if command.get("action") == "page" and isinstance(command.get("page"), int):
        st.query_params["page"] = str(command["page"] + 1)
        st.session_state[END_KEY] = command.get("atEnd") is True
