"""On the page that makes projects: variables of a cube, and scenes cut into tiles."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import catalogue
from core.raster import read_layer
from core.records import Modality
from core.settings import Settings
from core.store.engine import Store
from tests.app.test_new_project import SCRIPT, click, open_folder, texts
from tests.data.readers.test_cubes import write
from tests.rasters import grid_of, noise, save

HIGH, WIDE = 1100, 1200


@pytest.fixture
def page(settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Return the page in a fresh workspace, signed in as Ada."""
    from app import session

    monkeypatch.setattr(session, "_served", (settings, store))
    page = AppTest.from_string(SCRIPT, default_timeout=30)
    page.session_state["person_id"] = catalogue.ensure_person(store, "Ada").id
    return page.run()


def test_a_cube_is_imported_by_what_its_variables_seem_to_be(
    page: AppTest, tmp_path: Path, store: Store
) -> None:
    write(tmp_path / "cube/a.nc")
    open_folder(page, tmp_path / "cube")
    assert "Recognised by: a.nc with B02, B04" in texts(page)
    assert "Variables of one kind, unit and date" in texts(page)
    click(page, "Import")
    assert "cube is ready with 1 tile." in texts(page)
    (project,) = catalogue.projects(store)
    (tile,) = catalogue.tiles(store, project.id)
    kinds = {layer.modality for layer in catalogue.layers(store, tile.id)}
    assert kinds == {Modality.OPTICAL, Modality.SAR, Modality.HEIGHT, Modality.LABEL}


def test_a_scene_is_cut_when_a_person_says_so(page: AppTest, tmp_path: Path, store: Store) -> None:
    labels = noise(1, HIGH, WIDE, low=1, high=3)
    grid = grid_of(HIGH, WIDE)
    save(tmp_path / "big/label/one.tif", labels, grid)
    save(tmp_path / "big/rgb/one.tif", noise(2, 3, HIGH, WIDE), grid)
    open_folder(page, tmp_path / "big")
    assert "The first one has 1,200 pixels on its longer side." in texts(page)
    next(toggle for toggle in page.toggle if toggle.label == "Cut into tiles").set_value(True).run()
    assert "1 scene becomes 9 tiles." in texts(page)
    click(page, "Import")
    assert "big is ready with 9 tiles." in texts(page)
    (project,) = catalogue.projects(store)
    tile = next(t for t in catalogue.tiles(store, project.id) if t.name.endswith("y00588_x00688"))
    (label,) = catalogue.layers(store, tile.id, modality=Modality.LABEL)
    assert np.array_equal(read_layer(label, tile.grid).values[0], labels[588:, 688:])


def test_small_tiles_are_not_offered_for_cutting(page: AppTest, tmp_path: Path) -> None:
    write(tmp_path / "cube/a.nc")
    open_folder(page, tmp_path / "cube")
    assert not [toggle for toggle in page.toggle if toggle.label == "Cut into tiles"]
