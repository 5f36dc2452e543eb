"""Imports that run as a job: what is on its way, what was stopped, and what they found."""

import streamlit as st

from app.background import background_ui, working
from app.import_findings import findings_ui
from app.links import open_page
from app.session import Context
from core import catalogue, jobs
from core.errors import NotFound
from core.records import Job, JobState, Project
from data.importing import KIND, continue_import, kept_findings, unfinished
from data.recipe import OPTION

MOST_FINDINGS = 2_000  # shown on a page; the file in the workspace holds all
WATCHED_KEY = "watched_imports"


def imports_ui(here: Context) -> None:
    """Draw the imports that run or were stopped, and say which have ended since the last look."""
    waiting = unfinished(here.store)
    watched: list[int] = st.session_state.setdefault(WATCHED_KEY, [])
    for project_id in [i for i in watched if i not in {project.id for project in waiting}]:
        watched.remove(project_id)
        _ended_ui(here, project_id)
    for project in waiting:
        if project.id not in watched:
            watched.append(project.id)
        with st.container(border=True):
            _import_ui(here, project)


def _ended_ui(here: Context, project_id: int) -> None:
    try:
        project = catalogue.project(here.store, project_id)
    except NotFound:  # it was discarded
        return
    left_out = int(project.options[OPTION]["left_out"])
    st.success(
        f"{project.name} is imported" + (f"; {left_out:,} tiles left out." if left_out else ".")
    )
    if st.button(f"Explore {project.name}", key=f"explore_{project_id}"):
        open_page("explore", project=project_id)
    import_findings_ui(here, project, "ended")


def import_findings_ui(here: Context, project: Project, where: str) -> None:
    """Draw what an import found: the first findings, and how many; `where` names the place."""
    findings, count = kept_findings(here.store, project.id, MOST_FINDINGS)
    if count > len(findings):
        st.caption(
            f"The first {len(findings):,} of {count:,} findings. The workspace keeps all of "
            f"them in imports/project-{project.id}.jsonl."
        )
    findings_ui(findings, f"{where} {project.id}", root=project.root)


def _import_ui(here: Context, project: Project) -> None:
    running = working(here, project.id, KIND)
    if running:
        st.markdown(f"**{project.name}**")
        background_ui(here, running)
        if st.button("Stop", key=f"stop_{project.id}", help="It can go on later from where it is."):
            jobs.cancel(here.store, running[0].id)
            st.rerun()
        return
    last = next(iter(jobs.jobs(here.store, project.id, kind=KIND)), None)
    st.markdown(f"**{project.name}**: {_why_stopped(last)}")
    with st.container(horizontal=True):
        if st.button("Continue", key=f"continue_{project.id}", type="primary"):
            continue_import(here.store, here.settings, project.id)
            st.rerun()
        if st.button("Discard", key=f"discard_{project.id}", help="Your files stay as they are."):
            catalogue.delete_project(here.store, project.id)
            st.rerun()


def _why_stopped(last: Job | None) -> str:
    if last is None or last.state is JobState.CANCELLED:
        return "the import was stopped. What was written stays, and it goes on from there."
    return f"the import ended early: {last.message}"
