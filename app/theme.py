"""The visual language in one place: greys, one accent, one warning, and the look of charts."""

from html import escape

import plotly.graph_objects as go
import plotly.io as pio
import streamlit as st

INK = "#23272b"
MUTED = "#6a7077"
LINE = "#dcdcd6"
ACCENT = "#0f6e84"
WARNING = "#b3402e"
FONT = '"Source Sans", "Source Sans Pro", system-ui, sans-serif'

_PAGE_CSS = f"""<style>
.block-container {{ padding-top: 2.6rem; padding-bottom: 3rem; max-width: 1360px; }}
[data-testid="stMetricValue"], [data-testid="stDataFrame"], table {{
  font-variant-numeric: tabular-nums; }}
.cb-lead {{ color: {MUTED}; margin: -0.6rem 0 1.1rem 0; max-width: 60rem; }}
.cb-class {{ display: inline-block; }}
.cb-swatch {{ display: inline-block; width: 0.8em; height: 0.8em; border-radius: 2px;
  border: 1px solid rgba(0,0,0,.25); margin-right: .4em; vertical-align: -0.05em; }}
[data-stale="true"] {{ opacity: 1 !important; transition: none !important; }}
</style>"""


def page_header(title: str, lead: str = "") -> None:
    """Draw a page's title and one line on what it is for."""
    st.html(_PAGE_CSS)
    st.title(title, anchor=False)
    if lead:
        st.html(f'<p class="cb-lead">{escape(lead)}</p>')


def swatch(colour: str, name: str) -> str:
    """Return HTML for a class: its colour and its name."""
    square = f'<span class="cb-swatch" style="background:{escape(colour)}"></span>'
    return f'<span class="cb-class">{square}{escape(name)}</span>'


def install_chart_template() -> None:
    """Make the plotly template "cloudbrush" the default."""
    axis = {
        "gridcolor": "#e8e8e3",
        "linecolor": LINE,
        "zerolinecolor": LINE,
        "ticks": "outside",
        "tickcolor": LINE,
        "title": {"standoff": 8},
    }
    pio.templates["cloudbrush"] = go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 14, "color": INK},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [ACCENT, "#b7791f", "#6b5b95", "#4a7c59", "#8c4a4a", MUTED],
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 56, "r": 16, "t": 36, "b": 48},
            "hoverlabel": {"font": {"family": FONT, "size": 13}},
            "legend": {"orientation": "h", "y": 1.08, "x": 0},
        }
    )
    pio.templates.default = "cloudbrush"
