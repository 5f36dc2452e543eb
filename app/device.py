"""Where networks run, in words, without making a page wait for torch."""

import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from threading import Thread

from core.processes import ROOT, environment
from core.settings import Settings

PATIENCE_SECONDS = 60


@dataclass
class Device:
    """The line about the device; None until it is known."""

    line: str | None = None


def device(settings: Settings) -> Device:
    """Return what is known by now about where networks run; the first call starts to ask."""
    return _asked(tuple(sorted(environment(settings).items())))


@cache
def _asked(variables: tuple[tuple[str, str], ...]) -> Device:
    found = Device()
    Thread(target=_ask, args=(found, dict(variables)), name="device", daemon=True).start()
    return found


def _ask(found: Device, variables: dict[str, str]) -> None:
    try:
        done = subprocess.run(  # our own module
            [sys.executable, "-m", "models.device"],
            cwd=ROOT,
            env=variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        found.line = "Device unknown: torch takes long to answer"
        return
    lines = (done.stdout or done.stderr).strip().splitlines()
    found.line = lines[-1] if lines else "Device unknown"
