"""Durable jobs: rows that outlive pages, processes and restarts.

Words: a *job* is a row with a kind and a payload; a *task* is the function that does a kind's work,
registered by name in the worker; the *runner* (`core.runner`) gives queued jobs to worker
processes, one at a time per device; an *attempt* is one worker process on one job, known by its
token. Only the worker that holds the token of the running attempt may write to the row, and success
is what it writes there, never an exit code.
"""

import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import JobError, NotFound
from core.processes import log_file, runner_lock, spawn
from core.records import Job, JobState
from core.settings import Settings
from core.store.engine import Store
from core.store.tables import JobEventRow, JobRow, now

ATTEMPTS = 2  # a job whose process vanished is started once more, then it has failed
CANCEL_POLL_SECONDS = 0.2
IDLE_SECONDS = 60.0  # after which an idle runner leaves
FILES = "files"  # the device of work on files alone: it waits for no training
WORKER = "models.worker"  # named, not imported: core knows nothing of what a job does

ACTIVE = (JobState.QUEUED.value, JobState.RUNNING.value)


@dataclass(frozen=True)
class Attempt:
    """One worker process on one job."""

    job_id: int
    token: str


@dataclass(frozen=True)
class RunningJob:
    """What the runner watches. `heard` is the last heartbeat, UTC."""

    attempt: Attempt
    pid: int | None
    heard: datetime
    cancel_asked: bool


def submit(
    store: Store,
    settings: Settings,
    kind: str,
    payload: dict[str, Any],
    project_id: int | None = None,
    person_id: int | None = None,
    device: str = "default",
) -> Job:
    """Queue a job and make sure that a runner is there to take it."""
    job = add(store, kind, payload, project_id=project_id, person_id=person_id, device=device)
    ensure_runner(settings)
    return job


def ensure_runner(
    settings: Settings, *, worker: str = WORKER, idle_seconds: float = IDLE_SECONDS
) -> None:
    """Start a runner unless one holds the lock. Cheap; call it wherever jobs are shown."""
    with runner_lock(settings) as held:
        if not held:
            return
    command = [sys.executable, "-m", "core.runner", "--worker", worker]
    with log_file(settings, "runner") as log:
        spawn([*command, "--idle", str(idle_seconds)], settings, log)


def add(
    store: Store,
    kind: str,
    payload: dict[str, Any],
    *,
    project_id: int | None = None,
    person_id: int | None = None,
    device: str = "default",
) -> Job:
    """Put a job into the queue. `submit` also sees to it that something takes it."""
    with store.write() as session:
        row = JobRow(
            kind=kind,
            project_id=project_id,
            person_id=person_id,
            state=JobState.QUEUED.value,
            device=device,
            payload=payload,
            message="Waiting",
        )
        session.add(row)
        session.flush()
        return _job(row)


def job(store: Store, job_id: int) -> Job:
    """Return one job; raises `NotFound`."""
    with store.read() as session:
        return _job(_get(session, job_id))


def jobs(store: Store, project_id: int | None = None, *, kind: str | None = None) -> list[Job]:
    """Return jobs, newest first: all of them, or of a project, or of a kind."""
    query = select(JobRow).order_by(JobRow.id.desc())
    if project_id is not None:
        query = query.where(JobRow.project_id == project_id)
    if kind is not None:
        query = query.where(JobRow.kind == kind)
    with store.read() as session:
        return [_job(row) for row in session.scalars(query)]


def queue(store: Store) -> list[Job]:
    """Return the jobs of every project that run or wait, in the order in which they get a turn."""
    query = select(JobRow).where(JobRow.state.in_(ACTIVE))
    with store.read() as session:
        rows = session.scalars(query).all()
    return [_job(r) for r in sorted(rows, key=lambda r: (r.state != JobState.RUNNING.value, r.id))]


def events(store: Store, job_id: int, after: int = 0) -> list[dict[str, Any]]:
    """Return the points on a job's curves in order, each with its `id` and time `at`.

    `after` leaves out the points up to that id.
    """
    query = select(JobEventRow).where(JobEventRow.job_id == job_id, JobEventRow.id > after)
    with store.read() as session:
        rows = session.scalars(query.order_by(JobEventRow.id)).all()
    return [{**row.values, "id": row.id, "at": row.at} for row in rows]


def cancel(store: Store, job_id: int) -> Job:
    """Ask a job to stop. A waiting job is cancelled at once, a running one at its next step.

    An ended job stays as it is.
    """
    with store.write() as session:
        row = _get(session, job_id)
        if row.state == JobState.QUEUED.value:
            _end(row, JobState.CANCELLED, "Cancelled before it started")
        elif row.state == JobState.RUNNING.value:
            row.cancel_asked, row.message = True, "Stopping"
        return _job(row)


def claim(store: Store, device: str = "default") -> Attempt | None:
    """Give the oldest waiting job of a device to a new attempt; None when busy or empty.

    The unique index on running jobs holds should two runners ever get here at once.
    """
    with store.write() as session:
        on_device = select(JobRow).where(JobRow.device == device).order_by(JobRow.id)
        if session.scalar(on_device.where(JobRow.state == JobState.RUNNING.value)) is not None:
            return None
        row = session.scalar(on_device.where(JobRow.state == JobState.QUEUED.value).limit(1))
        if row is None:
            return None
        row.state, row.attempt_token = JobState.RUNNING.value, secrets.token_hex(16)
        row.attempts += 1
        row.pid, row.cancel_asked, row.progress = None, False, 0.0
        row.message = "Starting" if row.attempts == 1 else "Starting again"
        row.started_at = row.heartbeat_at = now()
        return Attempt(row.id, row.attempt_token)


