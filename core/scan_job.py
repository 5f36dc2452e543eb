"""The job that reads the pixels of a project's tiles, and counts what the tile browser asks for."""

import time
from typing import Any

from sqlalchemy import select

from core import catalogue
from core.errors import Cancelled, JobError, NotFound
from core.jobs import JobContext, add, queue
from core.records import Job
from core.scan import scan_tile
from core.store.engine import Store
from core.store.tables import TileRow
from core.tally import refresh

KIND = "scan"
REPORT_SECONDS = 0.5


def queue_scan(store: Store, project_id: int, *, again: bool = False) -> Job:
    """Queue a scan of the tiles that were not scanned yet; `again` also of those with a problem.

    A scan that waits or runs already is returned as it is, unless a new look was asked for.
    """
    for job in queue(store):
        if job.kind == KIND and job.project_id == project_id and not again:
            return job
    return add(store, KIND, {"again": again}, project_id=project_id, device=KIND)


def scan(context: JobContext) -> dict[str, Any]:
    """Scan tile by tile; what was scanned stays so when the job is stopped or starts again."""
    project_id = context.job.project_id
    if project_id is None:
        raise JobError("scan job", found="no project", expected="a project")
    again = bool(context.payload.get("again"))
    waiting = _waiting(context.store, project_id, again)
    begun, told, problems = time.monotonic(), 0.0, 0
    for done, tile_id in enumerate(waiting):
        if context.cancelled():
            raise Cancelled("scan", found="a request to stop")
        try:
            problems += scan_tile(context.store, tile_id) is not None
        except NotFound:  # it was deleted meanwhile
            continue
        clock = time.monotonic()
        if clock - told > REPORT_SECONDS:
            told = clock
            left = (clock - begun) / (done + 1) * (len(waiting) - done - 1)
            text = f"{done + 1:,} of {len(waiting):,} tiles, about {left:.0f} s left"
            context.report((done + 1) / len(waiting), text)
    refresh(context.store, catalogue.project(context.store, project_id))
    return {"tiles": len(waiting), "problems": problems}


def _waiting(store: Store, project_id: int, again: bool) -> list[int]:
    query = select(TileRow.id).where(TileRow.project_id == project_id).order_by(TileRow.id)
    open_ = TileRow.scanned_at.is_(None)
    query = query.where(open_ | TileRow.problem.is_not(None) if again else open_)
    with store.read() as session:
        return list(session.scalars(query))
