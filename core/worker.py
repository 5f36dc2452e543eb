"""One attempt at one job: heartbeat beside the work, and an end that is always written.

The process that calls `run_attempt` is started by the runner with the attempt's token in the
environment, where other users of the machine cannot read it.
"""

import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType

from core import jobs
from core.errors import Cancelled, CloudbrushError
from core.jobs import Attempt, JobContext, Task
from core.records import JobState
from core.runner import BEAT_SECONDS
from core.settings import Settings
from core.store.engine import Store


def attempt_of_process() -> Attempt:
    """Return the attempt that this process was started for."""
    token = os.environ.get("CLOUDBRUSH_JOB_TOKEN", "")
    if len(sys.argv) != 2 or not sys.argv[1].isdecimal() or not token:
        raise SystemExit("This is started by the job runner: JOB and CLOUDBRUSH_JOB_TOKEN missing.")
    return Attempt(int(sys.argv[1]), token)


def run_attempt(
    store: Store, settings: Settings, attempt: Attempt, tasks: Mapping[str, Task]
) -> None:
    """Do the work of a job and write how it ended.

    An error made for people becomes the reason of the failure. Any other is a fault of ours: it
    ends the process loudly, with its last line as the reason and the whole of it in the log.
    """
    job = jobs.begin(store, attempt, os.getpid())
    if job is None:
        return
    sys.excepthook = _failing(store, attempt)
    task = tasks.get(job.kind)
    if task is None:
        jobs.finish(store, attempt, JobState.FAILED, f"No task is named {job.kind!r}.")
        return
    with _heartbeat(store, attempt):
        try:
            result = task(JobContext(store, settings, job, attempt))
        except Cancelled:
            jobs.finish(store, attempt, JobState.CANCELLED, "Cancelled")
        except CloudbrushError as error:
            traceback.print_exc()
            jobs.finish(store, attempt, JobState.FAILED, str(error))
        except MemoryError:
            traceback.print_exc()
            reason = "Memory ran out. Use smaller crops or a smaller batch."
            jobs.finish(store, attempt, JobState.FAILED, reason)
        else:
            jobs.finish(store, attempt, JobState.DONE, "Done", result)


Hook = Callable[[type[BaseException], BaseException, TracebackType | None], None]


def _failing(store: Store, attempt: Attempt) -> Hook:
    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        reason = f"Unexpected {kind.__name__}: {error}"[:500]
        where = f"logs/job-{attempt.job_id}.log"
        jobs.finish(store, attempt, JobState.FAILED, f"{reason}. Its log in the workspace: {where}")
        sys.__excepthook__(kind, error, trace)

    return hook


@contextmanager
def _heartbeat(store: Store, attempt: Attempt) -> Iterator[None]:
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(BEAT_SECONDS):
            if not jobs.beat(store, attempt):
                return

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
