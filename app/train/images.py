"""The section "Images": inputs, clouds, regions, and how crops are changed while learning."""

from typing import Any

import streamlit as st

from app.train.draft import About, Draft
from app.train.labels import fixed_ui, setting_ui
from app.train.options import options_ui
from models.zoo.augment import AUGMENTATIONS
from models.zoo.recipes import RECIPES

KEY = "train_inputs"
AUGMENTS_KEY = "train_augments"
NAMES = {"sar": "SAR"}


def choices(about: About) -> dict[tuple[str, ...], str]:
    """Return the inputs that can be chosen, with their words; the first means as the start."""
    there = about.inputs
    sets = [there, *((name,) for name in there), ("optical", "sar"), ("optical", "height")]
    fits = [each for each in dict.fromkeys(sets) if each and set(each) <= set(there)]
    return {(): "As the start has them", **{each: in_words(each) for each in fits}}


def in_words(inputs: tuple[str, ...]) -> str:
    """Return inputs for people: "Optical and SAR"."""
    named = [NAMES.get(name, name) for name in inputs]
    words = " and ".join(named) if len(named) > 1 else f"{named[0]} only"
    return words[0].upper() + words[1:]


def images_ui(about: About, draft: Draft) -> None:
    """Draw what the network is shown."""
    offers = choices(about)
    recipe = RECIPES[draft.get("recipe")]
    inputs = st.selectbox(
        "Inputs",
        list(offers),
        format_func=lambda key: offers.get(key, ""),
        key=KEY,
        disabled=bool(recipe.inputs),
        help=f"Set by the recipe {recipe.title}." if recipe.inputs else None,
    )
    draft.put("modalities", inputs)
    cover = st.slider(
        "Optical dates up to this cloud cover", 0, 100, 100, 5, format="%d %%", key="train_cover"
    )
    draft.put("max_cover", cover / 100)
    regions = st.multiselect(
        "Regions",
        sorted({tile.region for tile in about.tiles}),
        placeholder="All",
        key="train_regions",
    )
    draft.put("regions", tuple(regions))
    fixed_ui(draft, ("flip", "augments"))
    setting_ui(st, "flip", draft, "Images")
    _augments_ui(draft)


def _augments_ui(draft: Draft) -> None:
    own = RECIPES[draft.get("recipe")].augments
    offers = [n for n, entry in AUGMENTATIONS.items() if entry.of != "labels" and n not in own]
    if AUGMENTS_KEY in st.session_state:  # what a recipe brings itself is no longer offered
        kept = [name for name in st.session_state[AUGMENTS_KEY] if name in offers]
        st.session_state[AUGMENTS_KEY] = kept
    names = st.multiselect(
        "Changes to crops",
        offers,
        format_func=lambda name: f"{AUGMENTATIONS[name].title} ({AUGMENTATIONS[name].of})",
        placeholder="None",
        key=AUGMENTS_KEY,
        help="Drawn anew for every crop, in the order of this list.",
    )
    wanted: list[dict[str, Any]] = []
    for name in names:
        entry = AUGMENTATIONS[name]
        st.caption(f"**{entry.title}.** {entry.says}")
        asked = options_ui(entry.title, entry.params, f"train_{name}", draft.faults)
        low = asked.get("low", entry.params["low"].default if "low" in entry.params else 0)
        high = asked.get("high", entry.params["high"].default if "high" in entry.params else 1)
        if isinstance(low, float) and isinstance(high, float) and low > high:
            draft.faults.append(f"{entry.title}: found {low:g} to {high:g}, expected low to high.")
        wanted.append({"name": name, "params": asked})
    if wanted:
        draft.values["augments"] = (*draft.get("augments"), *wanted)
