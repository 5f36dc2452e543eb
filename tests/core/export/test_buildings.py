"""Buildings out: each with its class, share and area, from labels and from a model's maps."""

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import numpy.typing as npt
import pytest

from core import catalogue, trained
from core.classes import BRIGHT
from core.errors import CloudbrushError, DatasetError
from core.export.buildings import mapped_tiles, pixel_area_m2, tabulate
from core.export.formats import export, format_of, formats_of, is_instant
from core.export.frame import Order, read_manifest
from core.grid import Window
from core.ingest import import_dataset
from core.predictions import save_prediction
from core.records import ModelRecord, Project, Split
from core.scores import model_source
from core.store.engine import Store
from tests.core.export.hands import paint
from tests.rasters import dataset, grid_of, make_tile, unplaced

Codes = npt.NDArray[np.uint8]
SIZE = (40, 32)


def town() -> Codes:
    """An intact house of 60 px with 10 damaged; a destroyed one of 36 px with a yard of 4."""
    codes = np.zeros(SIZE, np.uint8)
    codes[2:12, 2:8] = 1
    codes[2:12, 2] = 2
    codes[20:26, 20:26] = 3
    codes[22:24, 22:24] = 0
    return codes


def project_of(store: Store, folder: Path, *tiles: Any, kind: str = "damage") -> Project:
    classes = {"classes": BRIGHT} if kind == "damage" else {}
    found = dataset(folder, *tiles, kind=kind, **classes)
    return import_dataset(store, found, "P", roots=[folder])


@pytest.fixture
def project(store: Store, tmp_path: Path) -> Project:
    """One tile of half-metre pixels in training, and a bare one in validation."""
    grid = grid_of(*SIZE, pixel=0.5)
    first = make_tile(tmp_path, "a", grid=grid, label=town())
    bare = make_tile(tmp_path, "b", grid=grid, label=np.zeros(SIZE, np.uint8), split=Split.VAL)
    return project_of(store, tmp_path, first, bare)


@pytest.fixture
def model(store: Store, project: Project) -> ModelRecord:
    card = {"network": "unet", "bands": {"sar": 1}, "sha256": "0"}
    return trained.add_model(store, project.id, "M", store.workspace / "models/m.safetensors", card)


def written(store: Store, project: Project, name: str = "out", **options: str) -> Path:
    export(store, project.id, name, Order("buildings", options=options))
    return store.workspace / "exports" / name


def test_each_building_has_class_shares_pixels_and_confidence() -> None:
    confidence = np.full(SIZE, 51, np.uint8)
    confidence[20:26, 20:26] = 255
    found = tabulate(town(), BRIGHT, confidence)
    assert found.codes.tolist() == [1, 3] and found.pixels.tolist() == [60, 32]
    assert found.shares == pytest.approx(np.array([[0, 5 / 6, 1 / 6, 0], [0, 0, 0, 1]]))
    np.testing.assert_allclose(found.confidence, [0.2, 1.0])
    assert np.isnan(tabulate(town(), BRIGHT).confidence).all()
    assert len(tabulate(np.zeros(SIZE, np.uint8), BRIGHT, confidence)) == 0


def test_area_is_in_square_metres_where_the_pixel_size_is_known() -> None:
    # Metres of UTM's central meridian are 0.9996 of true ones.
    assert pixel_area_m2(grid_of(pixel=0.5)) == pytest.approx(0.25 / 0.9996**2, rel=1e-5)
    assert np.isnan(pixel_area_m2(unplaced()))


@pytest.mark.parametrize("kind", ["gpkg", "geojson", "parquet"])
def test_labels_go_out_as_polygons_in_every_format(
    store: Store, project: Project, kind: str
) -> None:
    path = written(store, project, file=kind) / f"buildings.{kind}"
    table = geopandas.read_parquet(path) if kind == "parquet" else geopandas.read_file(path)
    assert table["class"].tolist() == ["Intact", "Destroyed"]
    assert table["building"].tolist() == [1, 2]
    assert table["share"].tolist() == [0.8333, 1.0]
    assert table["share_2"].tolist() == [0.1667, 0.0]
    assert table["pixels"].tolist() == [60, 32]
    np.testing.assert_allclose(table["area_m2"], [15.01, 8.01], atol=0.011)
    assert set(table["tile"]) == {"a"} and set(table["made_by"]) == {"labels"}
    assert table.crs == ("EPSG:4326" if kind == "geojson" else "EPSG:32654")
    placed = table.to_crs("EPSG:32654")
    np.testing.assert_allclose(placed.area, [15, 8], rtol=1e-6)
    west, south, east, north = placed.total_bounds
    expected = (500_001, 3_999_987, 500_013, 3_999_999)
    np.testing.assert_allclose((west, south, east, north), expected, atol=1e-3)
    assert len(placed.geometry[1].interiors) == 1


