"""Exports read back equal, keep position and colours, and appear whole or not at all."""

import csv
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio

from core import catalogue, history
from core.classes import Provenance
from core.errors import Cancelled, DatasetError, RasterError
from core.export import pixels
from core.export.choose import Which, plan, tiles_of
from core.export.frame import HOST, exports, safe_name, zip_export
from core.export.labels import export_labels, pixels_sha256
from core.grid import Window
from core.history import Labels
from core.ingest import import_dataset
from core.pixels import encode_runs
from core.raster import write_geotiff
from core.records import Grid, Project, TileState
from core.store.engine import Store
from core.store.tables import TileRow
from core.stroke import Stroke, Tool
from tests.rasters import dataset, grid_of, make_tile, noise, unplaced

SQUARE = Window(5, 7, 10, 12)


@pytest.fixture
def project(tmp_path: Path, store: Store) -> Project:
    """Return a project of two tiles, the second without a position."""
    found = dataset(
        tmp_path, make_tile(tmp_path / "d"), make_tile(tmp_path / "d", "b", grid=unplaced())
    )
    return import_dataset(store, found, "P", roots=[tmp_path])


def paint(store: Store, project: Project, box: Window = SQUARE) -> Labels:
    """Paint a square of class 6 into the first tile; return its labels and provenance."""
    tile = catalogue.tiles(store, project.id)[0]
    person = catalogue.ensure_person(store, "Ada")
    runs = encode_runs(np.ones((box.h, box.w), np.bool_))
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
    names = {which: [tile.name for tile in tiles_of(store, project.id, which)] for which in Which}
    assert names == {Which.ALL: ["a", "b"], Which.EDITED: ["a"], Which.DONE: ["b"]}
    plans = [plan(store, project.id, which) for which in Which]
    assert [(found.tiles, found.edited, found.edits, found.pixels) for found in plans] == [
        (2, 1, 1, 2 * 48 * 40),
        (1, 1, 1, 48 * 40),
        (1, 0, 0, 48 * 40),
    ]


def test_nothing_to_export_is_said(store: Store, project: Project) -> None:
    with pytest.raises(DatasetError, match="expected at least one tile"):
        export_labels(store, project.id, "None", which=Which.EDITED)


def test_a_pixel_that_changes_on_the_disk_fails_the_export(
    store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = pixels._finish

    def flip(part: Path, plane: pixels.Plane, grid: Grid) -> None:
        finish(part, plane, grid)
        with rasterio.open(plane.path, "r+") as file:
            values = file.read()
            values[0, 3, 4] ^= 1
            file.write(values)

    monkeypatch.setattr(pixels, "_finish", flip)
    with pytest.raises(RasterError, match=r"other pixels than written"):
        export_labels(store, project.id, "Broken")
    assert exports(store) == []
    assert list((store.workspace / "exports").iterdir()) == []


def test_a_lost_colour_table_fails_the_export(
    store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(part: Path, plane: pixels.Plane, grid: Grid) -> None:
        with rasterio.open(part) as file:
            write_geotiff(plane.path, file.read(), grid, nodata=plane.nodata)

    monkeypatch.setattr(pixels, "_finish", forget)
    with pytest.raises(RasterError, match="other colour table than written"):
        export_labels(store, project.id, "Grey")


def test_a_cancelled_export_leaves_nothing(store: Store, project: Project) -> None:
    seen: list[str] = []
    with pytest.raises(Cancelled):
        export_labels(
            store,
            project.id,
            "Stopped",
            report=lambda _share, name: seen.append(name),
            cancelled=lambda: bool(seen),
        )
    assert seen == ["a"]
    assert list((store.workspace / "exports").iterdir()) == []


def test_what_a_killed_export_left_is_removed_by_the_next(store: Store, project: Project) -> None:
    left = store.folder("exports", f".Killed.{HOST}.999999999.ab12cd34.part")
    (left / "labels").mkdir()
    alive = store.folder("exports", f".Alive.{HOST}.{os.getpid()}.ab12cd34.part")
    elsewhere = store.folder("exports", ".Far.another-host.999999999.ab12cd34.part")
    export_labels(store, project.id, "Next")
    names = {path.name for path in (store.workspace / "exports").iterdir()}
    assert names == {"Next", alive.name, elsewhere.name}
    assert [folder.name for folder in exports(store)] == ["Next"]


@pytest.mark.parametrize(
    ("file", "provenance"), [("geotiff", "beside"), ("geotiff", "band"), ("cog", "beside")]
)
def test_a_scene_of_several_blocks_reads_back_by_windows(
    tmp_path: Path, store: Store, file: str, provenance: str
) -> None:
    label = noise(3, 1030, 600, low=0, high=8)
    tile = make_tile(tmp_path / "s", "scene", grid=grid_of(1030, 600), label=label)
    project = import_dataset(store, dataset(tmp_path, tile), "Scene", roots=[tmp_path])
    now = paint(store, project, Window(500, 505, 30, 20))
    done = export_labels(store, project.id, "Big", file=file, provenance=provenance)
    with rasterio.open(done.folder / "labels/scene.tif") as found:
        assert np.array_equal(found.read(1), now.labels)
        assert found.colormap(1)[8][:3] == (0xB8, 0x0F, 0x45)
        assert (found.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == "COG") == (file == "cog")
        assert found.nodata == (None if provenance == "band" else 0)
        assert bool(found.overviews(1)) == (file == "cog")
        if provenance == "band":
            assert np.array_equal(found.read(2), now.provenance)
    beside = done.folder / "labels/scene_provenance.tif"
    assert beside.is_file() == (provenance == "beside")
    assert done.manifest["tiles"][0]["label_sha256"] == pixels_sha256(now.labels)


def test_a_tile_that_cannot_be_read_is_left_out_and_named(
    tmp_path: Path, store: Store, project: Project
) -> None:
    first, second = catalogue.tiles(store, project.id)
    with store.write() as session:
        row = session.get_one(TileRow, second.id)
        row.scanned_at = None
    label = tmp_path / "d/b_label.tif"
    label.write_bytes(label.read_bytes()[:-400])
    done = export_labels(store, project.id, "Part")
    assert [entry["name"] for entry in done.manifest["tiles"]] == [first.name]
    assert list(done.manifest["left_out"]) == [second.name]
    assert "cannot be worked on: 1. b" in done.manifest["notes"][0]


def test_an_edited_tile_that_cannot_be_read_stops_the_export(
    store: Store, project: Project
) -> None:
    paint(store, project)
    with store.write() as session:
        row = session.get_one(TileRow, catalogue.tiles(store, project.id)[0].id)
        row.problem = "its label is another file"
    with pytest.raises(DatasetError, match="another file"):
        export_labels(store, project.id, "None")


def test_a_cog_does_not_take_provenance_as_a_band(store: Store, project: Project) -> None:
    with pytest.raises(DatasetError, match="band 2 of a COG"):
        export_labels(store, project.id, "Both", file="cog", provenance="band")


def test_names_that_leave_the_folder_are_refused(store: Store, project: Project) -> None:
    for name in ("", "../up", "/abs", ".hidden", "a/b", "x" * 81, "a\0b"):
        with pytest.raises(DatasetError, match="export name"):
            export_labels(store, project.id, name)
    assert exports(store) == []


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
