"""Any STAC catalogue: what its items say of bands, values, dates, labels and splits."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest

from core import catalogue
from core.addresses import remote_path
from core.check import Checked, check
from core.errors import DatasetError
from core.found import FoundLayer, FoundTile
from core.ingest import import_dataset
from core.raster import read_layer
from core.records import Modality, Split, Unit
from core.store.engine import Store
from data.readers import recognise
from data.readers.stac import StacReader
from tests.fixtures.base import ground, image, write

READER = StacReader()
SIZE = 48
LABELS = ground(3, SIZE, (1, 2, 5))
PLACE = {"pixel": 10.0, "east": 500_000.0}


def item(root: Path, name: str, assets: dict[str, Any], **properties: Any) -> Path:
    """Write an item of STAC 1.0 with these assets and properties; return its file."""
    links = properties.pop("links", [])
    fields = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "geometry": None,
        "properties": {"datetime": "2021-06-05T10:30:00Z", **properties},
        "links": links,
        "assets": assets,
        "collection": "test",
    }
    path = root / name / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fields))
    pystac.Item.from_file(str(path))
    return path


def sentinel(root: Path, name: str = "scene") -> dict[str, Any]:
    """Write two bands with an offset, and return their assets."""
    assets = {}
    for number, band in enumerate(("red", "nir")):
        values = image(number, LABELS, 1, 1000, 5000, dtype="uint16")[0]
        values[0, 0] = 0
        write(root / name / f"{band}.tif", values, **PLACE)
        assets[band] = {
            "href": f"./{band}.tif",
            "type": "image/tiff; application=geotiff",
            "roles": ["data"],
            "eo:bands": [{"name": f"B{number}", "common_name": band}],
            "raster:bands": [{"nodata": 0, "scale": 0.0001, "offset": -0.1}],
        }
    assets["preview"] = {"href": "./p.png", "type": "image/png", "roles": ["thumbnail"]}
    return assets


def labelled(root: Path) -> Path:
    """Write an item of images, and a label item that names it as its source."""
    item(root, "scene", sentinel(root))
    write(root / "truth/truth.tif", LABELS, **PLACE)
    classes = [{"value": 1, "name": "water", "color_hint": "3565D6"}]
    classes += [{"value": v, "name": n} for v, n in ((2, "road"), (5, "tree"))]
    label = {"href": "truth.tif", "roles": ["labels-raster"], "classification:classes": classes}
    link = {"rel": "source", "href": "../scene/scene.json"}
    about = {"label:type": "raster", "label:properties": None, "label:description": "x"}
    item(root, "truth", {"labels": label}, links=[link], **{"ml-aoi:split": "train"}, **about)
    return root


def opened(root: Path) -> Checked:
    return check(READER.find(root), roots=[root])


def layers_of(tile: FoundTile) -> dict[Modality, FoundLayer]:
    return {layer.modality: layer for layer in tile.layers}


def test_a_label_and_the_images_it_is_about_are_one_tile(tmp_path: Path) -> None:
    found = recognise(labelled(tmp_path))
    assert found is not None and found[0].key == "stac"
    checked = opened(tmp_path)
    (tile,) = checked.tiles
    layers = layers_of(tile.found)
    assert set(layers) == {Modality.OPTICAL, Modality.LABEL}
    assert tile.codes == {code: np.count_nonzero(np.equal(LABELS, code)) for code in (1, 2, 5)}
    entries = {e.code: (e.name, e.colour) for e in checked.dataset.classes.entries}
    assert entries[1] == ("water", "#3565d6") and entries[5][0] == "tree"


def test_values_dates_and_bands_are_what_the_item_says(tmp_path: Path) -> None:
    (tile,) = opened(labelled(tmp_path)).tiles
    optical = next(la for la in tile.layers if la.found.modality is Modality.OPTICAL)
    assert optical.found.bands == ("red", "nir")
    assert optical.found.date == "2021-06-05"
    assert optical.found.unit is Unit.REFLECTANCE
    raster = read_layer(optical.layer, tile.grid)
    stored = image(0, LABELS, 1, 1000, 5000, dtype="uint16")[0]
    assert raster.values[0, 5:, 5:] == pytest.approx(stored[5:, 5:] * 1e-4 - 0.1, abs=1e-6)
    assert not raster.valid[0, 0] and raster.valid[1:].all()


def test_newer_items_describe_bands_in_one_list(tmp_path: Path) -> None:
    write(tmp_path / "sar/vv.tif", image(1, LABELS, 2, -20, 0, dtype="float32"), **PLACE)
    bands = [{"name": name, "unit": "dB", "nodata": "nan"} for name in ("VV", "VH")]
    assets = {"backscatter": {"href": "vv.tif", "type": "image/tiff", "bands": bands}}
    path = item(tmp_path, "sar", assets, **{"sar:instrument_mode": "IW"})
    text = path.read_text().replace('"1.0.0"', '"1.1.0"')
    path.write_text(text)
    (tile,) = opened(tmp_path).tiles
    (sar,) = tile.found.layers
    assert sar.modality is Modality.SAR and sar.unit is Unit.DB and sar.bands == ("VV", "VH")


def test_outlines_become_pixels_by_the_property_that_the_item_names(tmp_path: Path) -> None:
    item(tmp_path, "scene", sentinel(tmp_path))
    ring = [[500_000, 4e6], [500_240, 4e6], [500_240, 4e6 - 480], [500_000, 4e6 - 480]]
    shape = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    feature = {"type": "Feature", "properties": {"use": "tree"}, "geometry": shape}
    name = {"type": "name", "properties": {"name": "EPSG:32654"}}
    outlines = {"type": "FeatureCollection", "crs": name, "features": [feature]}
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth/shapes.geojson").write_text(json.dumps(outlines))
    label = {"href": "shapes.geojson", "roles": ["labels", "labels-vector"]}
    about = {
        "label:type": "vector",
        "label:properties": ["use"],
        "label:description": "x",
        "label:classes": [{"name": "use", "classes": ["water", "tree"]}],
    }
    link = {"rel": "source", "href": "../scene/scene.json"}
    item(tmp_path, "truth", {"labels": label}, links=[link], **about)
    checked = opened(tmp_path)
    (tile,) = checked.tiles
    assert tile.codes == {0: SIZE * SIZE // 2, 2: SIZE * SIZE // 2}
    names = [entry.name for entry in checked.dataset.classes.entries]
    assert names == ["Background", "water", "tree"]


def test_heights_and_splits_are_found_by_role_and_property(tmp_path: Path) -> None:
    assets = sentinel(tmp_path, "a")
    height = image(2, LABELS, 1, 0, 90, dtype="float32")[0]
    write(tmp_path / "a/dem.tif", height, **PLACE)
    assets["dem"] = {"href": "dem.tif", "type": "image/tiff", "roles": ["data"]}
    write(tmp_path / "a/l.tif", LABELS, **PLACE)
    assets["labels"] = {"href": "l.tif", "type": "image/tiff"}
    item(tmp_path, "a", assets, **{"ml-aoi:split": "validate"})
    (tile,) = READER.find(tmp_path).tiles
    layers = layers_of(tile)
    assert tile.split is Split.VAL
    assert set(layers) == {Modality.OPTICAL, Modality.HEIGHT, Modality.TRUTH}
    assert layers[Modality.HEIGHT].unit is Unit.METRE


@pytest.mark.parametrize("href", ["https://example.org/red.tif", "s3://bucket/red.tif"])
def test_files_behind_addresses_are_not_fetched_and_named(tmp_path: Path, href: str) -> None:
    assets = sentinel(tmp_path)
    assets["red"]["href"] = href
    item(tmp_path, "scene", assets)
    (error,) = [f for f in opened(tmp_path).findings if f.level == "error"]
    assert href in error.message and "setting remote_roots" in error.message


def test_files_outside_the_roots_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "outside.tif", LABELS, **PLACE)
    assets = sentinel(tmp_path / "in")
    assets["labels"] = {"href": "../../outside.tif", "roles": ["labels"]}
    item(tmp_path / "in", "scene", assets)
    (error,) = [f for f in opened(tmp_path / "in").findings if f.level == "error"]
    assert "outside the folders that may be read" in error.message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("assets", {"x": 3}),
        ("properties", 7),
        ("links", ["x"]),
        ("assets", {"x": {"href": "ftp://a/b"}}),
    ],
)
def test_items_that_make_no_sense_are_left_out_with_a_word(
    tmp_path: Path, key: str, value: Any
) -> None:
    labelled(tmp_path)
    path = tmp_path / "scene/odd.json"
    fields = json.loads((tmp_path / "scene/scene.json").read_text())
    path.write_text(json.dumps(fields | {"id": "odd", key: value}))
    found = READER.find(tmp_path)
    assert [tile.name for tile in found.tiles] == ["truth"]
    assert [f for f in found.findings if "odd.json" in f.where]


def test_a_folder_of_other_json_is_no_catalogue(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"type": "Feature"}')
    (tmp_path / "b.json").write_text("{")
    (tmp_path / "c.json").write_text("[" * 100_000)
    assert READER.recognise(tmp_path) is None
    with pytest.raises(DatasetError, match="0 STAC items"):
        READER.find(tmp_path)


def test_the_numbers_of_labels_without_names_come_from_their_files(tmp_path: Path) -> None:
    assets = sentinel(tmp_path)
    write(tmp_path / "scene/l.tif", LABELS, **PLACE)
    assets["labels"] = {"href": "l.tif", "roles": ["labels"]}
    item(tmp_path, "scene", assets)
    checked = opened(tmp_path)
    assert checked.dataset.classes.codes == (1, 2, 5)
    assert np.array_equal(sorted(checked.tiles[0].codes), [1, 2, 5])


def test_images_behind_an_allowed_address_are_imported_and_read(
    tmp_path: Path, store: Store, server: str
) -> None:
    sentinel(tmp_path)
    assets = {}
    for band in ("red", "nir"):
        (tmp_path / "scene" / f"{band}.tif").rename(tmp_path / f"{band}.tif")
        assets[band] = {"href": f"{server}/open/{band}.tif", "roles": ["data"]}
    write(tmp_path / "items/scene/l.tif", LABELS, **PLACE)
    assets["labels"] = {"href": "l.tif", "roles": ["labels"]}
    item(tmp_path / "items", "scene", assets)
    roots = (remote_path(f"{server}/open/"), tmp_path)
    project = import_dataset(store, READER.find(tmp_path / "items"), "far", roots=roots)
    (tile,) = catalogue.tiles(store, project.id)
    (optical,) = catalogue.layers(store, tile.id, modality=Modality.OPTICAL)
    found = read_layer(optical, tile.grid)
    stored = image(0, LABELS, 1, 1000, 5000, dtype="uint16")[0]
    assert np.array_equal(found.values[0].ravel()[1:], stored.ravel()[1:])
    assert (tile.grid.height, tile.grid.width) == (SIZE, SIZE)
