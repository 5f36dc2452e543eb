"""The choices above the map: which tiles, in which order, and how they are drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, get_args

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.browse import RESERVED, Area, By, DateInView, Order, Progress, Wish
from core.clouds.cover import level_names
from core.options import cloud_edges
from core.records import Modality, Project, Split, TileState

AREA_KEY = "explore_area"
PROBLEMS_KEY = "explore_problems"
SPLITS: dict[str, str] = {Split.TRAIN: "training", Split.VAL: "validation", Split.TEST: "test"}
PICTURES = {
    "optical": Modality.OPTICAL,
    "SAR": Modality.SAR,
    "label": Modality.LABEL,
    "cloud": Modality.CLOUD,
    "prediction": Modality.MODEL,
}
Key = TypeVar("Key")


@dataclass(frozen=True)
class View:
    """How the map and the pictures are drawn."""

    colour: By
    picture: str
    swipe: tuple[str, str] | None
    geographic: bool


def filters_ui(project: Project, regions: Sequence[str]) -> Wish:
    """Draw the filters and the order; return what tiles must be like."""
    region, split, level, kind, state, order = st.columns(6)
    edges = cloud_edges(project)
    levels = dict(enumerate(level_names(edges)))
    classes = {entry.code: entry.name for entry in project.classes.entries}
    chosen_region = _choice(region, "Region", dict(zip(regions, regions, strict=True)))
    chosen_split = _choice(split, "Split", SPLITS | {RESERVED: RESERVED})
    chosen_level = _choice(level, "Cloud cover", levels)
    code = _choice(kind, "Class present", classes)
    chosen_state = _choice(state, "State", {state: state.value for state in TileState})
    chosen_order: Order = order.selectbox("Order", list(get_args(Order)), key="explore_order")
    date: DateInView = st.session_state.get("explore_date", "clearest")
    return Wish(
        region=chosen_region,
        split=chosen_split,
        cover=None if chosen_level is None else (edges[chosen_level], edges[chosen_level + 1]),
        code=code,
        state=chosen_state,
        problem=bool(st.session_state.get(PROBLEMS_KEY)),
        area=_area_of(project),
        order=chosen_order,
        date=date,
    )


def _choice(place: DeltaGenerator, label: str, options: Mapping[Key, str]) -> Key | None:
    """Draw a choice among options, all of them by default; return None for all."""
    names = ["All", *options.values()]
    chosen = place.selectbox(label, names, key=f"explore_{label}")
    return next((key for key, name in options.items() if name == chosen), None)


def _area_of(project: Project) -> Area | None:
    held = st.session_state.get(AREA_KEY)
    return held[1] if held and held[0] == project.id else None


def choose_area(project: Project, area: Area | None) -> None:
    """Keep a part of the map as the tiles to look at, or all of it again."""
    st.session_state[AREA_KEY] = (project.id, area)


def view_ui(found: Progress) -> View:
    """Draw what the map and the pictures show."""
    colour, picture, date, swipe, left, right = st.columns(6, vertical_alignment="bottom")
    known: dict[By, bool] = {
        "disagreement": found.compared,
        "cloud cover": found.covered,
        "state": True,
    }
    choices = sorted(known, key=lambda by: not known[by])  # do not open on a white map
    by: By = colour.selectbox("Map colours", choices, key="explore_colour")
    kind = picture.selectbox("Pictures", list(PICTURES), key="explore_picture")
    date.selectbox("Optical date", list(get_args(DateInView)), key="explore_date")
    sides: tuple[str, str] | None = None
    if swipe.toggle("Swipe layers", key="explore_swipe"):
        first = left.selectbox("Left", list(PICTURES), key="explore_left")
        second = right.selectbox("Right", list(PICTURES), index=2, key="explore_right")
        sides = first, second
    return View(by, kind, sides, _geographic(found))


def _geographic(found: Progress) -> bool:
    """Return whether to draw a map; where only some tiles have a position, the person chooses."""
    if found.placed in (0, found.tiles):
        return found.placed > 0
    options = [
        f"Map ({found.placed:,} tiles)",
        f"Grid ({found.tiles - found.placed:,} tiles without position)",
    ]
    return st.segmented_control("Show", options, default=options[0]) != options[1]
