"""The section "Labels": which pixels count, how much, and what is minimised."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.train.draft import DEFAULT, Draft
from app.train.options import option_ui, options_ui
from models.zoo.augment import AUGMENTATIONS
from models.zoo.entry import Option
from models.zoo.losses import LOSSES, MAX_WEIGHT
from models.zoo.recipes import RECIPES
from models.zoo.training import SETTINGS

PROVENANCES = {
    "pseudo": "Pseudo-label, untouched",
    "changed": "Changed by a person",
    "verified": "Verified by a person",
    "model": "Accepted from a model",
    "unsure": "Unsure",
}
USES = {
    "weighted": ("Weighted", "Every label counts, by the weights below. The usual choice."),
    "mixed": ("Mixed", "Every label counts the same, whoever is behind it."),
    "corrected": (
        "Corrected only",
        "Every valid pixel of tiles that are done or verified, and nothing else.",
    ),
}
USE_KEY = "train_labels"
FIXED_KEY = "train_losses_fixed"


def labels_ui(draft: Draft) -> None:
    """Draw how labels are used."""
    use = st.segmented_control(
        "Which labels",
        list(USES),
        default="weighted",
        format_func=lambda key: USES[key][0],
        required=True,
        key=USE_KEY,
    )
    st.caption(USES[use][1])
    draft.put("labels", use)
    if use == "weighted":
        fixed_ui(draft, ("weights",))
        _weights_ui(draft)
    _borders_ui(draft)
    _losses_ui(draft)
    fixed_ui(draft, OF_LABELS)
    for place, name in zip(st.columns(2), OF_LABELS, strict=True):
        setting_ui(place, name, draft, "Labels")


OF_LABELS = ("class_balance", "favour_people")


def fixed_ui(draft: Draft, names: Sequence[str]) -> None:
    """Say which of some settings the recipe fixes, and at what."""
    recipe = RECIPES[draft.get("recipe")]
    found = [words for name, words in recipe.fixes().items() if name in names]
    if found:
        st.caption(f"Set by the recipe {recipe.title}: {', '.join(found)}.")


def _weights_ui(draft: Draft) -> None:
    st.markdown("**How much a pixel counts**")
    left, right = st.columns(2)
    weights = {
        key: (right if number % 2 else left).number_input(
            label, 0.0, 20.0, float(DEFAULT.weights[key]), 0.5, key=f"train_weight_{key}"
        )
        for number, (key, label) in enumerate(PROVENANCES.items())
    }
    draft.put("weights", weights)


def _borders_ui(draft: Draft) -> None:
    """Draw what happens to labels themselves while crops are drawn: soft borders."""
    wanted: list[dict[str, Any]] = []
    for name, entry in AUGMENTATIONS.items():
        if entry.of == "labels" and st.checkbox(entry.title, key=f"train_{name}", help=entry.says):
            asked = options_ui(entry.title, entry.params, f"train_{name}", draft.faults)
            wanted.append({"name": name, "params": asked})
    if wanted:
        draft.values["augments"] = tuple(wanted)


def _losses_ui(draft: Draft) -> None:
    st.markdown("**What is minimised**")
    recipe = RECIPES[draft.get("recipe")]
    if recipe.losses:
        st.multiselect("Losses", [], placeholder="Set by the recipe", disabled=True, key=FIXED_KEY)
        st.caption(f"The recipe {recipe.title} uses {recipe.losses}.")
        return
    if recipe is not RECIPES["plain"]:
        st.caption(f"Where a step of {recipe.title} names its loss, that one is taken.")
    names = st.multiselect(
        "Losses",
        list(LOSSES),
        default=["ce"],
        format_func=lambda name: LOSSES[name].title,
        key="train_losses",
        help="The weighted sum of all that are chosen.",
    )
    if not names:
        draft.faults.append("Labels, losses: found none, expected at least one.")
    terms: list[dict[str, Any]] = []
    for name in names:
        entry = LOSSES[name]
        st.caption(f"**{entry.title}.** {entry.says} Source: {entry.source}.")
        weight: Any = 1.0
        if len(names) > 1:
            option = Option(1.0, 0.0, MAX_WEIGHT, help="Share in the sum")
            place = st.columns(2)[0]
            title = f"Weight of {entry.title}"
            weight = option_ui(place, title, option, f"train_{name}_w", "Losses", draft.faults)
        asked = options_ui(f"Loss {entry.title}", entry.params, f"train_{name}", draft.faults)
        terms.append({"name": name, "weight": weight, "params": asked})
    if terms != [{"name": "ce", "weight": 1.0, "params": {}}]:
        draft.values["losses"] = tuple(terms)


def setting_ui(place: Any, name: str, draft: Draft, where: str) -> Any:  # noqa: ANN401
    """Draw a setting of a run from its table, and put it into the draft; return its value."""
    setting, recipe = SETTINGS[name], RECIPES[draft.get("recipe")]
    words = f"{setting.says} Source: {setting.source}" if setting.source != "own" else setting.says
    if name in recipe.fixed:
        # A key of its own, so that what a person chose is no part of it.
        key = f"train_{name}_{draft.get('recipe')}"
        option_ui(
            *(place, setting.title, setting.option, key, where, draft.faults),
            default=recipe.fixed[name],
            help=f"Set by the recipe {recipe.title}. {words}",
            disabled=True,
        )
        return recipe.fixed[name]
    value = option_ui(
        place,
        setting.title,
        setting.option,
        f"train_{name}",
        where,
        draft.faults,
        default=getattr(DEFAULT, name),
        help=words,
    )
    if value is not None:
        draft.put(name, value)
    return value
