"""What changed in the folder of a project: see it, then take it over."""

import pandas as pd
import streamlit as st

from app.import_findings import findings_ui
from app.import_large import import_findings_ui
from app.import_progress import progress_to
from app.session import Context
from core import catalogue, jobs
from core.errors import CloudbrushError
from core.found import FoundDataset
from core.records import Project
from core.reimport import Changes, compare, take_over
from core.scan_job import queue_scan
from data.importing import findings_path
from data.recipe import recipe_of_project

HELD_KEY = "import_changes"
MOST_ROWS = 2_000


def changes_ui(here: Context) -> None:
    """Let a person compare a project with its folder, and take over what changed."""
    projects = catalogue.projects(here.store)
    if not projects:
        st.info("Import a dataset first; what changes in its folder then shows here.")
        return
    current = next((i for i, p in enumerate(projects) if here.project == p), 0)
    project: Project = st.selectbox(
        "Project", projects, current, format_func=lambda p: p.name, width=420, key="changes_of"
    )
    st.caption(f"Its folder is {project.root}. Nothing is taken over before you say so.")
    if findings_path(here.store, project.id).exists():
        with st.expander("What its import found"):
            import_findings_ui(here, project, "kept")
    try:
        if st.button("Look for changes"):
            _look(here, project)
        held = st.session_state.get(HELD_KEY)
        if held is not None and held[0] == project.id:
            _changes_ui(here, project, held[1], held[2])
    except CloudbrushError as error:
        st.error(str(error))


def _look(here: Context, project: Project) -> None:
    with st.spinner("Looking through the folder"):
        found = recipe_of_project(project).find()
    bar = st.progress(0.0, "Comparing files")
    changes = compare(here.store, project.id, found, progress_to(bar))
    bar.empty()
    st.session_state[HELD_KEY] = (project.id, found, changes)


def _changes_ui(here: Context, project: Project, found: FoundDataset, changes: Changes) -> None:
    if not changes:
        st.success("Nothing has changed: every file is as it was imported.")
        return
    rows = [
        *({"tile": name, "what": "new"} for name in changes.new),
        *({"tile": n, "what": "changed", "why": changes.why[n]} for n in changes.changed),
        *({"tile": n, "what": "gone", "why": changes.why[n]} for n in changes.gone),
        *({"tile": n, "what": "has edits", "why": changes.why[n]} for n in changes.kept),
    ]
    st.markdown(
        f"**{len(changes.new):,}** new, **{len(changes.changed):,}** changed and "
        f"**{len(changes.gone):,}** gone tiles; **{len(changes.kept):,}** with edits keep theirs."
    )
    st.dataframe(pd.DataFrame(rows[:MOST_ROWS], columns=["tile", "what", "why"]), hide_index=True)
    if len(rows) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS:,} of {len(rows):,}.")
    st.caption(
        "Taking over adds new tiles, takes gone ones out, and reads changed ones anew: their maps "
        "and scores go, their edits stay. A tile with edits never gets another label; it takes "
        "no more edits until its file is put back."
    )
    if st.button("Take over", type="primary"):
        bar = st.progress(0.0, "Reading headers")
        roots = here.settings.allowed_roots
        findings = take_over(
            here.store, project.id, found, changes, roots=roots, progress=progress_to(bar)
        )
        bar.empty()
        st.session_state.pop(HELD_KEY)
        queue_scan(here.store, project.id, again=True)
        jobs.ensure_runner(here.settings)
        st.success("Done. The pixels of new and changed tiles are read in the background.")
        findings_ui(findings, "change findings", root=project.root)
