"""Levels and simulated images in the workspace: what is kept, what is never replaced, what goes."""

from pathlib import Path

import numpy as np
import pytest

from core import catalogue
from core.clouds import cover as cloud
from core.clouds import levels as cloud_levels
from core.clouds.images import levels_by_difference, simulate
from core.clouds.preview import preview
from core.clouds.simulator import TOLERANCE, Sky
from core.errors import CloudbrushError
from core.found import FoundTile
from core.ingest import import_dataset
from core.predictions import predictions, save_prediction
from core.raster import read_layer
from core.records import Acquisition, Layer, Modality, Split, Tile
from core.store.engine import Store
from core.store.tables import AcquisitionRow, LayerRow
from tests.rasters import dataset, image, noise, save
from tests.scene import Scene, make_scene

SKY = Sky(0.5, seed=2, height_m=5)


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> Scene:
    return make_scene(store, tmp_path / "scene", names=("train", "second"))


@pytest.fixture
def tile(store: Store, scene: Scene) -> Tile:
    """Return a tile whose only image has no cloud mask."""
    with store.write() as session:
        mask = session.get(LayerRow, scene.layers["train", "cloud"])
        date = session.get(AcquisitionRow, scene.acquisitions["train"])
        assert mask is not None and date is not None
        session.delete(mask)
        date.thin = date.thick = date.shadow = None
    return catalogue.tile(store, scene.tile)


def date_of(store: Store, tile: Tile) -> Acquisition:
    return catalogue.acquisitions(store, tile.id)[0]


def layer_of(store: Store, tile: Tile, modality: Modality, acquisition_id: int) -> Layer:
    layers = catalogue.layers(store, tile.id, modality=modality)
    (found,) = (layer for layer in layers if layer.acquisition_id == acquisition_id)
    return found


def levels(tile: Tile, level: int = cloud.THICK) -> np.ndarray:
    found = np.zeros((tile.grid.height, tile.grid.width), np.uint8)
    found[:10] = level
    return found


def kept_files(store: Store, tile: Tile) -> list[Path]:
    return sorted((store.workspace / "clouds" / f"project-{tile.project_id}").glob("*"))


def test_levels_are_kept_with_their_method_and_cover(store: Store, tile: Tile) -> None:
    date = date_of(store, tile)
    cloud_levels.save_levels(store, tile, date, levels(tile), cloud.DETECTOR_SOURCE, "detector")
    now = date_of(store, tile)
    assert now.cover == pytest.approx(10 / tile.grid.height)
    assert now.cloud_source == cloud.DETECTOR_SOURCE
    layer = layer_of(store, tile, Modality.CLOUD, date.id)
    assert (read_layer(layer, tile.grid).values[0] == levels(tile)).all()


def test_levels_of_ours_are_replaced_and_their_file_goes(store: Store, tile: Tile) -> None:
    date = date_of(store, tile)
    for level in (cloud.THICK, cloud.SHADOW):
        cloud_levels.save_levels(store, tile, date, levels(tile, level), "detector", "x")
    assert date_of(store, tile).shadow == pytest.approx(10 / tile.grid.height)
    assert len(kept_files(store, tile)) == 1


def test_levels_that_came_with_the_data_stay(store: Store, scene: Scene) -> None:
    tile = catalogue.tile(store, scene.tiles["second"])
    date = date_of(store, tile)
    with pytest.raises(CloudbrushError, match="levels that came with the data"):
        cloud_levels.save_levels(store, tile, date, levels(tile), "detector", "x")
    assert date_of(store, tile) == date
    assert kept_files(store, tile) == []


def test_values_that_are_no_level_are_refused(store: Store, tile: Tile) -> None:
    with pytest.raises(CloudbrushError, match=r"values \[9\]"):
        cloud_levels.save_levels(store, tile, date_of(store, tile), levels(tile, 9), "x", "x")


def test_a_simulated_image_is_an_acquisition_of_the_cover_asked_for(
    store: Store, tile: Tile
) -> None:
    clear = date_of(store, tile)
    made = simulate(store, tile, clear, SKY, "half")
    (date,) = (a for a in catalogue.acquisitions(store, tile.id) if a.id == made)
    assert date.cover == pytest.approx(0.5, abs=TOLERANCE)
    assert date.cloud_source == cloud.SIMULATED_SOURCE
    assert date.simulated == SKY.to_json() | {"of": "May"}
    before, after = (layer_of(store, tile, Modality.OPTICAL, id) for id in (clear.id, made))
    mask = read_layer(layer_of(store, tile, Modality.CLOUD, made), tile.grid).values[0]
    was, seen = read_layer(before, tile.grid), read_layer(after, tile.grid)
    assert (was.valid == seen.valid).all()
    assert after.bands == before.bands and after.unit is before.unit
    assert seen.values[:, mask == cloud.THICK].mean() > was.values[:, mask == cloud.THICK].mean()
    assert (mask[~was.valid] == cloud.NONE).all()


def test_no_cover_takes_the_clear_files_as_they_are(store: Store, tile: Tile) -> None:
    clear = date_of(store, tile)
    made = simulate(store, tile, clear, Sky(0.0), "none")
    before, after = (layer_of(store, tile, Modality.OPTICAL, id) for id in (clear.id, made))
    assert after.sources == before.sources
    assert len(kept_files(store, tile)) == 1  # the mask


