"""Heavy work beside people who wait: one thread of low priority, and of each asker only the newest.

A suggestion costs as much as a hundred saved strokes. Left to the threads that answer requests, two
or three of them would hold every core while somebody paints on, and strokes would wait for answers
that nobody needs any more.
"""

import os
import sys
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

NICE = 10

Answer = TypeVar("Answer")


class Overtaken(Exception):  # not an error: nobody waits for the answer
    """A newer wish of the same asker came before this one had its turn."""


class Aside:
    """Runs functions one after the other, behind everything else that the machine has to do."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "aside", initializer=_step_back)
        self._lock = threading.Lock()
        self._newest: dict[Hashable, Future[Any]] = {}

    def run(self, asker: Hashable, work: Callable[[], Answer]) -> Answer:
        """Return what `work` returns, once it has had its turn; raises what it raises.

        Raises `Overtaken` when the same asker asks again before that.
        """
        with self._lock:
            before = self._newest.get(asker)
            if before is not None:
                before.cancel()
            turn = self._pool.submit(_on_one_core, work)
            self._newest[asker] = turn
        try:
            return turn.result()
        except CancelledError as error:
            raise Overtaken from error
        finally:
            with self._lock:
                if self._newest.get(asker) is turn:
                    del self._newest[asker]


@cache
def aside() -> Aside:
    """Return the one thread of this process for such work."""
    return Aside()


@cache
def _linear_algebra() -> ThreadpoolController:
    return ThreadpoolController()


def _on_one_core(work: Callable[[], Answer]) -> Answer:
    """Run `work` without the helpers of linear algebra, which do not share its low priority."""
    with _linear_algebra().limit(limits=1, user_api="blas"):
        return work()


def _step_back() -> None:
    """Lower the priority of this thread, where the system knows such a thing."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
