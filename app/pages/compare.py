"""Compare: two maps in depth, many models side by side, and where models disagree."""

from collections.abc import Callable

import streamlit as st

from app.compare.disagree import disagree_ui
from app.compare.many import many_ui
from app.compare.pair import pair_ui
from app.compare.stage import nothing
from app.legend_form import legend_ui
from app.session import Context, context
from app.theme import page_header
from core.records import Project

VIEWS: dict[str, tuple[str, Callable[[Context, Project], None]]] = {
    "two": ("Two maps", pair_ui),
    "many": ("Many models", many_ui),
    "disagree": ("Where models disagree", disagree_ui),
}
VIEW_KEY = "compare_view"


def main() -> None:
    """Draw the page."""
    here = context()
    page_header(
        "Compare",
        "What changed, for which classes, under which clouds, and how sure. IoU is the overlap of "
        "map and reference, from 0 (none) to 1 (the same); mIoU is its mean over classes.",
    )
    if here.project is None:
        nothing("No project is open. Choose one on the home page.", "home", "Go to Home")
        return
    if not legend_ui(here, here.project):
        return
    VIEWS[_view()][1](here, here.project)


def _view() -> str:
    """Draw the choice of view, which is in the address."""
    asked = st.query_params.get("view")
    chosen = st.segmented_control(
        "View",
        list(VIEWS),
        default=asked if asked in VIEWS else "two",
        format_func=lambda name: VIEWS[name][0],
        required=True,
        key=VIEW_KEY,
        label_visibility="collapsed",
    )
    if chosen != asked and (asked or chosen != "two"):
        st.query_params["view"] = chosen
    return str(chosen)
