"""Explore: filters, order, progress, and what the browser of tiles is given."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core import catalogue
from core.browse import Area
from core.records import TileState
from core.scan import scan_tile
from core.store.engine import Store
from core.store.tables import TileRow
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


def test_tiles_that_cannot_be_worked_on_are_named_and_can_be_seen_alone(
    page: AppTest, scene: Scene, store: Store
) -> None:
    with store.write() as session:
        of = TileRow.id == scene.tile
        session.execute(update(TileRow).where(of).values(problem="a.tif: torn."))
    page.run()
    badges = {tile["name"]: tile["badge"] for tile in given(page)["tiles"]}
    assert badges["train"] == "cannot be worked on"
    page.toggle(key="explore_problems").set_value(True).run()
    assert names(page) == ["train"]
    assert "a.tif: torn." in given(page)["tiles"][0]["title"]


def test_a_file_that_changed_on_disk_is_reported(page: AppTest, scene: Scene, store: Store) -> None:
    scan_tile(store, scene.tile)
    path = scene.folder / "train_sar.tif"
    path.write_bytes(path.read_bytes() + b"more")
    page.run()
    (tile,) = (tile for tile in given(page)["tiles"] if tile["id"] == scene.tile)
    assert tile["badge"] == "file changed"
    assert "train_sar.tif has changed" in tile["title"]


def test_many_tiles_are_paged_and_heaped(
    page: AppTest, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.pages.explore.PAGE_TILES", 3)
    monkeypatch.setattr("app.pages.explore.MOST_FOOTPRINTS", 2)
    monkeypatch.setattr("app.explore.heaps.HEAPS", 2)
    page.run()
    assert len(names(page)) == 3
    assert "4 tiles, 3 on a page" in [caption.value for caption in page.caption]
    assert "blank to second, 2 tiles" in given(page)["html"]
    page.session_state["explore_page"] = 2
    assert names(page.run()) == ["val"]
    assert not page.exception
    area = Area("blank", "second", "north")
    page.session_state["explore_area"] = (scene.project_id, area)
    assert names(page.run()) == ["blank", "second"]
    next(b for b in page.button if b.label == "Show the whole map").click().run()
    assert len(names(page)) == 3