def waiting_devices(store: Store) -> list[str]:
    """Return the devices that a queued job asks for."""
    query = select(JobRow.device).where(JobRow.state == JobState.QUEUED.value).distinct()
    with store.read() as session:
        return sorted(session.scalars(query))


def running(store: Store) -> list[RunningJob]:
    """Return the running attempts of every device."""
    query = select(JobRow).where(JobRow.state == JobState.RUNNING.value)
    with store.read() as session:
        return [
            RunningJob(
                Attempt(row.id, row.attempt_token or ""),
                row.pid,
                row.heartbeat_at or row.created_at,
                row.cancel_asked,
            )
            for row in session.scalars(query)
        ]


def begin(store: Store, attempt: Attempt, pid: int) -> Job | None:
    """Register the worker's process; None when the attempt is no longer wanted."""
    if not _update(store, attempt, pid=pid, heartbeat_at=now()):
        return None
    return job(store, attempt.job_id)


def beat(store: Store, attempt: Attempt) -> bool:
    """Say that the worker lives; False when its attempt is no longer wanted."""
    return _update(store, attempt, heartbeat_at=now())


def finish(
    store: Store,
    attempt: Attempt,
    state: JobState,
    message: str,
    result: dict[str, Any] | None = None,
) -> bool:
    """Write the end of an attempt; False when another attempt has taken the job over."""
    values: dict[str, Any] = {"state": state.value, "message": message, "ended_at": now()}
    if state is JobState.DONE:
        values["progress"] = 1.0
    return _update(store, attempt, **values, result=result or {})


def lost(store: Store, attempt: Attempt, why: str) -> Job:
    """Take a job away from an attempt whose process is gone: queue it again, or end it.

    `why` says how the process went, for the person who reads the reason.
    """
    with store.write() as session:
        row = _get(session, attempt.job_id)
        if row.state != JobState.RUNNING.value or row.attempt_token != attempt.token:
            return _job(row)
        row.attempt_token, row.pid = None, None
        if row.cancel_asked:
            _end(row, JobState.CANCELLED, "Cancelled")
        elif row.attempts < ATTEMPTS:
            row.state, row.message = JobState.QUEUED.value, f"Waiting to start again: {why}"
        else:
            _end(
                row,
                JobState.FAILED,
                f"{why}, {row.attempts} times. Its log is logs/job-{row.id}.log in the workspace.",
            )
        return _job(row)


@dataclass
class JobContext:
    """What a task gets: where to read, what to do, whom to tell, when to stop."""

    store: Store
    settings: Settings
    job: Job
    attempt: Attempt
    _asked: bool = field(default=False, init=False)
    _polled: float = field(default=0.0, init=False)

    @property
    def payload(self) -> dict[str, Any]:
        """Return what was asked for."""
        return self.job.payload

    def report(self, progress: float, message: str, **values: float | int | str | None) -> None:
        """Show progress (0 to 1) and a line of text; `values` become a point on the curves."""
        if not _update(
            self.store, self.attempt, progress=progress, message=message, heartbeat_at=now()
        ):
            self._asked = True
            return
        if values:
            with self.store.write() as session:
                session.add(JobEventRow(job_id=self.job.id, values=values))

    def cancelled(self) -> bool:
        """Return whether to stop: a person asked, or another attempt has taken over.

        Cheap enough for every step: the database is asked a few times per second at most.
        """
        if not self._asked and time.monotonic() - self._polled >= CANCEL_POLL_SECONDS:
            self._polled = time.monotonic()
            with self.store.read() as session:
                row = _get(session, self.job.id)
                self._asked = row.cancel_asked or row.attempt_token != self.attempt.token
        return self._asked


Task = Callable[[JobContext], dict[str, Any]]
"""Does the work of a job and returns its result (JSON). Raises `Cancelled` when told to stop."""


def _update(store: Store, attempt: Attempt, **values: object) -> bool:
    """Change the row of a running attempt; False when the attempt no longer holds it."""
    statement = (
        update(JobRow)
        .where(
            JobRow.id == attempt.job_id,
            JobRow.state == JobState.RUNNING.value,
            JobRow.attempt_token == attempt.token,
        )
        .values(**values)
        .returning(JobRow.id)
    )
    with store.write() as session:
        return session.scalar(statement) is not None


def _end(row: JobRow, state: JobState, message: str) -> None:
    row.state, row.message, row.ended_at = state.value, message, now()


def _get(session: Session, job_id: int) -> JobRow:
    row = session.get(JobRow, job_id)
    if row is None:
        raise NotFound(f"job {job_id}", todo="It may have been deleted with its project.")
    return row


def _job(row: JobRow) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        project_id=row.project_id,
        person_id=row.person_id,
        state=JobState(row.state),
        payload=row.payload,
        progress=row.progress,
        message=row.message,
        result=row.result or {},
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def check_payload(kind: str, payload: dict[str, Any], *needed: str) -> None:
    """Raise `JobError` unless the payload holds the named fields."""
    missing = [name for name in needed if name not in payload]
    if missing:
        raise JobError(f"{kind} job", found=f"no {', '.join(missing)}", expected=", ".join(needed))
