"""How many steps a network gets for a time of one core, whatever else the machine does."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from models.recipes import run as run_recipe
from models.sample import Sample
from models.train import TrainConfig
from models.zoo.recipes import recipe_named

FEW, MORE = 4, 12
"""Two short runs: what they differ by is the cost of steps, without what a run costs at once."""


def with_steps(config: TrainConfig, steps: int) -> TrainConfig:
    """Return the settings of a run of so many steps, scored at its end alone."""
    return replace(config, steps=steps, validate_every=steps)


def steps_in(
    seconds: float,
    config: TrainConfig,
    learnt: Sequence[Sample],
    recipe: str = "plain",
    recipe_settings: Mapping[str, Any] | None = None,
) -> int:
    """Return how many steps of the kept network a recipe has time for, all its networks counted.

    `learnt` may be a few of the tiles.
    """
    settings = dict(recipe_settings or {})
    if "cleaning" in recipe_named(recipe).settings:
        settings["cleaning"] = "sum"  # teachers of a few steps agree nowhere

    def took(steps: int) -> float:
        began = time.process_time()
        run_recipe(recipe, with_steps(config, steps), learnt, settings=settings)
        return time.process_time() - began

    took(FEW)  # the first steps of a process are slow
    # Neighbours on the machine only ever make steps dearer: the cheapest counts.
    cost = min((took(MORE) - took(FEW)) / (MORE - FEW) for _ in range(2))
    return max(1, round(seconds / max(cost, seconds / 10_000)))
