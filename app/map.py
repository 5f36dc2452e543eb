"""The overview map: footprints in colour, a legend and a swipe, rendered without any network.

leafmap (a folium map) writes the page; Leaflet comes from our own route instead of a CDN. There is
no basemap. Tiles without coordinates are laid out as a grid, and the map says so.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.routes.assets import address
from app.theme import ACCENT, INK

if TYPE_CHECKING:
    import folium

LEAFLET = address("vendor/leaflet")  # asked for once: the map is built anew by every page run
FOLDER = Path(__file__).parent / "explore"
NO_POSITION = (
    "These tiles have no coordinate system, so they are laid out as a grid, by region and name."
)

Corners = tuple[tuple[float, float], ...]
"""Upper left, upper right, lower right, lower left; as each use says."""


@dataclass(frozen=True)
class Footprint:
    """One tile on the map.

    `lonlat` holds its corners as (longitude, latitude), None without coordinates; `images` the
    addresses of its pictures for the two sides of a swipe.
    """

    tile_id: int
    name: str
    region: str
    lonlat: Corners | None
    colour: str
    value: str
    dashed: bool = False
    images: tuple[str, str] | None = None


@dataclass(frozen=True)
class LegendItem:
    """One colour and what it means."""

    colour: str
    text: str
    dashed: bool = False


def overview_html(
    footprints: Sequence[Footprint],
    legend_title: str,
    legend: Sequence[LegendItem],
    *,
    swipe: tuple[str, str] | None = None,
    geographic: bool = True,
) -> str:
    """Return the map as a page of its own; the same input gives the same text.

    `swipe` names the two layers; without it the footprints are filled with their colours.
    With `geographic` false the tiles are laid out as a grid, which a notice explains.
    """
    corners = _lonlat_corners(footprints) if geographic else _grid_corners(footprints)
    data = {
        "tiles": [
            {
                "id": tile.tile_id,
                "name": tile.name,
                "region": tile.region,
                "corners": corners[tile.tile_id],
                "colour": tile.colour,
                "value": tile.value,
                "dashed": tile.dashed,
                "images": tile.images or ("", ""),
            }
            for tile in footprints
            if tile.tile_id in corners
        ],
        "legend": {"title": legend_title, "items": [vars(item) for item in legend]},
        "swipe": [{"title": title} for title in swipe] if swipe else None,
        "notice": None if geographic else NO_POSITION,
        "ink": INK,
        "accent": ACCENT,
    }
    return _page(data, "EPSG3857" if geographic else "Simple")


def _lonlat_corners(footprints: Sequence[Footprint]) -> dict[int, Corners]:
    """Return (latitude, longitude) of the corners, in Leaflet's order, where they are known."""
    return {
        tile.tile_id: tuple((lat, lon) for lon, lat in tile.lonlat)
        for tile in footprints
        if tile.lonlat
    }


def _grid_corners(footprints: Sequence[Footprint]) -> dict[int, Corners]:
    """Return (y, x) of unit squares in rows, one block of rows per region."""
    regions: dict[str, list[Footprint]] = {}
    for tile in sorted(footprints, key=lambda tile: (tile.region, tile.name)):
        regions.setdefault(tile.region, []).append(tile)
    width = max(4, ceil(sqrt(len(footprints))))
    corners: dict[int, Corners] = {}
    top = 0.0
    for members in regions.values():
        for place, tile in enumerate(members):
            y, x = top - 1.08 * (place // width), 1.08 * (place % width)
            corners[tile.tile_id] = ((y, x), (y, x + 1), (y - 1, x + 1), (y - 1, x))
        top -= 1.08 * ceil(len(members) / width) + 0.5
    return corners


def _page(data: dict[str, Any], crs: str) -> str:
    from branca.element import MacroElement
    from folium.template import Template

    world = _offline_map(crs)
    overview: Any = MacroElement()  # type: ignore[no-untyped-call]  # branca has no types
    overview._name = "overview"
    overview._template = Template(
        "{% macro header(this, kwargs) %}<style>{{ this.css }}</style>{% endmacro %}"
        "{% macro script(this, kwargs) %}{{ this.code }}\n"
        "cloudbrushOverview({{ this._parent.get_name() }}, {{ this.data }});{% endmacro %}"
    )
    overview.css = (FOLDER / "overview.css").read_text()
    overview.code = (FOLDER / "overview.js").read_text()
    # A name with "</script>" in it must not end the script element.
    overview.data = json.dumps(data).replace("<", "\\u003c")
    world.add_child(overview, name="overview")
    return str(world.get_root().render())


def _offline_map(crs: str) -> "folium.Map":
    """Return an empty leafmap map whose page refers to nothing but our own Leaflet."""
    from leafmap.foliumap import Map  # 2 s to import, so only where a map is drawn

    class OfflineMap(Map):  # type: ignore[misc]  # leafmap has no types
        default_js = (("leaflet", f"{LEAFLET}/leaflet.js"),)
        default_css = (("leaflet_css", f"{LEAFLET}/leaflet.css"),)

    world = OfflineMap(
        location=[0, 0],
        zoom_start=2,
        crs=crs,
        tiles=None,
        height=None,
        fullscreen_control=False,
        layers_control=False,
        scale_control=False,
        attribution_control=False,
        zoom_animation=False,
        zoom_snap=0.25,
        min_zoom=-4,
    )
    # Random names would make every page differ and the browser draw the map anew.
    world._id = "overview"
    return world
