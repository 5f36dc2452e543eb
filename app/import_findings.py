"""The table of findings: everything that a person should know before or after an import."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from core.found import Finding

MESSAGE_CHARS = 85  # of a finding, in one line of the table
MOST_ALIKE = 3
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
    kept = [
        f
        for f in sorted(findings, key=lambda f: list(LEVELS).index(f.level))
        if f.level in levels and text in f"{f.where} {f.message}".lower()
    ]
    shown = rows_of(kept, f"{root}/")
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


def rows_of(findings: Sequence[Finding], below: str) -> list[dict[str, str]]:
    """Return a row for each finding, with paths after `below`.

    What is good to know of more than `MOST_ALIKE` files in the same words is one row.
    """
    alike = Counter(f.message for f in findings if f.level == "info")
    told: set[str] = set()
    rows = []
    for f in findings:
        where = f.where.replace(below, "")
        if f.level == "info" and alike[f.message] > MOST_ALIKE:
            if f.message in told:
                continue
            told.add(f.message)
            where = f"{where} and {alike[f.message] - 1:,} more"
        rows.append({"level": f.level, "where": where, "message": f.message.replace(below, "")})
    return rows
