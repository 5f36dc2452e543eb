"""Self-training from labelled to unlabelled images, then SAR: the winner of DFC2025 track 1.

A *student* learns from labels and from its *teacher*, which is the moving mean of itself. The
teacher labels unlabelled crops; half of the classes of a labelled crop are pasted over each
(ClassMix), and the student learns the mixture. Two such networks then clean the labels of all
tiles, and a SAR network learns from them. Source: arXiv 2504.13458; steps in `models.zoo.recipes`.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.errors import CloudbrushError
from models.losses.soft import image_confidence
from models.networks import SegmentationNetwork
from models.objective import Arrays, Supervised, Tensors
from models.recipes.labelling import (
    Bytes,
    Floats,
    agreed,
    checked,
    look,
    relabelled,
    seen,
    without_labels,
)
from models.recipes.run import Run
from models.recipes.torch_augment import blurred, jittered
from models.sample import IGNORE, Sample, draw_batch
from models.train import Trained
from models.training.config import TrainConfig
from models.valid_area import with_signal
from models.zoo.augment import Augment
from models.zoo.losses import LossTerm

MIXED_CROPS = (Augment("resize"), Augment("mixed_crop"))
SOURCE_CROPS = (*MIXED_CROPS, Augment("coarsen"), Augment("colour"))
FROM_POOL = "pool_"


class SelfTraining(Supervised):
    """The losses of the labels, and cross entropy on unlabelled crops with pasted classes."""

    def __init__(
        self,
        network: SegmentationNetwork,
        class_weight: Tensor,
        config: TrainConfig,
        pool: Sequence[Sample],
        *,
        confidence: float,
        ema: float,
    ) -> None:
        super().__init__(network, class_weight, config)
        self.config, self.pool = config, pool
        self.confidence, self.ema = confidence, ema
        self.teacher = copy.deepcopy(network).requires_grad_(False)

    @property
    def trained(self) -> SegmentationNetwork:
        """Return the student: the teacher follows it."""
        return self.network

    def train(self, mode: bool = True) -> Self:  # torch's own signature
        """Set the mode of the student; the teacher only predicts."""
        super().train(mode)
        self.teacher.eval()
        return self

    def further(self, rng: np.random.Generator) -> Arrays:
        """Return unlabelled crops, and the dice that say how each is mixed and changed."""
        config = self.config
        batch = draw_batch(
            self.pool,
            tuple(config.bands),
            config.crop_px,
            config.batch,
            rng,
            flip=config.flip,
            augments=MIXED_CROPS[:1],
        )
        return {f"{FROM_POOL}{m}": values for m, values in batch.inputs.items()} | {
            "classes": rng.random((config.batch, config.classes)).astype(np.float32),
            "jitter": rng.uniform(-1, 1, (config.batch, 3)).astype(np.float32)
            * (rng.random((config.batch, 1)) < 0.5),
            "sigma": rng.uniform(0.15, 1.15, config.batch).astype(np.float32)
            * (rng.random(config.batch) < 0.5),
        }

    def forward(self, inputs: Tensors, label: Tensor, weight: Tensor, more: Tensors) -> Tensor:
        """Return the loss of the labels plus that of the mixed crops."""
        unlabelled = {m: more[FROM_POOL + m] for m in self.network.spec.bands}
        guess, sure = self._guess(unlabelled)
        pasted = chosen_classes(label, more["classes"])
        mixed = {m: torch.where(pasted[:, None], inputs[m], unlabelled[m]) for m in unlabelled}
        if "optical" in mixed:
            changed = jittered(mixed["optical"], 0.2 * more["jitter"])
            mixed["optical"] = blurred(changed, more["sigma"])
        aim = torch.where(pasted, label, guess)
        counts = torch.where(pasted, weight, sure)
        logits = self.network(mixed).float()
        losses = F.cross_entropy(logits, aim, ignore_index=IGNORE, reduction="none")
        # The mean is over all pixels: dividing by the weights would undo what the teacher's
        # confidence is for.
        return super().forward(inputs, label, weight, more) + (losses * counts).mean()

    def after_step(self, step: int) -> None:
        """Move the teacher towards the student: fast at first, then by 1 - ema a step."""
        super().after_step(step)
        stays = min(1 - 1 / step, self.ema)
        with torch.no_grad():
            for old, new in zip(self.teacher.parameters(), self.network.parameters(), strict=True):
                old.lerp_(new, 1 - stays)
            for kept, buffer in zip(self.teacher.buffers(), self.network.buffers(), strict=True):
                kept.copy_(buffer)

    def remember(self, values: Mapping[str, Any]) -> None:
        """Take over how far losses are; the teacher comes with the other weights."""
        super().after_step(int(values["step"]))

    @torch.no_grad()
    def _guess(self, unlabelled: Tensors) -> tuple[Tensor, Tensor]:
        """Return the teacher's classes int64 [B, h, w] and what its pixels count [B, h, w]."""
        probabilities = torch.softmax(self.teacher(unlabelled).float(), 1)
        images = [torch.isfinite(x).any(1) for x in unlabelled.values()]
        there = torch.stack(images).any(0)
        sure = image_confidence(probabilities, self.confidence)
        return probabilities.argmax(1), sure[:, None, None] * there


