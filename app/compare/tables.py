"""Tables of scores: "-" where a class is absent, links to the tiles, and CSV of each."""

from typing import Any

import pandas as pd
import streamlit as st

from app.compare.stage import Stage
from app.links import page_address
from core import comparison
from core.comparison import Scored


def tile_table(
    stage: Stage,
    scored: Scored,
    before: str,
    after: str,
    code: int | None = None,
    key: str = "",
) -> None:
    """Draw the tiles behind a mark with links, those with the lowest score of the class first."""
    classes = stage.project.classes
    frame = comparison.tile_frame(scored, before, after, stage.preset, classes)
    columns = ["tile", "acquisition", "cover", "before", "after", "change"]
    if code is not None:
        frame = frame[frame[f"iou_{code}"].notna()].sort_values(f"iou_{code}")
        frame = frame.rename(columns={f"iou_{code}": "class IoU"})
        columns.insert(3, "class IoU")
    links_table(stage, frame[columns], key or f"tiles_{code}")


def links_table(stage: Stage, frame: pd.DataFrame, name: str) -> None:
    """Draw rows with columns tile, acquisition and cover; each opens in Correct in another tab."""
    shown = frame.copy()
    links = [
        page_address(
            "correct",
            project=stage.project.id,
            tile=int(tile),
            acquisition=int(acquisition) if acquisition >= 0 else None,
        )
        for tile, acquisition in zip(frame["tile"], frame["acquisition"], strict=True)
    ]
    shown["tile"] = [stage.tiles[int(tile)].name for tile in frame["tile"]]
    shown.insert(1, "open", links)
    shown["cover"] = shown["cover"] * 100
    config = numbers(shown) | {
        "open": st.column_config.LinkColumn("open", display_text="Correct"),
        "cover": st.column_config.NumberColumn("cloud, %", format="%.0f"),
    }
    shown = shown.drop(columns=["acquisition"])
    st.dataframe(
        dashed(shown), hide_index=True, column_config=config, height=min(320, 40 + 35 * len(shown))
    )
    download(shown.drop(columns=["open"]), stage, name)


def numbers(frame: pd.DataFrame) -> dict[str, Any]:
    """Return three digits for every score and grouped digits for every count."""
    config: dict[str, Any] = {}
    for name in frame.columns:
        if pd.api.types.is_float_dtype(frame[name]):
            config[str(name)] = st.column_config.NumberColumn(str(name), format="%.3f")
        elif pd.api.types.is_integer_dtype(frame[name]):
            config[str(name)] = st.column_config.NumberColumn(str(name), format="localized")
    return config


def dashed(frame: pd.DataFrame) -> Any:  # noqa: ANN401  # pandas' Styler has no stable type here
    """Return the frame with "-" where a class is absent."""
    return frame.style.format(na_rep="-", precision=3)


def download(frame: pd.DataFrame, stage: Stage, name: str) -> None:
    """Draw the button that saves a table as CSV; `name` is part of the file's name."""
    st.download_button(
        "Download CSV",
        frame.to_csv(index=False).encode(),
        f"{stage.project.name}-{name}.csv".replace(" ", "-").lower(),
        "text/csv",
        key=f"csv_{name}",
        type="tertiary",
        icon=":material/download:",
    )
