"""Charts of scores: units and names on every axis, class colours, labels beside the lines.

Lines differ in dash and marker as well as colour and bars in pattern, so that print in grey reads.
Every point carries in `customdata` what the page needs to open its tiles.
"""

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from textwrap import shorten
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from app.theme import ACCENT, INK, LINE, MUTED, WARNING
from core.classes import ClassTable

DASHES = ("solid", "dot", "longdash", "dashdot", "longdashdot")
MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "star", "triangle-down")
COLOURS = (ACCENT, "#b7791f", "#6b5b95", "#4a7c59", "#8c4a4a")
FLAT_DASHES = ("dash", "longdash", "dot", "dashdot")
HEAT = ((0.0, "#fbf6ec"), (0.25, "#cfe0df"), (0.5, "#8ebcc4"), (0.75, "#3f8498"), (1.0, "#0b4454"))
CHANGE = ((0.0, WARNING), (0.5, "#fbfbfa"), (1.0, ACCENT))
CLICKED = {"symbol": "square", "size": 40, "color": "rgba(0,0,0,0)"}
CLICKED_STATES: dict[str, Any] = {
    "selected": {"marker": {"color": "rgba(179,64,46,0.45)"}},
    "unselected": {"marker": {"opacity": 0}, "textfont": {"color": INK}},
}
"""Squares over the cells of a heat map, seen only once they are clicked."""

DARK = 0.65
"""Cells above this share of the scale carry white text."""

LABEL_CHARS = 34
"""Longest label beside a line; the margin holds no more."""

LABEL_GAP = 0.055
"""Least distance between the labels of two lines, in IoU."""


def cloud_curve(
    levels: pd.DataFrame,
    flat: pd.DataFrame,
    titles: Mapping[str, str],
    edges: Sequence[float],
    score: str = "mIoU",
) -> go.Figure:
    """Return a score against cloud cover: a line per map of `levels`, a flat one for `flat`.

    `levels` is a `comparison.level_frame`, `flat` an `overall_frame` of maps without optical input;
    `score` names their leading figure.
    """
    figure = go.Figure()
    ends: list[tuple[float, str, str]] = []
    for place, (name, line) in enumerate(levels.groupby("map", sort=False)):
        colour = COLOURS[place % len(COLOURS)]
        figure.add_trace(_level_line(line, titles[str(name)], place, colour, score))
        ends.append((line["score"].iloc[-1], titles[str(name)], colour))
    for place, row in enumerate(flat.to_dict("records")):
        title = titles[row["map"]]
        _add_flat(figure, row, title, score, FLAT_DASHES[place % len(FLAT_DASHES)])
        ends.append((row["score"], f"{title}: any cloud", INK))
    _label_ends(figure, ends)
    for edge in edges[1:-1]:
        figure.add_vline(edge * 100, line={"color": LINE, "width": 1})
    figure.update_xaxes(title="cloud cover of the optical image, %", range=[-1, 101], dtick=20)
    figure.update_yaxes(title=score, range=[0, 1], dtick=0.2)
    figure.update_layout(height=400, showlegend=False, margin={"r": 230})
    return _calm(figure)


def _level_line(line: pd.DataFrame, title: str, place: int, colour: str, score: str) -> go.Scatter:
    custom = line[["map", "level", "tiles", "images", "pixels", "classes_in_mean"]]
    return go.Scatter(
        x=line["cover"] * 100,
        y=line["score"],
        name=title,
        mode="lines+markers",
        line={"color": colour, "width": 2.5, "dash": DASHES[place % len(DASHES)]},
        marker={"symbol": MARKERS[place % len(MARKERS)], "size": 10},
        cliponaxis=False,
        error_y=_errors(line["score"], line["score_low"], line["score_high"], colour),
        customdata=custom,
        hovertemplate=(
            f"<b>{title}</b><br>%{{customdata[1]}} cloud: {score} %{{y:.3f}}"
            "<br>%{customdata[2]} tiles, %{customdata[3]} images, %{customdata[4]:,} px"
            "<br>mean over %{customdata[5]} classes<extra></extra>"
        ),
    )


