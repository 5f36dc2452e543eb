"""The runner: a process of its own that gives queued jobs to worker processes.

One runner per workspace, held by a lock on `runner.lock`. It is started when a job is submitted
and leaves when nothing has been queued for a while. Workers are started in sessions of their own,
so neither they nor the runner end with the app; a new runner adopts the workers it finds, by their
rows. Run by hand: `python -m core.runner`.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from core import jobs
from core.errors import NotFound
from core.jobs import IDLE_SECONDS, WORKER, Attempt, RunningJob
from core.processes import log_file, runner_lock, spawn
from core.settings import Settings, load_settings
from core.store.engine import Store, open_store

TICK_SECONDS = 0.25
BEAT_SECONDS = 2.0
SILENT_SECONDS = 120.0  # no heartbeat for so long: the process hangs, or the machine slept
GRACE_SECONDS = 15.0  # from a request to stop until the process is killed


def main() -> None:
    """Run the queue until it has been empty for a while."""
    parser = argparse.ArgumentParser(description="Give queued jobs to worker processes.")
    parser.add_argument("--worker", default=WORKER, help="module that runs one job")
    parser.add_argument("--idle", type=float, default=IDLE_SECONDS, help="seconds until it leaves")
    flags = parser.parse_args()
    settings = load_settings()
    store = open_store(settings)
    # Whoever adds a job adds the row first and looks at the lock second. Looking at the queue
    # once more after the lock is free therefore leaves no job behind.
    again = True
    while again:
        with runner_lock(settings) as held:
            if not held:
                return
            Runner(store, settings, flags.worker).run(flags.idle)
        again = settings.workspace.is_dir() and bool(jobs.queue(store))


class Runner:
    """Claims, starts, watches and, where needed, ends worker processes."""

    def __init__(self, store: Store, settings: Settings, worker: str) -> None:
        self.store, self.settings, self.worker = store, settings, worker
        self.children: dict[str, subprocess.Popen[bytes]] = {}  # by attempt token
        # By attempt token, on this process's clock: the wall clock may jump, a laptop may sleep.
        self.asked: dict[str, float] = {}  # when a request to stop was first seen
        self.heard: dict[str, tuple[datetime, float]] = {}  # last heartbeat and when it was seen

    def run(self, idle_seconds: float) -> None:
        """Work until the queue has been empty for `idle_seconds`."""
        busy = time.monotonic()
        while time.monotonic() - busy < idle_seconds and self.settings.workspace.is_dir():
            if self.tick():
                busy = time.monotonic()
            time.sleep(TICK_SECONDS)

    def tick(self) -> bool:
        """Look after every running job and start what can start; return whether any is left."""
        watched = jobs.running(self.store)
        for running in watched:
            self._watch(running)
        tokens = {running.attempt.token for running in watched}
        for token in [t for t, child in self.children.items() if child.poll() is not None]:
            if token not in tokens:
                self._forget(token)
        for device in jobs.waiting_devices(self.store):
            attempt = jobs.claim(self.store, device)
            if attempt is not None:
                self._start(attempt)
        return bool(jobs.queue(self.store))

    def _start(self, attempt: Attempt) -> None:
        command = [sys.executable, "-m", self.worker, str(attempt.job_id)]
        with log_file(self.settings, f"job-{attempt.job_id}") as log:
            self.children[attempt.token] = spawn(
                command, self.settings, log, CLOUDBRUSH_JOB_TOKEN=attempt.token
            )

    def _watch(self, running: RunningJob) -> None:
        token = running.attempt.token
        child = self.children.get(token)
        pid = running.pid or (child.pid if child else None)
        code = child.poll() if child else None
        silent = self._silent_seconds(running)
        gone = code is not None if child else pid is not None and not _alive(pid)
        if gone:
            self._lost(running.attempt, _how_it_ended(code))
        elif running.cancel_asked:
            since = self.asked.setdefault(token, time.monotonic())
            if time.monotonic() - since > GRACE_SECONDS:
                _kill(pid)
                self._lost(running.attempt, "Did not stop when asked")
        elif silent > SILENT_SECONDS:
            _kill(pid)
            self._lost(running.attempt, f"Gave no sign of life for {silent:.0f} s")

    def _lost(self, attempt: Attempt, why: str) -> None:
        # The worker may have written its end just before it left: `lost` checks that first.
        with suppress(NotFound):  # its project was deleted a moment ago, and the job with it
            jobs.lost(self.store, attempt, why)
        self._forget(attempt.token)

    def _forget(self, token: str) -> None:
        self.children.pop(token, None)
        self.asked.pop(token, None)
        self.heard.pop(token, None)

    def _silent_seconds(self, running: RunningJob) -> float:
        before = self.heard.get(running.attempt.token)
        if before is None or before[0] != running.heard:
            self.heard[running.attempt.token] = (running.heard, time.monotonic())
            return 0.0
        return time.monotonic() - before[1]


def _how_it_ended(code: int | None) -> str:
    if code is None:
        return "Its process stopped without a word"
    if code == -signal.SIGKILL:
        return "Its process was killed, perhaps because memory ran out"
    if code < 0:
        return f"Its process was ended by signal {-code}"
    return f"Its process stopped without a word (code {code})"


def _alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended but was not collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:  # no /proc on this system
        return not Path("/proc").exists()


def _kill(pid: int | None) -> None:
    """End a worker and what it started: it leads its own process group."""
    if pid is None:
        return
    try:
        # A worker is the leader of its group; another process may have got its number since.
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    main()