def test_edits_are_in_it_and_the_manifest_names_the_version(store: Store, project: Project) -> None:
    tile = next(t for t in catalogue.tiles(store, project.id) if t.name == "a")
    paint(store, tile.id, Window(2, 2, 10, 6), 3)
    folder = written(store, project)
    table = geopandas.read_file(folder / "buildings.gpkg")
    assert table["class"].tolist() == ["Destroyed", "Destroyed"]
    assert table["share"].tolist() == [1.0, 1.0]
    manifest = read_manifest(folder)
    assert manifest["buildings"] == 2
    assert {t["name"]: (t["version"], t["buildings"]) for t in manifest["tiles"]} == {
        "a": (1, 2),
        "b": (0, 0),
    }


def test_tiles_without_a_position_go_out_in_pixels(store: Store, tmp_path: Path) -> None:
    lost = project_of(store, tmp_path, make_tile(tmp_path, grid=unplaced(*SIZE), label=town()))
    table = geopandas.read_file(written(store, lost) / "buildings_pixels.gpkg")
    assert table.crs is None and table["area_m2"].isna().all()
    assert table.geometry[0].bounds == (2, 2, 8, 12)
    assert (written(store, lost, "json", file="geojson") / "buildings_pixels.geojson").exists()


def test_a_models_maps_go_out_with_their_confidence(
    store: Store, project: Project, model: ModelRecord
) -> None:
    confidence = np.full(SIZE, 204, np.uint8)
    for tile in catalogue.tiles(store, project.id):
        source = model_source(model.id, None)
        codes = town() if tile.split is Split.VAL else np.zeros(SIZE, np.uint8)
        save_prediction(store, tile.id, source, codes, confidence, model_id=model.id)
    folder = written(store, project, source=str(model.id), part="val")
    table = geopandas.read_file(folder / "buildings.gpkg")
    assert table["tile"].tolist() == ["b", "b"] and set(table["made_by"]) == {"M"}
    assert table["confidence"].tolist() == [0.8, 0.8]


def test_what_cannot_go_out_is_named(store: Store, project: Project, model: ModelRecord) -> None:
    for options, message in (
        ({"source": str(model.id)}, "no map of M"),
        ({"source": "99"}, "model '99'"),
        ({"part": "val"}, "no building in 1 tiles"),
        ({"part": "test"}, "no tile in test"),
        ({"part": "nowhere"}, "nowhere"),
    ):
        with pytest.raises(DatasetError, match=message):
            written(store, project, **options)
    assert not (store.workspace / "exports" / "out").exists()


def test_maps_of_a_model_are_never_made_while_a_person_waits(
    store: Store, project: Project, model: ModelRecord
) -> None:
    assert is_instant(store, project.id, Order("buildings", options={"source": "labels"}))
    assert not is_instant(store, project.id, Order("buildings", options={"source": str(model.id)}))
    assert [tile.name for tile in mapped_tiles(store, project.id, "all")] == ["a", "b"]
    choices = format_of("buildings").choices(store, project)
    assert list(choices[0].values) == ["labels", str(model.id)]
    assert list(choices[1].values) == ["all", "train", "val"]


def test_only_damage_projects_are_offered_buildings(store: Store, tmp_path: Path) -> None:
    land = project_of(store, tmp_path, make_tile(tmp_path), kind="land_cover")
    assert "buildings" not in [known.key for known in formats_of(land)]
    assert format_of("buildings").unfit(store, land)
    with pytest.raises(CloudbrushError):
        written(store, land, source="labels", part="test")
