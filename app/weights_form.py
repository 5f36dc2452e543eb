"""Add a model whose weights come from a file that a person has downloaded."""

from typing import Any

import streamlit as st

from app.background import ENDED, background_ui, working
from app.session import Context
from core import jobs
from core.errors import CloudbrushError
from core.raster import check_allowed
from core.records import JobState, Project
from models.zoo import NETWORKS, for_task
from models.zoo.weights import IMAGENET_NETWORKS, WEIGHTS

KIND = "weights"
IMAGENET, BASELINE, OWN = "imagenet", "oem_sar_baseline", "cloudbrush"
TITLES = {
    IMAGENET: "Encoder trained on ImageNet",
    OWN: "Model of Cloudbrush",
    BASELINE: "Baseline of OpenEarthMap-SAR",
    **{name: weight.title for name, weight in WEIGHTS.items()},
}


def weights_ui(here: Context, project: Project) -> None:
    """Draw the form in an expander, the running job and how the last file fitted."""
    with st.expander("Add a weights file", key="weights_form"):
        st.caption(
            "Start from an encoder that others trained, or take in a model of Cloudbrush from "
            "elsewhere. Nothing is fetched: download the file yourself and give its path."
        )
        payload = _choices(project)
        path = st.text_input("File", key="weights_path", placeholder="/path/to/weights.safetensors")
        if st.button("Read the file", disabled=not path.strip(), key="weights_read"):
            _submit(here, project, {**payload, "path": path.strip()})
        background_ui(here, working(here, project.id, KIND))
        _last_ui(here, project)


def _choices(project: Project) -> dict[str, Any]:
    """Return which weights, and for ImageNet network and inputs; say what a file expects."""
    kind = st.selectbox("Weights", list(TITLES), format_func=TITLES.__getitem__, key="weights_kind")
    if kind in WEIGHTS:
        weight = WEIGHTS[kind]
        bands = "; ".join(f"{m}: {' '.join(names)}" for m, names in weight.bands.items())
        st.caption(f"File `{weight.file}`, {weight.licence}. Bands in this order: {bands}.")
        st.caption(f"Unit: {weight.unit}.")
        return {"weights": kind}
    if kind == OWN:
        st.caption(
            "The zip of a model's card, or its .safetensors with the .json beside it. Classes and "
            "bands must be those of this project."
        )
        return {"weights": kind}
    if kind == BASELINE:
        st.caption("U-Net with EfficientNet-B4 and scSE, for SAR of one band and 8 bits.")
        return {"weights": kind}
    return {"weights": kind, **_imagenet_choices(project)}


def _imagenet_choices(project: Project) -> dict[str, Any]:
    """Return network, encoder and inputs; our own small encoders were never trained on ImageNet."""
    fitting = for_task("damage" if project.kind == "damage" else "land cover")
    network = st.selectbox(
        "Network",
        [name for name in IMAGENET_NETWORKS if name in fitting],
        format_func=lambda name: NETWORKS[name].title,
        key="weights_network",
    )
    entry = NETWORKS[network]
    encoder = entry.options["encoder"]
    choices = [name for name in encoder.choices if not str(name).startswith("small")]
    chosen = st.selectbox(
        "Encoder", choices, index=choices.index(str(encoder.default)), key="weights_encoder"
    )
    needed = list(entry.modalities) or ["optical"]
    inputs = st.multiselect(
        "Inputs",
        ["optical", "sar", "height"],
        default=needed,
        key=f"weights_inputs_{'_'.join(needed)}",
    )
    return {"network": network, "options": {"encoder": chosen}, "modalities": inputs}


def _submit(here: Context, project: Project, payload: dict[str, Any]) -> None:
    try:
        check_allowed(payload["path"], here.settings.allowed_roots)
    except CloudbrushError as error:
        st.error(str(error))
        return
    jobs.submit(here.store, here.settings, KIND, payload, project.id, here.person.id)
    st.rerun()


def _last_ui(here: Context, project: Project) -> None:
    ended = [job for job in jobs.jobs(here.store, project.id, kind=KIND) if job.state in ENDED]
    if not ended:
        return
    if ended[0].state is JobState.DONE:
        st.success(f"{ended[0].result['says']}. The model can be the start of a run.")
    else:
        st.error(f"No model was added. {ended[0].message}")
