"""The overview map: nothing from the network, the same text twice, a grid where there is no CRS."""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route

from app.map import LEAFLET, NO_POSITION, Footprint, LegendItem, overview_html

VENDOR = Path(__file__).parents[2] / "app" / "vendor" / "leaflet"
CORNERS = ((140.0, 36.0), (140.1, 36.0), (140.1, 35.9), (140.0, 35.9))


def footprint(number: int = 1, **changes: Any) -> Footprint:
    values: dict[str, Any] = {
        "tile_id": number,
        "name": f"tile {number}",
        "region": "north",
        "lonlat": CORNERS,
        "colour": "#0b4f63",
        "value": "3 % cloud",
    }
    return Footprint(**(values | changes))


def page(*tiles: Footprint, **options: Any) -> str:
    return overview_html(tiles, "Cloud cover", [LegendItem("#0b4f63", "0-5 %")], **options)


def data(html: str) -> dict[str, Any]:
    found = re.search(r"cloudbrushOverview\(\w+, (\{.*\})\);", html)
    assert found
    content: dict[str, Any] = json.loads(found[1])
    return content


@pytest.mark.parametrize("options", [{}, {"geographic": False}, {"swipe": ("optical", "label")}])
def test_page_refers_to_nothing_outside_our_origin(options: dict[str, Any]) -> None:
    html = page(footprint(), **options)
    assert not re.findall(r"https?://|[\"'(]//", html)
    assert set(re.findall(r"(?:src|href)=\"([^\"]*)\"", html)) == {
        f"{LEAFLET}/leaflet.js",
        f"{LEAFLET}/leaflet.css",
    }


def test_what_the_page_refers_to_is_vendored_with_its_licence() -> None:
    assert (VENDOR / "leaflet.js").read_text()[:200].count("Leaflet 1.9.4")
    assert "BSD 2-Clause" in (VENDOR / "LICENSE").read_text()
    wanted = set(re.findall(r"url\(([^)#]+)\)", (VENDOR / "leaflet.css").read_text()))
    assert wanted
    assert all((VENDOR / name).is_file() for name in wanted)


def test_same_tiles_give_the_same_page() -> None:
    assert page(footprint()) == page(footprint())


def test_corners_are_turned_to_latitude_first() -> None:
    assert data(page(footprint()))["tiles"][0]["corners"][1] == [36.0, 140.1]


def test_tiles_without_coordinates_are_a_grid_that_says_so() -> None:
    tiles = [footprint(number, lonlat=None) for number in range(7)]
    found = data(page(*tiles, geographic=False))
    assert found["notice"] == NO_POSITION
    places = {tuple(tile["corners"][0]) for tile in found["tiles"]}
    assert len(places) == 7
    assert "L.CRS.Simple" in page(*tiles, geographic=False)


def test_tiles_without_coordinates_are_left_out_of_the_map() -> None:
    found = data(page(footprint(1), footprint(2, lonlat=None)))
    assert [tile["id"] for tile in found["tiles"]] == [1]
    assert found["notice"] is None


def test_name_cannot_end_the_script() -> None:
    name = "</script><script>alert(1)</script>"
    html = page(footprint(name=name))
    assert html.count("<script") == page(footprint()).count("<script")
    assert data(html)["tiles"][0]["name"] == name


def test_swipe_carries_both_pictures() -> None:
    images = ("/tile/1/thumbnail/optical", "/tile/1/thumbnail/label")
    found = data(page(footprint(images=images), swipe=("optical", "label")))
    assert found["tiles"][0]["images"] == list(images)
    assert [side["title"] for side in found["swipe"]] == ["optical", "label"]


FOLD = """<main style="height: 100vh; overflow: auto"><div style="height: 400px"></div>
<iframe style="height: 590px; width: 100%"></iframe></main><script>
addEventListener("message", ({data}) => {
  if (data.cloudbrush === "open") window.opened = data.tile;
});
</script>"""


@pytest.mark.browser
def test_a_click_on_a_map_that_reaches_below_the_window_opens_the_tile(browser: Browser) -> None:
    tab = browser.new_page(viewport={"width": 800, "height": 600})
    tab.route("**/*", lambda route: route.fulfill(body=FOLD, content_type="text/html"))
    for name in ("leaflet.js", "leaflet.css"):
        tab.route(f"**{LEAFLET}/{name}", partial(Route.fulfill, path=VENDOR / name))
    tab.goto("http://cloudbrush.test/")
    html = page(*(footprint(n, lonlat=None) for n in range(1, 901)), geographic=False)
    tab.locator("iframe").evaluate("(frame, html) => { frame.srcdoc = html; }", html)
    tab.frame_locator("iframe").locator("path").nth(899).wait_for(state="attached")
    tab.mouse.click(400, 560)
    tab.wait_for_function("window.opened !== undefined", timeout=5_000)
    assert tab.locator("main").evaluate("main => main.scrollTop") == 0
    tab.close()
