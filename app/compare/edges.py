"""Boundary IoU: an option of a project, measured by a job and shown by class."""

import streamlit as st

from app.compare.stage import Stage
from app.compare.tables import COLUMN_NAMES, download, table
from core import aligned, comparison, jobs
from core.boundary import default_width
from core.options import BOUNDARY_PX, MOST_BOUNDARY_PX, boundary_px, set_option


def edges_ui(stage: Stage) -> None:
    """Draw boundary IoU by class where it was measured, and the switch that turns it on."""
    st.subheader("Edges", anchor=False)
    rows = aligned.align_boundaries(stage.found, [stage.before, stage.after], stage.covers)
    if rows.tiles:
        _table_ui(stage, rows)
    with st.expander("Measure edges" if not rows.tiles else "Edges: settings"):
        _settings_ui(stage)


def _table_ui(stage: Stage, rows: aligned.Scored) -> None:
    frame = comparison.boundary_frame(rows, stage.preset, stage.project.classes)
    frame["change"] = frame[stage.after] - frame[stage.before]
    names = {name: stage.titles[name] for name in (stage.before, stage.after)}
    shown = frame.drop(columns=["code"]).rename(columns={**COLUMN_NAMES, **names})
    table(shown.rename(columns={"pixels": "edge pixels"}))
    st.caption(
        f"Boundary IoU: overlap of the pixels near the edges of each class, {rows.tiles} tiles. "
        "Mean over the classes of the preset. No benchmark here reports it."
    )
    download(frame, stage, "edges")


def _settings_ui(stage: Stage) -> None:
    kept = boundary_px(stage.project)
    grids = [tile.grid for tile in stage.tiles.values()]
    usual = default_width(max(g.height for g in grids), max(g.width for g in grids))
    st.caption(
        "Boundary IoU (Cheng et al., CVPR 2021) compares the pixels of each class within this "
        "distance of its edge. Large areas then cannot hide a poor outline. 0.5 % of a tile's "
        f"diagonal is {usual} px here."
    )
    width = st.number_input(
        "Distance from the edge, px", 1, MOST_BOUNDARY_PX, kept or usual, key="compare_px"
    )
    store, project = stage.here.store, stage.project
    if st.button("Measure", key="compare_measure"):
        set_option(store, project.id, BOUNDARY_PX, int(width))
        jobs.submit(store, stage.here.settings, "evaluate", {}, project.id)
        st.rerun()
    if kept and st.button("Measure no longer", key="compare_no_measure", type="tertiary"):
        set_option(store, project.id, BOUNDARY_PX, None)
        st.rerun()
