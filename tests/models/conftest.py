"""Tiny tiles on which a tiny network learns in a second."""

import numpy as np
import pytest

from models.losses import IGNORE
from models.sample import Sample
from models.train import TrainConfig

BANDS = {"optical": 3, "sar": 1}


def make_sample(seed: int, *, size: int = 48, name: str = "") -> Sample:
    """Return a tile of three classes whose brightness gives the class away."""
    rng = np.random.default_rng(seed)
    label = np.repeat(np.repeat(rng.integers(0, 3, (size // 8, size // 8)), 8, 0), 8, 1)
    optical = (label[None] * 80 + rng.normal(20, 8, (3, size, size))).clip(0, 255)
    sar = (label[None] * 40 + rng.normal(60, 20, (1, size, size))).clip(0, 255)
    coded = label.astype(np.uint8)
    coded[:2, :2] = IGNORE
    return Sample(
        {"optical": [optical.astype(np.uint8), 255 - optical.astype(np.uint8)], "sar": [sar]},
        coded,
        np.ones((size, size), np.float32),
        name or f"tile {seed}",
    )


@pytest.fixture
def samples() -> list[Sample]:
    return [make_sample(seed) for seed in range(3)]


@pytest.fixture
def config() -> TrainConfig:
    return TrainConfig(
        classes=3, bands=BANDS, widths=(4, 8), steps=12, validate_every=6, batch=2, crop_px=32
    )
