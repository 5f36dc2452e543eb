"""Naming the classes of a dataset that publishes no legend: asked for once, then kept."""

import streamlit as st

from app.session import Context
from app.theme import swatch
from core import legend
from core.errors import CloudbrushError
from core.records import Project
from data.readers import published_names

WAITS = (
    "This dataset does not say what its class codes mean. Training and scoring wait until each "
    "code has a name."
)


def legend_ui(here: Context, project: Project) -> bool:
    """Return whether each class has a name; ask for the missing ones where it has not."""
    codes = legend.unnamed(project.classes)
    if not codes:
        return True
    st.info(WAITS)
    listed = published_names(project.reader)
    if listed:
        st.caption(f"Its authors list, without codes: {', '.join(listed)}.")
    with st.form(f"legend {project.id}", width=520):
        given = {code: _name_ui(project, code, listed) for code in codes}
        if st.form_submit_button("Keep these names", type="primary"):
            try:
                names = {code: name for code, name in given.items() if name}
                legend.name_classes(here.store, project.id, names)
            except CloudbrushError as error:
                st.error(str(error))
            else:
                st.rerun()
    return False


def _name_ui(project: Project, code: int, listed: tuple[str, ...]) -> str:
    st.html(swatch(project.classes.entry(code).colour, f"code {code}"))
    name = st.selectbox(
        f"Name of code {code}",
        listed,
        index=None,
        accept_new_options=True,
        placeholder="Choose or type a name",
        label_visibility="collapsed",
    )
    return name or ""
