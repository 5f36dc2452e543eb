"""Exports read back equal, keep position and colours, and appear whole or not at all."""

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from core import catalogue, history
from core.classes import Provenance
from core.errors import DatasetError, RasterError
from core.export.labels import (
    Which,
    export_labels,
    exports,
    pixels_sha256,
    plan_export,
    safe_name,
    zip_export,
)
from core.grid import Window
from core.history import Labels
from core.ingest import import_dataset
from core.patch import encode_runs
from core.raster import write_geotiff
from core.records import Project, TileState
from core.store.engine import Store
from core.stroke import Stroke, Tool
from tests.rasters import dataset, grid_of, make_tile, unplaced


@pytest.fixture
def project(tmp_path: Path, store: Store) -> Project:
    """Return a project of two tiles, the second without a position."""
    found = dataset(
        tmp_path, make_tile(tmp_path / "d"), make_tile(tmp_path / "d", "b", grid=unplaced())
    )
    return import_dataset(store, found, "P", roots=[tmp_path])


def paint(store: Store, project: Project) -> Labels:
    """Paint a square of class 6 into the first tile; return its labels and provenance."""
    tile = catalogue.tiles(store, project.id)[0]
    person = catalogue.ensure_person(store, "Ada")
    box, runs = Window(5, 7, 10, 12), encode_runs(np.ones((10, 12), np.bool_))
    stroke = Stroke("tab", 1, 0, Tool.BRUSH, box=box, runs=runs, to_class=6)
    history.append(store, tile.id, stroke, person.id)
    return history.current(store, tile.id)


def test_labels_keep_everything(tmp_path: Path, store: Store, project: Project) -> None:
    now = paint(store, project)
    done = export_labels(store, project.id, "First", person="Ada")
    with rasterio.open(done.folder / "labels/a.tif") as label:
        assert np.array_equal(label.read(1), now.labels)
        assert label.crs == rasterio.crs.CRS.from_epsg(32654)
        assert tuple(label.transform)[:6] == grid_of().transform
        assert label.nodata == project.classes.void_code
        colours = label.colormap(1)
    for entry in project.classes.entries:
        assert "#{:02x}{:02x}{:02x}".format(*colours[entry.code]) == entry.colour
    with rasterio.open(done.folder / "labels/a_provenance.tif") as provenance:
        assert np.array_equal(provenance.read(1), now.provenance)
        assert len({provenance.colormap(1)[int(code)] for code in Provenance}) == len(Provenance)
    assert (now.labels[5:15, 7:19] == 6).all()


def test_a_tile_without_position_is_exported_without_one(store: Store, project: Project) -> None:
    done = export_labels(store, project.id, "Plain")
    with rasterio.open(done.folder / "labels/b.tif") as label:
        assert label.crs is None
        tile = catalogue.tiles(store, project.id)[1]
        assert np.array_equal(label.read(1), history.original(store, tile.id))


def test_the_edit_log_and_manifest_name_every_edit(store: Store, project: Project) -> None:
    now = paint(store, project)
    done = export_labels(store, project.id, "Log", person="Ada")
    with (done.folder / "edits.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["tile"], row["version"], row["person"], row["tool"]) == ("a", "1", "Ada", "brush")
    manifest = json.loads((done.folder / "manifest.json").read_text())
    first = manifest["tiles"][0]
    assert first["version"] == 1
    assert first["label_sha256"] == pixels_sha256(now.labels)
    assert first["pixels_by_provenance"]["changed"] == int((now.provenance == 1).sum())
    assert manifest["edits"] == 1


def test_only_edited_or_done_tiles_when_asked(store: Store, project: Project) -> None:
    paint(store, project)
    _, second = catalogue.tiles(store, project.id)
    catalogue.set_tile_state(store, second.id, TileState.DONE)
    names = {
        which: [tile.name for tile in plan_export(store, project.id, which).tiles]
        for which in Which
    }
    assert names == {Which.ALL: ["a", "b"], Which.EDITED: ["a"], Which.DONE: ["b"]}


def test_nothing_to_export_is_said(store: Store, project: Project) -> None:
    with pytest.raises(DatasetError, match="expected at least one tile"):
        export_labels(store, project.id, "None", which=Which.EDITED)


def test_a_file_that_reads_back_otherwise_fails_the_export(
    store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flip(path: Path, array: Any, *rest: Any, **options: Any) -> None:
        write_geotiff(path, array ^ 1 if path.name == "a.tif" else array, *rest, **options)

    monkeypatch.setattr("core.export.labels.write_geotiff", flip)
    with pytest.raises(RasterError, match=r"other pixels than written"):
        export_labels(store, project.id, "Broken")
    assert exports(store) == []
    assert list((store.workspace / "exports").iterdir()) == []


def test_a_lost_colour_table_fails_the_export(
    store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(path: Path, array: Any, grid: Any, **options: Any) -> None:
        write_geotiff(path, array, grid, **(options | {"colours": None}))

    monkeypatch.setattr("core.export.labels.write_geotiff", forget)
    with pytest.raises(RasterError, match="other colour table than written"):
        export_labels(store, project.id, "Grey")


@pytest.mark.parametrize("name", ["", "../up", "/abs", ".hidden", "a/b", "x" * 81, "a\0b"])
def test_names_that_leave_the_folder_are_refused(store: Store, project: Project, name: str) -> None:
    with pytest.raises(DatasetError, match="export name"):
        export_labels(store, project.id, name)


def test_a_taken_name_is_refused(store: Store, project: Project) -> None:
    export_labels(store, project.id, "Once")
    with pytest.raises(DatasetError, match="which exists"):
        export_labels(store, project.id, "Once")


@pytest.mark.parametrize("name", ["../../etc/x", "a b/c", ".x", "é", ""])
def test_tile_names_become_file_names(name: str) -> None:
    safe = safe_name(name)
    assert "/" not in safe
    assert safe[0] not in ".-"


def test_the_zip_holds_the_folder(store: Store, project: Project) -> None:
    done = export_labels(store, project.id, "Zip")
    with zipfile.ZipFile(zip_export(done.folder)) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
    assert {"Zip/manifest.json", "Zip/edits.csv", "Zip/labels/a_provenance.tif"} <= names
    assert len(names) == done.files
