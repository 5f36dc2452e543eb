"""Processes beside the app: how they are started, where they log, and the runner's lock."""

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from core.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


def spawn(
    command: list[str], settings: Settings, log: IO[bytes], **extra: str
) -> subprocess.Popen[bytes]:
    """Start a process of ours in a session of its own, with the same settings."""
    return subprocess.Popen(  # noqa: S603  # our own modules
        command,
        cwd=ROOT,
        env={**os.environ, **environment(settings), **extra},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment variables that give another process the same settings."""
    values = settings.model_dump(mode="json")
    return {
        f"CLOUDBRUSH_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
        if value is not None
    }


@contextmanager
def log_file(settings: Settings, name: str) -> Iterator[IO[bytes]]:
    """Open a log of the workspace for a process to write to."""
    folder = settings.workspace / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.log").open("ab") as file:
        yield file


@contextmanager
def runner_lock(settings: Settings) -> Iterator[bool]:
    """Hold the runner's lock inside the block, if it is free; yield whether it is held."""
    settings.workspace.mkdir(parents=True, exist_ok=True)
    with (settings.workspace / "runner.lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
