"""The section "Network": those that fit the task and the inputs, each in a line."""

from collections.abc import Mapping
from textwrap import shorten

import streamlit as st

from app.train.draft import About, Draft
from app.train.options import options_ui
from core.records import ModelRecord
from models.zoo import NETWORKS, Entry, for_task
from models.zoo.sizes import in_words, sizes

AUTO = "auto"
KEY = "train_network"
SIZE_KEY = "train_size"
LIST_PX = 330
SOURCE_CHARS = 44
"""Of a source in the list; the whole of it is a click away."""

SIZES = {"default": "Default", "smallest": "Smallest", "own": "Own"}


def fitting(about: About) -> dict[str, Entry]:
    """Return the networks for the task whose inputs the tiles have, in the order of the table."""
    return {
        name: entry
        for name, entry in for_task(about.task).items()
        if set(entry.modalities) <= set(about.inputs)
    }


def network_ui(about: About, draft: Draft) -> None:
    """Draw the choice of network with its facts and options."""
    networks = fitting(about)
    start = about.model(draft.get("start"))
    names = [AUTO, *networks]
    with st.container(height=LIST_PX):
        chosen = st.radio(
            "Network",
            names,
            format_func=lambda name: title(name, start),
            captions=[auto_caption(about, start), *(line(name) for name in networks)],
            key=KEY,
            label_visibility="collapsed",
        )
    draft.put("network", chosen)
    others = len(for_task(about.task)) - len(networks)
    if others:
        st.caption(f"{others} more need inputs that these tiles do not have.")
    if chosen in networks:
        _facts_ui(networks[chosen])
        _size_ui(chosen, networks[chosen], draft)


def title(name: str, start: ModelRecord | None) -> str:
    """Return a network's name for people, and what stands for not choosing one."""
    if name == AUTO:
        return "As the start has it" if start else "What suits the project"
    return NETWORKS[name].title


def auto_caption(about: About, start: ModelRecord | None) -> str:
    """Return what not choosing comes to."""
    name = network_of(AUTO, about, start)
    return NETWORKS[name].title if name in NETWORKS else name


def network_of(name: str, about: About, start: ModelRecord | None) -> str:
    """Return the network that is trained, as `models.plan` settles it."""
    if name != AUTO:
        return name
    if start is not None:
        return start.network
    return "two_branch" if about.task == "damage" else "unet"


def line(name: str) -> str:
    """Return what there is to say of a network in one line: size, good for, source."""
    entry = NETWORKS[name]
    known = sizes().get(name)
    size = f"{in_words(known[0])} parameters" if known else ""
    good = f"good for {entry.good_for}" if entry.good_for else ""
    source = shorten(entry.source.split(";")[0], SOURCE_CHARS, placeholder=" …")
    return " · ".join(part for part in (size, good, source) if part)


def _facts_ui(entry: Entry) -> None:
    with st.popover("Published, and our choice", type="tertiary"):
        st.markdown(f"**Published.** {entry.published}")
        st.markdown(f"**Our choice.** {entry.ours}")
        st.caption(f"Source: {entry.source}. Licence of the source's code: {entry.licence}.")


def _size_ui(name: str, entry: Entry, draft: Draft) -> None:
    """Draw the choice of size, and the options of an own one."""
    if not entry.options:
        return
    known = sizes().get(name)
    words: Mapping[str, str] = dict(SIZES)
    if known:
        words = {
            **SIZES,
            **{k: f"{SIZES[k]}, {in_words(n)}" for k, n in zip(SIZES, known, strict=False)},
        }
    size = st.segmented_control(
        "Size",
        list(SIZES),
        default="default",
        format_func=words.__getitem__,
        required=True,
        key=f"{SIZE_KEY}_{name}",
        help="The smallest is the one that the tests train: for a try on a laptop.",
    )
    if size == "smallest":
        draft.put("options", dict(entry.smallest))
    elif size == "own":
        draft.put("options", options_ui("Network", entry.options, f"train_{name}", draft.faults))


def check_inputs(about: About, draft: Draft) -> None:
    """Note a fault where the inputs that were chosen lack what the network needs."""
    entry = NETWORKS.get(str(draft.get("network")))
    if entry is None:
        return
    start = about.model(draft.get("start"))
    asked = draft.get("modalities")
    inputs = tuple(asked or (start.bands if start else about.inputs))
    if not set(entry.modalities) <= set(inputs):
        whose = "" if asked or start is None else f" (those of {start.name})"
        draft.faults.append(
            f"Images, inputs: found {' and '.join(inputs)}{whose}, expected "
            f"{' and '.join(entry.modalities)} for {entry.title}. "
            "Choose other inputs or another network."
        )
