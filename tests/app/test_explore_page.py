"""Explore: filters, order, progress, and what the browser of tiles is given."""

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import catalogue
from core.records import TileState
from core.store.engine import Store
from tests.app.scored import make_scored
from tests.scene import Scene, make_scene

SCRIPT = "from app.pages import explore\nexplore.main()\n"


@pytest.fixture
def scene(page: AppTest, store: Store, tmp_path: Path) -> Scene:
    made = make_scene(store, tmp_path / "scene")
    page.query_params["project"] = str(made.project_id)
    page.run()
    assert not page.exception
    return made


def given(page: AppTest) -> dict[str, Any]:
    """Return the data of the browser component."""
    (component,) = page.get("bidi_component")
    content: dict[str, Any] = json.loads(component.proto.json)
    return content


def names(page: AppTest) -> list[str]:
    return [tile["name"] for tile in given(page)["tiles"]]


def test_without_a_project_it_says_where_to_go(page: AppTest) -> None:
    assert "No project is open" in page.run().info[0].value


def test_every_tile_is_shown_with_a_link_and_a_picture(page: AppTest, scene: Scene) -> None:
    assert names(page) == sorted(scene.tiles)
    (tile,) = (tile for tile in given(page)["tiles"] if tile["id"] == scene.tile)
    assert tile["href"].startswith(f"/correct?project={scene.project_id}&tile={scene.tile}")
    assert tile["image"].startswith(f"/tile/{scene.tile}/thumbnail/")
    assert "token=" in tile["image"]
    assert tile["line"] == "20 % cloud"


def test_tiles_that_are_not_edited_say_so(page: AppTest, scene: Scene) -> None:
    badges = {tile["name"]: tile["badge"] for tile in given(page)["tiles"]}
    assert badges == dict.fromkeys(scene.tiles, "") | {"val": "validation"}


def test_split_and_class_filter(page: AppTest, scene: Scene) -> None:
    page.selectbox(key="explore_Split").set_value("validation").run()
    assert names(page) == ["val"]
    page.selectbox(key="explore_Split").set_value("All").run()
    page.selectbox(key="explore_Class present").set_value("Water").run()
    assert "blank" not in names(page) and {"train", "val"} <= set(names(page))


def test_state_filter_and_progress(page: AppTest, scene: Scene, store: Store) -> None:
    catalogue.set_tile_state(store, scene.tile, TileState.DONE, scene.ada)
    page.selectbox(key="explore_State").set_value("done").run()
    assert names(page) == ["train"]
    (progress,) = page.get("progress")
    editable = len(scene.tiles) - 1
    words = f"1 of {editable} editable tiles done, 1 more kept for scoring"
    assert progress.proto.text == words


def test_no_tile_that_fits_is_said(page: AppTest, scene: Scene) -> None:
    page.selectbox(key="explore_Cloud cover").set_value("80-100 %").run()
    assert "No tile fits" in page.info[0].value


def test_tiles_without_crs_are_a_grid(page: AppTest, scene: Scene) -> None:
    assert "no coordinate system" in given(page)["html"]


def test_tiles_with_crs_are_on_a_map_and_may_be_swiped(page: AppTest, store: Store) -> None:
    made = make_scored(store)
    page.query_params["project"] = str(made.project_id)
    page.run()
    assert "no coordinate system" not in given(page)["html"]
    page.toggle(key="explore_swipe").set_value(True).run()
    assert not page.exception
    assert "thumbnail/label" in given(page)["html"]


def test_order_by_clouds_follows_the_date_in_view(page: AppTest, store: Store) -> None:
    made = make_scored(store)
    page.query_params["project"] = str(made.project_id)
    page.run()
    page.selectbox(key="explore_date").set_value("cloudiest").run()
    page.selectbox(key="explore_order").set_value("cloudiest first").run()
    assert names(page)[0] == "tile_5"
    assert given(page)["tiles"][0]["line"] == "95 % cloud"


def test_pictures_keep_their_address_between_runs(page: AppTest, scene: Scene) -> None:
    before = given(page)["tiles"][0]["image"]
    assert given(page.run())["tiles"][0]["image"] == before
