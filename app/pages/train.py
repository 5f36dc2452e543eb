"""Train: one button, the running job, what it gained, and the tree of models."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from app.background import ENDED, background_ui, in_words, working
from app.device import device
from app.legend_form import legend_ui
from app.links import open_page
from app.model_tree import REFERENCE_WORDS, models_ui, promote
from app.retrain_form import request_ui
from app.session import Context, context
from app.theme import page_header
from app.train.gain import levels_ui
from app.train_charts import change_chart, curves_chart
from app.validation import validation_ui
from app.weights_form import weights_ui
from core import catalogue, jobs, trained
from core.errors import NotFound
from core.records import Job, JobState, Project
from models.request import RetrainRequest
from models.zoo.recipes import RECIPES, Recipe

KIND = "train"
SHOWN_KEY = "train_shown"  # the job whose result is on the page; None for the newest
DEFAULT_STEPS = RetrainRequest().steps


def main() -> None:
    """Draw the page."""
    here = context()
    page_header("Train", "Retrain the network from the labels of now and see what it gained.")
    if here.project is None:
        st.info("No project is open. Choose one on the home page.")
        if st.button("Go to Home", type="primary"):
            open_page("home")
        return
    project = here.project
    if not legend_ui(here, project):
        return
    if not any(tile.trainable for tile in catalogue.tiles(here.store, project.id)):
        st.info("No tile can be learnt from: every tile is kept for validation.")
        validation_ui(here, project)
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        _device_ui(here)
        request = request_ui(here, project)
        if request is not None:
            _submit(here, project, request)
    with right:
        _jobs_ui(here, project)
    st.divider()
    models_ui(here, project)
    weights_ui(here, project)
    st.divider()
    validation_ui(here, project)


def _submit(here: Context, project: Project, request: RetrainRequest) -> None:
    jobs.submit(here.store, here.settings, KIND, request.payload(), project.id, here.person.id)
    st.session_state[SHOWN_KEY] = None
    st.rerun()


def _device_ui(here: Context) -> None:
    """Say where networks run; asks again until torch has answered."""
    known = device(here.settings)

    @st.fragment(run_every=None if known.line else 1.0)
    def line() -> None:
        st.caption(f"Runs on: {known.line or 'looking for a GPU'}")

    line()


def _jobs_ui(here: Context, project: Project) -> None:
    """Draw the queue and the running job while there is one, else the newest result."""
    mine = working(here, project.id, KIND)
    if mine:
        _live(here, project.id, tuple(job.id for job in mine))
        return
    background_ui(here, working(here, project.id, "predict", "evaluate"))
    ended = [job for job in jobs.jobs(here.store, project.id, kind=KIND) if job.state in ENDED]
    if not ended:
        st.subheader("Nothing trained yet", anchor=False)
        st.write(
            "Press **Retrain**. The network learns from every training tile as its label is now; "
            "pixels that people changed or verified count more. You can leave this page: the job "
            "goes on, and its result waits here."
        )
        return
    _ended_ui(here, project, ended)


@st.fragment(run_every=1.0)
def _live(here: Context, project_id: int, watched: tuple[int, ...]) -> None:
    """Redraw the queue every second until one of the watched jobs ends."""
    found = {job_id: jobs.job(here.store, job_id) for job_id in watched}
    if any(job.state in ENDED for job in found.values()):
        st.rerun()
    queue = jobs.queue(here.store)
    for position, job in enumerate(queue):
        if job.id in found:
            _running_ui(here, job) if job.state is JobState.RUNNING else _waiting_ui(
                here, job, queue[:position]
            )


def _waiting_ui(here: Context, job: Job, before: list[Job]) -> None:
    doing = f"; now: {in_words(here.store, before[0])}" if before else ""
    ahead = f"{len(before)} ahead of it{doing}" if before else "next"
    row, button = st.columns([4, 1], vertical_alignment="center")
    row.write(f"**{in_words(here.store, job)}** waits in the queue, {ahead}. {job.message}.")
    if button.button("Cancel", key=f"cancel_{job.id}"):
        jobs.cancel(here.store, job.id)
        st.rerun()


def _running_ui(here: Context, job: Job) -> None:
    points = jobs.events(here.store, job.id)
    heading, button = st.columns([4, 1], vertical_alignment="center")
    heading.subheader(in_words(here.store, job), anchor=False)
    if button.button("Cancel", key=f"cancel_{job.id}", disabled=job.message == "Stopping"):
        jobs.cancel(here.store, job.id)
        st.rerun(scope="fragment")
    st.progress(min(job.progress, 1.0), text=f"{job.message} · {_time_left(job)}")
    if points:
        _curves_ui(job, points, f"curves_{job.id}")
    else:
        st.caption("Curves appear after the first steps.")


PLAIN = {"displayModeBar": False}


def _time_left(job: Job) -> str:
    """Return in words how long a running job will still take, scoring included."""
    if job.started_at is None or job.progress < 0.03:
        return "estimating the time left"
    passed = (datetime.now(UTC) - job.started_at).total_seconds()
    return f"about {time_words(passed / job.progress * (1 - job.progress))} left"


def time_words(seconds: float) -> str:
    """Return a time span for people: seconds below two minutes, else minutes."""
    if seconds < 100:
        return f"{max(5, round(seconds / 5) * 5)} s"
    return f"{round(seconds / 60)} min"


def _ended_ui(here: Context, project: Project, ended: list[Job]) -> None:
    """Draw the end of a job: its result, or why there is none."""
    chosen = st.session_state.get(SHOWN_KEY)
    job = next((job for job in ended if job.id == chosen), ended[0])
    if len(ended) > 1:
        job = st.selectbox(
            "Run", ended, index=ended.index(job), format_func=lambda run: _run_name(here, run)
        )
        st.session_state[SHOWN_KEY] = job.id
    if job.state is JobState.FAILED:
        st.error(f"**Failed.** {job.message}")
    elif job.state is JobState.CANCELLED:
        st.warning(f"**Cancelled.** No model was kept. {_took(job)}")
    else:
        _result_ui(here, project, job)
    points = jobs.events(here.store, job.id)
    if points:
        with st.expander("Curves of this run"):
            _curves_ui(job, points, f"past_{job.id}")


def _result_ui(here: Context, project: Project, job: Job) -> None:
    """Draw before and after by class, and the way to promotion and comparison."""
    result = job.result
    try:
        model = trained.model(here.store, result["model_id"])
    except NotFound as error:
        st.warning(str(error))
        return
    st.success(f"**Done: {model.name}.** {_took(job)} on {result['device']}.")
    sky = st.segmented_control(
        "Dates", list(SKIES), default="clear", key=f"sky_{job.id}", format_func=SKIES.__getitem__
    )
    summaries = {
        name: found[sky or "clear"]
        for name, found in result["scores"].items()
        if found[sky or "clear"] is not None
    }
    if model.name in summaries:
        _figures_ui(project, result, summaries, model.name)
        levels_ui(here, project, result)
    shown = trained.promoted(here.store, project.id)
    first, second = st.columns(2)
    if shown is not None and shown.id == model.id:
        first.caption("Its predictions are shown in the editor.")
    elif first.button("Promote: show it in the editor", type="primary", width="stretch"):
        promote(here, project, model.id)
        st.rerun()
    if second.button("Compare in detail", width="stretch"):
        open_page("compare", project=project.id, model=model.id)
    for note in [*result["notes"], *_left_out(result)]:
        st.caption(note)


SKIES = {"clear": "Clearest date of each tile", "all": "All dates, cloudy ones included"}


def _figures_ui(
    project: Project, result: dict[str, Any], summaries: dict[str, Any], name: str
) -> None:
    after = summaries[name]
    others = [other for other in summaries if other != name]
    columns = st.columns(len(others) + 1)
    gain = None
    if others and None not in (after["miou"], summaries[others[0]]["miou"]):
        gain = f"{100 * (after['miou'] - summaries[others[0]]['miou']):+.1f} points"
    columns[0].metric(f"mIoU, {name}", _share(after["miou"]), gain)
    for column, other in zip(columns[1:], others, strict=True):
        column.metric(f"mIoU, {other}", _share(summaries[other]["miou"]))
    st.caption(
        f"IoU by class {REFERENCE_WORDS[result['reference']]}, "
        f"{result['validation_tiles']} validation tiles, {after['pixels'] / 1e6:.1f} million "
        f"pixels. Learnt from {result['tiles']} tiles with {result['corrected_px']:,} corrected "
        "pixels."
    )
    st.plotly_chart(change_chart(project.classes, summaries, name), config=PLAIN)


def _left_out(result: dict[str, Any]) -> list[str]:
    left_out: dict[str, str] = result.get("left_out", {})
    if not left_out:
        return []
    first = [f"{name} {why}" for name, why in list(left_out.items())[:3]]
    more = f", and {len(left_out) - 3} more" if len(left_out) > 3 else ""
    return [f"Not learnt from: {'; '.join(first)}{more}."]


def _run_name(here: Context, job: Job) -> str:
    when = f"{job.created_at:%d %b %H:%M}" if job.created_at else ""
    return f"{in_words(here.store, job)}, {when}, {job.state.value}"


def _curves_ui(job: Job, points: Sequence[Mapping[str, Any]], key: str) -> None:
    """Draw the curves, the steps of the recipe that they run through, and what was said of them."""
    steps, recipe = _steps(job), _recipe(job)
    parts = recipe.ends(steps) if recipe else []
    total = parts[-1][0] if parts else steps
    named = [(end, f"step {number}") for end, number, _says in parts]
    st.plotly_chart(curves_chart(points, total, named), key=key, config=PLAIN)
    if len(parts) > 1:
        st.caption("  \n".join(f"Step {number}: {says}." for _end, number, says in parts))
    for note in dict.fromkeys(point["note"] for point in points if point.get("note")):
        st.info(note)


def _recipe(job: Job) -> Recipe | None:
    return RECIPES.get(str(job.payload.get("recipe", "plain")))


def _steps(job: Job) -> int:
    return int(job.payload.get("steps", DEFAULT_STEPS))


def _took(job: Job) -> str:
    if job.started_at is None or job.ended_at is None:
        return ""
    return f"It took {time_words((job.ended_at - job.started_at).total_seconds())}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
