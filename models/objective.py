"""What is minimised: a module that holds the network and turns a batch into a loss.

The training loop knows only this: it draws crops, adds what `further` gives, calls the module,
steps the optimiser and then calls `after_step`. Self-training, co-teaching and the like are other
objectives on the same loop, with checkpoints and several GPUs like any.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.losses import combined
from models.networks import Outputs, SegmentationNetwork
from models.sample import IGNORE
from models.training.config import TrainConfig

Tensors = Mapping[str, Tensor]
Arrays = Mapping[str, npt.NDArray[np.generic]]


class Objective(nn.Module):
    """Base. `network` is what is validated and kept; `trained` is what the optimiser moves.

    Parameters and buffers are kept in checkpoints, also those of a teacher. Where there are
    `class_weight`, float32 [K], small batches of one step count by them too.
    """

    network: SegmentationNetwork
    class_weight: Tensor | None = None

    @property
    def trained(self) -> nn.Module:
        """Return the module whose parameters are optimised; the network unless there are more."""
        return self.network

    @property
    def heads(self) -> list[nn.Parameter]:
        """Return the last layers of all that is optimised, which have a rate of their own."""
        return self.network.head_parameters()

    @property
    def modalities(self) -> tuple[str, ...]:
        """Return which inputs a batch holds; those of the network unless the loss needs more."""
        return tuple(self.network.spec.bands)

    def further(self, rng: np.random.Generator) -> Arrays:
        """Return further arrays of a batch [B, ...] by name, for instance unlabelled crops.

        B is the batch of the settings: where memory is short, all arrays are cut along it.
        """
        return {}

    def forward(
        self,
        inputs: Tensors,
        label: Tensor,
        weight: Tensor,
        more: Tensors,
    ) -> Tensor:
        """Return the loss of a batch, a scalar; raw inputs [B, C, H, W] by modality.

        `label` int64 [B, H, W] with 255 for void, `weight` float32 [B, H, W], `more` what `further`
        gave.
        """
        raise NotImplementedError

    def after_step(self, step: int) -> None:
        """Do what follows a step of the optimiser, for instance move a teacher."""

    def counts(self, label: npt.NDArray[np.int64], weight: npt.NDArray[np.float32]) -> float:
        """Return how much a batch counts beside the others of its step: the weight of its pixels.

        Label and weight are [B, H, W] as in `forward`; void counts nothing.
        """
        each = np.where(label == IGNORE, 0, weight).astype(np.float64)
        if self.class_weight is None:
            return float(each.sum())
        of_class = np.zeros(IGNORE + 1)
        of_class[: len(self.class_weight)] = self.class_weight.detach().cpu().numpy()
        return float((each * of_class[label]).sum())

    def memory(self) -> dict[str, Any]:
        """Return what a resumed run needs beside parameters and buffers, as JSON."""
        return {}

    def remember(self, values: Mapping[str, Any]) -> None:
        """Take over what `memory` gave."""


class Supervised(Objective):
    """The losses of the settings, of the labels as given."""

    def __init__(
        self,
        network: SegmentationNetwork,
        class_weight: Tensor | None = None,
        config: TrainConfig | None = None,
    ) -> None:
        """Take class weights float32 [K]; without settings the loss is plain cross entropy."""
        super().__init__()
        self.network = network
        self.class_weight = class_weight
        self.loss = combined(config.losses) if config else combined()
        buildings = config.building_losses if config else ()
        self.building_loss = combined(buildings) if buildings else self.loss
        self.auxiliary_weights = {
            "classes": config.auxiliary_weight if config else 1.0,
            "building": config.building_weight if config else 1.0,
        }

    def forward(
        self,
        inputs: Tensors,
        label: Tensor,
        weight: Tensor,
        more: Tensors,
    ) -> Tensor:
        """Return the loss of the batch, with what the network's further heads and penalties add."""
        return self.of(self.network.learn(inputs, label), label, weight)

    def of(self, outputs: Outputs, label: Tensor, weight: Tensor) -> Tensor:
        """Return the loss of a network's outputs.

        Further logits are brought to the size of the label. "classes" is held to the label,
        "building" to whether the label is any class but the first, which is background; void stays
        void. Raises `KeyError` for another name.
        """
        loss = self.loss(outputs.logits, label, weight, self.class_weight)
        for name, coarse in outputs.auxiliary.items():
            logits = _sized(coarse, label)
            if name == "building":
                part = self.building_loss(logits, building_of(label), weight, None)
            else:
                part = self.loss(logits, label, weight, self.class_weight)
            loss = loss + self.auxiliary_weights[name] * part
        return loss + sum(outputs.penalties.values(), loss.new_zeros(()))

    def after_step(self, step: int) -> None:
        """Tell losses that change with time where they are."""
        self.loss.step = self.building_loss.step = step

    def memory(self) -> dict[str, Any]:
        """Return how far losses that change with time are."""
        return {"step": self.loss.step}

    def remember(self, values: Mapping[str, Any]) -> None:
        """Take that over."""
        self.loss.step = self.building_loss.step = int(values["step"])


def supervised(
    network: SegmentationNetwork, class_weight: Tensor, config: TrainConfig
) -> Supervised:
    """Return the objective that training has when no other is asked for."""
    return Supervised(network, class_weight, config)


def building_of(label: Tensor) -> Tensor:
    """Return 1 for buildings, 0 for background, 255 for void, from indices of damage classes."""
    return torch.where(label == IGNORE, IGNORE, (label > 0).long())


def _sized(logits: Tensor, label: Tensor) -> Tensor:
    if logits.shape[-2:] == label.shape[-2:]:
        return logits
    return F.interpolate(logits.float(), label.shape[-2:], mode="bilinear", align_corners=False)
