"""Importing as a job: batch by batch, stopped and continued, hidden until it is complete."""

from pathlib import Path

import pytest

from core import catalogue, jobs
from core.classes import OPEN_EARTH_MAP_SAR
from core.errors import Cancelled, DatasetError
from core.jobs import JobContext
from core.records import JobState, Modality, Project
from core.scan_job import scan
from core.settings import Settings
from core.store.engine import Store
from data import importing
from data.importing import KIND, import_tiles, kept_findings, start_import, unfinished
from data.importing import importing as is_importing
from data.readers.patterns import Role
from data.recipe import Recipe, recipe_of, recipe_of_project
from tests.rasters import make_tile

ROLES = (
    Role("{tile}_rgb.tif", Modality.OPTICAL, acquisition="May"),
    Role("{tile}_sar.tif", Modality.SAR),
    Role("{tile}_label.tif", Modality.LABEL, codes={77: 1}),
)


def recipe(folder: Path) -> Recipe:
    return Recipe(folder, "patterns", "land_cover", "plain", OPEN_EARTH_MAP_SAR, ROLES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of seven tiles, one of them damaged."""
    made = tmp_path / "set"
    for number in range(7):
        make_tile(made, f"t{number}", seed=number + 1)
    (made / "t3_sar.tif").write_bytes(b"no raster")
    return made


@pytest.fixture
def queued(
    folder: Path, store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """Return a project whose import is queued, for a test to run in this process."""
    monkeypatch.setattr(jobs, "ensure_runner", lambda settings: None)
    monkeypatch.setattr(importing, "BATCH", 2)
    monkeypatch.setattr(importing, "PROCESSES", 1)
    return start_import(store, settings, recipe(folder), "Seven")


def context(store: Store, settings: Settings, device: str = KIND) -> JobContext:
    attempt = jobs.claim(store, device)
    assert attempt is not None
    return JobContext(store, settings, jobs.job(store, attempt.job_id), attempt)


class StopsAfter(JobContext):
    """A job that a person stops after so many batches."""

    batches: int

    def cancelled(self) -> bool:
        self.batches -= 1
        return self.batches < 0


def test_it_is_stopped_and_goes_on(queued: Project, store: Store, settings: Settings) -> None:
    assert catalogue.projects(store) == [] and unfinished(store) == [queued]
    first = context(store, settings)
    stopped = StopsAfter(store, settings, first.job, first.attempt)
    stopped.batches = 2
    with pytest.raises(Cancelled):
        import_tiles(stopped)
    jobs.finish(store, first.attempt, JobState.CANCELLED, "Cancelled")
    assert [tile.name for tile in catalogue.tiles(store, queued.id)] == ["t0", "t1", "t2"]
    before, count = kept_findings(store, queued.id, 99)
    assert catalogue.projects(store) == [] and count == len(before)
    importing.findings_path(store, queued.id).open("a").write('{"half')  # killed while it wrote
    importing.continue_import(store, settings, queued.id)
    assert import_tiles(context(store, settings)) == {"tiles": 6, "left_out": 1}
    names = [tile.name for tile in catalogue.tiles(store, queued.id)]
    assert names == ["t0", "t1", "t2", "t4", "t5", "t6"]
    findings, _ = kept_findings(store, queued.id, 99)
    assert findings[: len(before)] == before
    assert [f.where for f in findings if f.level == "error"] == ["t3"]
    (project,) = catalogue.projects(store)
    assert not is_importing(project) and unfinished(store) == []
    assert not any(tile.scanned for tile in catalogue.tiles(store, project.id))
    assert scan(context(store, settings, "scan")) == {"tiles": 6, "problems": 0}
    assert all(tile.scanned for tile in catalogue.tiles(store, project.id))


def test_a_folder_without_a_good_tile_says_why(
    queued: Project, folder: Path, store: Store, settings: Settings
) -> None:
    for path in folder.glob("*_sar.tif"):
        path.write_bytes(b"no raster")
    with pytest.raises(DatasetError, match=r"t0_sar\.tif"):
        import_tiles(context(store, settings))
    assert catalogue.projects(store) == []


def test_a_recipe_survives_its_json(folder: Path, queued: Project) -> None:
    made = recipe(folder)
    assert recipe_of(made.to_json()) == made
    assert recipe_of_project(queued) == made
    assert len(made.find().tiles) == 7