def test_a_name_that_is_taken_leaves_nothing_behind(store: Store, tile: Tile) -> None:
    with pytest.raises(CloudbrushError, match="an image named 'May'"):
        simulate(store, tile, date_of(store, tile), SKY, "May")
    assert kept_files(store, tile) == []
    assert len(catalogue.acquisitions(store, tile.id)) == 1


def test_simulated_images_go_with_their_files_and_maps(store: Store, tile: Tile) -> None:
    made = simulate(store, tile, date_of(store, tile), SKY, "half")
    codes = np.zeros((tile.grid.height, tile.grid.width), np.uint8)
    drawn = save_prediction(store, tile.id, "m1/a9", codes, codes, acquisition_id=made)
    assert drawn.path.is_file()
    assert cloud_levels.remove_simulated(store, tile.project_id) == 1
    assert [a.name for a in catalogue.acquisitions(store, tile.id)] == ["May"]
    assert kept_files(store, tile) == []
    assert predictions(store, project_id=tile.project_id) == []
    assert not drawn.path.exists()


def test_a_project_that_is_deleted_takes_its_clouds_along(store: Store, tile: Tile) -> None:
    simulate(store, tile, date_of(store, tile), SKY, "half")
    catalogue.delete_project(store, tile.project_id)
    assert kept_files(store, tile) == []


def test_a_simulated_image_is_found_out_by_the_clear_one(store: Store, tmp_path: Path) -> None:
    scene = make_scene(store, tmp_path / "wide", height=160, width=160, names=("second",))
    tile = catalogue.tile(store, scene.tiles["second"])
    made = simulate(store, tile, date_of(store, tile), SKY, "half")
    dates = {a.id: a for a in catalogue.acquisitions(store, tile.id)}
    mask = read_layer(layer_of(store, tile, Modality.CLOUD, made), tile.grid).values[0]
    found = levels_by_difference(store, tile, dates[made], dates[scene.acquisitions["second"]])
    thick = mask == cloud.THICK
    assert np.isin(found[thick], (cloud.THIN, cloud.THICK)).mean() > 0.8


def acquisition(
    number: int,
    name: str,
    cover: float | None,
    *,
    source: str | None = None,
    simulated: bool = False,
) -> Acquisition:
    known = None if cover is None else 0.0
    sky: dict[str, object] | None = {} if simulated else None
    return Acquisition(number, 1, name, None, known, cover, known, source, sky)


def test_the_clear_image_is_known_or_named_so_and_never_simulated() -> None:
    cloudy, named = acquisition(1, "2020-01-01", None), acquisition(2, "clear 2020", None)
    known, drawn = acquisition(3, "x", 0.01), acquisition(4, "clear", 0.0, simulated=True)
    assert cloud_levels.clear_image([cloudy, named, known, drawn], cloudy) == known
    assert cloud_levels.clear_image([cloudy, named, drawn], cloudy) == named
    other = acquisition(5, "nuclear", None)
    assert cloud_levels.clear_image([cloudy, drawn, other], cloudy) is None


def test_a_mask_says_more_than_a_name_and_a_name_more_than_the_detector() -> None:
    assert not cloud_levels.says_clear(acquisition(1, "clear", 0.4, source=cloud.MASK_SOURCE))
    assert cloud_levels.says_clear(acquisition(1, "clear", 0.4, source=cloud.DETECTOR_SOURCE))


def test_clouds_are_drawn_on_the_clearest_image_or_one_that_is_not_known() -> None:
    cloudy, unknown = acquisition(1, "a", 0.6), acquisition(2, "b", None)
    clear = acquisition(3, "c", 0.0)
    assert cloud_levels.clear_base([cloudy, unknown]) == unknown
    assert cloud_levels.clear_base([cloudy, unknown, clear]) == clear
    assert cloud_levels.clear_base([cloudy]) is None


def test_a_preview_shows_the_clouds_that_are_drawn_afterwards(store: Store, tile: Tile) -> None:
    clear = date_of(store, tile)
    picture, shares = preview(store, tile, clear, SKY, 400)
    made = simulate(store, tile, clear, SKY, "half")
    drawn = read_layer(layer_of(store, tile, Modality.OPTICAL, made), tile.grid)
    assert sum(shares) == pytest.approx(0.5, abs=TOLERANCE)
    assert (picture == np.where(drawn.valid, drawn.values, 0).transpose(1, 2, 0)).all()
    assert len(catalogue.acquisitions(store, tile.id)) == 2


def test_a_scene_classification_is_imported_as_levels_under_its_name(
    store: Store, tmp_path: Path
) -> None:
    scene = np.full((32, 24), 4, np.uint8)
    scene[:8], scene[8:16], scene[16:20] = 9, 10, 3
    layers = (
        image(Modality.OPTICAL, save(tmp_path / "a.tif", noise(1, 3, 32, 24)), 3, acquisition="d"),
        image(
            Modality.CLOUD,
            save(tmp_path / "scl.tif", scene),
            acquisition="d",
            code_map=dict(cloud.SENTINEL2_SCL),
        ),
    )
    found = dataset(tmp_path, FoundTile("a", "here", Split.TRAIN, layers))
    project = import_dataset(store, found, "SCL", roots=[tmp_path])
    date = date_of(store, catalogue.tiles(store, project.id)[0])
    assert (date.thin, date.thick, date.shadow) == (0.25, 0.25, 0.125)
    assert date.cloud_source == cloud.SCENE_SOURCE
