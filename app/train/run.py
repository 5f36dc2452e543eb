"""The section "Training": how long, how fast, and when to stop."""

import streamlit as st

from app.train.draft import Draft
from app.train.labels import fixed_ui, setting_ui

FIRST = ("steps", "batch", "crop_px", "learning_rate", "accumulate", "optimiser")
SECOND = ("schedule", "warm_up", "weight_decay", "average", "keep", "patience")
RARE = ("head_rate", "fresh_head_rate", "clip_norm", "auxiliary_weight", "building_weight")
SWITCHES = ("mixed_precision", "decay_norms")
OF_CHOICE = {
    ("schedule", "poly"): ("poly_power",),
    ("schedule", "step"): ("drop_at", "drop_to"),
    ("optimiser", "sgd"): ("momentum",),
}


def run_ui(draft: Draft) -> None:
    """Draw the settings of the run."""
    fixed_ui(draft, (*FIRST, *SECOND, *RARE, *SWITCHES))
    _rows(FIRST, draft)
    _rows(SECOND, draft)
    for (name, value), more in OF_CHOICE.items():
        if draft.get(name) == value:
            _rows(more, draft)
    _rows(("seed",), draft)
    _rows(SWITCHES, draft)
    with st.popover("Rarely changed", type="tertiary"):
        _rows(RARE, draft)


def _rows(names: tuple[str, ...], draft: Draft) -> None:
    for start in range(0, len(names), 2):
        for place, name in zip(st.columns(2), names[start : start + 2], strict=False):
            setting_ui(place, name, draft, "Training")
