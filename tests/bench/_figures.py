"""What benchmarks return: a figure with its unit, and ratios of rounds that took turns."""

from collections.abc import Sequence
from statistics import median
from typing import Any


def figure(value: float, unit: str, n: int) -> dict[str, Any]:
    """Return one figure as the records keep it; `n` is how many measurements it comes from."""
    return {"value": round(value, 4), "unit": unit, "n": n}


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Return the median over rounds of one time over the other."""
    return median(a / b for a, b in zip(above, below, strict=True))
