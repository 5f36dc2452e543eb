"""The table of findings: everything that a person should know before or after an import."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from core.found import Finding

MESSAGE_CHARS = 85  # of a finding, in one line of the table
LEVELS = {"error": "left out", "warning": "imported, look at it", "info": "good to know"}


def findings_ui(findings: Sequence[Finding], key: str = "findings", *, root: Path) -> None:
    """Show every finding, errors first, filterable by level and text; paths are below `root`."""
    st.subheader("Findings", anchor=False)
    if not findings:
        st.caption("Nothing to report: every file is as expected.")
        return
    counts = {level: sum(f.level == level for f in findings) for level in LEVELS}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        levels = st.pills(
            "Show",
            list(LEVELS),
            selection_mode="multi",
            default=list(LEVELS),
            key=f"{key} levels",
            format_func=lambda level: f"{level} ({counts[level]:,}): {LEVELS[level]}",
        )
        text = st.text_input("Containing", key=f"{key} text", width=240).lower()
    below = f"{root}/"
    shown = [
        {
            "level": f.level,
            "where": f.where.replace(below, ""),
            "message": f.message.replace(below, ""),
        }
        for f in sorted(findings, key=lambda f: list(LEVELS).index(f.level))
        if f.level in levels and text in f"{f.where} {f.message}".lower()
    ]
    longest = max((len(row["message"]) for row in shown), default=0)
    st.dataframe(
        pd.DataFrame(shown, columns=["level", "where", "message"]),
        hide_index=True,
        row_height=35 if longest <= MESSAGE_CHARS else 62,  # tall rows wrap their text
        column_config={
            "level": st.column_config.TextColumn(width=70),
            "where": st.column_config.TextColumn(width=280),
            "message": st.column_config.TextColumn(width=610),
        },
    )
