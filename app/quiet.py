"""Work that nobody waits for, done once nobody asks for anything.

The interpreter runs one thread at a time: what is loaded beside an answer doubles its time.
"""

import time
from collections.abc import Callable
from threading import Event


class Quiet:
    """How long ago somebody last asked for something; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()

    def note(self) -> None:
        """Somebody asks for something now."""
        self._last = self._clock()

    def lasts(self) -> float:
        """Return the seconds since somebody asked."""
        return self._clock() - self._last


QUIET = Quiet()


def when_quiet(
    work: Callable[[], object],
    stop: Event,
    *,
    after_s: float,
    quiet_s: float,
    quiet: Quiet = QUIET,
) -> None:
    """Do work after `after_s` seconds, and once it was quiet for `quiet_s`; not after `stop`."""
    stop.wait(after_s)
    while not stop.is_set() and (left := quiet_s - quiet.lasts()) > 0:
        stop.wait(left)
    if not stop.is_set():
        work()
