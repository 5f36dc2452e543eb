"""What the networks of a recipe have seen when they label a tile."""

import numpy as np

from models.recipes.labelling import seen
from models.sample import Sample


def test_only_the_dates_that_are_looked_at_count_as_seen() -> None:
    clearest, later = (np.full((3, 2, 2), 0.5, np.float32) for _ in range(2))
    clearest[:, 0, 0] = later[:, 1, 1] = np.nan
    plane = np.zeros((2, 2), np.uint8)
    sample = Sample({"optical": [clearest, later]}, plane, np.ones((2, 2), np.float32), "tile")
    assert seen(sample, ["optical"], 1).tolist() == [[False, True], [True, True]]
    assert seen(sample, ["optical"]).all()
