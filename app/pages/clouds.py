"""Clouds: how much of each image is hidden, how that is known, and clouds drawn on clear images."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from app.background import background_ui, working
from app.cloud_forms import edges_ui, sky_ui
from app.links import open_page
from app.session import Context, context
from app.theme import page_header
from core import browse, catalogue, jobs
from core.browse import Wish
from core.clouds.levels import clear_base, count_sources, remove_simulated
from core.clouds.preview import Preview, preview
from core.clouds.simulator import Sky
from core.errors import CloudbrushError
from core.records import Acquisition, Job, JobState, Project, Tile
from core.store.engine import Store
from models.cloud_s2cloudless import installed
from models.clouds import METHODS, simulate_all, tile_sky

PREVIEW_PX = 360
LISTED = 200
METHOD_NAMES = {
    "auto": "by a clear image where there is one, else the detector",
    "difference": "by a clear image only",
    "detector": "the detector only",
    "s2cloudless": "s2cloudless (Sentinel-2 L1C)",
}


def main() -> None:
    """Draw the page."""
    here = context()
    page_header("Clouds", "How much of each image is hidden, and clouds of a set cover.")
    if here.project is None:
        st.info("No project is open. Choose one on the home page.")
        if st.button("Go to Home", type="primary"):
            open_page("home")
        return
    busy = working(here, here.project.id, "clouds", "simulate_clouds")
    background_ui(here, busy)
    if busy and st.button("Stop"):
        for job in busy:
            jobs.cancel(here.store, job.id)
        st.rerun()
    _known_ui(here, here.project, busy)
    _simulate_ui(here, here.project, busy)
    edges_ui(here, here.project)


def _known_ui(here: Context, project: Project, busy: Sequence[Job]) -> None:
    st.subheader("What is known", anchor=False)
    counted = count_sources(here.store, project.id)
    if not counted:
        st.info("This project has no optical images.")
        return
    rows = [{"how it is known": how or "not known", "images": n} for how, n in counted.items()]
    left, right = st.columns(2)
    left.dataframe(rows, hide_index=True)
    with right:
        there = [name for name in METHODS if name != "s2cloudless" or installed()]
        method = st.selectbox("Find clouds", there, format_func=lambda name: METHOD_NAMES[name])
        again = st.checkbox("Again where one of these found them", key="clouds_again")
        st.caption("Masks that came with the data stay; images named clear count as clear.")
        if st.button("Find cloud levels", disabled=bool(busy)):
            _submit(here, project, "clouds", {"method": method, "again": again})
        _result_ui(here, project, "clouds")


def _simulate_ui(here: Context, project: Project, busy: Sequence[Job]) -> None:
    st.subheader("Simulate clouds", anchor=False)
    listed = browse.page(here.store, project.id, Wish(), None, offset=0, limit=LISTED)
    tiles = catalogue.tiles_by_id(here.store, listed)
    if not tiles:
        return
    covers, sky = sky_ui(tiles[0].grid)
    names = {tile.id: tile.name for tile in tiles}
    shown = st.selectbox("Preview on", list(names), format_func=lambda id: names[id])
    tile = next(tile for tile in tiles if tile.id == shown)
    _preview_ui(here, tile, covers, sky)
    look, make, remove = st.columns(3, vertical_alignment="bottom")
    if look.button("Look at them in Correct", disabled=bool(busy) or not covers):
        _look(here, project, tile, covers, sky)
    if make.button("Simulate clouds over all tiles", disabled=bool(busy) or not covers):
        _submit(here, project, "simulate_clouds", {"covers": covers, "sky": sky.to_json()})
    made = count_sources(here.store, project.id).get("simulated", 0)
    if made and remove.button(f"Remove {made} simulated images", disabled=bool(busy)):
        remove_simulated(here.store, project.id)
        st.rerun()
    _result_ui(here, project, "simulate_clouds")


def _look(here: Context, project: Project, tile: Tile, covers: Sequence[float], sky: Sky) -> None:
    """Make the images of one tile now and open it in the editor on the first of them."""
    outcome = simulate_all(here.store, [tile], covers, sky)
    if outcome.left_out:
        st.error(outcome.left_out[0])
        return
    made = [a for a in catalogue.acquisitions(here.store, tile.id) if a.simulated is not None]
    first = min(made, key=lambda date: abs((date.cover or 0.0) - covers[0]))
    open_page("correct", project=project.id, tile=tile.id, acquisition=first.id)


def _preview_ui(here: Context, tile: Tile, covers: Sequence[float], sky: Sky) -> None:
    """Draw the tile under each cover, as the images would be made."""
    dates = catalogue.acquisitions(here.store, tile.id)
    base = clear_base(dates)
    if base is None:
        st.info(f"{tile.name} has no clear image to draw clouds on.")
        return
    try:
        for place, cover in zip(st.columns(max(len(covers), 3)), covers, strict=False):
            own = tile_sky(replace(sky, cover=cover), tile)
            picture, shares = _drawn(here.store, tile, base, own)
            thin, thick, shadow = (round(share * 100) for share in shares)
            words = f"{cover * 100:g} %: thin {thin}, thick {thick}, shadow {shadow} %"
            place.image(picture, caption=words)
    except CloudbrushError as error:
        st.error(str(error))


@st.cache_data(max_entries=64, show_spinner=False)
def _drawn(_store: Store, tile: Tile, base: Acquisition, sky: Sky) -> Preview:
    return preview(_store, tile, base, sky, PREVIEW_PX)


def _submit(here: Context, project: Project, kind: str, payload: dict[str, object]) -> None:
    jobs.submit(here.store, here.settings, kind, payload, project.id, here.person.id)
    st.rerun()


def _result_ui(here: Context, project: Project, kind: str) -> None:
    """Say what the newest job of a kind did, and what it left out and why."""
    ended = [job for job in jobs.jobs(here.store, project.id, kind=kind) if job.state in RESULTS]
    if not ended:
        return
    newest = ended[0]
    if newest.state is JobState.FAILED:
        st.error(newest.message)
        return
    done = ", ".join(f"{n} {how}" for how, n in newest.result.get("done", {}).items())
    st.caption(f"Last run: {done or 'nothing to do'}.")
    left_out = newest.result.get("left_out", 0)
    if left_out:
        st.warning(f"{left_out} left out. " + " ".join(newest.result.get("reasons", [])))


RESULTS = (JobState.DONE, JobState.FAILED)
