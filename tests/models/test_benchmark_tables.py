"""The tables of the benchmark of models: what is a run, what is shown of it."""

import math

import pytest

from tests.bench._models_findings import findings
from tests.bench._models_pairs import half_interval
from tests.bench._models_rows import ROWS, SEEDS, Row
from tests.bench._models_tables import classes_under_clouds, figures, table

NAN = math.nan
NOISE = [row for row in ROWS if row.table == "noise"]


def _runs(*values: float, row: Row = NOISE[0]) -> dict[str, dict[str, object]]:
    return {
        f"{row.key}/{seed}": {"main": value, "steps": 9, "shown": {"average": value, "lost": NAN}}
        for seed, value in zip(SEEDS, values, strict=False)
    }


def test_rows_with_the_same_training_share_their_runs_and_others_do_not() -> None:
    same = Row("clouds", "another name", NOISE[0].work, dict(NOISE[0].asked))
    assert same.key == NOISE[0].key
    assert len({row.key for row in NOISE}) == len(NOISE)


def test_interval_is_that_of_students_t() -> None:
    # Three values 1, 2, 3: s = 1, t(0.975, 2) = 4.3027, so half the interval is 4.3027 / sqrt 3.
    assert half_interval([1.0, 2.0, 3.0]) == pytest.approx(2.4841, abs=1e-4)
    assert half_interval([1.0, 2.0]) is None


def test_table_shows_means_intervals_and_how_many_runs_are_done() -> None:
    shown = table("noise", _runs(0.1, 0.2, 0.3))
    assert "| Cross entropy | 20.0 ± 24.8 | - | 9 | 3 |" in shown
    assert f"3 of {len(NOISE) * len(SEEDS)} runs done" in shown
    assert "± " not in table("noise", _runs(0.1)).splitlines()[-1]
    assert table("noise", {}) == ""


def test_a_gain_is_the_mean_of_pairs_with_the_same_seed() -> None:
    runs = _runs(0.1, 0.2, 0.3) | _runs(0.2, 0.3, 0.4, row=NOISE[1])
    shown = table("noise", runs)
    name, rival = NOISE[1].name, NOISE[0].name
    assert f"| {name} | 30.0 ± 24.8 | - | +10.0 ± 0.0 over {rival} | 9 | 3 |" in shown
    alone = table("noise", _runs(0.2, row=NOISE[1]))
    assert f"| {NOISE[1].name} | 20.0 | - | - | 9 | 1 |" in alone


def test_a_run_that_failed_is_named_and_counts_for_nothing() -> None:
    runs = _runs(0.1, 0.2) | _runs(0.2, 0.3, row=NOISE[1])
    runs[f"{NOISE[1].key}/{SEEDS[2]}"] = {"main": NAN, "failed": "nothing to learn from"}
    shown = table("noise", runs)
    name, rival = NOISE[1].name, NOISE[0].name
    assert f"| {name} | 25.0 | - | +10.0 over {rival} | 9 | 2 |" in shown
    assert f"- {NOISE[1].name}, 1 of 3 seeds failed: nothing to learn from" in shown
    assert figures(runs)[f"noise: {NOISE[1].name}"]["n"] == 2


def _labels(name: str) -> Row:
    return next(row for row in ROWS if row.table == "labels" and row.name == name)


def test_signs_are_held_against_the_published_ones() -> None:
    given = {"Optical, P": (0.5, 0.5, 0.5), "Optical, R": (0.6, 0.61, 0.62)}  # published: more
    given |= {"SAR, P": (0.3, 0.3, 0.3), "SAR, R": (0.4, 0.41, 0.42)}  # published: less
    given |= {"SAR, P + R": (0.2, 0.5, 0.3)}
    runs: dict[str, dict[str, object]] = {}
    for name, values in given.items():
        runs |= _runs(*values, row=_labels(name))
    assert findings("labels", runs) == [
        "Sign of the gain over P. As published: Optical, R.",
        "Sign of the gain over P. The other way: SAR, R.",
        "Sign of the gain over P. Undecided: SAR, P + R (mean as published).",
    ]
    assert findings("labels", _runs(0.5, row=_labels("SAR, P"))) == []


def test_wishes_under_clouds_are_answered_by_the_runs() -> None:
    rows = {row.name: row for row in ROWS if row.table == "clouds"}
    runs: dict[str, dict[str, object]] = {}
    for name, full in (("SAR only", 0.4), ("Early fusion", 0.3), ("CloudLULC-Net-style", 0.35)):
        for seed, more in zip(SEEDS, (0.0, 0.01, 0.02), strict=True):
            shown = {"0-1 %": 0.5, "99-100 %": full + (more if full == 0.35 else 0.0)}
            shown |= {"average": 0.4, "lost": 0.5 - full}  # as read from the docs: in order
            runs[f"{rows[name].key}/{seed}"] = {"main": 0.4 + more, "shown": shown}
    assert findings("clouds", runs) == [
        "Points lost from a clear sky to full cover, least first: "
        "CloudLULC-Net-style 15.0, Early fusion 20.0: CloudLULC-Net-style loses least.",
        "CloudLULC-Net-style against SAR only at full cover: -4.0 ± 2.5 points, "
        "beyond its interval.",
        "CloudLULC-Net-style against Early fusion on average: +0.0 ± 0.0 points, "
        "within its interval.",
    ]


def test_classes_are_shown_by_cloud_level() -> None:
    row = next(row for row in ROWS if row.name == "SAR only" and row.table == "clouds")
    classes = [0.5, math.nan, *[0.25] * 6]
    runs = {f"{row.key}/{SEEDS[0]}": {"main": 0.3, "per_class": {"0-1 %": classes}}}
    shown = classes_under_clouds(runs)
    assert "| SAR only | Bareland | 50.0 | 1 |" in shown
    assert "| SAR only | Rangeland | - | 1 |" in shown
    assert classes_under_clouds({}) == ""


def test_every_rival_is_a_row_of_its_table() -> None:
    named = {(row.table, row.name) for row in ROWS}
    assert all((row.table, row.against) in named for row in ROWS if row.against)


def test_figures_are_in_percent_with_the_number_of_runs() -> None:
    assert figures(_runs(0.1, 0.2)) == {
        "noise: Cross entropy": {"value": 15.0, "unit": "%", "n": 2}
    }
