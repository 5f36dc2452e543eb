"""Small tiles with wrong labels in blocks, and settings that learn from them in seconds."""

from dataclasses import replace

import numpy as np

from models.sample import Sample
from models.training.config import TrainConfig

SIDE = 64
SMALL = TrainConfig(
    classes=3,
    bands={"optical": 3, "sar": 2},
    options={"widths": (4, 8)},
    steps=30,
    validate_every=15,
    batch=4,
    crop_px=32,
    learning_rate=1e-2,
    mixed_precision=False,
)


def tile(seed: int, *, noise: float = 0.2) -> tuple[Sample, Sample]:
    """Return a tile with wrong labels in blocks, and the same with the true ones."""
    rng = np.random.default_rng(seed)
    step = SIDE // 8

    def blocks(values: np.ndarray) -> np.ndarray:
        return values.repeat(step, 0).repeat(step, 1)

    truth = blocks(rng.integers(0, 3, (8, 8)).astype(np.uint8))
    label = np.where(blocks(rng.random((8, 8))) < noise, (truth + 1) % 3, truth).astype(np.uint8)
    optical = (60.0 * truth + rng.normal(60, 8, (3, SIDE, SIDE))).clip(1, 255)
    sar = -22 + 6.0 * truth + rng.normal(0, 1.5, (2, SIDE, SIDE))
    inputs = {"optical": [optical.astype(np.float32)], "sar": [sar.astype(np.float32)]}
    weight = np.ones(label.shape, np.float32)
    noisy = Sample(inputs, label, weight, f"tile {seed}")
    return noisy, replace(noisy, label=truth)


TILES = [tile(seed)[0] for seed in range(4)]
VAL = [tile(100)[1]]
