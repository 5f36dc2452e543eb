"""The rules of a comparison: the preset with its three switches, cloud levels, intervals."""

from dataclasses import dataclass, replace
from typing import get_args

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import patch_labels
from core.bootstrap import MIN_TILES
from core.clouds.cover import check_edges
from core.errors import CloudbrushError
from core.metrics import AbsentRule, AbsentTest
from core.options import cloud_edges
from core.presets import PRESETS, UNLABELLED, Preset
from core.records import Project

PLAIN = "plain"
PRESET_KEY = "compare_preset"
OWN_MARK = " · of this project"
LEGACY = "batch-mean mIoU (legacy)"


@dataclass(frozen=True)
class Rules:
    """How scores are taken. `batch` is the tiles in a batch of the legacy mean, 0 for none."""

    preset: Preset
    edges: tuple[float, ...]
    min_tiles: int
    batch: int = 0


def rules_ui(project: Project) -> Rules:
    """Draw the rules; they start with those of the project."""
    with st.expander("Rules: mean, cloud levels, intervals"):
        left, middle, right = st.columns(3)
        preset, batch = _preset_ui(left, project)
        edges = _edges_ui(middle, project)
        fewest = right.number_input(
            "Fewest tiles for an interval", 2, 1000, MIN_TILES, key="compare_min_tiles"
        )
        right.caption(
            "Intervals hold 95 % of 1,000 bootstrap draws over tiles, the same draws for both "
            "maps. They do not hold the spread between training seeds."
        )
    return Rules(preset, edges, int(fewest), batch)


def read_edges(text: str) -> tuple[float, ...] | None:
    """Return edges from percentages with commas, or None unless they rise from 0 to 100."""
    try:
        return check_edges([float(part) / 100 for part in text.split(",")])
    except (ValueError, CloudbrushError):
        return None


def presets_offered(project: Project) -> list[str]:
    """Return the presets that fit a project: of pixels or of whole patches; its own comes first."""
    of_patches = project.kind in patch_labels.KINDS
    fitting = [
        name
        for name, preset in PRESETS.items()
        if preset.per_patch == of_patches or name in (PLAIN, project.preset)
    ]
    return sorted(fitting, key=lambda name: name != project.preset)


def _preset_ui(place: DeltaGenerator, project: Project) -> tuple[Preset, int]:
    names = presets_offered(project)
    own = project.preset if project.preset in names else PLAIN
    if st.session_state.get(PRESET_KEY) not in names:
        st.session_state.pop(PRESET_KEY, None)
    name = place.selectbox(
        "Scores follow",
        names,
        index=names.index(own),
        format_func=lambda name: PRESETS[name].title + (OWN_MARK if name == own else ""),
        key=PRESET_KEY,
    )
    preset = PRESETS[name]
    if name == PLAIN:
        preset = _own_ui(place, project, preset)
    elif name != own:
        place.caption(
            ":orange[Rules of another benchmark: its codes are read as those of this class table.]"
        )
    place.caption(preset.description)
    batch = 0
    if name == "dfc25_t1":
        batch = place.number_input(f"Tiles in a batch of the {LEGACY}", 0, 1024, 0)
        place.caption("What the public baseline logs; no score of a dataset. 0 leaves it out.")
    return preset, int(batch)


def _own_ui(place: DeltaGenerator, project: Project, preset: Preset) -> Preset:
    """Draw the three switches for a project that follows no benchmark."""
    names = {entry.code: entry.name for entry in project.classes.entries}
    ignored = place.multiselect(
        "Ignored reference",
        [UNLABELLED, *names],
        default=[UNLABELLED],
        format_func=lambda code: names.get(code, "Unlabelled"),
        key="compare_ignore",
    )
    excluded = place.multiselect(
        "Left out of the mean", list(names), format_func=names.__getitem__, key="compare_exclude"
    )
    absent: AbsentRule = place.selectbox(
        "An absent class",
        get_args(AbsentRule),
        format_func={"skip": "is left out of the mean", "zero": "counts as 0"}.__getitem__,
        key="compare_absent",
    )
    test: AbsentTest = place.selectbox(
        "Absent means",
        get_args(AbsentTest),
        format_func={
            "reference": "no reference pixel",
            "either": "no reference and no predicted pixel",
        }.__getitem__,
        key="compare_absent_test",
    )
    return replace(
        preset,
        ignore_codes=frozenset(ignored),
        exclude_from_mean=frozenset(excluded),
        absent_class=absent,
        absent_recall=absent,
        absent_test=test,
    )


def _edges_ui(place: DeltaGenerator, project: Project) -> tuple[float, ...]:
    default = ", ".join(f"{edge * 100:g}" for edge in cloud_edges(project))
    text = place.text_input("Edges of cloud levels, % cover", default, key="compare_edges")
    place.caption(
        "Cover is the share of valid pixels under thin or thick cloud or shadow. A level "
        "holds its lower edge and not its upper one; the last holds both."
    )
    edges = read_edges(text)
    if edges is None:
        place.error("Write rising numbers from 0 to 100, such as 0, 10, 50, 100.")
    return edges or cloud_edges(project)
