"""Explore: where the tiles lie, what they show, and which of them need work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.explore import ramps
from app.links import open_page, page_address, thumbnail, view_token
from app.map import Footprint, LegendItem, overview_html
from app.session import Context, context
from app.theme import page_header
from core import catalogue
from core.cloud import level_names, level_of
from core.options import cloud_edges
from core.records import Acquisition, Modality, Project, Split, Tile, TileState
from core.tally import Tally, tallies
from core.trained import promoted

ASSETS = Path(__file__).parents[1] / "explore"
HEIGHT_PX = 590
RESERVED = "reserved"
DATES = {"clearest": 0, "cloudiest": -1}
SPLITS: dict[str, str] = {Split.TRAIN: "training", Split.VAL: "validation", Split.TEST: "test"}
Key = TypeVar("Key")

_browser = st.components.v2.component(
    "cloudbrush_tiles",
    js=(ASSETS / "browser.js").read_text(),
    css=(ASSETS / "browser.css").read_text(),
)


@dataclass(frozen=True)
class Spot:
    """A tile with what the page says about it; `date` is the optical date in view."""

    tile: Tile
    dates: Sequence[Acquisition]
    date: Acquisition | None
    tally: Tally | None

    @property
    def cover(self) -> float | None:
        """Return the cloud cover of the date in view."""
        return self.date.cover if self.date else None

    @property
    def disagreement(self) -> float | None:
        """Return the share of labelled pixels that the shown model sees otherwise."""
        return self.tally.disagreement if self.tally else None


@dataclass(frozen=True)
class Filter:
    """What tiles must be like; None means that anything goes. `level` counts cloud levels, whose
    edges are `edges`."""

    region: str | None
    split: str | None
    level: int | None
    code: int | None
    state: TileState | None
    edges: Sequence[float]

    def fits(self, spot: Spot) -> bool:
        """Return whether a tile is one of those asked for; any of its dates may have the level."""
        tile = spot.tile
        levels = {level_of(date.cover, self.edges) for date in spot.dates}
        return (
            self.region in (None, tile.region)
            and self.split in (None, tile.split, RESERVED if tile.reserved else tile.split)
            and (self.level is None or self.level in levels)
            and (self.code is None or (spot.tally is not None and self.code in spot.tally.classes))
            and self.state in (None, tile.state)
        )


@dataclass(frozen=True)
class View:
    """How the map and the pictures are drawn."""

    colour: str
    picture: str
    swipe: tuple[str, str] | None
    geographic: bool


def main() -> None:
    """Draw the page."""
    here = context()
    project = here.project
    head, progress = st.columns([3, 2], vertical_alignment="bottom")
    with head:
        page_header("Explore", "Find the tiles that need work. Click one to correct it.")
    if project is None:
        _no_project()
        return
    spots = _spots(here, project, _date_in_view())
    if not spots:
        st.info("This project has no tiles. Import the folder again or delete the project.")
        return
    with progress:
        _progress_ui([spot.tile for spot in spots])
    shown = _filters_ui(spots, project)
    view = _view_ui(shown or spots)
    if not shown:
        st.info("No tile fits these filters. Set one of them back to All.")
        return
    _browse(here, project, shown, view)


def _no_project() -> None:
    st.info("No project is open. Choose one on the home page.")
    if st.button("Go to Home", type="primary"):
        open_page("home")


def _date_in_view() -> int:
    return DATES[st.session_state.get("explore_date", "clearest")]


def _spots(here: Context, project: Project, place: int) -> list[Spot]:
    tiles = catalogue.tiles(here.store, project.id)
    dates = catalogue.project_acquisitions(here.store, project.id)
    shown = promoted(here.store, project.id)
    counted = tallies(here.store, project, tiles, dates, shown)
    spots = []
    for tile in tiles:
        known = [date for date in dates.get(tile.id, []) if date.cover is not None]
        usable = known or dates.get(tile.id, [])
        date = usable[place] if usable else None
        spots.append(Spot(tile, dates.get(tile.id, []), date, counted.get(tile.id)))
    return spots


def _progress_ui(tiles: Sequence[Tile]) -> None:
    work = [tile for tile in tiles if tile.editable]
    done = sum(tile.state is TileState.DONE for tile in work)
    held = len(tiles) - len(work)
    text = f"{done} of {len(work)} editable tiles done"
    if held:
        text += f", {held} more kept for scoring"
    st.progress(done / len(work) if work else 0.0, text=text)


def _filters_ui(spots: Sequence[Spot], project: Project) -> list[Spot]:
    """Draw the filters and the order; return the tiles that are left, in that order."""
    region, split, level, kind, state, order = st.columns(6)
    names = dict(enumerate(level_names(cloud_edges(project))))
    classes = {entry.code: entry.name for entry in project.classes.entries}
    regions = {spot.tile.region: spot.tile.region for spot in spots}
    wanted = Filter(
        _choice(region, "Region", dict(sorted(regions.items()))),
        _choice(split, "Split", SPLITS | {RESERVED: RESERVED}),
        _choice(level, "Cloud cover", names),
        _choice(kind, "Class present", classes),
        _choice(state, "State", {state: state.value for state in TileState}),
        cloud_edges(project),
    )
    key = order.selectbox("Order", list(ORDERS), key="explore_order")
    return sorted((spot for spot in spots if wanted.fits(spot)), key=ORDERS[key])


def _choice(place: DeltaGenerator, label: str, options: Mapping[Key, str]) -> Key | None:
    """Draw a choice among options, all of them by default; return None for all."""
    names = ["All", *options.values()]
    chosen = place.selectbox(label, names, key=f"explore_{label}")
    return next((key for key, name in options.items() if name == chosen), None)


ORDERS: dict[str, Callable[[Spot], Any]] = {
    "differ most": lambda spot: (-(spot.disagreement or 0), spot.tile.name),
    "name": lambda spot: spot.tile.name,
    "clearest first": lambda spot: (spot.cover is None, spot.cover or 0),
    "cloudiest first": lambda spot: (spot.cover is None, -(spot.cover or 0)),
}


def _view_ui(spots: Sequence[Spot]) -> View:
    """Draw what the map and the pictures show."""
    colour, picture, date, swipe, left, right = st.columns(6, vertical_alignment="bottom")
    known = {
        "disagreement": any(spot.disagreement is not None for spot in spots),
        "cloud cover": any(spot.cover is not None for spot in spots),
        "state": True,
    }
    choices = sorted(known, key=lambda by: not known[by])  # do not open on a white map
    by = colour.selectbox("Map colours", choices, key="explore_colour")
    kind = picture.selectbox("Pictures", list(PICTURES), key="explore_picture")
    date.selectbox("Optical date", list(DATES), key="explore_date")
    sides: tuple[str, str] | None = None
    if swipe.toggle("Swipe layers", key="explore_swipe"):
        first = left.selectbox("Left", list(PICTURES), key="explore_left")
        second = right.selectbox("Right", list(PICTURES), index=2, key="explore_right")
        sides = first, second
    return View(by, kind, sides, _geographic(spots))


def _geographic(spots: Sequence[Spot]) -> bool:
    """Return whether to draw a map; where only some tiles have a position, the person chooses."""
    placed = sum(spot.tile.lonlat is not None for spot in spots)
    if placed in (0, len(spots)):
        return placed > 0
    options = [f"Map ({placed} tiles)", f"Grid ({len(spots) - placed} tiles without position)"]
    return st.segmented_control("Show", options, default=options[0]) != options[1]


PICTURES = {
    "optical": Modality.OPTICAL,
    "SAR": Modality.SAR,
    "label": Modality.LABEL,
    "cloud": Modality.CLOUD,
    "prediction": Modality.MODEL,
}


def _browse(here: Context, project: Project, spots: Sequence[Spot], view: View) -> None:
    address = _pictures(here, project)
    located = [spot for spot in spots if (spot.tile.lonlat is not None) == view.geographic]
    title, legend = _legend(view, project)
    html = overview_html(
        [_footprint(spot, view, address, cloud_edges(project)) for spot in located],
        title,
        legend,
        swipe=view.swipe,
        geographic=view.geographic,
    )
    cards = [_card(project, spot, address(spot, view.picture, 224)) for spot in spots]
    result = _browser(
        key="tiles",
        data={"html": html, "tiles": cards, "height": HEIGHT_PX},
        on_open_change=lambda: None,
    )
    opened = result.get("open")
    if opened:
        spot = next((spot for spot in spots if spot.tile.id == opened.get("tile")), None)
        if spot is not None:
            date = spot.date.id if spot.date else None
            open_page("correct", project=project.id, tile=spot.tile.id, acquisition=date)


Addresses = Callable[[Spot, str, int], str]


def _pictures(here: Context, project: Project) -> Addresses:
    """Return a function that gives the address of a picture: of a tile, a kind and a size."""
    token = view_token(here, project.id)
    dated = {
        kind: {
            layer.acquisition_id: layer.id
            for layers in catalogue.project_layers(here.store, project.id, kind).values()
            for layer in layers
        }
        for kind in (Modality.OPTICAL, Modality.CLOUD)
    }

    def address(spot: Spot, name: str, size: int) -> str:
        modality = PICTURES[name]
        if modality is Modality.MODEL:
            return thumbnail(spot.tile.id, "prediction", token, size)
        layer = dated.get(modality, {}).get(spot.date.id if spot.date else None)
        return thumbnail(spot.tile.id, layer or modality.value, token, size)

    return address


def _legend(view: View, project: Project) -> tuple[str, list[LegendItem]]:
    """Return the legend of the footprints, or that of the layers that are swiped."""
    if view.swipe:
        if {"label", "prediction"} & set(view.swipe):
            entries = project.classes.entries
            return "Classes", [LegendItem(entry.colour, entry.name) for entry in entries]
        return "", []
    if view.colour == "state":
        return "State", ramps.state_legend()
    if view.colour == "disagreement":
        return "Model and label differ", ramps.disagreement_legend()
    return "Cloud cover", ramps.cover_legend(cloud_edges(project))


def _footprint(spot: Spot, view: View, address: Addresses, edges: Sequence[float]) -> Footprint:
    colours = {
        "state": ramps.state_colour(spot.tile),
        "disagreement": ramps.disagreement_colour(spot.disagreement),
        "cloud cover": ramps.cover_colour(spot.cover, edges),
    }
    images = None
    if view.swipe:
        images = address(spot, view.swipe[0], 512), address(spot, view.swipe[1], 512)
    return Footprint(
        spot.tile.id,
        spot.tile.name,
        spot.tile.region,
        spot.tile.lonlat,
        colours[view.colour],
        _line(spot),
        not spot.tile.editable,
        images,
    )


def _card(project: Project, spot: Spot, image: str) -> dict[str, object]:
    tile = spot.tile
    date = spot.date.id if spot.date else None
    return {
        "id": tile.id,
        "name": tile.name,
        "line": _line(spot),
        "title": f"{tile.name}, {tile.region}, {SPLITS[tile.split]}, version {tile.version}",
        "state": tile.state.value if tile.editable else "held",
        "badge": _badge(tile),
        "image": image,
        "href": page_address("correct", project=project.id, tile=tile.id, acquisition=date),
    }


def _badge(tile: Tile) -> str:
    if tile.split is not Split.TRAIN:
        return SPLITS[tile.split]
    if tile.frozen:
        return "frozen"
    words = [RESERVED] if tile.reserved else []
    words += [] if tile.state is TileState.NEW else [tile.state.value]
    return ", ".join(words)


def _line(spot: Spot) -> str:
    words = [] if spot.cover is None else [f"{spot.cover * 100:.0f} % cloud"]
    if spot.disagreement is not None:
        words.append(f"{spot.disagreement * 100:.0f} % differ")
    return " · ".join(words) or "cloud not known"
