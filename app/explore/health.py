"""What is not well with a project: an import or scan on its way, tiles that cannot be worked on."""

import streamlit as st

from app.background import background_ui, working
from app.explore.filters import PROBLEMS_KEY
from app.session import Context
from core import jobs
from core.browse import Progress
from core.records import Project
from core.scan_job import queue_scan


def health_ui(here: Context, project: Project, found: Progress) -> None:
    """Draw a line for each thing that a person should know; nothing where all is well."""
    busy = working(here, project.id, "import", "scan")
    background_ui(here, busy)
    if found.unscanned and not busy:
        _offer_scan(here, project, found)
    if found.problems:
        _problems_ui(here, project, found)


def _offer_scan(here: Context, project: Project, found: Progress) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"The pixels of {found.unscanned:,} tiles were not read yet: their cloud cover and "
            "classes are unknown. Each is read before its first edit in any case.",
            width="content",
        )
        if st.button("Read them now"):
            _scan(here, project, again=False)


def _problems_ui(here: Context, project: Project, found: Progress) -> None:
    count = "1 tile" if found.problems == 1 else f"{found.problems:,} tiles"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.toggle(f"Show only the {count} that cannot be worked on", key=PROBLEMS_KEY)
        if st.button("Scan them again", help="After their files were mended"):
            _scan(here, project, again=True)


def _scan(here: Context, project: Project, *, again: bool) -> None:
    queue_scan(here.store, project.id, again=again)
    jobs.ensure_runner(here.settings)
    st.rerun()
