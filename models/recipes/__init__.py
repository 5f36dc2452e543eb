"""Recipes: whole ways of training on plain samples. Names, steps and bounds: `models.zoo.recipes`.

trained = run("co_teaching", config, samples, val)
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.errors import CloudbrushError
from models.networks import SegmentationNetwork
from models.recipes.baseline import oem_sar_baseline, plain
from models.recipes.building_guided import building_guided
from models.recipes.co_teaching import co_teaching
from models.recipes.cross_modal import cross_modal
from models.recipes.labelling import without_labels
from models.recipes.run import Run, speechless
from models.recipes.self_training import self_training
from models.sample import Sample
from models.train import Checkpoint, Progress, Trained, silent
from models.training.config import TrainConfig
from models.training.scoring import never
from models.zoo.recipes import network_of, recipe_named

__all__ = ["CODE", "run"]

CODE: dict[str, Callable[[Run], Trained]] = {
    "plain": plain,
    "oem_sar_baseline": oem_sar_baseline,
    "self_training": self_training,
    "cross_modal": cross_modal,
    "building_guided": building_guided,
    "co_teaching": co_teaching,
}
"""The function behind each name of the table."""


def run(
    name: str,
    config: TrainConfig,
    samples: Sequence[Sample],
    val: Sequence[Sample] = (),
    *,
    settings: Mapping[str, Any] | None = None,
    unlabelled: Sequence[Sample] = (),
    start: SegmentationNetwork | None = None,
    report: Callable[[Progress], None] = silent,
    say: Callable[[str], None] = speechless,
    cancelled: Callable[[], bool] = never,
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Return the network that a recipe ends with; its history runs over all steps of the recipe.

    `config` is of the network that is kept, unless the recipe is about one (`network_of`), with
    what the recipe fixes in the place of its own; other steps take their share of its `steps`.
    Labels of
    `unlabelled` are never looked at, nor is `val` for anything but scores. `say` is told which tile
    networks label. The same arguments give
    the same weights, also where a run goes on from its `checkpoint`: each step that trains has a
    file of its own beside it, named after it. Raises `ModelFileError` for an unknown recipe or
    setting, `Cancelled` when asked to stop and `CloudbrushError` where tiles lack what the recipe
    needs.
    """
    recipe = recipe_named(name)
    settled = recipe.settle(settings or {})
    config = dataclasses.replace(config, **recipe.fixed)
    bound = network_of(name, settled)
    if bound:
        config = dataclasses.replace(config, network=bound[0], options=bound[1])
    if start is not None and not recipe.starts:
        raise CloudbrushError(
            f"recipe {recipe.title}",
            found="a model to start from",
            expected="a start from scratch",
            todo="Start from scratch, or choose another recipe.",
        )
    if not samples:
        raise CloudbrushError("training set", found="no tiles", expected="at least one")
    pool = [without_labels(sample) for sample in unlabelled]
    work = Run(recipe, settled, config, samples, val, pool, start, report, cancelled, device)
    work.checkpoint, work.say = checkpoint, say
    work.bands(*recipe.needs)
    result = CODE[name](work)
    return dataclasses.replace(result, history=work.history, seconds=work.seconds)
