"""What moves the weights: optimiser and learning rate.

Formulas: Kingma and Ba 2014 (Adam), Loshchilov and Hutter 2017 (AdamW), SGD with momentum as torch
has it; schedules are pure functions of the step, so that resuming needs no state of theirs.
"""

import math
from typing import Any

import torch
from torch import nn

from models.objective import Objective
from models.training.config import TrainConfig


def make_optimiser(
    config: TrainConfig, aim: Objective, *, started: bool
) -> tuple[torch.optim.Optimizer, list[float]]:
    """Return the optimiser and the highest rate of each of its groups. The last layer has its own.

    Adam moves a weight by about the learning rate a step, so in a short run the logit of a class
    that the start has never seen cannot climb from where training without it has pushed it.
    """
    head = aim.heads
    own = {id(p) for p in head}
    body = [p for p in aim.trained.parameters() if id(p) not in own]
    faster = config.head_rate if started else config.fresh_head_rate
    groups = [
        {"params": params, "lr": config.learning_rate * times, "weight_decay": decay}
        for weights, times in ((body, 1.0), (head, faster))
        for params, decay in _by_decay(config, weights)
    ]
    rates = [float(group["lr"]) for group in groups]  # type: ignore[arg-type]
    return _kind(config)(groups, **_own(config)), rates


def rate(step: int, config: TrainConfig) -> float:
    """Return the share of the highest rate after `step` steps: 0 to 1.

    It climbs in a straight line while warming up. Then, with t from 0 to 1 over the rest: half a
    cosine, (1 - t)^power, 1, or a drop at each of some shares of all steps.
    """
    warm = max(1, round(config.steps * config.warm_up))
    if step < warm:
        return (step + 1) / warm
    t = (step - warm) / max(1, config.steps - warm)
    if config.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * t))
    if config.schedule == "poly":
        return float((1 - t) ** config.poly_power)
    if config.schedule == "step":
        passed = sum(100 * step >= at * config.steps for at in config.drop_at)
        return float(config.drop_to**passed)
    return 1.0


def set_rates(optimiser: torch.optim.Optimizer, rates: list[float], share: float) -> None:
    """Give each group its highest rate times `share`."""
    for group, highest in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = highest * share


def _by_decay(
    config: TrainConfig, weights: list[nn.Parameter]
) -> list[tuple[list[nn.Parameter], float]]:
    if config.decay_norms:
        return [(weights, config.weight_decay)]
    flat = [p for p in weights if p.ndim <= 1]
    deep = [p for p in weights if p.ndim > 1]
    return [(deep, config.weight_decay), (flat, 0.0)]


def _kind(config: TrainConfig) -> type[torch.optim.Optimizer]:
    return {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}[
        config.optimiser
    ]


def _own(config: TrainConfig) -> dict[str, Any]:
    return {"momentum": config.momentum} if config.optimiser == "sgd" else {}
