"""Charts whose marks can be clicked."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

CHART_CONFIG = {"displayModeBar": False}


def chart(figure: go.Figure, name: str) -> Sequence[Any] | None:
    """Draw a chart; return what the clicked mark carries, or None."""
    event: Any = st.plotly_chart(
        figure,
        theme=None,
        key=f"compare_{name}",
        on_select="rerun",
        selection_mode="points",
        config=CHART_CONFIG,
    )
    points = event.selection.points if event else []
    carried = [point["customdata"] for point in points if point.get("customdata")]
    if carried:
        found = carried[0]
        return list(found.values()) if isinstance(found, dict) else list(found)
    return None
