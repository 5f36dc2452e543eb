"""Importing 40,000 tiles of four files each as a job, and looking through them in Explore.

The files are hard links of a few hundred distinct ones, under names of their own. The job runs as
the app runs it: a runner and a worker process, which is watched from outside.
"""

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
from streamlit.testing.v1 import AppTest

from app import session
from core import catalogue, jobs
from core.classes import OPEN_EARTH_MAP_SAR
from core.raster import write_geotiff
from core.records import Grid, JobState, Modality
from core.settings import Settings, load_settings
from core.store.engine import Store, open_store
from data.importing import start_import
from data.readers.patterns import Role
from data.recipe import Recipe
from tests.bench import metrics

TILES = 40_000
DISTINCT = 100
SIDE = 64
KINDS = {
    "rgb": Modality.OPTICAL,
    "sar": Modality.SAR,
    "label": Modality.LABEL,
    "clouds": Modality.CLOUD,
}
ORDERS = ("differ most", "cloudiest first", "name")
ENDED = {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


def run() -> dict[str, dict[str, float | int | str]]:
    """Return seconds and memory of the import, seconds of a page of Explore, and matrix speed."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_files(root / "tiles")
        settings = load_settings(workspace=root / "workspace", data_roots=(root,))
        store = open_store(settings)
        figures = _import(store, settings, root / "tiles")
        figures |= _browse(store, settings)
        store.close()
    matrices = metrics.run()
    return figures | {name: matrices[name] for name in matrices if "speedup" in name}


def make_files(folder: Path, tiles: int = TILES, distinct: int = DISTINCT) -> None:
    """Write `distinct` sets of four small GeoTIFFs and link them under the names of all tiles."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for number in range(distinct):
        row, column = divmod(number, 10)
        place = (10.0, 0.0, 400_000.0 + 640 * column, 0.0, -10.0, 4_000_000.0 - 640 * row)
        grid = Grid(SIDE, SIDE, place, "EPSG:32654")
        label = rng.integers(1, 9, (SIDE, SIDE)).astype(np.uint8)
        values = {
            "rgb": rng.integers(1, 255, (3, SIDE, SIDE)).astype(np.uint8),
            "sar": rng.integers(1, 255, (SIDE, SIDE)).astype(np.uint8),
            "label": label,
            "clouds": (rng.random((SIDE, SIDE)) < number / distinct).astype(np.uint8) * 2,
        }
        for kind, array in values.items():
            first = folder / f"t{number:05}_{kind}.tif"
            write_geotiff(first, array, grid)
            for copy in range(number + distinct, tiles, distinct):
                os.link(first, folder / f"t{copy:05}_{kind}.tif")


def recipe(folder: Path) -> Recipe:
    """Return how the files are read."""
    roles = tuple(
        Role(f"{{tile}}_{kind}.tif", modality, acquisition="May" if kind != "sar" else "")
        for kind, modality in KINDS.items()
    )
    return Recipe(folder, "patterns", "land_cover", "plain", OPEN_EARTH_MAP_SAR, roles)


def _import(store: Store, settings: Settings, folder: Path) -> dict[str, dict[str, float | str]]:
    begun = time.perf_counter()
    project = start_import(store, settings, recipe(folder), "Forty thousand")
    (job,) = jobs.jobs(store, project.id, kind="import")
    with _watched(store, job.id) as memory:
        while jobs.job(store, job.id).state not in ENDED:
            time.sleep(0.2)
    seconds = time.perf_counter() - begun
    done = jobs.job(store, job.id)
    if done.state is not JobState.DONE or done.result["tiles"] != TILES:
        raise AssertionError(f"the import ended with {done.state}: {done.message}, {done.result}")
    for scan in jobs.jobs(store, project.id, kind="scan"):
        jobs.cancel(store, scan.id)
    early = max(used for share, used in memory if share < 0.1)
    return {
        "import_40000_seconds": {"value": round(seconds, 1), "unit": "s", "n": TILES},
        "import_memory": {
            "value": round(max(used for _, used in memory)),
            "unit": "MB",
            "n": len(memory),
        },
        "import_memory_growth": {
            "value": round(max(used for share, used in memory) - early),
            "unit": "MB",
            "n": len(memory),
        },
    }


@contextmanager
def _watched(store: Store, job_id: int) -> Iterator[list[tuple[float, float]]]:
    """Yield a list that fills with (progress, megabytes of the worker and its processes)."""
    seen: list[tuple[float, float]] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.5):
            running = [r for r in jobs.running(store) if r.attempt.job_id == job_id]
            if running and running[0].pid:
                used = sum(_megabytes(pid) for pid in _family(running[0].pid))
                seen.append((jobs.job(store, job_id).progress, used))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _family(pid: int) -> list[int]:
    """Return a process and those that it started."""
    task = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        inner = [int(child) for child in task.read_text().split()]
    except OSError:
        return [pid]
    return [pid, *(each for child in inner for each in _family(child))]


def _megabytes(pid: int) -> float:
    """Return the memory that a process holds for itself, shared pages counted in part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def _browse(store: Store, settings: Settings) -> dict[str, dict[str, float | int | str]]:
    """Return the median seconds of Explore over orders and pages, the slowest first."""
    session.configure(settings, store)
    (project,) = catalogue.projects(store)
    page = AppTest.from_string(
        "from app.pages import explore\nexplore.main()\n", default_timeout=120
    )
    page.session_state["person_id"] = catalogue.ensure_person(store, "Ada").id
    page.query_params["project"] = str(project.id)
    page.run()
    times = []
    for order in ORDERS:
        for number in (1, 2, 300):
            page.session_state["explore_page"] = number
            page.selectbox(key="explore_order").set_value(order)
            begun = time.perf_counter()
            page.run()
            times.append(time.perf_counter() - begun)
            if page.exception:
                raise AssertionError(page.exception[0].message)
    return {"browser_page": {"value": round(median(times), 3), "unit": "s", "n": len(times)}}
