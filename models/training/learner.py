"""One step of training, with all that changes from step to step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.networks import SegmentationNetwork
from models.objective import Objective
from models.sample import Batch, Sample, draw_batch, draw_chances
from models.training import memory
from models.training.average import WeightAverage
from models.training.config import TrainConfig
from models.training.optimiser import make_optimiser, rate, set_rates
from models.training.ranks import Ranks
from models.training.speed import mixed_precision_helps, to_device

Arrays = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Pass:
    """What goes through the network at once. `share` is its part of the step's gradient."""

    batch: Batch
    more: Arrays
    share: float


class Learner:
    """Network, objective, optimiser and random numbers of a run.

    `parts` says into how many passes a drawn batch is split; it grows when memory runs out.
    `scored_px` is the largest window that watched tiles are scored by, 0 for any; it shrinks then.
    """

    def __init__(
        self,
        config: TrainConfig,
        samples: Sequence[Sample],
        aim: Objective,
        *,
        started: bool,
        device: str,
        ranks: Ranks,
    ) -> None:
        self.config, self.samples, self.aim = config, samples, aim
        self.device, self.ranks = device, ranks
        self.half = config.mixed_precision and mixed_precision_helps(device)
        self.rng = np.random.default_rng(config.seed)
        self.chances = draw_chances(samples, config.favour_people)
        self.optimiser, self.rates = make_optimiser(config, aim, started=started)
        self.average = WeightAverage(aim.network, config.average) if config.average else None
        self.parts, self.scored_px = 1, 0
        self.notes: list[str] = []

    @property
    def kept(self) -> SegmentationNetwork:
        """Return the network that is scored and kept: the average, where there is one."""
        return self.average.network if self.average else self.aim.network

    def learn(self, step: int) -> Tensor:
        """Take one step, counted from 1; return the loss of this process's part, not yet read.

        Where memory runs out, the step is taken again in twice as many passes. Raises
        `CloudbrushError` when a single crop does not fit.
        """
        self.aim.train()
        drawn = list(self._drawn())
        set_rates(self.optimiser, self.rates, rate(step - 1, self.config))
        loss = self._gradient(drawn)
        while loss is None:
            if self.parts >= self.config.batch:
                raise memory.no_smaller(self.config.crop_px)
            self.parts *= 2
            self.notes.append(memory.words_of(self.config.batch, self.parts, step))
            loss = self._gradient(drawn)
        try:
            self._move(step)
        except (MemoryError, RuntimeError) as error:
            if not memory.ran_out(error):
                raise
            # No crop is in memory any more: fewer at once would not help.
            raise memory.no_step() from error
        return loss

    def _move(self, step: int) -> None:
        """Move the weights along the gradient, and what follows them."""
        weights = list(self.aim.trained.parameters())
        self.ranks.add_gradients(weights)
        torch.nn.utils.clip_grad_norm_(weights, self.config.clip_norm)
        self.optimiser.step()
        self.aim.after_step(step)
        if self.average:
            self.average.follow(self.aim.network, step)

    def score_smaller(self, longest: int, step: int) -> None:
        """Have watched tiles, of which `longest` is the longest side, scored by smaller windows.

        Raises `CloudbrushError` when windows are as small as crops already.
        """
        now = self.scored_px or min(longest, self.kept.most_px or longest)
        if now <= self.config.crop_px:
            raise memory.no_smaller(now)
        self.scored_px = max(now // 2, self.config.crop_px)
        self.notes.append(memory.words_of_scores(self.scored_px, step))
        if self.device != "cpu":
            torch.cuda.empty_cache()

    def _gradient(self, drawn: Sequence[Pass]) -> Tensor | None:
        """Add up the gradient of the passes; None when memory ran out on any process."""
        self.optimiser.zero_grad(set_to_none=True)
        loss: Tensor | None = None
        try:
            loss = sum(
                (self._of(each) for whole in drawn for each in self._split(whole)),
                torch.zeros((), device=self.device),
            )
        except (MemoryError, RuntimeError) as error:
            if not memory.ran_out(error):
                raise
        failed = self.ranks.any(loss is None, self.device)
        if failed and self.device != "cpu":
            torch.cuda.empty_cache()
        return None if failed else loss

    def _of(self, each: Pass) -> Tensor:
        """Return the loss of one pass, its gradient added to what is there."""
        inputs = {m: to_device(self.device, values) for m, values in each.batch.inputs.items()}
        label = to_device(self.device, each.batch.label)
        weight = to_device(self.device, each.batch.weight)
        more = {name: to_device(self.device, array) for name, array in each.more.items()}
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.half):
            loss = self.aim(inputs, label, weight, more)
        if each.share != 1:
            loss = loss * each.share
        loss.backward()
        return loss.detach()  # type: ignore[no-any-return]  # torch's Module call is untyped

    def _drawn(self) -> Iterator[Pass]:
        """Draw the crops of a step, all of them on every process; give this process its own.

        A batch counts in the gradient by the weight of its pixels: then several small batches give
        the gradient of a large one, exactly so for a loss that is a mean over pixels.
        """
        config = self.config
        drawn = [
            (
                draw_batch(
                    self.samples,
                    self.aim.modalities,
                    config.crop_px,
                    config.batch,
                    self.rng,
                    flip=config.flip,
                    chances=self.chances,
                    augments=config.augments,
                ),
                self.aim.further(self.rng),
            )
            for _ in range(config.accumulate * self.ranks.count)
        ]
        shares = self._shares([batch for batch, _ in drawn])
        for number, ((batch, more), share) in enumerate(zip(drawn, shares, strict=True)):
            if self.ranks.mine(number):
                yield Pass(batch, more, share)

    def _split(self, whole: Pass) -> Iterator[Pass]:
        """Cut a drawn batch into `parts`, along the first axis of every array."""
        if self.parts == 1:
            yield whole
            return
        size = -(-len(whole.batch.label) // self.parts)
        pieces = [
            (_cut(whole.batch, at, size), {k: v[at : at + size] for k, v in whole.more.items()})
            for at in range(0, len(whole.batch.label), size)
        ]
        shares = self._shares([batch for batch, _ in pieces])
        for (batch, more), share in zip(pieces, shares, strict=True):
            yield Pass(batch, more, whole.share * share)

    def _shares(self, batches: Sequence[Batch]) -> list[float]:
        """Return the part of each batch in their common gradient; they sum to 1."""
        if len(batches) == 1:
            return [1.0]
        counts = [self.aim.counts(batch.label, batch.weight) for batch in batches]
        total = sum(counts)
        return [count / total if total else 1 / len(counts) for count in counts]


def _cut(batch: Batch, at: int, size: int) -> Batch:
    part = slice(at, at + size)
    inputs = {modality: values[part] for modality, values in batch.inputs.items()}
    return Batch(inputs, batch.label[part], batch.weight[part])
