"""Work aside: one after the other, low in priority, and no more of it than somebody waits for."""

import os
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from core.aside import NICE, Aside, Overtaken


def test_it_returns_and_raises_what_the_work_does() -> None:
    aside = Aside()
    assert aside.run("a", lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        aside.run("a", lambda: 1 // 0)
    assert aside.run("a", lambda: float(np.eye(3).sum())) == 3.0


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux")
def test_it_runs_behind_the_thread_that_asks() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert Aside().run("a", priority) == NICE
    assert priority() == 0


def test_only_the_newest_wish_of_an_asker_has_its_turn() -> None:
    """While one works, three of Ada's queue up and one of Ben's: of Ada's the last is done."""
    aside, begun, go = Aside(), threading.Event(), threading.Event()
    done: list[str] = []

    def busy() -> None:
        begun.set()
        go.wait(10)

    with ThreadPoolExecutor(8) as askers:
        askers.submit(aside.run, "somebody", busy)
        assert begun.wait(10)
        waiting: dict[str, Future[None]] = {}
        for name, asker in (("a1", "ada"), ("b1", "ben"), ("a2", "ada"), ("a3", "ada")):
            before = aside._newest.get(asker)
            waiting[name] = askers.submit(aside.run, asker, partial(done.append, name))
            while aside._newest.get(asker) is before:
                time.sleep(0.001)
        for name in ("a1", "a2"):
            assert isinstance(waiting[name].exception(10), Overtaken)
        go.set()
        assert waiting["a3"].exception(10) is None
        assert waiting["b1"].exception(10) is None
    assert done == ["b1", "a3"]
