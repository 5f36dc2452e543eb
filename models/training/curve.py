"""The curves of a run, and what is decided by them: which weights are kept, and when to stop."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.errors import CloudbrushError
from models.networks import SegmentationNetwork
from models.training.config import TrainConfig
from models.training.scoring import score


@dataclass(frozen=True)
class Progress:
    """A point on the curves. `loss` is the mean since the last point; `note` is for people."""

    step: int
    steps: int
    epoch: int
    epochs: int
    loss: float
    val_miou: float | None
    seconds_left: float
    note: str = ""


class Curve:
    """The points so far, the losses since the last one, and the best score with its weights."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.step = 0
        self.history: list[Progress] = []
        self.losses: list[Tensor] = []
        self.matrix: npt.NDArray[np.int64] | None = None  # of the kept weights
        self.best: dict[str, Tensor] = {}  # on the CPU
        self.best_score: float | None = None
        self.best_step = 0
        self.waited = 0  # epochs since the best score
        self.seconds = 0.0  # before this process took over
        self.began, self.began_at = time.monotonic(), 0
        self.said = 0  # notes that are on the curve
        self.latest: npt.NDArray[np.int64] | None = None  # of the last epoch

    @property
    def elapsed(self) -> float:
        """Return the seconds of the run, those before it was resumed among them."""
        return self.seconds + time.monotonic() - self.began

    @property
    def tired(self) -> bool:
        """Return whether the score has not risen for as long as the settings allow."""
        return 0 < self.config.patience <= self.waited

    def took(self, step: int, loss: Tensor) -> None:
        """Note a step; its loss is read later, so that a GPU need not be waited for."""
        self.step = step
        self.losses.append(loss)

    def scored(self, matrix: npt.NDArray[np.int64], network: SegmentationNetwork) -> None:
        """Note the score at the end of an epoch, and the weights where they are the best."""
        self.latest = matrix
        now = score(matrix)
        better = now is not None and (self.best_score is None or now > self.best_score)
        self.waited = 0 if better else self.waited + 1
        if better:
            self.best_score, self.best_step = now, self.step
        if self.config.keep == "last" or better:
            self.matrix = matrix
        if self.config.keep == "best" and better:
            self.best = {k: v.detach().cpu().clone() for k, v in network.state_dict().items()}

    def due(self) -> bool:
        """Return whether a point belongs on the curve now."""
        often = max(1, min(10, self.config.validate_every // 4))
        return self.config.ends_epoch(self.step) or self.step % often == 0

    def point(self, losses: Sequence[float], notes: Sequence[str]) -> Progress:
        """Add a point; `losses` are those of the steps since the last one.

        Raises `CloudbrushError`, which says what to do, when one of them is not a number.
        """
        config, step = self.config, self.step
        for number, loss in enumerate(losses, step - len(losses) + 1):
            if not math.isfinite(loss):
                raise _not_a_number(loss, number, config)
        ends = config.ends_epoch(step)
        new, self.said = " ".join(notes[self.said :]), len(notes)
        self.history.append(
            Progress(
                step=step,
                steps=config.steps,
                epoch=math.ceil(step / config.validate_every),
                epochs=math.ceil(config.steps / config.validate_every),
                loss=float(np.mean(losses)),
                val_miou=score(self.latest) if ends else None,
                seconds_left=self._seconds_per_step() * (config.steps - step),
                note=new,
            )
        )
        self.losses = []
        return self.history[-1]

    def read_losses(self) -> Tensor:
        """Return the losses since the last point, float32 [steps], waiting for them."""
        return torch.stack(self.losses).float()

    def _seconds_per_step(self) -> float:
        return (time.monotonic() - self.began) / max(self.step - self.began_at, 1)


def _not_a_number(loss: float, step: int, config: TrainConfig) -> CloudbrushError:
    """Return the error of a loss that is not a number, with what to try first."""
    tries = [f"a lower learning rate (it is {config.learning_rate:g})"]
    if config.warm_up < 0.1:
        tries.append(f"a longer warm-up (it is {config.warm_up:g} of the steps)")
    if config.mixed_precision:
        tries.append("no mixed precision")
    return CloudbrushError(
        f"training loss, step {step}",
        found=str(loss),
        expected="a number",
        todo=f"Use {' or '.join(tries)}. If it is the first step, look for images with values "
        "that are not numbers, or a unit other than the one they are read in.",
    )
