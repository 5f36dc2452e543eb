"""Scores by cloud level, region, event, input, split, labeler or provenance, and any mix."""

import pandas as pd
import streamlit as st

from app import charts
from app.compare.marks import chart
from app.compare.stage import Stage
from app.compare.tables import COLUMN_NAMES, download, scores_shown, table, tile_table
from core import aligned, grouping
from core.aligned import Scored
from core.comparison import reference_buildings
from core.grouping import KEYS, OF_PIXELS
from core.presets import OF_DAMAGE

MOST_SHOWN = 40
"""More groups than this stand in the table alone."""


def groups_ui(stage: Stage) -> None:
    """Draw the choice of keys, the chart, the table, and the tiles behind a mark."""
    st.subheader("Groups", anchor=False)
    left, right = st.columns(2)
    first = ["event"] if stage.damage else ["region"]
    offered = keys_offered(stage)
    chosen = left.pills(
        "Group by",
        offered,
        selection_mode="multi",
        default=first,
        format_func=lambda key: KEYS[key].capitalize(),
        key="compare_group_by",
    )
    keys = [key for key in offered if key in (chosen or ())]
    maps = right.multiselect(
        "Maps",
        list(stage.titles),
        default=[stage.before, stage.after],
        format_func=lambda name: stage.titles[name],
        key="compare_group_maps",
    )
    rows = rows_for(stage, maps, keys)
    if rows.tiles == 0:
        st.caption("Choose maps that were scored on the same tiles.")
        return
    frame = grouping.group_frame(
        rows,
        keys,
        stage.facts,
        stage.preset,
        stage.project.classes,
        damage=stage.damage,
        min_tiles=stage.min_tiles,
    )
    _chart_ui(stage, frame, rows, keys)
    _tables_ui(stage, frame, keys)


def keys_offered(stage: Stage) -> list[str]:
    """Return the keys that have a sense here: of damage or land cover, of pixels once edited."""
    place = ["event", "type"] if stage.damage else ["region"]
    edited = any(tile.version for tile in stage.tiles.values())
    pixels = sorted(OF_PIXELS) if edited and stage.reference != "pseudo" else []
    return ["cloud", *place, "input", "split", *pixels]


def rows_for(stage: Stage, maps: list[str], keys: list[str]) -> Scored:
    """Return the rows that all maps share, by parts of tiles where a key asks for it."""
    if not OF_PIXELS & set(keys) or not maps:
        return aligned.align(stage.found, maps, stage.covers)
    edited = [tile.id for tile in stage.tiles.values() if tile.version]
    return aligned.align_parts(stage.found, maps, stage.covers, edited)


def _chart_ui(stage: Stage, frame: pd.DataFrame, rows: Scored, keys: list[str]) -> None:
    count = frame["group"].nunique()
    if count > MOST_SHOWN:
        st.caption(f"{count} groups: too many for a chart, all of them are in the table.")
        return
    point = chart(charts.group_dots(frame, stage.titles, stage.score), "groups")
    if point is None:
        return
    name, group = str(point[0]), str(point[1])
    part = grouping.rows_of(rows, keys, stage.facts, group)
    after = name if name in part.matrices else next(iter(part.matrices))
    before = next((other for other in part.matrices if other != after), after)
    st.markdown(f"**{stage.titles[after]}, {group}**: worst tiles first")
    tile_table(stage, part, before, after, key="group")


def _tables_ui(stage: Stage, frame: pd.DataFrame, keys: list[str]) -> None:
    shown = scores_shown(frame.drop(columns=["group"]), stage)
    with st.expander("Table: groups", expanded=True):
        table(shown)
        st.caption(f"{stage.preset.title}: {stage.preset.rule} Pixels of a group are pooled.")
        if (frame["tiles"] < stage.min_tiles).any():
            st.caption(f"A dash: no interval for groups of fewer than {stage.min_tiles} tiles.")
        if "input" in keys:
            st.caption("Maps that see the same are summed.")
        if stage.damage and "location F1" in shown:
            st.caption(
                "Damage F1 is BRIGHT's harmonic mean, in which an absent class makes it 0; beside "
                "it the mean over present classes."
            )
        download(frame, stage, "groups")
    if not keys or frame["group"].nunique() < 2:
        return
    figures = [*dict.fromkeys([stage.preset.lead, "miou", "overall_accuracy"])]
    means = grouping.plain_means(frame, [*figures, *(OF_DAMAGE if stage.damage else ())])
    means["map"] = [stage.titles.get(name, name) for name in means["map"]]
    st.caption("Plain means over these groups, each counting the same whatever its size:")
    table(means.rename(columns=COLUMN_NAMES))
    download(means, stage, "plain-means")


def buildings_by_event(stage: Stage, counted: Scored) -> pd.DataFrame:
    """Return scores by event and map where each building counts once, from rows of buildings."""
    frame = grouping.group_frame(
        counted,
        ["event"],
        stage.facts,
        stage.preset,
        stage.project.classes,
        damage=True,
        draws=1,
        min_tiles=counted.tiles + 1,
    )
    seen = {
        event: int(reference_buildings(part, stage.after, stage.project.classes).sum())
        for (event,), part in grouping.groups(counted, ["event"], stage.facts).items()
    }
    frame["buildings"] = [seen[event] for event in frame["event"]]
    frame["map"] = [stage.titles[name] for name in frame["map"]]
    return frame[["event", "map", *OF_DAMAGE, "buildings", "tiles"]]
