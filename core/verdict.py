"""A comparison of two maps in a sentence or two."""

import numpy as np
import pandas as pd

from core import bootstrap


def in_words(
    change: bootstrap.Interval,
    by_class: pd.DataFrame,
    before: str,
    after: str,
    figure: str,
    rule: str,
) -> str:
    """Return one sentence or two: the change of a figure with its interval, who gained, who lost.

    `by_class` is a `class_frame`; differences are given in points (hundredths) of `figure`, such as
    "mIoU", and of IoU for classes.
    """
    value = float(change.value)
    if np.isnan(value):
        return f"{after} and {before} share no scored class, so there is nothing to compare."
    points = abs(value) * 100
    verb = "gains" if value > 0 else "loses"
    head = f"{after} {verb} {points:.1f} points of {figure} over {before}"
    if points < 0.05:
        head = f"{after} and {before} have the same {figure}"
    low, high = float(change.low) * 100, float(change.high) * 100
    if np.isnan(low):
        doubt = f" ({change.tiles} tiles, too few for an interval)"
    else:
        doubt = f" (95 % interval {low:+.1f} to {high:+.1f}, {change.tiles} tiles)"
        if low <= 0 <= high and points >= 0.05:
            doubt += ", which may be chance"
    return f"{head}{doubt}; {rule}. {_who(by_class)}".strip()


def _who(by_class: pd.DataFrame) -> str:
    known = by_class.dropna(subset=["change"])
    sure = known["change_low"].notna()
    better = known[(known["change"] > 0.005) & (~sure | (known["change_low"] > 0))]
    worse = known[(known["change"] < -0.005) & (~sure | (known["change_high"] < 0))]
    parts = []
    if len(worse):
        parts.append(f"{_list(worse.head(3))} got worse")
    if len(better):
        parts.append(f"{_list(better.tail(3).iloc[::-1])} gained most")
    text = "; ".join(parts)
    return text + "." if text else "No class changed beyond chance."


def _list(lines: pd.DataFrame) -> str:
    named = [
        f"{name} ({change * 100:+.1f})"
        for name, change in zip(lines["class"], lines["change"], strict=True)
    ]
    return named[0] if len(named) == 1 else ", ".join(named[:-1]) + " and " + named[-1]
