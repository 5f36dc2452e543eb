"""Charts of the Train page: live curves, and IoU by class before and after."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.theme import ACCENT, INK, LINE, MUTED
from core.classes import ClassTable

ROW_PX = 34


def curves_chart(
    points: Sequence[Mapping[str, Any]], steps: int, parts: Sequence[tuple[int, str]] = ()
) -> go.Figure:
    """Return loss and validation mIoU over all `steps`; a control run is drawn in grey.

    `parts` are the steps of a recipe: the optimiser's step after which each ends, and its name.
    """
    figure = make_subplots(cols=2, subplot_titles=("Loss", "Validation mIoU"))
    for arm, colour in (("training", ACCENT), ("control", MUTED)):
        mine = [point for point in points if point.get("arm") == arm]
        if arm == "control" and not mine:
            continue
        scored = [point for point in mine if point.get("val_miou") is not None]
        for column, chosen, key in ((1, mine, "loss"), (2, scored, "val_miou")):
            # An empty line still draws its axes: the chart is whole before the first score.
            line = go.Scatter(
                x=[point["step"] for point in chosen],
                y=[point[key] for point in chosen],
                mode="lines+markers" if column == 2 or len(chosen) < 3 else "lines",
                line={"color": colour, "width": 2},
                name=arm,
                showlegend=False,
                hovertemplate=f"step %{{x}}: %{{y:.3f}}<extra>{arm}</extra>",
            )
            figure.add_trace(line, row=1, col=column)
    for end, _name in parts[:-1]:
        figure.add_vline(end, line={"color": LINE, "width": 1.5}, row=1, col=1)
    begins = [0, *(end for end, _ in parts)]
    for begin, (_end, name) in zip(begins, parts if len(parts) > 1 else (), strict=False):
        figure.add_annotation(
            x=begin,
            y=0,
            yref="y domain",
            text=name,
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            font={"size": 11, "color": MUTED},
            row=1,
            col=1,
        )
    figure.update_xaxes(title_text="step", range=[0, 1.03 * steps])
    figure.update_yaxes(rangemode="tozero", col=1)
    figure.update_yaxes(range=[0, 1], col=2)
    figure.update_layout(height=260, margin={"l": 40, "r": 10, "t": 34, "b": 44})
    return figure


def change_chart(
    classes: ClassTable, summaries: Mapping[str, Mapping[str, Any]], name: str
) -> go.Figure:
    """Return one row per class: a dot in the class colour for `name`, grey marks for the others.

    `summaries` maps a model's name to its `iou` list in table order; None is an absent class.
    """
    names = [entry.name for entry in classes.entries]
    figure = go.Figure()
    others = [other for other in summaries if other != name]
    after = summaries[name]["iou"]
    if others:
        before = summaries[others[0]]["iou"]
        for label, low, high in zip(names, before, after, strict=True):
            if low is not None and high is not None:
                line = {"color": LINE, "width": 5}
                figure.add_trace(
                    go.Scatter(
                        x=[low, high],
                        y=[label] * 2,
                        mode="lines",
                        line=line,
                        hoverinfo="skip",
                        showlegend=False,
                    )
                )
    for other, symbol in zip(others, ("line-ns-open", "x-thin-open", "diamond-open"), strict=False):
        figure.add_trace(_dots(names, summaries[other]["iou"], other, MUTED, symbol))
    colours = [entry.colour for entry in classes.entries]
    figure.add_trace(_dots(names, after, name, colours, "circle"))
    figure.update_xaxes(range=[0, 1], title_text="IoU")
    figure.update_yaxes(autorange="reversed", categoryorder="array", categoryarray=names)
    figure.update_layout(
        height=110 + ROW_PX * len(names), margin={"l": 130, "r": 50, "t": 30, "b": 48}
    )
    return figure


def _dots(
    names: Sequence[str],
    values: Sequence[float | None],
    label: str,
    colour: str | Sequence[str],
    symbol: str,
) -> go.Scatter:
    """Return one mark per class; an absent class has none."""
    filled = symbol == "circle"
    edge = {"color": INK if filled else MUTED, "width": 1 if filled else 2.5}
    return go.Scatter(
        x=list(values),
        y=list(names),
        mode="markers+text" if filled else "markers",
        text=["" if value is None else f"{value:.2f}" for value in values] if filled else None,
        textposition="middle right",
        cliponaxis=False,  # the number of a class near 1 stands beyond the axis
        marker={"color": colour, "size": 14, "symbol": symbol, "line": edge},
        name=label,
        hovertemplate=f"%{{y}} %{{x:.3f}}<extra>{label}</extra>",
    )
