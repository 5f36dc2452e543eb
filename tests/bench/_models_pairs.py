"""Runs of rows side by side: pairs of the same seed, and intervals over seeds."""

import math
from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from scipy import stats

from tests.bench._models_rows import ROWS, Row

Runs = Mapping[str, Mapping[str, Any]]
"""What was measured, by the key of a row and a seed."""


def of_row(runs: Runs, row: Row) -> list[Mapping[str, Any]]:
    """Return the runs of a row that came to an end, by seed."""
    return [run for run in _done(runs, row) if "failed" not in run]


def failures(runs: Runs, row: Row) -> list[str]:
    """Return why runs of a row found nothing, by seed."""
    return [run["failed"] for run in _done(runs, row) if "failed" in run]


def _done(runs: Runs, row: Row) -> list[Mapping[str, Any]]:
    return [runs[name] for name in row.runs.values() if name in runs]


def rival_of(row: Row) -> Row | None:
    """Return the row that a row is held against."""
    named = (other for other in ROWS if other.table == row.table and other.name == row.against)
    return next(named, None)


def differences(runs: Runs, row: Row, rival: Row, column: str = "") -> list[float]:
    """Return row - rival in points of percent, for each seed that both have.

    `column` is one of those that are shown; without it, the main number.
    """
    pairs = [(name, rival.runs.get(seed, "")) for seed, name in row.runs.items()]
    return [
        100 * (_value(runs[own], column) - _value(runs[other], column))
        for own, other in pairs
        if own in runs and other in runs and not {"failed"} & {*runs[own], *runs[other]}
    ]


def gains(runs: Runs, row: Row) -> list[float]:
    """Return the differences of a row to its rival; none where it has no rival."""
    rival = rival_of(row)
    return differences(runs, row, rival) if rival else []


def half_interval(values: Sequence[float]) -> float | None:
    """Return half the width of the 95 % interval of a mean; None for one or two values.

    Of two values it would be more than six times as wide as they lie apart.
    """
    if len(values) < 3:
        return None
    return float(stats.t.ppf(0.975, len(values) - 1)) * stdev(values) / math.sqrt(len(values))


def decided(values: Sequence[float]) -> bool:
    """Return whether the interval of a mean difference leaves out 0."""
    half = half_interval(values)
    return half is not None and abs(mean(values)) > half


def _value(run: Mapping[str, Any], column: str) -> float:
    return float(run["shown"][column] if column else run["main"])
