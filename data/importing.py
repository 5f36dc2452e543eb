"""The job that imports a large dataset: headers, sizes and times, batch by batch.

The project is there from the first moment, hidden, so that its name is taken and the import can be
stopped, continued or discarded. One transaction writes one batch; an import that starts again goes
on after the last batch written. Findings go to a file of the workspace as they come, so that memory
stays as it is; how far that file counts is written with the batch. Pixels are left to the scan.
"""

import gc
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import catalogue, jobs
from core.check import about_places, names_twice
from core.checked import CheckedTile
from core.classes import ClassTable
from core.errors import Cancelled, JobError
from core.found import Finding, FoundDataset, FoundTile
from core.headers import check_headers
from core.ingest import add_project, free_name, nothing_to_import, write_tiles
from core.jobs import JobContext
from core.records import Job, Project
from core.scan_job import queue_scan
from core.settings import Settings
from core.store.engine import Store
from core.store.tables import ProjectRow, TileRow
from data.recipe import OPTION, Recipe, recipe_of

KIND = "import"
BATCH = 200
PROCESSES = min(4, os.cpu_count() or 1)
FOLDER = "imports"

Headers = list[tuple[CheckedTile | None, list[Finding]]]


def start_import(store: Store, settings: Settings, recipe: Recipe, name: str) -> Project:
    """Add a hidden project and queue the job that fills it; raises `DatasetError` for its name."""
    name = free_name(store, name)
    empty = FoundDataset(
        recipe.reader,
        name,
        "",
        recipe.root,
        recipe.kind,  # type: ignore[arg-type]  # one of the kinds, as a reader said it
        recipe.classes,
        recipe.preset,
        (),
    )
    state = {
        "recipe": recipe.to_json(),
        "complete": False,
        "findings_bytes": 0,
        "left_out": 0,
    }
    with store.write() as session:
        project_id = add_project(session, empty, name, {OPTION: state}, hidden=True)
    continue_import(store, settings, project_id)
    return catalogue.project(store, project_id)


def continue_import(store: Store, settings: Settings, project_id: int) -> Job:
    """Queue the job of an import that was stopped, or return the one that waits or runs."""
    waiting = [job for job in jobs.queue(store) if job.project_id == project_id]
    for job in waiting:
        if job.kind == KIND:
            return job
    return jobs.submit(store, settings, KIND, {}, project_id, device=KIND)


def unfinished(store: Store) -> list[Project]:
    """Return the projects whose import is not complete."""
    return [project for project in catalogue.projects(store, archived=True) if importing(project)]


def importing(project: Project) -> bool:
    """Return whether a project is still being imported."""
    return project.options.get(OPTION, {}).get("complete") is False


def import_tiles(context: JobContext) -> dict[str, Any]:
    """Find the tiles of a project's folder and write those that are not there yet."""
    if context.job.project_id is None:
        raise JobError("import job", found="no project", expected="a project")
    project = catalogue.project(context.store, context.job.project_id)
    context.report(0.0, "Looking through the folder")
    gc.disable()  # it would go through all that was found again and again
    found = recipe_of(project.options[OPTION]["recipe"]).find()
    gc.freeze()
    gc.enable()
    writer = _Writer(context, project, found)
    writer.run()
    queue_scan(context.store, project.id)
    return {"tiles": writer.written, "left_out": writer.left_out}


def findings_path(store: Store, project_id: int) -> Path:
    """Return the file of a project's findings, one JSON object per line."""
    return store.folder(FOLDER) / f"project-{project_id}.jsonl"


def kept_findings(store: Store, project_id: int, most: int) -> tuple[list[Finding], int]:
    """Return the first findings of an import, at most so many, and how many there are."""
    try:
        with findings_path(store, project_id).open(encoding="utf-8") as lines:
            first = [Finding(**json.loads(line)) for line in islice(lines, most)]
            return first, len(first) + sum(1 for _ in lines)
    except (OSError, ValueError, TypeError):
        return [], 0


