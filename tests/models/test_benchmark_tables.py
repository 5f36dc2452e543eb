"""The tables of the benchmark of models: what is a run, what is shown of it."""

import math

import pytest

from tests.bench._models_rows import ROWS, SEEDS, Row
from tests.bench._models_tables import figures, half_interval, table

NOISE = [row for row in ROWS if row.table == "noise"]


def _runs(*values: float, row: Row = NOISE[0]) -> dict[str, dict[str, object]]:
    return {
        f"{row.key}/{seed}": {"main": value, "shown": {"average": value, "lost": math.nan}}
        for seed, value in zip(SEEDS, values, strict=False)
    }


def test_rows_with_the_same_training_share_their_runs_and_others_do_not() -> None:
    same = Row("clouds", "another name", NOISE[0].work, dict(NOISE[0].asked))
    assert same.key == NOISE[0].key
    assert len({row.key for row in NOISE}) == len(NOISE)


def test_interval_is_that_of_students_t() -> None:
    # Three values 1, 2, 3: s = 1, t(0.975, 2) = 4.3027, so half the interval is 4.3027 / sqrt 3.
    assert half_interval([1.0, 2.0, 3.0]) == pytest.approx(2.4841, abs=1e-4)
    assert half_interval([1.0]) is None


def test_table_shows_means_intervals_and_how_many_runs_are_done() -> None:
    shown = table("noise", _runs(0.1, 0.2, 0.3))
    assert "| Cross entropy | 20.0 ± 24.8 | - | 3 |" in shown
    assert f"3 of {len(NOISE) * len(SEEDS)} runs done" in shown
    assert "± " not in table("noise", _runs(0.1)).splitlines()[-1]
    assert table("noise", {}) == ""


def test_a_gain_is_the_mean_of_pairs_with_the_same_seed() -> None:
    runs = _runs(0.1, 0.2, 0.3) | _runs(0.2, 0.3, 0.4, row=NOISE[1])
    shown = table("noise", runs)
    assert f"| {NOISE[1].name} | 30.0 ± 24.8 | - | +10.0 ± 0.0 over {NOISE[0].name} | 3 |" in shown
    alone = table("noise", _runs(0.2, row=NOISE[1]))
    assert f"| {NOISE[1].name} | 20.0 | - | - | 1 |" in alone


def test_every_rival_is_a_row_of_its_table() -> None:
    named = {(row.table, row.name) for row in ROWS}
    assert all((row.table, row.against) in named for row in ROWS if row.against)


def test_figures_are_in_percent_with_the_number_of_runs() -> None:
    assert figures(_runs(0.1, 0.2)) == {
        "noise: Cross entropy": {"value": 15.0, "unit": "%", "n": 2}
    }
