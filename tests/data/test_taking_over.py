"""Taking over changes as a job: what was confirmed and nothing else, and it can be stopped."""

from pathlib import Path

import pytest

from core import catalogue, jobs
from core.errors import Cancelled, JobError
from core.records import Project
from core.reimport import Changes, compare
from core.settings import Settings
from core.store.engine import Store
from data.importing import import_tiles
from data.recipe import recipe_of_project
from data.taking_over import start_taking_over, take_over_task
from tests.data.test_importing import StopsAfter, context, folder, queued
from tests.rasters import make_tile, noise, save

__all__ = ["folder", "queued"]


@pytest.fixture
def project(folder: Path, queued: Project, store: Store, settings: Settings) -> Project:
    """Return an imported project of seven good tiles."""
    make_tile(folder, "t3", seed=4)
    import_tiles(context(store, settings))
    return catalogue.project(store, queued.id)


def seen(store: Store, project: Project) -> Changes:
    return compare(store, project.id, recipe_of_project(project).find())


def test_the_changes_that_were_seen_are_taken_over_and_their_pixels_are_read(
    folder: Path, project: Project, store: Store, settings: Settings
) -> None:
    make_tile(folder, "t9", seed=9)
    for path in folder.glob("t0_*"):
        path.unlink()
    start_taking_over(store, settings, project.id, seen(store, project))
    done = take_over_task(context(store, settings, jobs.FILES))
    assert (done["new"], done["gone"], done["findings_count"]) == (1, 1, len(done["findings"]))
    assert {tile.name for tile in catalogue.tiles(store, project.id)} >= {"t9", "t1"}
    assert "scan" in {job.kind for job in jobs.queue(store)}
    assert not seen(store, project).new


def test_a_folder_that_changed_again_is_left_alone(
    folder: Path, project: Project, store: Store, settings: Settings
) -> None:
    make_tile(folder, "t9", seed=9)
    start_taking_over(store, settings, project.id, seen(store, project))
    save(folder / "t1_sar.tif", noise(99, 32, 24))
    before = catalogue.tiles(store, project.id)
    with pytest.raises(JobError, match="Look for changes again"):
        take_over_task(context(store, settings, jobs.FILES))
    assert catalogue.tiles(store, project.id) == before


def test_a_person_can_stop_it(
    folder: Path, project: Project, store: Store, settings: Settings
) -> None:
    make_tile(folder, "t9", seed=9)
    for path in folder.glob("t1_*"):
        path.unlink()
    start_taking_over(store, settings, project.id, seen(store, project))
    job = context(store, settings, jobs.FILES)
    stopped = StopsAfter(store, settings, job.job, job.attempt)
    stopped.batches = 1
    with pytest.raises(Cancelled):
        take_over_task(stopped)
    left = seen(store, project)
    assert not left.new  # what was written stays, and the rest still shows
    assert left.gone == ["t1"]
