"""Tables of scores: "-" where a class is absent, links to the tiles, and CSV of each."""

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st
from pandas.api.types import is_float_dtype, is_numeric_dtype

from app.compare.heat import heat_css
from app.compare.stage import Ground, Stage
from app.links import page_address
from core import comparison
from core.aligned import Scored
from core.grouping import KEYS
from core.presets import FIGURES

COLUMN_NAMES = {
    "title": "map",
    "classes_in_mean": "classes in mean",
    "before": "IoU before",
    "before_low": "from",
    "before_high": "to",
    "after": "IoU after",
    "after_low": "from ",  # a trailing blank, as the names of columns must differ
    "after_high": "to ",
    "change_low": "change from",
    "change_high": "change to",
    "f1_before": "F1 before",
    "f1_after": "F1 after",
    "precision_after": "precision after",
    "recall_after": "recall after",
    **{name: figure.title for name, figure in FIGURES.items()},
    **KEYS,
}


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
    sides = {"before": "before", "after": "after"}
    if (before, after) != (stage.before, stage.after):
        sides = {"before": stage.titles[before], "after": stage.titles[after]}
    named = {side: f"{stage.score} {words}" for side, words in sides.items()}
    links_table(stage, frame[columns].rename(columns=named), key or f"tiles_{code}")


def links_table(stage: Ground, frame: pd.DataFrame, name: str) -> None:
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
    if shown["cover"].isna().all():
        shown = shown.drop(columns=["cover"])
    names = COLUMN_NAMES | {"cover": "cloud, %"}
    shown = shown.drop(columns=["acquisition"]).rename(columns=names)
    config = {"open": st.column_config.LinkColumn("open", display_text="Correct")}
    height = min(318, 38 + 35 * max(len(shown), 1))
    table(shown, column_config=config, height=height)
    download(shown.drop(columns=["open"]), stage, name)


def scores_shown(frame: pd.DataFrame, stage: Ground) -> pd.DataFrame:
    """Return an `overall_frame` or one of groups as people read it: the interval by its figure."""
    shown = frame.assign(map=[stage.titles.get(name, name) for name in frame["map"]])
    lead = {"score_low": f"{stage.score} from", "score_high": f"{stage.score} to"}
    named = shown.drop(columns=["score"]).rename(columns=COLUMN_NAMES | lead)
    order = [name for name in named if name not in lead.values()]
    place = order.index(stage.score) + 1
    return named[[*order[:place], *lead.values(), *order[place:]]]


def table(
    frame: pd.DataFrame,
    heat: Sequence[str] = (),
    **options: Any,  # noqa: ANN401  # of st.dataframe
) -> Any:  # noqa: ANN401
    """Draw a table: three digits, grouped counts, "-" where a class is absent.

    The columns in `heat` hold scores from 0 to 1: two digits, and the darker the higher.
    Returns what `st.dataframe` does.
    """
    formats: dict[Any, Any] = {
        str(name): "{:.2f}" if name in heat else _format(str(name), column)
        for name, column in frame.items()
        if is_numeric_dtype(column)
    }
    shown = frame.style.format(formats, na_rep="-")
    if len(heat):
        shown = shown.map(heat_css, subset=list(heat))
    return st.dataframe(shown, hide_index=True, placeholder="-", **options)


def _format(name: str, column: "pd.Series[Any]") -> str:
    if "%" in name:
        return "{:.0f}"
    return "{:.3f}" if is_float_dtype(column) else "{:,}"


def download(frame: pd.DataFrame, stage: Ground, name: str) -> None:
    """Draw the button that saves a table as CSV; `name` is part of the file's name."""
    project = "-".join(re.findall(r"\w+", stage.project.name.lower()))
    st.download_button(
        "Download CSV",
        frame.to_csv(index=False).encode(),
        f"{project}-{name}.csv",
        "text/csv",
        key=f"csv_{name}",
        type="tertiary",
        icon=":material/download:",
    )
