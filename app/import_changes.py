"""What changed in the folder of a project: see it, then take it over."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app.background import background_ui, working
from app.import_findings import findings_ui
from app.import_large import import_findings_ui
from app.import_progress import progress_to
from app.session import Context
from core import catalogue, jobs
from core.errors import CloudbrushError
from core.found import Finding
from core.records import Job, JobState, Project
from core.reimport import Changes, compare
from data.importing import findings_path
from data.recipe import recipe_of_project
from data.taking_over import KIND, start_taking_over

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
    busy = working(here, project.id, KIND)
    if busy:
        _taking_over_ui(here, project, busy)
        return
    try:
        if st.button("Look for changes"):
            _look(here, project)
        held = st.session_state.get(HELD_KEY)
        if held is not None and held[0] == project.id:
            _changes_ui(here, project, held[1])
        else:
            _taken_ui(here, project)
    except CloudbrushError as error:
        st.error(str(error))


def _look(here: Context, project: Project) -> None:
    with st.spinner("Looking through the folder"):
        found = recipe_of_project(project).find()
    bar = st.progress(0.0, "Comparing files")
    changes = compare(here.store, project.id, found, progress_to(bar))
    bar.empty()
    st.session_state[HELD_KEY] = (project.id, changes)


def _changes_ui(here: Context, project: Project, changes: Changes) -> None:
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
        start_taking_over(here.store, here.settings, project.id, changes, here.person.id)
        st.session_state.pop(HELD_KEY)
        st.rerun()


def _taking_over_ui(here: Context, project: Project, busy: Sequence[Job]) -> None:
    """Draw the job that takes over changes with a way to stop it."""
    background_ui(here, busy)
    st.caption("You can leave this page: it goes on, and says here what it did.")
    if st.button("Stop", key="stop_take_over", help="What was taken over until then stays."):
        jobs.cancel(here.store, busy[0].id)
        st.rerun()


def _taken_ui(here: Context, project: Project) -> None:
    """Say what the newest job of a project took over, or why it did not."""
    newest = next(iter(jobs.jobs(here.store, project.id, kind=KIND)), None)
    if newest is None:
        return
    if newest.state is JobState.FAILED:
        st.error(newest.message)
    elif newest.state is JobState.CANCELLED:
        st.warning("Taking over was stopped. What it had not come to still shows as changed.")
    elif newest.state is JobState.DONE:
        done = newest.result
        st.success(
            f"Taken over: {done['new']:,} new, {done['changed']:,} changed and {done['gone']:,} "
            "gone tiles. Pixels of new and changed ones are read in the background."
        )
        found = [Finding(**finding) for finding in done["findings"]]
        if len(found) < done["findings_count"]:
            st.caption(f"The first {len(found):,} of {done['findings_count']:,} findings.")
        findings_ui(found, "change findings", root=project.root)
