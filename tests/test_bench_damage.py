"""The numbers and tables of the study of damage networks."""

import numpy as np
import pytest

from tests.bench import _damage_table
from tests.bench._damage import STUDY, scores_of


def test_scores_are_those_of_the_matrices() -> None:
    # The main vector of the scoring tests, with a column for other; buildings counted by hand.
    pixels = np.zeros((5, 5), np.int64)
    pixels[:4, :4] = [[5870, 336, 0, 335], [63, 1119, 0, 61], [0, 0, 0, 0], [19, 22, 0, 367]]
    houses = np.zeros((5, 5), np.int64)
    # 10 intact (8 right, 1 damaged, 1 missed), 5 damaged (2 right, 3 intact), 4 destroyed, one
    # false alarm called destroyed.
    houses[:4, :4] = [[0, 0, 0, 1], [1, 8, 1, 0], [0, 3, 2, 0], [0, 0, 0, 4]]
    found = scores_of(pixels, houses)
    assert found.miou == pytest.approx(0.6806, abs=5e-5)
    assert found.localisation_f1 == pytest.approx(0.8065, abs=5e-5)
    assert found.damage_f1 == pytest.approx(0.9074, abs=5e-5)
    assert found.building_f1 == pytest.approx([16 / 21, 4 / 8, 8 / 9])
    assert found.building_mean_f1 == pytest.approx((16 / 21 + 1 / 2 + 8 / 9) / 3)
    assert found.building_localisation_f1 == pytest.approx(36 / 38)
    assert found.buildings_right == pytest.approx(14 / 19)


def test_a_table_takes_the_mean_of_runs_and_the_best_row_first() -> None:
    def line(row: str, seed: int, miou: float) -> dict[str, object]:
        names = ("localisation_f1", "damage_f1", "building_mean_f1", "buildings_right")
        scores = {"miou": miou, "iou": [miou] * 4} | dict.fromkeys(names, 0.5)
        ways = {way: scores for way in _damage_table.WAYS}
        who = {"row": row, "event": "e", "seed": seed, "steps": 9, "parameters": 1234}
        return {**who, "scores": ways}

    first, second = _damage_table.tables(
        [line("unet", 0, 0.2), line("changeos", 0, 0.4), line("changeos", 1, 0.6)]
    ).split("\nThe same maps, finished in three ways:\n\n")
    rows = first.splitlines()
    assert rows[2].startswith("| changeos | 50.0 | 50.0 |") and rows[2].endswith(
        "| 1,234 | 9 | 2 |"
    )
    assert rows[3].startswith("| unet | 20.0 |")
    assert len(second.splitlines()) == 4


def test_the_page_shows_the_runs_that_are_kept() -> None:
    text = _damage_table.PAGE.read_text()
    runs = _damage_table.read()
    assert runs and {run["row"] for run in runs} <= set(STUDY)
    assert _damage_table.tables(runs) in text
