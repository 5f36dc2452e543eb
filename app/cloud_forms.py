"""The settings of the Clouds page: the sky that is drawn, and the edges of cloud levels."""

from dataclasses import replace

import streamlit as st

from app.compare.rules import read_edges
from app.session import Context
from core.clouds.cover import EDGE_PRESETS, level_names
from core.clouds.preview import usual_height
from core.clouds.simulator import Sky
from core.options import cloud_edges, set_cloud_edges
from core.records import Grid, Project

COVERS = (0.0, 0.25, 0.5, 0.75, 1.0)
OWN = "Own edges"


def sky_ui(grid: Grid) -> tuple[list[float], Sky]:
    """Draw the settings of simulated clouds; return the covers, from 0 to 1, and the sky.

    The height that is proposed fits the size of `grid`.
    """
    left, middle, right = st.columns([2, 1, 1])
    covers = left.pills(
        "Covers",
        COVERS,
        default=COVERS[1:],
        selection_mode="multi",
        format_func=lambda cover: f"{cover * 100:g} %",
        key="sky_covers",
        help="Share of valid pixels under thin or thick cloud or shadow.",
    )
    seed = middle.number_input("Seed", 0, 10_000, 0, key="sky_seed")
    thin = right.slider("Thin, % of the cover", 0, 100, 25, 5, key="sky_thin")
    with st.expander("Sun, view and cloud height"):
        sky = _geometry_ui(grid)
    return sorted(covers), replace(sky, seed=int(seed), thin=thin / 100)


def _geometry_ui(grid: Grid) -> Sky:
    """Draw where sun, sensor and clouds stand; return a sky of that."""
    start = Sky(0.5)
    first, second, third = st.columns(3)
    azimuth = first.slider("Sun azimuth, °", 0, 360, int(start.sun_azimuth_deg), 5)
    elevation = first.slider("Sun elevation, °", 10, 90, int(start.sun_elevation_deg), 5)
    view = second.slider("View azimuth, °", 0, 360, int(start.view_azimuth_deg), 5)
    zenith = second.slider("View off nadir, °", 0, 60, int(start.view_zenith_deg), 5)
    height = third.number_input(
        "Cloud height, m",
        0,
        15_000,
        usual_height(grid),
        10,
        key="sky_height",
        help="Real clouds lie 500 to 12,000 m high. On small tiles the shadows of such clouds "
        "fall outside, so a lower height is proposed there.",
    )
    size = third.number_input(
        "Largest clouds, m", 0, 1_000_000, 0, 100, help="0: about a third of the tile."
    )
    shadows = third.toggle("Shadows", value=True, key="sky_shadows")
    return replace(
        start,
        shadows=shadows,
        sun_azimuth_deg=float(azimuth),
        sun_elevation_deg=float(elevation),
        view_azimuth_deg=float(view),
        view_zenith_deg=float(zenith),
        height_m=float(height),
        size_m=float(size) or None,
    )


def edges_ui(here: Context, project: Project) -> None:
    """Draw the edges of cloud levels of the project; a change is kept at once."""
    st.subheader("Cloud levels", anchor=False)
    now = cloud_edges(project)
    names = [*EDGE_PRESETS, OWN]
    current = next((name for name, edges in EDGE_PRESETS.items() if edges == now), OWN)
    left, right = st.columns(2)
    chosen = left.selectbox("Edges", names, index=names.index(current), key="edges_preset")
    wanted = EDGE_PRESETS.get(chosen, now)
    if wanted is None:
        right.info(f"{chosen} is scored by cloud cover, but its edges are not published.")
        wanted = now
    if chosen == OWN:
        text = ", ".join(f"{edge * 100:g}" for edge in now)
        typed = read_edges(right.text_input("Edges, % cover", text, key="edges_own"))
        if typed is None:
            right.error("Write rising numbers from 0 to 100, such as 0, 10, 50, 100.")
        wanted = typed or now
    if wanted != now:
        set_cloud_edges(here.store, project.id, wanted)
        st.rerun()
    st.caption(f"Explore and Compare group by {', '.join(level_names(now))}.")
