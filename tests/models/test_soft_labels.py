"""Labels that networks make follow the settings of their run."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.networks import build
from models.recipes.labelling import look
from models.training.config import TrainConfig
from models.training.scoring import never
from tests.models.conftest import make_sample


@pytest.mark.parametrize("mixed", [True, False])
def test_soft_labels_are_computed_as_the_run_asks(mixed: bool, computed_half: list[bool]) -> None:
    sample = make_sample(0)
    bands = {m: images[0].shape[0] for m, images in sample.inputs.items()}
    config = TrainConfig(3, bands, mixed_precision=mixed)
    run: Any = SimpleNamespace(config=config, device="cpu", cancelled=never)
    found = look(run, [build("unet", bands, 3, {"widths": (2, 4)})], sample, 1, dates=1)
    assert computed_half == [mixed] and np.allclose(found.sum(0), 1, atol=1e-5)
