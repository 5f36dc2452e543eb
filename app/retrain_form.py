"""The left side of the Train page: what to learn from, network and recipe, with one button."""

from collections.abc import Sequence

import streamlit as st

from app.model_tree import inputs_of
from app.session import Context
from core import catalogue, jobs, trained
from core.records import Job, JobState, ModelRecord, Project, Tile
from models.request import RetrainRequest
from models.summary import main_reference, validation_summary
from models.zoo import for_task

DEFAULT = RetrainRequest()
INPUTS: dict[str, tuple[str, ...]] = {
    "As the start has them": (),
    "Optical and SAR": ("optical", "sar"),
    "SAR only": ("sar",),
    "Optical only": ("optical",),
    "Optical and height": ("optical", "height"),
}
PROVENANCES = {
    "pseudo": "Pseudo-label, untouched",
    "changed": "Changed by a person",
    "verified": "Verified by a person",
    "model": "Accepted from a model",
    "unsure": "Unsure",
}
CPU_SECONDS_PER_STEP = 0.4  # two cores with bf16, before a first run has been measured
OVERHEAD_SECONDS = 20.0  # starting, reading, scoring and predicting on the land-cover demo


def request_ui(here: Context, project: Project) -> RetrainRequest | None:
    """Draw the form; return a request when the button is pressed."""
    tiles = [t for t in catalogue.tiles(here.store, project.id) if t.trainable]
    edited = [tile for tile in tiles if tile.version]
    st.write(
        f"Learns from **{len(tiles)} tiles**, {len(edited)} of them corrected "
        f"({sum(tile.version for tile in edited)} edits). {_scored_on(here, project)}"
    )
    pressed = st.button("Retrain", type="primary", width="stretch", key="retrain")
    place = st.empty()
    with st.expander("Settings"):
        request = _settings_ui(here, project, tiles)
    place.caption(_estimate(here, request))
    return request if pressed else None


def _scored_on(here: Context, project: Project) -> str:
    counts = validation_summary(here.store, catalogue.tiles(here.store, project.id))
    reference = main_reference(counts)
    number = counts.get(reference, 0)
    if reference == "pseudo":
        return (
            "There is no clean validation yet, so scores read **against pseudo-labels**: "
            "reserve, correct and freeze some tiles below."
        )
    kind = "with truth" if reference == "truth" else "that people corrected and froze"
    return f"Scored on **{number} validation tiles** {kind}, which are never trained on."


def _settings_ui(here: Context, project: Project, tiles: Sequence[Tile]) -> RetrainRequest:
    name = st.text_input("Name", max_chars=80, placeholder="Model N", key="train_name")
    start = _start_ui(here, project)
    inputs = st.selectbox("Inputs", list(INPUTS), key="train_inputs")
    networks = for_task("damage" if project.kind == "damage" else "land cover")
    network = st.selectbox(
        "Network",
        ["auto", *networks],
        format_func=lambda key: "As the start has it" if key == "auto" else networks[key].title,
        key="train_network",
    )
    regions = st.multiselect(
        "Regions",
        sorted({tile.region for tile in tiles}),
        placeholder="All",
        key="train_regions",
    )
    cover = st.slider(
        "Optical dates up to this cloud cover", 0, 100, 100, 5, format="%d %%", key="train_cover"
    )
    st.markdown("**How much a pixel counts**")
    weights = {
        key: st.number_input(
            label, 0.0, 20.0, float(DEFAULT.weights[key]), 0.5, key=f"train_weight_{key}"
        )
        for key, label in PROVENANCES.items()
    }
    left, right = st.columns(2)
    steps = left.number_input("Steps", 10, 20_000, DEFAULT.steps, 20, key="train_steps")
    batch = right.number_input("Crops per step", 1, 64, DEFAULT.batch, key="train_batch")
    crop = left.number_input("Crop, pixels", 64, 512, DEFAULT.crop_px, 32, key="train_crop")
    rate = right.number_input(
        "Learning rate", 1e-5, 0.1, DEFAULT.learning_rate, format="%.4f", key="train_rate"
    )
    seed = left.number_input("Seed", 0, 10_000, 0, key="train_seed")
    control = st.checkbox(
        "Train a control as well",
        key="train_control",
        help="The same run on the labels as they came. Only against it does a gain come from the "
        "corrections and not from more training. Doubles the time.",
    )
    return RetrainRequest(
        name=name,
        network=network,
        modalities=INPUTS[inputs],
        regions=tuple(regions),
        max_cover=cover / 100,
        weights=weights,
        start=start,
        steps=int(steps),
        batch=int(batch),
        crop_px=int(crop),
        learning_rate=float(rate),
        seed=int(seed),
        control=control,
    )


def _start_ui(here: Context, project: Project) -> str | int:
    records = {record.id: record for record in trained.models(here.store, project.id)}
    shown = trained.promoted(here.store, project.id)

    def words(key: str | int) -> str:
        if key == "promoted":
            return f"The promoted model: {shown.name}" if shown else "The promoted model (none yet)"
        if isinstance(key, int):
            return _model_name(records[key])
        return "From scratch"

    options: list[str | int] = ["promoted", "scratch", *records]
    return st.selectbox("Start from", options, format_func=words, key="train_start")


def _model_name(record: ModelRecord) -> str:
    return f"{record.name} ({inputs_of(record)})"


def _estimate(here: Context, request: RetrainRequest) -> str:
    """Say how long it will take, from the newest measured run where there is one."""
    past = [job for job in jobs.jobs(here.store, kind="train") if job.state is JobState.DONE]
    per_step, overhead = CPU_SECONDS_PER_STEP, OVERHEAD_SECONDS
    if past and (measured := _measured(past[0])):
        per_step, overhead = measured
    size = request.batch * request.crop_px**2 / (DEFAULT.batch * DEFAULT.crop_px**2)
    arms = 2 if request.control else 1
    seconds = arms * (per_step * size * request.steps + overhead)
    words = f"{round(seconds / 5) * 5} s" if seconds < 100 else f"{round(seconds / 60)} min"
    source = "from the last run" if past else "not measured here yet"
    return f"Takes about {words} ({source})."


def _measured(job: Job) -> tuple[float, float] | None:
    """Return seconds per step of default size, and the rest, of a finished run."""
    result, asked = job.result, job.payload
    if not result.get("seconds_per_step"):
        return None
    arms = 2 if asked.get("control") else 1
    batch, crop = asked.get("batch", DEFAULT.batch), asked.get("crop_px", DEFAULT.crop_px)
    size = batch * crop**2 / (DEFAULT.batch * DEFAULT.crop_px**2)
    trained_seconds = result["seconds_per_step"] * result["steps"] * arms
    return result["seconds_per_step"] / size, max(result["seconds"] - trained_seconds, 0.0) / arms