def chosen_classes(label: Tensor, dice: Tensor) -> Tensor:
    """Return bool [B, h, w]: pixels of half of the classes of each image, rounded up.

    `dice` float [B, K] decide which: of the classes there, those that threw lowest.
    """
    found = torch.zeros_like(label, dtype=torch.bool)
    for image, (codes, thrown) in enumerate(zip(label, dice, strict=True)):
        there = torch.unique(codes[codes != IGNORE])
        lowest = there[thrown[there].argsort()[: (len(there) + 1) // 2]]
        found[image] = torch.isin(codes, lowest)
    return found


def self_training(run: Run) -> Trained:
    """Return a SAR network taught by two optical networks that taught themselves."""
    settings = run.settings
    losses = (
        LossTerm("symmetric_ce", 1.0, {"alpha": settings["alpha"], "beta": settings["beta"]}),
        LossTerm("lovasz", settings["lovasz"]),
    )
    student = run.kept_config(losses=losses, augments=run.augments(*MIXED_CROPS))
    both = [_self_taught(run, number) for number in range(2)]
    tiles = (*run.samples, *run.unlabelled)
    samples = [_cleaned(run, both, sample) for sample in run.one_by_one("Cleans labels", tiles)]
    learnt = [sample for sample in samples if (sample.weight > 0).any()]
    if not learnt:
        raise CloudbrushError(
            f"recipe {run.recipe.title}",
            found="two teachers that agree nowhere",
            expected="some pixels to learn from",
            todo="Let it run for more steps, or choose another cleaning.",
        )
    return run.teach(3, student, learnt, kept=True)


def _self_taught(run: Run, number: int) -> SegmentationNetwork:
    """Return the optical network of step 0 or 1."""
    pool = [without_labels(sample) for sample in (*run.samples, *run.unlabelled)]
    name = run.settings[("teacher", "second")[number]]
    augments = run.augments(*SOURCE_CROPS)
    config = run.helper(name, "optical", losses=(LossTerm("ce"),), augments=augments)

    def objective(
        network: SegmentationNetwork, class_weight: Tensor, settled: TrainConfig
    ) -> SelfTraining:
        confidence, ema = run.settings["confidence"], run.settings["ema"]
        return SelfTraining(network, class_weight, settled, pool, confidence=confidence, ema=ema)

    return run.teach(number, config, _source(run), objective=objective).network


def _source(run: Run) -> Sequence[Sample]:
    """Return what the teachers learn from: all labels, or those that people checked."""
    if run.settings["source"] == "all labels":
        return run.samples
    found = [
        replace(sample, weight=np.where(checked(sample), sample.weight, 0).astype(np.float32))
        for sample in run.samples
        if (checked(sample) & (sample.weight > 0)).any()
    ]
    if not found:
        raise CloudbrushError(
            f"recipe {run.recipe.title}, source",
            found="no pixel that a person changed or verified",
            expected="at least one tile with such pixels",
            todo="Correct or verify some tiles, or let the teachers learn from all labels.",
        )
    return found


def _cleaned(run: Run, networks: Sequence[SegmentationNetwork], sample: Sample) -> Sample:
    """Return a sample with the labels that are kept; void where nothing was seen."""
    views, dates = int(run.settings["label_views"]), run.settings["label_dates"]
    soft = [look(run, [network], sample, views, dates) for network in networks]
    label = kept_label(soft, sample.label, run.settings["cleaning"])
    there = seen(sample, ["optical"], dates) & with_signal(sample.inputs["sar"][0])
    label = np.where(there, label, IGNORE).astype(np.uint8)
    return relabelled(sample, label, (label != IGNORE).astype(np.float32))


def kept_label(soft: Sequence[Floats], given: Bytes, cleaning: str) -> Bytes:
    """Return the label uint8 [H, W] that is kept of two networks' probabilities [K, H, W]."""
    first, second = (np.asarray(found.argmax(0), np.uint8) for found in soft)
    if cleaning == "agree":
        return agreed(first, second)
    if cleaning == "agree with labels":
        return agreed(first, given)
    if cleaning == "sum":
        return np.asarray(np.argmax(soft[0] + soft[1], 0), np.uint8)
    return first
