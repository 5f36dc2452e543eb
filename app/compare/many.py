"""Many models side by side: a table by class, a chart and a table by cloud level."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from app import charts
from app.compare.facts import FACTS, facts_of
from app.compare.marks import CHART_CONFIG
from app.compare.stage import REFERENCE_NAMES, Ground, ground_ui
from app.compare.tables import download, table
from app.links import page_address
from app.session import Context
from core import aligned, many
from core.aligned import Scored
from core.records import ModelRecord, Project

MOST_FIRST = 8
"""Models that are chosen before anybody chose: the newest."""

MOST_LINES = 12
"""More lines than this cannot be told apart."""

AGREEMENT = "Against pseudo-labels: agreement with labels that contain errors, not quality."


def many_ui(here: Context, project: Project) -> None:
    """Draw the comparison of any number of maps on the ground that all of them share."""
    made = ground_ui(here, project)
    if made is None:
        return
    ground, place = made
    with place:
        chosen = _choice_ui(ground)
    if not chosen:
        st.info("Choose the models to compare.")
        return
    scored = aligned.align(ground.found, chosen, ground.covers)
    if scored.tiles == 0:
        st.info(_apart(ground, chosen))
        return
    _words_ui(ground, scored)
    frame = many.by_class(scored, ground.preset, project.classes, min_tiles=ground.min_tiles)
    _classes_ui(ground, frame)
    _levels_ui(ground, chosen, list(frame["map"]))


def _choice_ui(ground: Ground) -> list[str]:
    names = list(ground.titles)
    first = [name for name in names if name.startswith("m")][-MOST_FIRST:]
    return st.multiselect(
        "Models and labels",
        names,
        default=first or names,
        format_func=lambda name: ground.titles[name],
        key="compare_many",
        help="All of them are scored on the same tiles and images: those that every one has.",
    )


def _apart(ground: Ground, chosen: Sequence[str]) -> str:
    """Say that maps share no ground, naming the one that shares least with the others."""
    tiles = {
        name: {e.tile_id for e in ground.found if aligned.map_of(e.source) == name}
        for name in chosen
    }
    fewest = min(tiles, key=lambda name: len(tiles[name]))
    return (
        "These maps were scored on different tiles, so nothing can be compared. "
        f"{ground.titles[fewest]} was scored on {len(tiles[fewest])}: take it out, or train again."
    )


def _words_ui(ground: Ground, scored: Scored) -> None:
    n = f"{scored.tiles} tiles, {len(scored.tile_ids)} images"
    words = f"{ground.score} by the rules of {ground.preset.title}, same ground for all: {n}."
    if ground.reference == "pseudo":
        st.warning(f"{AGREEMENT} {words}")
    else:
        st.caption(f"Scored against {REFERENCE_NAMES[ground.reference].lower()}. {words}")


def _record(ground: Ground, name: str) -> ModelRecord | None:
    return next((model for model in ground.known if f"m{model.id}" == name), None)


def _named(ground: Ground, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the leading columns: title, facts and a link for each line of a frame with `map`."""
    records = [_record(ground, name) for name in frame["map"]]
    facts = pd.DataFrame([facts_of(record) for record in records])
    links = [
        page_address("compare", project=ground.project.id, model=record.id) if record else None
        for record in records
    ]
    facts.insert(0, "map", [ground.titles[name] for name in frame["map"]])
    facts.insert(1, "in depth", links)
    return facts


def _classes_ui(ground: Ground, frame: pd.DataFrame) -> None:
    classes = ground.project.classes
    st.subheader("By class", anchor=False)
    shown = _named(ground, frame)
    shown[ground.score] = frame["score"]
    shown["interval"] = [
        f"{low:.2f} to {high:.2f}" if np.isfinite(low) else "-"
        for low, high in zip(frame["score_low"], frame["score_high"], strict=True)
    ]
    heat = [ground.score]
    for entry in classes.entries:
        name = entry.name if entry.name not in shown else f"{entry.name} "
        shown[name] = frame[f"iou_{entry.code}"]
        heat.append(name)
    shown = shown[["map", *heat[:1], "interval", *heat[1:], *FACTS, "in depth"]]
    table(
        shown,
        heat=heat,
        column_config={
            "map": st.column_config.TextColumn("map", pinned=True),
            "in depth": st.column_config.LinkColumn("in depth", display_text="Two maps"),
        },
    )
    st.caption(
        f"Best first. {ground.score} with its 95 % interval over tiles, then IoU of each class: "
        "the darker, the better. “-”: the class is not in the reference. "
        "Read a difference as sure only where **Two maps** gives its interval: this one holds "
        "each model alone."
    )
    download(frame.merge(_plain(ground, frame), on="map"), ground, "many-by-class")


def _plain(ground: Ground, frame: pd.DataFrame) -> pd.DataFrame:
    named = _named(ground, frame).drop(columns=["in depth"]).rename(columns={"map": "title"})
    return named.assign(map=list(frame["map"]))


def _levels_ui(ground: Ground, chosen: Sequence[str], order: Sequence[str]) -> None:
    classes = ground.project.classes
    models = [name for name in order if name.startswith("m")]
    together = aligned.align(ground.found, models or chosen, ground.covers)
    together = together.where(~np.isnan(together.covers))
    st.subheader("Under clouds", anchor=False)
    if together.tiles == 0:
        st.caption("No cloud cover is known for images on which all these models were scored.")
        return
    codes = [None, *classes.codes]
    code = st.selectbox(
        "Score",
        codes,
        format_func=lambda c: ground.score if c is None else f"IoU of {classes.entry(c).name}",
        key="compare_many_score",
        width=320,
    )
    score = ground.score if code is None else f"IoU of {classes.entry(code).name}"
    rules = (ground.preset, classes, code)
    levels = many.by_level(together, ground.edges, *rules, min_tiles=ground.min_tiles)
    bent = [name for name in models if name not in ground.flat][:MOST_LINES]
    once = aligned.align(
        ground.found, [name for name in models if name in ground.flat], ground.covers
    )
    once = once.where(np.isin(once.tile_ids, together.tile_ids))
    flat = many.flat(once, *rules, min_tiles=ground.min_tiles)
    figure = charts.cloud_curve(
        levels[levels["map"].isin(bent)], flat, ground.titles, ground.edges, score
    )
    st.plotly_chart(figure, theme=None, key="compare_many_curve", config=CHART_CONFIG)
    if len(models) - len(ground.flat) > MOST_LINES:
        st.caption(f"The chart holds the best {MOST_LINES}; all of them are in the table.")
    _level_table(ground, levels, score)


def _level_table(ground: Ground, levels: pd.DataFrame, score: str) -> None:
    wide = many.levels_wide(levels)
    names = [name for name in wide.columns if name != "map"]
    shown = wide.assign(map=[ground.titles[name] for name in wide["map"]])
    if len(levels_of := list(dict.fromkeys(levels["level"]))) > 1:
        shown[f"{levels_of[-1]} less {levels_of[0]}"] = many.lost(wide).map("{:+.2f}".format)
    images = levels.drop_duplicates("level").set_index("level")["images"]
    table(
        shown,
        heat=names,
        column_config={"map": st.column_config.TextColumn("map", pinned=True)},
    )
    counts = ", ".join(f"{level}: {images[level]}" for level in images.index)
    st.caption(
        f"{score} by cloud cover of the optical image. Images in each level: {counts}. Models that "
        "see only SAR are the same under any sky; they stand in each level on its tiles."
    )
    download(levels, ground, "many-by-cloud-level")
