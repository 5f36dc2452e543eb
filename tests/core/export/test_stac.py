"""The STAC collection, read and validated by pystac from the schemas at hand."""

import json
import socket
from pathlib import Path
from typing import Any

import pystac
import pytest
import rasterio
from pystac.extensions.label import LabelExtension, LabelType
from pystac.validation.stac_validator import GetSchemaError

from core import catalogue
from core.errors import DatasetError
from core.export import stac
from core.export.formats import export
from core.export.frame import Exported, Order
from core.grid import Window
from core.ingest import import_dataset
from core.store.engine import Store
from tests.core.export.hands import paint
from tests.rasters import dataset, make_tile, unplaced


@pytest.fixture
def done(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exported:
    """Return an export of a placed and an unplaced tile, made where no network can be reached."""
    found = dataset(tmp_path, make_tile(tmp_path), make_tile(tmp_path, "b", grid=unplaced()))
    project = import_dataset(store, found, "My Project", roots=[tmp_path])
    paint(store, catalogue.tiles(store, project.id)[0].id, Window(5, 7, 10, 12), 6)

    def closed(*_: Any) -> None:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", closed)
    return export(store, project.id, "S", Order("stac"))


def test_pystac_reads_a_collection_of_valid_items(done: Exported) -> None:
    collection = pystac.Collection.from_file(str(done.folder / "collection.json"))
    assert collection.title == "My Project"
    placed, unplaced_item = collection.get_items()
    for thing in (collection, placed, unplaced_item):
        checked = thing.validate(validator=stac.validator())
        assert len(checked) == 1 + len(thing.stac_extensions)
        assert any("label" in address for address in checked)
        assert any("processing" in address for address in checked)
    label = LabelExtension.ext(placed)
    assert label.label_type is LabelType.RASTER
    assert label.label_classes is not None
    assert label.label_classes[0].classes[-1] == "Building"
    assert placed.properties["processing:lineage"].startswith("Label as it came, corrected by 1")
    assert placed.bbox is not None
    assert placed.bbox[0] == pytest.approx(141, abs=0.01)
    assert unplaced_item.geometry is None
    root = placed.get_root()
    assert root is not None
    assert root.id == collection.id


def test_the_files_that_an_item_names_are_there(done: Exported) -> None:
    collection = pystac.Collection.from_file(str(done.folder / "collection.json"))
    item = next(iter(collection.get_items()))
    href = item.assets["labels"].get_absolute_href()
    assert href is not None
    with rasterio.open(href) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        codes = file.read(1)
    counts = item.properties["label:overviews"][0]["counts"]
    classes = item.assets["labels"].extra_fields["cloudbrush:classes"]
    assert classes[-1] == {"value": 0, "name": "void"}
    values = {entry["name"]: entry["value"] for entry in classes[:-1]}
    assert {c["name"]: c["count"] for c in counts} == {
        name: int((codes == value).sum()) for name, value in values.items()
    }


def test_an_item_that_breaks_a_schema_fails_the_export(done: Exported, tmp_path: Path) -> None:
    text = (done.folder / "items/a.json").read_text()
    wrong = {
        "label:type": "pixels",
        "label:description": "",
        "processing:software": "Cloudbrush 1",
    }
    for field, value in wrong.items():
        item = pystac.Item.from_dict(json.loads(text))
        item.properties[field] = value
        with pytest.raises(DatasetError, match="expected valid STAC"):
            stac._save(item, tmp_path / "broken.json", stac.validator())
    item = pystac.Item.from_dict(json.loads(text))
    item.stac_extensions.append("https://stac-extensions.github.io/eo/v1.1.0/schema.json")
    with pytest.raises(GetSchemaError, match="no copy of this schema"):
        item.validate(validator=stac.validator())


@pytest.mark.parametrize(
    ("text", "day"),
    [("2024-05-31", "2024-05-31"), ("20240531T1015", "2024-05-31"), ("20241345", None), ("", None)],
)
def test_days_are_found_in_dates(text: str, day: str | None) -> None:
    found = stac.day_of(text)
    assert (found.date().isoformat() if found else None) == day
