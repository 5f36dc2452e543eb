"""Dates of the time dimension of an array, as data sets of the climate conventions write them."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np

from core.sources.array import ArrayFile

MOST_DATES = 10_000
_UNITS = re.compile(r"\s*(\w+?)s?\s+since\s+(\d{1,4}-\d{1,2}-\d{1,2})(?:[T ](\d{1,2}:\d{1,2}))?")
_SECONDS = {
    "day": 86_400.0,
    "hour": 3600.0,
    "hr": 3600.0,
    "minute": 60.0,
    "min": 60.0,
    "second": 1.0,
    "sec": 1.0,
    "millisecond": 1e-3,
    "microsecond": 1e-6,
    "nanosecond": 1e-9,
}
_CALENDARS = ("", "standard", "gregorian", "proleptic_gregorian")


def dates_of(times: ArrayFile | None) -> list[str]:
    """Return each date as 2019-03-15, in the order of the array.

    Empty where `times` is no list of dates in a calendar with leap years.
    """
    if times is None or len(times.array.shape) != 1 or times.array.shape[0] > MOST_DATES:
        return []
    units = _UNITS.match(str(times.attributes.get("units", "")))
    calendar = str(times.attributes.get("calendar", "")).lower()
    step = _SECONDS.get(units[1].lower()) if units else None
    if units is None or step is None or calendar not in _CALENDARS:
        return []
    start = datetime.strptime(f"{units[2]} {units[3] or '00:00'}", "%Y-%m-%d %H:%M")
    try:
        seconds = np.asarray(times.array[:], np.float64) * step
        dates = [start.replace(tzinfo=UTC) + timedelta(seconds=float(s)) for s in seconds]
    except (OverflowError, ValueError):
        return []
    return [date.strftime("%Y-%m-%d") for date in dates]
