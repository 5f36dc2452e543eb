"""The numbers of the benchmark of damage networks."""

import numpy as np
import pytest

from tests.bench._damage import scores_of


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
