"""How many steps a network gets for a time of one core, whatever else the machine does."""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from models.sample import Sample
from models.train import Progress, TrainConfig, train

STEPS = 10


def with_steps(config: TrainConfig, steps: int) -> TrainConfig:
    """Return the settings of a run of so many steps, scored at its end alone."""
    return replace(config, steps=steps, validate_every=steps)


def step_seconds(config: TrainConfig, learnt: Sequence[Sample]) -> float:
    """Return the processor time of one step, the median of a few after the first two."""
    times: list[float] = []

    def watch(_: Progress) -> None:
        times.append(time.process_time())

    train(replace(config, steps=STEPS, validate_every=1), learnt, report=watch)
    return float(np.median(np.diff(times)[1:]))
