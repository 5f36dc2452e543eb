"""The section "Network": those that fit the task and the inputs, each in a line."""

from collections.abc import Mapping
from textwrap import shorten
from typing import Any

import streamlit as st

from app.train.draft import About, Draft
from app.train.options import options_ui
from core.errors import CloudbrushError
from core.records import ModelRecord
from models.zoo import NETWORKS, Entry, for_task
from models.zoo.recipes import RECIPES, network_of
from models.zoo.sizes import in_words, size_of, sized, sizes

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
    """Draw the choice of network with its facts and options, or the one of the recipe."""
    bound = bound_by(draft)
    if bound is not None:
        _bound_ui(draft, *bound)
        return
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


def bound_by(draft: Draft) -> tuple[str, dict[str, Any]] | None:
    """Return the network that the recipe of a draft is about, with its options; None if it is open.

    A setting of the recipe that is out of bounds is said elsewhere; its default stands in here.
    """
    try:
        return network_of(draft.get("recipe"), draft.get("recipe_settings"))
    except CloudbrushError:
        return network_of(draft.get("recipe"), {})


def _bound_ui(draft: Draft, name: str, options: Mapping[str, Any]) -> None:
    """Draw what a recipe trains, how large it is, and why nothing else can be chosen."""
    recipe, entry = RECIPES[draft.get("recipe")], NETWORKS[name]
    st.markdown(f"**{entry.title}**")
    count = size_of(name, options)
    size = f"{in_words(count)} parameters" if count else ""
    words = [f"{key.replace('_', ' ')} {value}" for key, value in sized(options).items()]
    st.caption(" · ".join(part for part in (size, *words) if part))
    st.info(
        f"The recipe {recipe.title} trains this network and no other. {recipe.why_network} "
        "Its size is among the numbers of the recipe."
    )
    draft.put("network", name)
    _facts_ui(entry)


def title(name: str, start: ModelRecord | None) -> str:
    """Return a network's name for people, and what stands for not choosing one."""
    if name == AUTO:
        return "As the start has it" if start else "What suits the project"
    return NETWORKS[name].title


def auto_caption(about: About, start: ModelRecord | None) -> str:
    """Return what not choosing comes to."""
    name = settled(AUTO, about, start)
    return NETWORKS[name].title if name in NETWORKS else name


def settled(name: str, about: About, start: ModelRecord | None) -> str:
    """Return the network that a choice comes to, as `models.plan` settles it."""
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