def _add_flat(
    figure: go.Figure, row: Mapping[Hashable, Any], title: str, score: str, dash: str
) -> None:
    if np.isfinite(row["score_low"]):
        low, high = row["score_low"], row["score_high"]
        figure.add_hrect(low, high, fillcolor=MUTED, opacity=0.12, line_width=0)
    grid = np.linspace(0, 100, 21)
    figure.add_trace(
        go.Scatter(
            x=grid,
            y=np.full(grid.size, row["score"]),
            name=title,
            mode="lines",
            line={"color": INK, "width": 2.5, "dash": dash},
            hovertemplate=(
                f"<b>{title}</b><br>{score} %{{y:.3f}} under any sky<br>{row['tiles']} tiles,"
                f" {row['pixels']:,} px<extra></extra>"
            ),
        )
    )


def _label_ends(figure: go.Figure, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write (height, text, colour) beside the ends of the lines."""
    heights = spread([end[0] for end in ends], LABEL_GAP)
    for (_y, text, colour), height in zip(ends, heights, strict=True):
        figure.add_annotation(
            x=1.01,
            xref="paper",
            y=height,
            text=shorten(text, LABEL_CHARS, placeholder="…"),
            showarrow=False,
            xanchor="left",
            align="left",
            font={"color": colour, "size": 13},
        )


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Return the heights moved apart so that no two are closer than `gap`, in the same order."""
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    moved = list(heights)
    for below, above in pairwise(order):
        moved[above] = max(moved[above], moved[below] + gap)
    return moved


def group_dots(frame: pd.DataFrame, titles: Mapping[str, str], score: str) -> go.Figure:
    """Return the leading score of each group and map, from a `grouping.group_frame`.

    Groups are rows from the top down, maps markers with intervals; a mark carries map and group.
    """
    names = list(dict.fromkeys(frame["group"]))
    figure = go.Figure()
    maps = list(frame.groupby("map", sort=False))
    for place, (name, line) in enumerate(maps):
        colour, title = COLOURS[place % len(COLOURS)], titles.get(str(name), str(name))
        # Maps lie a little above and below the middle of the row, so that none hides another.
        shift = 0.16 * (place - (len(maps) - 1) / 2)
        figure.add_trace(
            go.Scatter(
                x=line["score"],
                y=[names.index(group) + shift for group in line["group"]],
                name=shorten(title, LABEL_CHARS, placeholder="…"),
                mode="markers",
                marker={"symbol": MARKERS[place % len(MARKERS)], "size": 11, "color": colour},
                cliponaxis=False,
                error_x=_errors(line["score"], line["score_low"], line["score_high"], colour),
                customdata=line[["map", "group", "tiles", "images", "pixels", "classes_in_mean"]],
                hovertemplate=(
                    f"<b>{title}</b><br>%{{customdata[1]}}: {score} %{{x:.3f}}"
                    "<br>%{customdata[2]} tiles, %{customdata[3]} images, %{customdata[4]:,} px"
                    "<br>mean over %{customdata[5]} classes<extra></extra>"
                ),
            )
        )
    figure.update_xaxes(title=score, range=[0, 1], dtick=0.2)
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=[shorten(name, LABEL_CHARS, placeholder="…") for name in names],
        range=[len(names) - 0.5, -0.5],
        ticks="",
        automargin=True,
    )
    figure.update_layout(
        height=110 + 44 * len(names),
        margin={"t": 40, "r": 24},
        legend={"y": 1, "yanchor": "bottom", "orientation": "h"},
    )
    return _calm(figure)


