"""Explore: where the tiles lie, what they show, and which of them need work."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import streamlit as st

from app.explore import ramps
from app.explore.filters import (
    PICTURES,
    SPLITS,
    View,
    choose_area,
    filters_ui,
    view_ui,
)
from app.explore.health import health_ui
from app.explore.heaps import MOST_FOOTPRINTS, Heap, heaps
from app.links import open_page, page_address, thumbnail, view_token
from app.map import Footprint, LegendItem, overview_html
from app.session import Context, context
from app.theme import page_header
from core import browse, catalogue, changes
from core.browse import RESERVED, Place, Wish
from core.options import cloud_edges
from core.records import Acquisition, Modality, ModelRecord, Project, Split, Tile, TileState
from core.tally import Tally, refresh, tallies
from core.trained import promoted

ASSETS = Path(__file__).parents[1] / "explore"
HEIGHT_PX = 590
PAGE_TILES = 60
COUNT_AT_ONCE = 300  # tiles of a project that are all counted before they are shown
PAGE_KEY = "explore_page"
PLACES = {"clearest": 0, "cloudiest": -1}

_browser = st.components.v2.component(
    "cloudbrush_tiles",
    js=(ASSETS / "browser.js").read_text(),
    css=(ASSETS / "browser.css").read_text(),
)


@dataclass(frozen=True)
class Spot:
    """A tile of the page with what is said about it; `date` is the optical date in view."""

    tile: Tile
    date: Acquisition | None
    tally: Tally | None
    changed: str

    @property
    def line(self) -> str:
        """Return cloud cover and disagreement in words."""
        cover = self.date.cover if self.date else None
        return _line(cover, self.tally.disagreement if self.tally else None)


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
    found = browse.progress(here.store, project.id)
    with progress:
        _progress_ui(found)
    health_ui(here, project, found)
    if not found.tiles:
        st.info("This project has no tiles. Import the folder again or delete the project.")
        return
    shown = promoted(here.store, project.id)
    if found.tiles <= COUNT_AT_ONCE:
        refresh(here.store, project)
    wish = filters_ui(project, browse.regions(here.store, project.id))
    view = view_ui(found)
    _browse(here, project, wish, view, shown)


def _no_project() -> None:
    st.info("No project is open. Choose one on the home page.")
    if st.button("Go to Home", type="primary"):
        open_page("home")


def _progress_ui(found: browse.Progress) -> None:
    held = found.tiles - found.work - found.problems
    text = f"{found.done:,} of {found.work:,} editable tiles done"
    if held:
        text += f", {held:,} more kept for scoring"
    st.progress(found.done / found.work if found.work else 0.0, text=text)


def _browse(
    here: Context, project: Project, wish: Wish, view: View, shown: ModelRecord | None
) -> None:
    count = browse.count(here.store, project.id, wish)
    if not count:
        st.info("No tile fits these filters. Set one of them back to All.")
        if wish.area is not None:
            _whole_map_ui(project)
        return
    number = _page_ui(project, wish, count)
    start = (number - 1) * PAGE_TILES
    ids = browse.page(here.store, project.id, wish, shown, offset=start, limit=PAGE_TILES)
    spots = _spots(here, project, ids, wish, shown)
    on_map = replace(wish, placed=view.geographic)
    by = view.colour if count > MOST_FOOTPRINTS else None
    places = browse.places(here.store, project.id, on_map, shown, by)
    look = _Look(view, cloud_edges(project))
    piled: list[Heap] = []
    if len(places) > MOST_FOOTPRINTS:
        view = replace(view, swipe=None)
        piled = heaps(places, view.geographic, look.together)
        footprints = [heap.footprint for heap in piled]
    else:
        footprints = _footprints(here, project, places, look, wish)
    _draw(here, project, spots, footprints, view, piled)


def _page_ui(project: Project, wish: Wish, count: int) -> int:
    pages = ceil(count / PAGE_TILES)
    if pages == 1 and wish.area is None:
        return 1
    if st.session_state.get(PAGE_KEY, 1) > pages:
        st.session_state[PAGE_KEY] = 1
    with st.container(horizontal=True, vertical_alignment="center"):
        number = st.pagination(pages, key=PAGE_KEY) if pages > 1 else 1
        st.caption(f"{count:,} tiles, {PAGE_TILES} on a page", width="content")
        if wish.area is not None:
            _whole_map_ui(project)
    return number


def _whole_map_ui(project: Project) -> None:
    st.button("Show the whole map", on_click=choose_area, args=(project, None))


def _spots(
    here: Context, project: Project, ids: Sequence[int], wish: Wish, shown: ModelRecord | None
) -> list[Spot]:
    tiles = catalogue.tiles_by_id(here.store, ids)
    dates = catalogue.acquisitions_by_id(here.store, ids)
    ready = [tile for tile in tiles if tile.scanned and tile.problem is None]
    counted = tallies(here.store, project, ready, dates, shown)
    files = changes.changed_files(here.store, ids)
    return [
        Spot(
            tile,
            _in_view(dates.get(tile.id, []), wish),
            counted.get(tile.id),
            changes.in_words(files, tile.id),
        )
        for tile in tiles
    ]


def _in_view(dates: Sequence[Acquisition], wish: Wish) -> Acquisition | None:
    usable = [date for date in dates if date.cover is not None] or dates
    return usable[PLACES[wish.date]] if usable else None


def _draw(
    here: Context,
    project: Project,
    spots: Sequence[Spot],
    footprints: Sequence[Footprint],
    view: View,
    piled: Sequence[Heap],
) -> None:
    title, legend = _legend(view, project)
    html = overview_html(footprints, title, legend, swipe=view.swipe, geographic=view.geographic)
    address = _pictures(here, project, [spot.tile.id for spot in spots])
    cards = [
        _card(project, spot, address(spot.tile.id, _id(spot.date), view.picture, 224))
        for spot in spots
    ]
    result = _browser(
        key="tiles",
        data={"html": html, "tiles": cards, "height": HEIGHT_PX},
        on_open_change=lambda: None,
    )
    opened = (result.get("open") or {}).get("tile")
    if isinstance(opened, int):
        _open(here, project, opened, spots, piled)


def _open(
    here: Context, project: Project, opened: int, spots: Sequence[Spot], piled: Sequence[Heap]
) -> None:
    """Open a tile in the editor, or a heap on the map."""
    heap = next((heap for heap in piled if heap.footprint.tile_id == opened), None)
    if heap is not None:
        choose_area(project, heap.area)
        st.rerun()
    spot = next((spot for spot in spots if spot.tile.id == opened), None)
    known = spot is not None or catalogue.tiles_by_id(here.store, [opened])
    if known:
        open_page(
            "correct",
            project=project.id,
            tile=opened,
            acquisition=_id(spot.date) if spot else None,
        )


def _id(date: Acquisition | None) -> int | None:
    return date.id if date else None


Addresses = Callable[[int, int | None, str, int], str]


def _pictures(here: Context, project: Project, tile_ids: Sequence[int]) -> Addresses:
    """Return a function that gives the address of a picture: of a tile, date, kind and size."""
    token = view_token(here, project.id)
    dated: dict[tuple[Modality, int | None], int] = {
        (layer.modality, layer.acquisition_id): layer.id
        for layers in catalogue.layers_by_id(here.store, tile_ids).values()
        for layer in layers
        if layer.modality in (Modality.OPTICAL, Modality.CLOUD) and layer.acquisition_id
    }

    def address(tile_id: int, date: int | None, name: str, size: int) -> str:
        modality = PICTURES[name]
        if modality is Modality.MODEL:
            return thumbnail(tile_id, "prediction", token, size)
        return thumbnail(tile_id, dated.get((modality, date)) or modality.value, token, size)

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


@dataclass(frozen=True)
class _Look:
    """The colour and the words of tiles on the map."""

    view: View
    edges: Sequence[float]

    def together(self, places: Sequence[Place]) -> tuple[str, str]:
        """Return the colour of tiles by their mean, or by the state that most of them have."""
        cover = _mean([place.cover for place in places])
        disagreement = _mean([place.disagreement for place in places])
        states = Counter(place.state for place in places)
        state = TileState(states.most_common(1)[0][0])
        colour = {
            "state": ramps.state_colour(state),
            "disagreement": ramps.disagreement_colour(disagreement),
            "cloud cover": ramps.cover_colour(cover, self.edges),
        }[self.view.colour]
        if len(places) > 1 and self.view.colour == "state":
            return colour, f"{states[TileState.DONE.value]:,} done"
        return colour, _line(cover, disagreement)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _footprints(
    here: Context, project: Project, places: Sequence[Place], look: _Look, wish: Wish
) -> list[Footprint]:
    ids = [place.tile_id for place in places]
    corners: Mapping[int, Tile] = {t.id: t for t in catalogue.tiles_by_id(here.store, ids)}
    dates = catalogue.acquisitions_by_id(here.store, ids) if look.view.swipe else {}
    address = _pictures(here, project, ids if look.view.swipe else [])
    found = []
    for place in places:
        images = None
        if look.view.swipe:
            date = _id(_in_view(dates.get(place.tile_id, []), wish))
            first, second = (address(place.tile_id, date, n, 512) for n in look.view.swipe)
            images = first, second
        colour, words = look.together([place])
        lonlat = corners[place.tile_id].lonlat
        found.append(
            Footprint(
                place.tile_id,
                place.name,
                place.region,
                lonlat,
                colour,
                words,
                place.held,
                images,
            )
        )
    return found


def _card(project: Project, spot: Spot, image: str) -> dict[str, object]:
    tile = spot.tile
    title = f"{tile.name}, {tile.region}, {SPLITS[tile.split]}, version {tile.version}"
    return {
        "id": tile.id,
        "name": tile.name,
        "line": spot.line,
        "title": "\n".join(filter(None, (title, tile.problem, spot.changed))),
        "state": tile.state.value if tile.editable else "held",
        "badge": _badge(spot),
        "image": image,
        "href": page_address(
            "correct", project=project.id, tile=tile.id, acquisition=_id(spot.date)
        ),
    }


def _badge(spot: Spot) -> str:
    tile = spot.tile
    if tile.problem is not None:
        return "cannot be worked on"
    if spot.changed:
        return "file changed"
    if tile.split is not Split.TRAIN:
        return SPLITS[tile.split]
    if tile.frozen:
        return "frozen"
    words = [RESERVED] if tile.reserved else []
    words += [] if tile.state is TileState.NEW else [tile.state.value]
    return ", ".join(words)


def _line(cover: float | None, disagreement: float | None) -> str:
    words = [] if cover is None else [f"{cover * 100:.0f} % cloud"]
    if disagreement is not None:
        words.append(f"{disagreement * 100:.0f} % differ")
    return " · ".join(words) or "cloud not known"
