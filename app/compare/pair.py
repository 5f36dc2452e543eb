"""Two maps side by side: what changed, for which classes, under which clouds, and how sure."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from app import charts
from app.compare.edges import edges_ui
from app.compare.groups import buildings_by_event, groups_ui
from app.compare.marks import CHART_CONFIG, chart
from app.compare.rules import LEGACY
from app.compare.stage import Stage, stage_ui
from app.compare.tables import (
    COLUMN_NAMES,
    download,
    links_table,
    scores_shown,
    table,
    tile_table,
)
from app.session import Context
from core import aligned, comparison
from core.aligned import Scored
from core.clouds.cover import level_names
from core.damage import BACKGROUND
from core.presets import PRESETS, batch_mean_miou
from core.records import Project
from core.scores import Reference
from core.verdict import in_words

REFERENCE_WORDS: dict[Reference, str] = {
    "truth": "Scored against truth",
    "frozen": "Scored against labels that people corrected and froze",
    "pseudo": "Against pseudo-labels: agreement with labels that contain errors, not quality",
}

LINES = 5
"""Models in the chart of clouds before anybody chose."""


def pair_ui(here: Context, project: Project) -> None:
    """Draw the comparison of two maps."""
    stage = stage_ui(here, project)
    if stage is None:
        return
    by_class = comparison.class_frame(
        stage.scored,
        stage.before,
        stage.after,
        stage.preset,
        stage.project.classes,
        min_tiles=stage.min_tiles,
    )
    _sentence_ui(stage, by_class)
    _overall_ui(stage)
    _cloud_ui(stage)
    _classes_ui(stage, by_class)
    _confusion_ui(stage)
    if stage.damage:
        _buildings_ui(stage)
    groups_ui(stage)
    edges_ui(stage)
    _tiles_ui(stage)


def _sentence_ui(stage: Stage, by_class: pd.DataFrame) -> None:
    change = comparison.change_of_mean(
        stage.scored,
        stage.before,
        stage.after,
        stage.preset,
        stage.project.classes,
        min_tiles=stage.min_tiles,
    )
    words = in_words(
        change,
        by_class,
        stage.titles[stage.before],
        stage.titles[stage.after],
        stage.score,
        f"by the rules of {stage.preset.title}",
    )
    st.subheader(words, anchor=False)
    pixels = int(by_class["pixels"].sum())
    n = f"{stage.scored.tiles} tiles, {len(stage.scored.tile_ids)} images, {pixels:,} pixels"
    if stage.reference == "pseudo":
        st.warning(f"{REFERENCE_WORDS['pseudo']} ({n}). Freeze corrected tiles to score quality.")
    else:
        st.caption(f"{REFERENCE_WORDS[stage.reference]} on the same ground for both: {n}.")


def _overall_ui(stage: Stage) -> None:
    classes = stage.project.classes
    frame = comparison.overall_frame(
        stage.scored, stage.preset, classes, damage=stage.damage, min_tiles=stage.min_tiles
    )
    shown = scores_shown(frame, stage)
    if stage.rules.batch:
        shown[LEGACY] = [_legacy(stage, name) for name in frame["map"]]
    table(shown)
    st.caption(f"{stage.preset.title}: {stage.preset.rule}")
    said = {n: stage.preset.mean_in_words(stage.scored.total(n), classes) for n in frame["map"]}
    if len(set(said.values())) == 1:
        st.caption(said[stage.after])
    else:
        st.caption(" ".join(f"{stage.titles[name]}: {words}" for name, words in said.items()))
    download(frame, stage, "overall")


def _legacy(stage: Stage, name: str) -> float:
    """Return the legacy mean of a map, of batches of tiles in the order of their names."""
    matrices = stage.scored.matrices[name]
    starts = np.arange(0, len(matrices), stage.rules.batch)
    batches = np.add.reduceat(matrices, starts, axis=0)
    return batch_mean_miou(batches, stage.preset, stage.project.classes)


def _cloud_ui(stage: Stage) -> None:
    st.subheader("Under clouds", anchor=False)
    candidates = [name for name in stage.titles if name.startswith("m")]
    chosen = st.multiselect(
        "Models in the chart",
        candidates,
        default=_first_lines(candidates, stage),
        format_func=lambda name: stage.titles[name],
        key="compare_curves",
    )
    bent = [name for name in chosen if name not in stage.flat]
    together = aligned.align(stage.found, chosen, stage.covers)
    levels = comparison.level_frame(
        together.where(~np.isnan(together.covers)),
        stage.edges,
        stage.preset,
        stage.project.classes,
        min_tiles=stage.min_tiles,
    )
    if levels.empty:
        st.caption(
            "No cloud cover is known for images on which all these models were scored."
            if bent
            else "Choose a model that reads optical images; SAR is the same under any cloud."
        )
        return
    flat = _flat_frame(stage, together, [name for name in chosen if name in stage.flat])
    figure = charts.cloud_curve(
        levels[levels["map"].isin(bent)], flat, stage.titles, stage.edges, stage.score
    )
    point = chart(figure, "curve")
    if point is not None:
        name, level = str(point[0]), str(point[1])
        part = _of_level(stage, together, level)
        st.markdown(f"**{stage.titles[name]}, {level} cloud**: worst tiles first")
        others = [other for other in (stage.before, stage.after) if other in part.matrices]
        other = next((other for other in others if other != name), name)
        tile_table(stage, part, other, name, key="curve")
    _level_table(stage, levels)
    if stage.scored.levels(stage.edges).max(initial=-1) >= 0:
        _heat_ui(stage)


def _first_lines(candidates: Sequence[str], stage: Stage) -> list[str]:
    """Return the two maps that are compared, where they are models, and the newest others."""
    pair = [name for name in (stage.before, stage.after) if name in candidates]
    others = [name for name in reversed(candidates) if name not in pair]
    kept = {*pair, *others[: LINES - len(pair)]}
    return [name for name in candidates if name in kept]


def _flat_frame(stage: Stage, together: Scored, names: Sequence[str]) -> pd.DataFrame:
    """Return scores of the maps that know no clouds, each tile counted once."""
    once = aligned.align(stage.found, names, stage.covers)
    once = once.where(np.isin(once.tile_ids, together.tile_ids))
    return comparison.overall_frame(
        once, stage.preset, stage.project.classes, min_tiles=stage.min_tiles
    )


def _of_level(stage: Stage, scored: Scored, level: str) -> Scored:
    place = level_names(stage.edges).index(level)
    return scored.where(scored.levels(stage.edges) == place)


def _level_table(stage: Stage, levels: pd.DataFrame) -> None:
    with st.expander("Table: scores by cloud level"):
        table(scores_shown(levels, stage))
        st.caption(
            f"{stage.preset.title}: {stage.preset.rule} SAR-only models stand in each level on the "
            "same tiles, to compare like with like."
        )
        download(levels, stage, "cloud-levels")


def _heat_ui(stage: Stage) -> None:
    st.subheader("Classes under clouds", anchor=False)
    options = {"after": stage.titles[stage.after], "before": stage.titles[stage.before]}
    options["change"] = "Change"
    chosen = st.segmented_control(
        "Show", list(options), default="after", format_func=lambda key: options[key], required=True
    )
    classes = stage.project.classes
    after = comparison.level_class_frame(
        stage.scored, stage.after, stage.edges, stage.preset, classes
    )
    before = comparison.level_class_frame(
        stage.scored, stage.before, stage.edges, stage.preset, classes
    )
    frame = after.assign(before=before["iou"], after=after["iou"])
    frame["change"] = frame["after"] - frame["before"]
    held = set(after.loc[after["pixels"] > 0, "level"])
    point = chart(
        charts.level_heat(frame[frame["level"].isin(held)], chosen, change=chosen == "change"),
        "heat",
    )
    if point is not None:
        code, level = int(point[0]), str(point[1])
        st.markdown(f"**{classes.entry(code).name}, {level} cloud**: worst tiles first")
        tile_table(stage, _of_level(stage, stage.scored, level), stage.before, stage.after, code)
    with st.expander("Table: classes by cloud level"):
        shown = frame.drop(columns=["iou", "code"]).rename(columns=COLUMN_NAMES)
        table(shown)
        download(frame, stage, "classes-by-cloud-level")


def _classes_ui(stage: Stage, by_class: pd.DataFrame) -> None:
    st.subheader("Classes", anchor=False)
    st.caption("What got worse comes first. Bold changes are beyond chance at 95 %.")
    figure = charts.class_bars(
        by_class, stage.project.classes, stage.titles[stage.before], stage.titles[stage.after]
    )
    point = chart(figure, "classes")
    if point is not None:
        code = int(point[0])
        st.markdown(f"**{stage.project.classes.entry(code).name}**: worst tiles first")
        tile_table(stage, stage.scored, stage.before, stage.after, code)
    with st.expander("Table: classes"):
        shown = by_class.drop(columns=["code"]).rename(columns=COLUMN_NAMES)
        table(shown)
        st.caption("lacking: share of bootstrap draws in which the class did not occur.")
        download(by_class, stage, "classes")


def _confusion_ui(stage: Stage) -> None:
    st.subheader("What is taken for what", anchor=False)
    name = st.segmented_control(
        "Map",
        [stage.after, stage.before],
        default=stage.after,
        format_func=lambda name: stage.titles[name],
        required=True,
        key="compare_confusion_map",
    )
    matrix = stage.scored.total(name)
    st.caption("Per cent of the pixels of each reference class, by what the map says.")
    point = chart(charts.confusion_heat(matrix, stage.project.classes), "confusion")
    if point is not None:
        row, column = int(point[0]), int(point[1])
        frame = comparison.confused_frame(stage.scored, name, row, column)
        st.markdown(f"**{len(frame)} images** with these pixels, most first")
        links_table(stage, frame.rename(columns={"share": "share of the class"}), "confused")
    with st.expander("Table: confusion matrix, pixels"):
        frame = matrix_frame(matrix, stage.project)
        st.dataframe(frame)
        download(frame.reset_index(), stage, "confusion")


def matrix_frame(matrix: npt.NDArray[np.int64], project: Project) -> pd.DataFrame:
    """Return int64 [K+1, K+1] with class names: rows are the reference, columns the map."""
    names = [*(entry.name for entry in project.classes.entries), "no class"]
    return pd.DataFrame(matrix, index=pd.Index(names, name="reference"), columns=names)


def _buildings_ui(stage: Stage) -> None:
    st.subheader("Buildings", anchor=False)
    counted = aligned.align_buildings(stage.found, [stage.before, stage.after], stage.covers)
    if counted.tiles == 0:
        st.info("Buildings have not been counted for these two maps.")
        return
    st.caption(
        "One count per building, by the class of most of its pixels. Background as the map's "
        "class means missed; background as the reference means a false alarm."
    )
    for place, name in zip(st.columns(2), (stage.before, stage.after), strict=True):
        with place:
            st.markdown(f"**{stage.titles[name]}**")
            matrix = counted.by_tile(name).sum(0)
            figure = charts.confusion_heat(matrix, stage.project.classes)
            st.plotly_chart(figure, theme=None, key=f"buildings_{name}", config=CHART_CONFIG)
    frame = comparison.class_frame(
        counted,
        stage.before,
        stage.after,
        PRESETS["plain"],
        stage.project.classes,
        min_tiles=stage.min_tiles,
    )
    classes = stage.project.classes
    houses = comparison.reference_buildings(counted, stage.after, classes)
    number = dict(zip(classes.codes, houses, strict=True))
    frame["buildings"] = frame["code"].map(number)
    frame = frame[frame["code"] != BACKGROUND]
    columns = ["class", "f1_before", "f1_after", "precision_after", "recall_after", "buildings"]
    shown = frame[columns].rename(columns=COLUMN_NAMES)
    table(shown)
    download(shown, stage, "buildings")
    with st.expander("Table: buildings by event"):
        by_event = buildings_by_event(stage, counted)
        table(by_event.rename(columns=COLUMN_NAMES))
        download(by_event, stage, "buildings-by-event")


def _tiles_ui(stage: Stage) -> None:
    st.subheader("Tiles, worst first", anchor=False)
    tile_table(stage, stage.scored, stage.before, stage.after, key="all")
