"""Learning from probabilities that another network gave."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from models.losses.pixels import pixel_weight
from models.networks import SegmentationNetwork
from models.objective import Objective, Tensors
from models.recipes.labelling import SOFT
from models.training.config import TrainConfig

SoftLoss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""A loss of logits [B, K, H, W], probabilities [B, K, H, W] and weight [B, H, W]."""


class FromSoft(Objective):
    """The loss of soft labels, which come as a further input of the batch (see `labelling`).

    Class weights float32 [K] multiply the weight of pixels by their likeliest class.
    """

    def __init__(
        self,
        network: SegmentationNetwork,
        class_weight: Tensor,
        loss: SoftLoss,
        config: TrainConfig,
    ) -> None:
        super().__init__()
        self.network, self.class_weight, self.loss = network, class_weight, loss
        self.shares = {
            "classes": config.auxiliary_weight,
            "building": config.building_weight,
        }

    @property
    def modalities(self) -> tuple[str, ...]:
        """Return the inputs of the network and the soft labels."""
        return (*self.network.spec.bands, SOFT)

    def forward(self, inputs: Tensors, label: Tensor, weight: Tensor, more: Tensors) -> Tensor:
        """Return the loss, with what the network's further heads and penalties add."""
        soft = torch.nan_to_num(inputs[SOFT].float(), nan=0.0)
        total = soft.sum(1)
        weight = pixel_weight(label, torch.where(total > 0, weight, 0.0), self.class_weight)
        soft = soft / total.clamp_min(1e-6)[:, None]
        images = {m: inputs[m] for m in self.network.spec.bands}
        outputs = self.network.learn(images, label)
        loss = self.loss(outputs.logits, soft, weight)
        for name, coarse in outputs.auxiliary.items():
            size = label.shape[-2:]
            logits = F.interpolate(coarse.float(), size, mode="bilinear", align_corners=False)
            aim = torch.stack([soft[:, 0], 1 - soft[:, 0]], 1) if name == "building" else soft
            loss = loss + self.shares[name] * self.loss(logits, aim, weight)
        return loss + sum(outputs.penalties.values(), loss.new_zeros(()))