def class_bars(frame: pd.DataFrame, classes: ClassTable, before: str, after: str) -> go.Figure:
    """Return IoU per class before and after with intervals, in the order of a `class_frame`."""
    rows = frame.iloc[::-1]  # plotly draws the first row at the bottom
    colours = [classes.entry(int(code)).colour for code in rows["code"]]
    figure = go.Figure()
    sides = (("after", f"{after} (solid)", ""), ("before", f"{before} (hatched)", "/"))
    for key, title, pattern in sides:
        figure.add_trace(
            go.Bar(
                y=rows["class"],
                x=rows[key],
                name=title,
                orientation="h",
                marker={
                    "color": colours,
                    "line": {"color": INK, "width": 1},
                    "opacity": 1 if key == "after" else 0.55,
                    "pattern": {
                        "shape": pattern,
                        "fillmode": "overlay",
                        "fgcolor": INK,
                        "size": 6,
                        "solidity": 0.15,
                    },
                },
                error_x=_errors(rows[key], rows[f"{key}_low"], rows[f"{key}_high"], INK),
                customdata=rows[["code", "change", "tiles", "pixels"]],
                hovertemplate=(
                    f"<b>%{{y}}</b> · {title}<br>IoU %{{x:.3f}}<br>change %{{customdata[1]:+.3f}}"
                    "<br>%{customdata[2]} tiles, %{customdata[3]:,} px<extra></extra>"
                ),
            )
        )
    for row in rows.to_dict("records"):
        figure.add_annotation(**_change_label(row))
    figure.update_xaxes(title="IoU", range=[0, 1], dtick=0.2)
    figure.update_yaxes(ticks="", automargin=True)
    figure.update_layout(
        height=120 + 52 * len(rows),
        barmode="group",
        bargap=0.35,
        margin={"l": 130, "r": 160, "t": 48},
        legend={"traceorder": "reversed", "y": 1, "yanchor": "bottom"},
    )
    return _calm(figure)


