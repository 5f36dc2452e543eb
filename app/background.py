"""Jobs behind the pages, in words: what is being scored or mapped, and how far it is."""

from collections.abc import Sequence

import streamlit as st

from app.session import Context
from core import jobs, trained
from core.errors import NotFound
from core.records import Job, JobState
from core.store.engine import Store

ENDED = {JobState.DONE, JobState.CANCELLED, JobState.FAILED}
PLAIN = {
    "evaluate": "Scoring the models on the validation tiles",
    "import": "Importing",
    "take_over": "Taking over what changed",
    "scan": "Reading the pixels of the tiles",
    "clouds": "Finding clouds",
    "weights": "Reading a weights file",
    "simulate_clouds": "Simulating clouds",
}


def in_words(store: Store, job: Job) -> str:
    """Return what a job does, as a heading."""
    if job.kind in PLAIN:
        return PLAIN[job.kind]
    if job.kind == "onnx":
        return f"Writing {_model_name(store, job)} as ONNX"
    if job.kind == "views":
        return f"Scoring {_model_name(store, job)} with {job.payload.get('views')} views"
    if job.kind == "vote":
        return f"Scoring {_model_name(store, job)} with another vote of its buildings"
    if job.kind == "predict":
        return f"Drawing the maps of {_model_name(store, job)}"
    if job.kind == "export":
        return f"Exporting {job.payload.get('name', job.id)}"
    return str(job.payload.get("name") or f"Retraining (job {job.id})")


def working(here: Context, project_id: int, *kinds: str) -> list[Job]:
    """Return the jobs of these kinds that wait or run for a project; see that they get a turn."""
    waiting = jobs.queue(here.store)
    if waiting:
        jobs.ensure_runner(here.settings)  # it may have ended with a restart of the machine
    return [job for job in waiting if job.project_id == project_id and job.kind in kinds]


def background_ui(here: Context, found: Sequence[Job]) -> None:
    """Draw the progress of jobs until one of them ends; then the page is drawn anew."""
    if found:
        _live(here, tuple(job.id for job in found))


@st.fragment(run_every=1.0)
def _live(here: Context, watched: tuple[int, ...]) -> None:
    for job_id in watched:
        try:
            job = jobs.job(here.store, job_id)
        except NotFound:  # it went with its project
            st.rerun()
        if job.state in ENDED:
            st.rerun()
        words = in_words(here.store, job)
        detail = job.message if job.state is JobState.RUNNING else "waits for its turn"
        st.progress(min(job.progress, 1.0), text=f"**{words}**: {detail}")


def _model_name(store: Store, job: Job) -> str:
    try:
        return trained.model(store, int(job.payload["model_id"])).name
    except (KeyError, NotFound):
        return "a model"
