"""What a run gained by cloud level, on the images that all its models were scored on."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.compare.tables import table
from app.session import Context
from core import aligned, catalogue, many
from core.errors import NotFound
from core.options import cloud_edges
from core.presets import FIGURES, preset
from core.records import Project
from core.scores import evaluations
from core.trained import model


def levels_ui(here: Context, project: Project, result: dict[str, Any]) -> None:
    """Draw the score of each model of a result by cloud level, the newest first."""
    frame = by_level(here, project, result)
    if frame.empty:
        return
    rules = preset(project.preset)
    score = FIGURES[rules.lead].title
    wide = many.levels_wide(frame).drop(columns=["mean of levels"])
    levels = [name for name in wide.columns if name != "map"]
    with st.expander("By cloud cover of the optical image"):
        table(wide, heat=levels)
        images = frame.drop_duplicates("level").set_index("level")["images"]
        counts = ", ".join(f"{level}: {images[level]}" for level in images.index)
        st.caption(f"{score}. Images in each level: {counts}. Intervals are on Compare.")


def by_level(here: Context, project: Project, result: dict[str, Any]) -> pd.DataFrame:
    """Return `many.by_level` of the models of a result, by their names; empty without clouds."""
    names: dict[str, str] = {}
    for key in ("model_id", "before_id", "control_id"):
        if result.get(key) is not None:
            try:
                names[f"m{result[key]}"] = model(here.store, result[key]).name
            except NotFound:
                continue
    dates = catalogue.project_acquisitions(here.store, project.id)
    covers = {date.id: date.cover for found in dates.values() for date in found}
    scored = aligned.align(
        evaluations(here.store, project.id, reference=result["reference"]), list(names), covers
    )
    frame = many.by_level(
        scored.where(~np.isnan(scored.covers)),
        cloud_edges(project),
        preset(project.preset),
        project.classes,
        draws=1,
        min_tiles=scored.tiles + 1,
    )
    return frame if frame.empty else frame.assign(map=frame["map"].map(names))