def _change_label(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    change, low, high = row["change"], row["change_low"], row["change_high"]
    known = np.isfinite(change)
    text = f"{change * 100:+.1f} points" if known else "-  (not in the reference)"
    sure = known and np.isfinite(low) and low * high > 0
    return {
        "x": 1.01,
        "xref": "paper",
        "y": row["class"],
        "text": f"<b>{text}</b>" if sure else text,
        "showarrow": False,
        "xanchor": "left",
        "font": {"color": MUTED if not known else WARNING if change < 0 else ACCENT, "size": 13},
    }


def level_heat(frame: pd.DataFrame, value: str, *, change: bool = False) -> go.Figure:
    """Return classes by cloud levels; `value` names the column, `change` a scale around 0.

    `frame` has level, class, code, tiles and pixels. An absent class is "-" on bare ground.
    """
    levels = list(dict.fromkeys(frame["level"]))
    names = list(dict.fromkeys(frame["class"]))
    table = frame.pivot(index="class", columns="level", values=value).loc[names, levels]
    reach = max(0.05, float(np.nanmax(np.abs(table.to_numpy(float)), initial=0.05)))
    figure = go.Figure(
        go.Heatmap(
            z=table,
            x=levels,
            y=names,
            zmin=-reach if change else 0,
            zmax=reach if change else 1,
            colorscale=[list(step) for step in (CHANGE if change else HEAT)],
            xgap=2,
            ygap=2,
            hoverinfo="skip",
            colorbar=_scale("change" if change else "IoU"),
        )
    )
    # A heat map takes no clicks, so invisible squares over it do.
    figure.add_trace(_cells(frame, value, change=change, reach=reach))
    figure.update_xaxes(title="cloud cover of the optical image", ticks="", showgrid=False)
    figure.update_yaxes(autorange="reversed", ticks="", showgrid=False, automargin=True)
    figure.update_layout(height=110 + 38 * len(names), showlegend=False, margin={"t": 12})
    return _calm(figure)


def _cells(frame: pd.DataFrame, value: str, *, change: bool, reach: float) -> go.Scatter:
    number = "+.2f" if change else ".2f"
    texts = ["-" if np.isnan(v) else format(v, number) for v in frame[value]]
    dark = frame[value].abs() > (0.7 * reach if change else DARK)
    return go.Scatter(
        x=frame["level"],
        y=frame["class"],
        mode="markers+text",
        text=texts,
        textfont={"color": ["#ffffff" if d else INK for d in dark], "size": 13},
        marker=CLICKED,
        **CLICKED_STATES,
        customdata=frame[["code", "level", "tiles", "pixels"]],
        hovertemplate=(
            "<b>%{y}</b>, %{x} cloud<br>IoU %{text}<br>%{customdata[2]} tiles with it,"
            " %{customdata[3]:,} px<extra></extra>"
        ),
    )


def confusion_heat(
    matrix: npt.NDArray[np.int64],
    classes: ClassTable,
    rows: str = "reference",
    says: str = "the map says",
) -> go.Figure:
    """Return shares of each class of the rows by what the map said, from int64 [K+1, K+1].

    `rows` and `says` are the titles of the axes.
    """
    counts = matrix[:-1].astype(float)
    totals = counts.sum(1, keepdims=True)
    share = np.divide(counts, totals, out=np.full_like(counts, np.nan), where=totals > 0)
    names = [entry.name for entry in classes.entries]
    columns = names if not counts[:, -1].any() else [*names, "no class"]
    share = share[:, : len(columns)]
    figure = go.Figure(
        go.Heatmap(
            z=share,
            x=columns,
            y=names,
            zmin=0,
            zmax=1,
            colorscale=[list(step) for step in HEAT],
            xgap=1,
            ygap=1,
            hoverinfo="skip",
            colorbar=_scale("share"),
        )
    )
    lines, places = np.indices(share.shape)
    values = share.ravel()
    figure.add_trace(
        go.Scatter(
            x=np.array(columns)[places.ravel()],
            y=np.array(names)[lines.ravel()],
            mode="markers+text",
            text=["-" if np.isnan(v) else f"{v * 100:.0f}" if v >= 0.005 else "" for v in values],
            textfont={"color": ["#ffffff" if v > DARK else INK for v in values], "size": 13},
            marker=CLICKED,
            **CLICKED_STATES,
            customdata=np.stack(
                [lines.ravel(), places.ravel(), counts[:, : len(columns)].ravel()], axis=1
            ),
            hovertemplate=(
                f"{rows} <b>%{{y}}</b>, {says} <b>%{{x}}</b><br>%{{text}} % of {rows},"
                " %{customdata[2]:,} px<extra></extra>"
            ),
        )
    )
    figure.update_xaxes(
        title={"text": says, "standoff": 8},
        side="bottom",
        ticks="",
        showgrid=False,
        automargin=True,
    )
    figure.update_yaxes(title=rows, autorange="reversed", ticks="", showgrid=False, automargin=True)
    figure.update_layout(height=180 + 40 * len(names), showlegend=False, margin={"t": 12})
    return _calm(figure)


def _calm(figure: go.Figure) -> go.Figure:
    """Return the figure with quiet titles, no dragging, and marks that take clicks near them."""
    figure.update_xaxes(title_font_size=14, fixedrange=True)
    figure.update_yaxes(title_font_size=14, fixedrange=True, ticklabelstandoff=6)
    figure.update_layout(dragmode=False, hoverdistance=80, hovermode="closest")
    return figure


def _scale(title: str) -> dict[str, Any]:
    return {
        "title": {"text": title, "font": {"size": 13}},
        "thickness": 10,
        "outlinewidth": 0,
        "tickfont": {"size": 12},
    }


def _errors(value: Any, low: Any, high: Any, colour: str) -> dict[str, Any]:  # noqa: ANN401  # columns
    return {
        "type": "data",
        "symmetric": False,
        "array": high - value,
        "arrayminus": value - low,
        "color": colour,
        "thickness": 1.2,
        "width": 4,
    }
