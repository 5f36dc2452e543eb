"""The section "Split": which tiles a run is watched on while it learns."""

import streamlit as st

from app.train.draft import DEFAULT, About, Draft

KEY = "train_split"


def ways(about: About) -> dict[str, str]:
    """Return the splits that have a sense here, with their names."""
    place = "event" if about.task == "damage" else "region"
    several = len({tile.region for tile in about.tiles}) > 1
    there = {"project": "Validation tiles", "random": "Random tiles"}
    return {**there, place: f"Whole {place}s"} if several else there


def split_ui(about: About, draft: Draft) -> None:
    """Draw the choice of what is watched."""
    names = ways(about)
    split = st.segmented_control(
        "Watched while it learns",
        list(names),
        default="project",
        format_func=names.__getitem__,
        required=True,
        key=KEY,
    )
    draft.put("split", split)
    st.caption(
        "The watched tiles give the curve, and decide where **Keeps** or **Patience** ask for it. "
        "Results are always scored on the validation tiles."
    )
    if split == "project":
        return
    chosen: list[str] = []
    if split != "random":
        chosen = st.multiselect(
            names[split],
            sorted({tile.region for tile in about.tiles}),
            placeholder="Drawn by the seed",
            key="train_split_groups",
        )
        draft.put("split_groups", tuple(chosen))
    if not chosen:
        default = round(100 * DEFAULT.split_share)
        share = st.slider(
            "Held out, at least", 5, 50, default, 5, format="%d %%", key="train_split_share"
        )
        draft.put("split_share", share / 100)
