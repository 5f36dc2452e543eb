"""What the Compare page is about: two maps, a reference, the rules, and the rows they share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from app.background import background_ui, working
from app.links import PageName, open_page
from app.session import Context, query_int
from core import catalogue, comparison
from core.bootstrap import MIN_TILES
from core.cloud import check_edges
from core.comparison import Scored
from core.errors import CloudbrushError
from core.options import cloud_edges
from core.presets import PRESETS, Preset
from core.records import ModelRecord, Project, Tile
from core.scores import LABEL_NOW, PSEUDO_LABEL, REFERENCES, Evaluation, Reference, evaluations
from core.trained import models, promoted

REFERENCE_NAMES: dict[Reference, str] = {
    "truth": "Truth",
    "frozen": "Corrected and frozen tiles",
    "pseudo": "Pseudo-labels",
}


@dataclass(frozen=True, eq=False)
class Stage:
    """What the whole page is about, once the person has chosen."""

    here: Context
    project: Project
    tiles: Mapping[int, Tile]
    found: Sequence[Evaluation]
    covers: Mapping[int, float | None]
    titles: Mapping[str, str]
    flat: frozenset[str]
    before: str
    after: str
    reference: Reference
    preset: Preset
    edges: tuple[float, ...]
    min_tiles: int
    scored: Scored


def nothing(words: str, page: PageName, button: str, **query: int) -> None:
    """Say why there is nothing to see, with a button to the page that helps."""
    st.info(words)
    if st.button(button, type="primary"):
        open_page(page, **query)


def stage_ui(here: Context, project: Project) -> Stage | None:
    """Draw the choices; return None where there is nothing to compare yet, which is said."""
    every = evaluations(here.store, project.id)
    scoring = working(here, project.id, "evaluate", "train")
    if not every and scoring:
        st.info("Scoring is under way. This page shows the comparison when it is done.")
    background_ui(here, [job for job in scoring if job.kind == "evaluate" or not every])
    if not every and scoring:
        return None
    if not every:
        words = "Nothing has been scored yet. Train a model; it is scored when it is done."
        nothing(words, "train", "Go to Train", project=project.id)
        return None
    known = models(here.store, project.id)
    reference, found = _reference_ui(every)
    names = comparison.maps_in(sorted(found, key=lambda e: (e.model_id or 0, e.source)))
    titles = _titles(names, known)
    if len(names) < 2:
        words = f"Only {titles[names[0]]} has been scored so far. Train another model to compare."
        nothing(words, "train", "Go to Train", project=project.id)
        return None
    shown = promoted(here.store, project.id)
    before, after = _pair_ui(names, titles, known, shown)
    preset, edges, min_tiles = _rules_ui(project)
    dates = catalogue.project_acquisitions(here.store, project.id)
    covers = {date.id: date.cover for found_dates in dates.values() for date in found_dates}
    scored = comparison.align(found, [before, after], covers)
    if before == after or scored.tiles == 0:
        st.info(
            "Choose two different maps."
            if before == after
            else f"{titles[before]} and {titles[after]} were scored on different tiles."
        )
        return None
    flat = frozenset(f"m{model.id}" for model in known if not model.uses_optical)
    tiles = {tile.id: tile for tile in catalogue.tiles(here.store, project.id)}
    return Stage(
        here,
        project,
        tiles,
        found,
        covers,
        titles,
        flat,
        before,
        after,
        reference,
        preset,
        edges,
        min_tiles,
        scored,
    )


def _reference_ui(every: Sequence[Evaluation]) -> tuple[Reference, list[Evaluation]]:
    there = [name for name in REFERENCES if any(e.reference == name for e in every)]
    reference = there[0]
    if len(there) > 1:
        reference = st.segmented_control(
            "Scored against",
            there,
            default=there[0],
            format_func=lambda name: REFERENCE_NAMES[name],
            required=True,
        )
    return reference, [e for e in every if e.reference == reference]


def _titles(names: Sequence[str], known: Sequence[ModelRecord]) -> dict[str, str]:
    """Return what people call each map; models of one name are told apart by number."""
    labels = {PSEUDO_LABEL: "Pseudo-labels as they came", LABEL_NOW: "Labels of now"}
    called = [model.name for model in known]
    for model in known:
        twice = called.count(model.name) > 1
        labels[f"m{model.id}"] = f"{model.name} (model {model.id})" if twice else model.name
    return {name: labels.get(name, name) for name in names}


def _pair_ui(
    names: Sequence[str],
    titles: Mapping[str, str],
    known: Sequence[ModelRecord],
    shown: ModelRecord | None,
) -> tuple[str, str]:
    asked = query_int("model")
    wanted = next((model for model in known if model.id == asked), shown)
    before, after = default_pair(names, known, wanted)
    left, right = st.columns(2)
    return (
        left.selectbox(
            "Before",
            names,
            index=names.index(before),
            format_func=lambda name: titles[name],
            key=f"compare_before_{asked}",
        ),
        right.selectbox(
            "After",
            names,
            index=names.index(after),
            format_func=lambda name: titles[name],
            key=f"compare_after_{asked}",
        ),
    )


def default_pair(
    names: Sequence[str], known: Sequence[ModelRecord], shown: ModelRecord | None
) -> tuple[str, str]:
    """Return the model in view (`shown`), else the newest, and before it its parent or the last."""
    scored = [model for model in known if f"m{model.id}" in names]
    if not scored:
        return names[0], names[-1]
    newest = shown if shown is not None and shown in scored else scored[-1]
    parents = [model for model in scored if model.id == newest.parent_id]
    older = [model for model in scored if model.id < newest.id]
    others = [model for model in scored if model.id != newest.id]
    first = [*parents, *reversed(older), *others][:1]
    after = f"m{newest.id}"
    if first:
        return f"m{first[0].id}", after
    return next(name for name in names if name != after), after


def _rules_ui(project: Project) -> tuple[Preset, tuple[float, ...], int]:
    with st.expander("Rules: mean, cloud levels, intervals"):
        left, middle, right = st.columns(3)
        name = left.selectbox(
            "Mean IoU follows",
            list(PRESETS),
            index=list(PRESETS).index(project.preset) if project.preset in PRESETS else 0,
            format_func=lambda name: PRESETS[name].title,
            key="compare_preset",
        )
        left.caption(
            f"{PRESETS[name].description} This choice decides the mean and nothing else; "
            "scores of single classes stay as they are."
        )
        default = ", ".join(f"{edge * 100:g}" for edge in cloud_edges(project))
        text = middle.text_input("Edges of cloud levels, % cover", default, key="compare_edges")
        middle.caption(
            "Cover is the share of valid pixels under thin or thick cloud or shadow. A level "
            "holds its lower edge and not its upper one; the last holds both."
        )
        fewest = right.number_input(
            "Fewest tiles for an interval", 2, 1000, MIN_TILES, key="compare_min_tiles"
        )
        right.caption(
            "Intervals hold 95 % of 1,000 bootstrap draws over tiles, the same draws for both "
            "maps. They do not hold the spread between training seeds."
        )
        edges = read_edges(text)
        if edges is None:
            middle.error("Write rising numbers from 0 to 100, such as 0, 10, 50, 100.")
    return PRESETS[name], edges or cloud_edges(project), int(fewest)


def read_edges(text: str) -> tuple[float, ...] | None:
    """Return edges from percentages with commas, or None unless they rise from 0 to 100."""
    try:
        return check_edges([float(part) / 100 for part in text.split(",")])
    except (ValueError, CloudbrushError):
        return None
