"""Work waits until nobody asks for anything, and is left where the app stops."""

from threading import Event

from app.quiet import Quiet, when_quiet


class _Time(Event):
    """A stop that makes the time pass, and during which others ask or the app stops."""

    def __init__(self, asks: list[float], stops: float | None = None) -> None:
        super().__init__()
        self.now, self.asks, self.stops = 0.0, asks, stops
        self.quiet = Quiet(lambda: self.now)

    def wait(self, timeout: float | None = None) -> bool:
        end = self.now + (timeout or 0.0)
        while self.asks and self.asks[0] <= end:
            self.now = self.asks.pop(0)
            self.quiet.note()
        self.now = end
        if self.stops is not None and self.now >= self.stops:
            self.set()
        return self.is_set()


def _done_at(time: _Time) -> float | None:
    done: list[float] = []
    when_quiet(lambda: done.append(time.now), time, after_s=6, quiet_s=4, quiet=time.quiet)
    return done[0] if done else None


def test_work_is_done_after_its_time_when_nobody_asks() -> None:
    assert _done_at(_Time([])) == 6


def test_work_waits_for_a_lull() -> None:
    assert _done_at(_Time([5.0, 7.0, 9.5, 13.0])) == 17


def test_work_is_left_where_the_app_stops() -> None:
    assert _done_at(_Time([5.0, 7.0], stops=8.0)) is None
