"""What the Compare page is about: the ground (reference, rules, scores) and the two maps on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.background import background_ui, working
from app.compare.rules import Rules, rules_ui
from app.compare.splits import split_ui
from app.links import PageName, open_page
from app.session import Context, query_int
from core import aligned, catalogue
from core.aligned import Scored
from core.grouping import Facts
from core.presets import FIGURES, Preset
from core.records import ModelRecord, Project, Tile
from core.scores import LABEL_NOW, PSEUDO_LABEL, REFERENCES, Evaluation, Reference, evaluations
from core.trained import models, promoted

REFERENCE_NAMES: dict[Reference, str] = {
    "truth": "Truth",
    "frozen": "Corrected and frozen tiles",
    "pseudo": "Pseudo-labels",
}


@dataclass(frozen=True, eq=False)
class Ground:
    """What every comparison of a project stands on, once the person has chosen."""

    here: Context
    project: Project
    tiles: Mapping[int, Tile]
    found: Sequence[Evaluation]
    covers: Mapping[int, float | None]
    titles: Mapping[str, str]
    known: Sequence[ModelRecord]
    reference: Reference
    rules: Rules

    @property
    def preset(self) -> Preset:
        """Return the preset that scores follow."""
        return self.rules.preset

    @property
    def edges(self) -> tuple[float, ...]:
        """Return the edges of cloud levels, from 0 to 1."""
        return self.rules.edges

    @property
    def min_tiles(self) -> int:
        """Return the fewest tiles that get an interval."""
        return self.rules.min_tiles

    @property
    def flat(self) -> frozenset[str]:
        """Return the models that see no optical image, the same under every sky."""
        return frozenset(f"m{model.id}" for model in self.known if not model.uses_optical)

    @property
    def damage(self) -> bool:
        """Return whether the project is about damage of buildings."""
        return self.project.kind == "damage"

    @property
    def score(self) -> str:
        """Return what the leading figure is called."""
        return FIGURES[self.preset.lead].title

    @property
    def facts(self) -> Facts:
        """Return what rows and maps can be grouped by."""
        seen = {f"m{model.id}": _input(model) for model in self.known}
        return Facts(
            self.edges,
            {tile.id: tile.region for tile in self.tiles.values()},
            {tile.id: str(tile.split) for tile in self.tiles.values()},
            {name: seen.get(name, "labels") for name in self.titles},
            {person.id: person.name for person in catalogue.people(self.here.store)},
        )


@dataclass(frozen=True, eq=False)
class Stage(Ground):
    """Two maps on their ground, with the rows that they share."""

    before: str
    after: str
    scored: Scored


def nothing(words: str, page: PageName, button: str, **query: int) -> None:
    """Say why there is nothing to see, with a button to the page that helps."""
    st.info(words)
    if st.button(button, type="primary"):
        open_page(page, **query)


def ground_ui(
    here: Context, project: Project, fewest: int = 1
) -> tuple[Ground, DeltaGenerator] | None:
    """Draw reference, split and rules; return what is chosen, and the place to choose maps in.

    Returns None where fewer maps than `fewest` have been scored, which is said.
    """
    every = _scored_so_far(here, project)
    if not every:
        return None
    known = models(here.store, project.id)
    tiles = {tile.id: tile for tile in catalogue.tiles(here.store, project.id)}
    reference, found = _reference_ui(every)
    found = split_ui(here, project, tiles, found)
    maps = aligned.maps_in(sorted(found, key=lambda e: (e.model_id or 0, e.source)))
    titles = _titles(maps, known)
    if len(maps) < fewest:
        words = f"Only {titles[maps[0]]} has been scored so far. Train another model to compare."
        nothing(words, "train", "Go to Train", project=project.id)
        return None
    place = st.container()
    rules = rules_ui(project)
    dates = catalogue.project_acquisitions(here.store, project.id)
    covers = {date.id: date.cover for found_dates in dates.values() for date in found_dates}
    ground = Ground(here, project, tiles, found, covers, titles, known, reference, rules)
    return ground, place


def stage_ui(here: Context, project: Project) -> Stage | None:
    """Draw the choices of two maps; return None where there is nothing to compare yet."""
    made = ground_ui(here, project, fewest=2)
    if made is None:
        return None
    ground, place = made
    titles, known = ground.titles, ground.known
    with place:
        before, after = _pair_ui(list(titles), titles, known, promoted(here.store, project.id))
    scored = aligned.align(ground.found, [before, after], ground.covers)
    if before == after:
        st.info("Choose two different maps.")
        return None
    if scored.tiles == 0:
        st.info(f"{titles[before]} and {titles[after]} were scored on different tiles.")
        return None
    return Stage(**vars(ground), before=before, after=after, scored=scored)


def _scored_so_far(here: Context, project: Project) -> list[Evaluation]:
    """Return all evaluations; where there is none, say what is under way or what to do."""
    every = evaluations(here.store, project.id)
    scoring = working(here, project.id, "evaluate", "train")
    if not every and scoring:
        st.info("Scoring is under way. This page shows the comparison when it is done.")
    background_ui(here, [job for job in scoring if job.kind == "evaluate" or not every])
    if not every and not scoring:
        words = "Nothing has been scored yet. Train a model; it is scored when it is done."
        nothing(words, "train", "Go to Train", project=project.id)
    return every


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
    wanted = next((model for model in known if model.id == asked), _retrained(names, known, shown))
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


def _retrained(
    names: Sequence[str], known: Sequence[ModelRecord], shown: ModelRecord | None
) -> ModelRecord | None:
    """Return the newest scored model made from the promoted one, for who comes from training it."""
    children = [m for m in known if shown and m.parent_id == shown.id and f"m{m.id}" in names]
    return children[-1] if children else shown


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


def _input(model: ModelRecord) -> str:
    """Return what a model sees, such as "SAR" or "optical and SAR"."""
    seen = [name.upper() if name == "sar" else name for name in sorted(model.bands)]
    return " and ".join(seen)
