"""The page of benchmarks is what was recorded, and every bounded figure was measured."""

import json

from tests.bench import _record
from tests.bench.__main__ import NAMES


def test_the_page_is_written_from_the_records() -> None:
    known = json.loads(_record.RECORDS.read_text())
    assert _record.PAGE.read_text() == _record.page(known)
    assert {*known, _record.MODELS} == set(NAMES)


def test_every_bounded_figure_was_measured() -> None:
    known = json.loads(_record.RECORDS.read_text())
    measured = {figure for found in known.values() for figure in found["figures"]}
    assert set(_record.BOUNDS) <= measured