@dataclass
class _Writer:
    """One run of an import: what it finds, and how far it is."""

    context: JobContext
    project: Project
    found: FoundDataset
    written: int = 0
    left_out: int = 0
    unplaced: int = 0

    def run(self) -> None:
        """Write the tiles that are missing, batch by batch; raises `Cancelled`."""
        store = self.context.store
        state = self.project.options[OPTION]
        self.left_out = int(state["left_out"])
        path = findings_path(store, self.project.id)
        path.touch()
        os.truncate(path, min(int(state["findings_bytes"]), path.stat().st_size))
        known = _names(store, self.project.id)
        self.written = len(known)
        known |= _left_out(path)
        if not int(state["findings_bytes"]):
            self._write([], [*self.found.findings, *names_twice(self.found.tiles)])
        missing = [tile for tile in _once(self.found.tiles) if tile.name not in known]
        self._batches(missing)
        if not self.written:
            first, _ = kept_findings(store, self.project.id, 20)
            raise nothing_to_import(self.found, first)
        about = about_places(self.found, *_unplaced(store, self.project.id))
        self._write([], about, complete=True)

    def _batches(self, missing: Sequence[FoundTile]) -> None:
        begun = time.monotonic()
        roots, classes = self.context.settings.allowed_roots, self.project.classes
        batches = (missing[start : start + BATCH] for start in range(0, len(missing), BATCH))
        done = 0
        for headers in _in_order(batches, classes, roots):
            if self.context.cancelled():
                raise Cancelled("import", found="a request to stop")
            tiles = [tile for tile, _ in headers if tile is not None]
            self.left_out += len(headers) - len(tiles)
            self._write(tiles, [finding for _, about in headers for finding in about])
            done += len(headers)
            left = (time.monotonic() - begun) / done * (len(missing) - done)
            count = self.written + self.left_out
            text = f"{count:,} of {len(self.found.tiles):,} tiles, about {left:.0f} s left"
            self.context.report(min(count / len(self.found.tiles), 1.0), text)

    def _write(
        self,
        tiles: Sequence[CheckedTile],
        findings: Sequence[Finding],
        complete: bool = False,
    ) -> None:
        store, project = self.context.store, self.project
        with findings_path(store, project.id).open("ab") as file:
            for finding in findings:
                file.write(json.dumps(vars(finding)).encode() + b"\n")
            size = file.tell()
        with store.write() as session:
            write_tiles(session, project.id, tiles, project.classes)
            changes = {
                "findings_bytes": size,
                "left_out": self.left_out,
                "complete": complete,
            }
            _keep_state(session, project.id, changes)
        self.written += len(tiles)


def _keep_state(session: Session, project_id: int, changes: dict[str, Any]) -> None:
    row = session.get(ProjectRow, project_id)
    if row is None:
        raise Cancelled("import", found="its project was deleted")
    options = dict(row.options or {})
    options[OPTION] = {**options[OPTION], **changes}
    row.options = options
    if changes["complete"]:
        row.archived_at = None


def _names(store: Store, project_id: int) -> set[str]:
    with store.read() as session:
        return set(session.scalars(select(TileRow.name).where(TileRow.project_id == project_id)))


def _left_out(path: Path) -> set[str]:
    """Return the tiles that have an error already."""
    with path.open(encoding="utf-8") as lines:
        found = (json.loads(line) for line in lines)
        return {finding["where"] for finding in found if finding["level"] == "error"}


def _unplaced(store: Store, project_id: int) -> tuple[int, int]:
    with store.read() as session:
        query = select(TileRow.lon).where(TileRow.project_id == project_id)
        places = session.scalars(query).all()
    return sum(lon is None for lon in places), len(places)


def _once(tiles: Sequence[FoundTile]) -> Iterator[FoundTile]:
    seen: set[str] = set()
    for tile in tiles:
        if tile.name not in seen:
            seen.add(tile.name)
            yield tile


def _in_order(
    batches: Iterator[Sequence[FoundTile]], classes: ClassTable, roots: Sequence[Path]
) -> Iterator[Headers]:
    """Yield the headers of each batch in order, read by a few processes a little ahead."""
    with _pool() as pool:
        waiting: list[Future[Headers]] = []
        for batch in batches:
            waiting.append(pool.submit(read_headers, batch, classes, roots))
            if len(waiting) > PROCESSES:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


@contextmanager
def _pool() -> Iterator[ProcessPoolExecutor]:
    """Yield processes that read headers; they leave at the end, at an error and with this one."""
    spawning = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(PROCESSES, mp_context=spawning, initializer=_leave_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def read_headers(tiles: Sequence[FoundTile], classes: ClassTable, roots: Sequence[Path]) -> Headers:
    """Return each tile by its headers, None for one with an error, and the findings."""
    folders: dict[Path, Path] = {}
    return [check_headers(tile, classes, roots, folders) for tile in tiles]
