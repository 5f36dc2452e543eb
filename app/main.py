"""The Streamlit script: the pages in the order of the work, and who is at the keyboard."""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app.pages import clouds, compare, correct, explore, export, home, new_project, patches, train
from app.session import context, person_known, remember
from app.theme import install_chart_template
from core.patch_labels import KINDS

# A file of ours: a named icon would be fetched from the internet.
ICON = Path(__file__).parent / "icon.png"


def main() -> None:
    """Draw the navigation and the chosen page."""
    st.set_page_config(page_title="Cloudbrush", layout="wide", page_icon=str(ICON))
    install_chart_template()
    pages = [
        st.Page(home.main, title="Home", icon=":material/home:", url_path="home", default=True),
        st.Page(explore.main, title="Explore", icon=":material/map:", url_path="explore"),
        st.Page(correct.main, title="Correct", icon=":material/brush:", url_path="correct"),
        *_patches(),
        st.Page(clouds.main, title="Clouds", icon=":material/cloud:", url_path="clouds"),
        st.Page(train.main, title="Train", icon=":material/model_training:", url_path="train"),
        st.Page(compare.main, title="Compare", icon=":material/query_stats:", url_path="compare"),
        st.Page(export.main, title="Export", icon=":material/download:", url_path="export"),
        st.Page(new_project.main, title="New project", icon=":material/add:", url_path="new"),
    ]
    page = st.navigation(pages, position="sidebar" if person_known() else "hidden")
    if person_known():
        with st.sidebar:
            here = context()
            if here.project is not None:
                st.caption(f"Project: {here.project.name}")
            st.caption(f"Signed in as {here.person.name}")
            remember(here)
    page.run()


def _patches() -> list[StreamlitPage]:
    """Return the page of whole patches where the project has labels of that kind."""
    project = context().project if person_known() else None
    if project is None or project.kind not in KINDS:
        return []
    return [st.Page(patches.main, title="Patches", icon=":material/apps:", url_path="patches")]


main()
