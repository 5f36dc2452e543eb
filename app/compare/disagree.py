"""Where models disagree: tiles by the share of pixels to which maps give different classes.

It needs no reference, so it works on data that has none; nothing here is a score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from app import charts
from app.background import background_ui, working
from app.compare.facts import inputs_of
from app.compare.marks import CHART_CONFIG
from app.compare.stage import nothing
from app.compare.strip import strip_ui
from app.compare.tables import table
from app.links import page_address
from app.session import Context
from core import catalogue, jobs
from core.classes import ClassTable
from core.clouds.cover import level_names, level_of
from core.disagreement import Difference, SharedRow, difference, pooled, read_maps, shared_rows
from core.errors import CloudbrushError
from core.options import cloud_edges
from core.predictions import predictions
from core.records import Acquisition, Grid, ModelRecord, Project, Tile
from core.trained import models, promoted

MOST_MODELS = 4
AT_ONCE = 300
"""Images that are counted before a person asks for more."""

FEW_ROWS = 8
LIMIT_KEY = "disagree_limit"


@dataclass(frozen=True, eq=False)
class Counted:
    """A row with what was counted in it."""

    row: SharedRow
    tile: Tile
    date: Acquisition | None
    found: Difference


def disagree_ui(here: Context, project: Project) -> None:
    """Draw the choice of models, and the images in which they differ most."""
    known = models(here.store, project.id)
    if len(known) < 2:
        words = "Two models are needed, and there is " + ("one." if known else "none yet.")
        nothing(f"{words} Train another one.", "train", "Go to Train", project=project.id)
        return
    chosen = _choice_ui(here, project, known)
    if len(chosen) < 2:
        st.info("Choose two models or more.")
        return
    background_ui(here, working(here, project.id, "predict"))
    rows = shared_rows(
        predictions(here.store, project_id=project.id), [model.id for model in chosen]
    )
    tiles = {tile.id: tile for tile in catalogue.tiles(here.store, project.id)}
    _missing_ui(here, project, chosen, len(tiles) - len({row.tile_id for row in rows}), rows)
    counted = _counted(here, project, rows, tiles)
    if not counted:
        return
    _words_ui(project, chosen, counted)
    picked = _table_ui(project, chosen, counted)
    strip_ui(here, project, picked.tile, picked.date, picked.row, [model.name for model in chosen])
    _pairs_ui(project, chosen, counted)


def _choice_ui(here: Context, project: Project, known: Sequence[ModelRecord]) -> list[ModelRecord]:
    by_id = {model.id: model for model in known}
    shown = promoted(here.store, project.id)
    chosen = st.multiselect(
        "Models",
        list(by_id),
        default=first_pair(known, shown),
        format_func=lambda key: f"{by_id[key].name} ({inputs_of(by_id[key])})",
        max_selections=MOST_MODELS,
        key="disagree_models",
    )
    return [by_id[key] for key in chosen]


def first_pair(known: Sequence[ModelRecord], shown: ModelRecord | None) -> list[int]:
    """Return the promoted model, else the newest, and the newest other one, of other inputs if any.

    Models that see different things disagree in what is worth a look.
    """
    if len(known) < 2:
        return [model.id for model in known]
    first = shown if shown is not None else known[-1]
    others = [model for model in reversed(known) if model.id != first.id]
    second = next((model for model in others if set(model.bands) != set(first.bands)), others[0])
    return [first.id, second.id]


def _missing_ui(
    here: Context,
    project: Project,
    chosen: Sequence[ModelRecord],
    lacking: int,
    rows: Sequence[SharedRow],
) -> None:
    """Offer to draw the maps that are missing."""
    if not lacking:
        return
    names = " and ".join(model.name for model in chosen)
    if rows:
        words = f"{lacking} tiles have no map of one of these models yet, and are not listed."
    else:
        words = f"No image has been mapped by {names} alike. Draw their maps to see the difference."
    place, button = st.columns([4, 1], vertical_alignment="center")
    place.info(words) if not rows else place.caption(words)
    if working(here, project.id, "predict"):
        return
    if button.button("Draw the maps", key="disagree_draw", width="stretch"):
        for model in chosen:
            payload = {"model_id": model.id}
            jobs.submit(here.store, here.settings, "predict", payload, project.id, here.person.id)
        st.rerun()


def _counted(
    here: Context, project: Project, rows: Sequence[SharedRow], tiles: Mapping[int, Tile]
) -> list[Counted]:
    """Return what was counted, most disagreement first; more rows than a limit wait."""
    limit = st.session_state.setdefault(LIMIT_KEY, AT_ONCE)
    dates = catalogue.project_acquisitions(here.store, project.id)
    by_id = {date.id: date for found in dates.values() for date in found}
    counted, odd = [], ""
    bar = st.empty()
    for number, row in enumerate(rows[:limit]):
        if number % 20 == 19:
            bar.progress(number / len(rows[:limit]), text=f"Comparing maps, {number} done")
        key = (project.classes.codes, tuple(str(made.path) for made in row.maps))
        tile = tiles[row.tile_id]
        try:
            found = _difference(key, row, tile.grid, project.classes)
        except CloudbrushError as error:
            odd = odd or str(error)
            continue
        date = by_id.get(row.acquisition_id) if row.acquisition_id is not None else None
        counted.append(Counted(row, tile, date, found))
    bar.empty()
    if odd:
        st.warning(f"A map could not be read and is left out. {odd}")
    if len(rows) > limit:
        place, button = st.columns([4, 1], vertical_alignment="center")
        place.caption(f"The first {limit:,} of {len(rows):,} images are compared.")
        if button.button(f"Compare {min(AT_ONCE, len(rows) - limit)} more", width="stretch"):
            st.session_state[LIMIT_KEY] = limit + AT_ONCE
            st.rerun()
    known = [c for c in counted if c.found.pixels]
    return sorted(known, key=lambda c: c.found.share, reverse=True)


@st.cache_data(max_entries=20_000, show_spinner=False)
def _difference(
    key: tuple[object, ...], _row: SharedRow, _grid: Grid, _classes: ClassTable
) -> Difference:
    """Return what differs in a row. Files are named by their content, so the key says it all."""
    return difference(read_maps(_row, _grid), _classes)


def _words_ui(project: Project, chosen: Sequence[ModelRecord], counted: Sequence[Counted]) -> None:
    whole = pooled([c.found for c in counted])
    names = " and ".join(model.name for model in chosen)
    tiles = len({c.tile.id for c in counted})
    st.subheader(
        f"{names} give different classes to {100 * whole.share:.0f} % of the pixels "
        f"({tiles} tiles, {len(counted)} images)",
        anchor=False,
    )
    st.caption(
        "No score: it says that one of the maps is wrong there, and not which. Look at the image. "
        "Tiles on which both make the same mistake stand at the end of the list."
    )
    levels = by_cover(counted, cloud_edges(project))
    if len(levels) > 1:
        said = "; ".join(f"{name} cloud: {100 * share:.0f} % (n {n})" for name, share, n in levels)
        st.caption(f"By cloud cover of the image. {said}.")


def by_cover(counted: Sequence[Counted], edges: Sequence[float]) -> list[tuple[str, float, int]]:
    """Return for each cloud level with images its name, the share that differs, and the images."""
    parts: dict[int, list[Difference]] = {}
    for c in counted:
        level = level_of(c.date.cover, edges) if c.date is not None else None
        if level is not None:
            parts.setdefault(level, []).append(c.found)
    names = level_names(edges)
    return [(names[n], pooled(parts[n]).share, len(parts[n])) for n in sorted(parts)]


def _table_ui(
    project: Project, chosen: Sequence[ModelRecord], counted: Sequence[Counted]
) -> Counted:
    """Draw the images, most disagreement first; return the one that is picked, or the first."""
    keys = ",".join(f"m{model.id}" for model in chosen)
    frame = pd.DataFrame(
        {
            "tile": [c.tile.name for c in counted],
            "open": [
                page_address(
                    "correct",
                    project=project.id,
                    tile=c.tile.id,
                    acquisition=c.row.acquisition_id,
                    model=f"m{chosen[0].id}",
                    against=keys,
                )
                for c in counted
            ],
            "differs, %": [100 * c.found.share for c in counted],
            "pixels": [c.found.differing for c in counted],
            "image": [c.date.name if c.date else "any" for c in counted],
            "cloud, %": [
                100 * c.date.cover if c.date and c.date.cover is not None else np.nan
                for c in counted
            ],
            "region": [c.tile.region for c in counted],
            "split": [str(c.tile.split) for c in counted],
        }
    )
    if frame["cloud, %"].isna().all():
        frame = frame.drop(columns=["cloud, %"])
    event = table(
        frame,
        column_config={"open": st.column_config.LinkColumn("open", display_text="Correct")},
        height=318 if len(frame) > FEW_ROWS else "auto",
        on_select="rerun",
        selection_mode="single-row",
        key="disagree_table",
    )
    st.caption("Choose a line to see its images. **Correct** opens it with the maps side by side.")
    rows = event.selection.rows if event else []
    return counted[rows[0] if rows and rows[0] < len(counted) else 0]


def _pairs_ui(project: Project, chosen: Sequence[ModelRecord], counted: Sequence[Counted]) -> None:
    """Draw what one model calls the classes of another, for the pair that is chosen."""
    whole = pooled([c.found for c in counted])
    st.subheader("What one calls the other's classes", anchor=False)
    pairs = list(whole.tables)

    def words(pair: tuple[int, int]) -> str:
        counts = whole.tables[pair]
        pixels = counts.sum() - counts[-1, -1]
        apart = 1 - np.trace(counts[:-1, :-1]) / max(pixels, 1)
        return f"{chosen[pair[0]].name} and {chosen[pair[1]].name}: {100 * apart:.0f} % differ"

    pair = pairs[0]
    if len(pairs) > 1:
        pair = st.selectbox("Pair", pairs, format_func=words, key="disagree_pair", width=520)
    one, other = chosen[pair[0]].name, chosen[pair[1]].name
    st.caption(f"Per cent of the pixels of each class of {one}, by what {other} calls them.")
    figure = charts.confusion_heat(whole.tables[pair], project.classes, one, f"{other} says")
    st.plotly_chart(figure, theme=None, key="disagree_pairs", config=CHART_CONFIG)
