"""What is minimised: a module that holds the network and turns a batch into a loss.

The training loop knows only this: it draws crops, adds what `further` gives, calls the module,
steps the optimiser and then calls `after_step`. Self-training, co-teaching and the like are other
objectives on the same loop; several GPUs wrap the module and need nothing more.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from models.losses import weighted_cross_entropy
from models.networks import SegmentationNetwork

Tensors = Mapping[str, Tensor]
Arrays = Mapping[str, npt.NDArray[np.generic]]


class Objective(nn.Module):
    """Base. `network` is what is validated and kept; `trained` is what the optimiser moves."""

    network: SegmentationNetwork

    @property
    def trained(self) -> nn.Module:
        """Return the module whose parameters are optimised; the network unless there are more."""
        return self.network

    @property
    def modalities(self) -> tuple[str, ...]:
        """Return which inputs a batch holds; those of the network unless the loss needs more."""
        return tuple(self.network.spec.bands)

    def further(self, rng: np.random.Generator) -> Arrays:
        """Return further arrays of a batch [B, ...] by name, for instance unlabelled crops."""
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


class Supervised(Objective):
    """Cross entropy of the labels as given."""

    def __init__(self, network: SegmentationNetwork, class_weight: Tensor | None = None) -> None:
        super().__init__()
        self.network = network
        self.class_weight = class_weight

    def forward(
        self,
        inputs: Tensors,
        label: Tensor,
        weight: Tensor,
        more: Tensors,
    ) -> Tensor:
        """Return the weighted cross entropy, with what the network adds to it."""
        outputs = self.network.learn(inputs, label)
        loss = weighted_cross_entropy(outputs.logits, label, weight, self.class_weight)
        return loss + sum(outputs.penalties.values(), loss.new_zeros(()))
