"""Progress of imports and exports: counts and the time left."""

import time
from collections.abc import Callable
from typing import Any


def progress_to(bar: Any) -> Callable[[int, int, str], None]:  # noqa: ANN401
    """Return a callback that shows counts and the time left, a few times a second."""
    start = time.monotonic()
    shown = 0.0

    def report(done: int, count: int, message: str) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown < 0.2 and done < count:
            return
        shown = now
        left = (now - start) / max(done, 1) * (count - done)
        text = f"{done:,} of {count:,} tiles, about {left:.0f} s left: {message}"
        bar.progress(min(done / max(count, 1), 1.0), text)

    return report
