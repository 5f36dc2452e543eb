"""A worker with tasks that behave well and badly, for the tests of the job runner."""

import os
import signal
import sys
import time
from pathlib import Path

from core.errors import Cancelled, JobError
from core.jobs import JobContext
from core.settings import load_settings
from core.store.engine import open_store
from core.worker import attempt_of_process, run_attempt


def add(context: JobContext) -> dict[str, object]:
    context.report(0.5, "half", loss=1.5)
    context.report(0.9, "nearly", loss=0.5)
    return {"sum": context.payload["a"] + context.payload["b"], "pid": os.getpid()}


def wait(context: JobContext) -> dict[str, object]:
    """Take steps until a file appears or until told to stop."""
    context.report(0.1, "waiting", pid=os.getpid())
    while not Path(context.payload["until"]).exists():
        if context.cancelled():
            raise Cancelled("wait", found="a request to stop")
        time.sleep(0.02)
    return {"pid": os.getpid()}


def hang(context: JobContext) -> dict[str, object]:
    """Never ask whether to stop."""
    context.report(0.1, "hanging")
    time.sleep(600)
    return {}


def die(context: JobContext) -> dict[str, object]:
    """Be killed `times` times, then succeed."""
    deaths = Path(context.payload["count"])
    count = int(deaths.read_text()) if deaths.exists() else 0
    if count < context.payload["times"]:
        deaths.write_text(str(count + 1))
        os.kill(os.getpid(), signal.SIGKILL)
    return {"deaths": count}


def leave(context: JobContext) -> dict[str, object]:
    """End with exit code 0 and without a word: that is no success."""
    os._exit(0)


def refuse(context: JobContext) -> dict[str, object]:
    raise JobError("tile 7", found="nothing", expected="something", todo="Do this.")


def stumble(context: JobContext) -> dict[str, object]:
    return {"x": 1 / context.payload["zero"]}


TASKS = {f.__name__: f for f in (add, wait, hang, die, leave, refuse, stumble)}

if __name__ == "__main__":
    settings = load_settings()
    attempt = attempt_of_process()
    print("worker started", file=sys.stderr)
    run_attempt(open_store(settings), settings, attempt, TASKS)
