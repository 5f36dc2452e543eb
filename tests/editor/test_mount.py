"""What the editor is told of a tile, and the page around it."""

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.access import check
from app.editor.mount import manifest
from core import catalogue
from core.classes import BRIGHT
from core.nudge import set_nudge
from core.records import Modality, TileState
from core.settings import Settings
from core.store.engine import Store
from core.store.tables import ProjectRow, TileRow
from tests.scene import Scene, make_scene

PAGE = "from app.pages.correct import main\nmain()"


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> Scene:
    return make_scene(store, tmp_path / "scene")


def told(store: Store, scene: Scene, name: str, **chosen: Any) -> dict[str, Any]:
    person = next(p for p in catalogue.people(store) if p.id == scene.ada)
    return manifest(store, catalogue.tile(store, scene.tiles[name]), person, **chosen)


def open_page(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch, **address: object
) -> AppTest:
    monkeypatch.setattr("app.session._served", (settings, store))
    page = AppTest.from_string(PAGE, default_timeout=30)
    page.session_state["person_id"] = catalogue.ensure_person(store, "Ada").id
    for name, value in address.items():
        page.query_params[name] = str(value)
    return page.run()


def test_the_manifest_is_json_and_names_no_truth(store: Store, scene: Scene) -> None:
    found = told(store, scene, "train")
    truth = catalogue.layers(store, scene.tile, modality=Modality.TRUTH)
    assert json.loads(json.dumps(found)) is not None
    assert truth and not {layer.id for layer in truth} & {la["id"] for la in found["layers"]}
    assert {layer["modality"] for layer in found["layers"]} == {"optical", "sar"}


def test_layers_name_their_bands_unit_and_nudge(store: Store, scene: Scene) -> None:
    set_nudge(store, scene.tile, scene.layers["train", "sar"], -1.5, 3.0)
    layers = {layer["modality"]: layer for layer in told(store, scene, "train")["layers"]}
    assert layers["optical"]["bands"] == ["red", "green", "blue"]
    assert layers["sar"]["unit"] == "relative 8-bit"
    assert layers["sar"]["nudge"] == {"y": -1.5, "x": 3.0}
    assert layers["optical"]["nudge"] == {"y": 0.0, "x": 0.0}


def test_the_size_of_pixels_is_told_where_there_is_a_crs(store: Store, scene: Scene) -> None:
    size = told(store, scene, "train")["tile"]["ground"]
    assert (size["width"], size["height"]) == pytest.approx((1.0, 1.0), rel=1e-3)
    assert size["north"] == pytest.approx(0.0, abs=0.1)
    with store.write() as session:
        session.get_one(TileRow, scene.tile).crs = None
    assert told(store, scene, "train")["tile"]["ground"] is None


def test_the_way_leads_over_tiles_to_correct_only(store: Store, scene: Scene) -> None:
    tile = next(t for t in catalogue.tiles(store, scene.project_id) if t.editable)
    seen = [tile.name]
    while (following := told(store, scene, seen[-1])["neighbours"]["next"]) is not None:
        seen.append(catalogue.tile(store, following).name)
    assert seen == [t.name for t in catalogue.tiles(store, scene.project_id) if t.editable]


def test_a_validation_tile_gets_a_reason_and_a_token_for_viewing(
    store: Store, scene: Scene
) -> None:
    found = told(store, scene, "val")
    assert found["readonly"]["what"] == "validation tile"
    assert check(store, found["token"], "view", scene.project_id).purpose == "view"
    assert told(store, scene, "train")["readonly"] is None


def test_only_the_background_of_a_damage_project_is_drawn_clear(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene: Scene
) -> None:
    assert not any(entry["isClear"] for entry in told(store, scene, "train")["classes"])
    monkeypatch.setattr("tests.scene.CLASSES", BRIGHT)
    damage = make_scene(store, tmp_path / "damage")
    with store.write() as session:
        session.get_one(ProjectRow, damage.project_id).kind = "damage"
    found = told(store, damage, "train")["classes"]
    assert [entry["name"] for entry in found if entry["isClear"]] == ["Background"]


def test_an_image_of_another_tile_is_not_chosen(store: Store, scene: Scene) -> None:
    other = scene.acquisitions["val"]
    assert (
        told(store, scene, "train", acquisition=other)["chosen"]["acquisition"]
        == (scene.acquisitions["train"])
    )


def test_the_page_opens_the_tile_in_the_address_and_marks_it(
    store: Store, settings: Settings, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page(store, settings, monkeypatch, project=scene.project_id, tile=scene.tile)
    assert not page.exception
    assert page.query_params["tile"] == str(scene.tile)
    assert catalogue.tile(store, scene.tile).state is TileState.OPENED


def test_a_tile_that_does_not_exist_gives_way_to_one_that_waits(
    store: Store, settings: Settings, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page(store, settings, monkeypatch, project=scene.project_id, tile=99_999)
    assert not page.exception
    chosen = catalogue.tile(store, int(page.query_params["tile"]))
    assert chosen.editable


def test_without_a_project_the_page_says_where_to_choose_one(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page(store, settings, monkeypatch)
    assert not page.exception
    assert "Home" in page.info[0].value
