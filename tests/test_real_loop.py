"""The whole loop on the three real OpenEarthMap-SAR tiles: import, correct, freeze, train, export.

Two networks learn from them, one of which sees SAR alone, and are held against each other. The
tiles have no clean labels, so that the validation is what a person froze. No accuracy is asserted:
the crops are no benchmark.
"""

import hashlib
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio

from core import catalogue, history, jobs, scores, trained
from core.classes import Provenance
from core.disagreement import Difference, difference, read_maps, shared_rows
from core.export.labels import export_labels
from core.grid import Window
from core.ingest import import_dataset
from core.patch import encode_runs
from core.predictions import predictions
from core.records import Job, JobState, Project
from core.settings import Settings, load_settings
from core.store.engine import Store, open_store
from core.stroke import Stroke, Tool
from data.readers import recognise

ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
# The bright wedge of TrainArea_004 that its pseudo-label calls road.
WEDGE = Window(100, 200, 40, 60)
QUICK = {"steps": 4, "batch": 2, "crop_px": 64, "seed": 1}


@pytest.fixture
def real_settings(tmp_path: Path, real_data: Path) -> Settings:
    return load_settings(workspace=tmp_path / "workspace", real_data=real_data, data_roots=())


@pytest.fixture
def real_project(real_settings: Settings, real_data: Path) -> tuple[Store, Project]:
    store = open_store(real_settings)
    recognised = recognise(real_data / "oem-sar")
    assert recognised is not None
    found = recognised[0].find(real_data / "oem-sar")
    return store, import_dataset(store, found, "Real", roots=real_settings.allowed_roots)


def paint(store: Store, tile_id: int, seq: int, box: Window, tool: Tool, code: int | None) -> int:
    mask = np.ones((box.h, box.w), np.bool_)
    stroke = Stroke("tab", seq, 0, tool, box, encode_runs(mask), code)
    person = catalogue.ensure_person(store, "Ada")
    return history.append(store, tile_id, stroke, person.id).version


def wait(store: Store, job: Job, limit_s: float = 240) -> Job:
    deadline = time.monotonic() + limit_s
    while job.state not in ENDED and time.monotonic() < deadline:
        time.sleep(0.2)
        job = jobs.job(store, job.id)
    return job


@pytest.mark.long
def test_the_loop_on_real_tiles(
    real_settings: Settings, real_project: tuple[Store, Project]
) -> None:
    store, project = real_project
    originals = {path: hash_of(path) for path in label_files(store, project)}
    tiles = {tile.name: tile for tile in catalogue.tiles(store, project.id)}
    assert len(tiles) == 3 and all(t.lonlat is None for t in tiles.values())
    corrected, reserved = (
        tiles["TrainArea_004"],
        next(tile for name, tile in tiles.items() if name != "TrainArea_004"),
    )

    assert paint(store, corrected.id, 1, WEDGE, Tool.BRUSH, 3) == 1
    assert paint(store, reserved.id, 2, Window(0, 0, 576, 576), Tool.VERIFY, None) == 1
    catalogue.freeze_tiles(store, [reserved.id])

    job = jobs.submit(store, real_settings, "train", QUICK, project.id)
    done = wait(store, job)
    assert done.state is JobState.DONE, done.message
    model = trained.model(store, done.result["model_id"])
    assert str(reserved.id) not in model.card["learnt_from"]["versions"]
    assert model.card["learnt_from"]["versions"][str(corrected.id)] == 1
    found = scores.evaluations(store, project.id, model_id=model.id)
    assert {(e.tile_id, e.reference) for e in found} == {(reserved.id, "frozen")}

    asked = {**QUICK, "modalities": ["sar"], "start": "scratch"}
    other = wait(store, jobs.submit(store, real_settings, "train", asked, project.id))
    assert other.state is JobState.DONE, other.message
    apart = where_they_disagree(store, project, model.id, other.result["model_id"])
    assert reserved.name in apart
    assert all(0 < found.differing <= found.pixels for found in apart.values())

    exported = export_labels(store, project.id, "out")
    with rasterio.open(exported.folder / "labels" / "TrainArea_004.tif") as out:
        labels = out.read(1)
        assert out.nodata == project.classes.void_code and out.colormap(1)
    now = history.current(store, corrected.id)
    assert (labels == now.labels).all()
    inside = (slice(WEDGE.y0, WEDGE.y0 + WEDGE.h), slice(WEDGE.x0, WEDGE.x0 + WEDGE.w))
    assert (labels[inside] == 3).all()
    with rasterio.open(exported.folder / "labels" / "TrainArea_004_provenance.tif") as out:
        provenance = out.read(1)
    assert (provenance == now.provenance).all()
    assert set(np.unique(provenance)) <= {int(Provenance.PSEUDO), int(Provenance.CHANGED)}
    assert {path: hash_of(path) for path in originals} == originals
    store.close()


def where_they_disagree(
    store: Store, project: Project, one: int, other: int
) -> dict[str, Difference]:
    """Return by tile what differs between the maps of two models."""
    tiles = {tile.id: tile for tile in catalogue.tiles(store, project.id)}
    rows = shared_rows(
        [*predictions(store, model_id=one), *predictions(store, model_id=other)], [one, other]
    )
    return {
        tiles[row.tile_id].name: difference(
            read_maps(row, tiles[row.tile_id].grid), project.classes
        )
        for row in rows
    }


def label_files(store: Store, project: Project) -> list[Path]:
    return [
        path
        for tile in catalogue.tiles(store, project.id)
        for layer in catalogue.layers(store, tile.id)
        for path, _band in layer.sources
    ]


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
