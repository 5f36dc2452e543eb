"""DamageFormer: two Swin transformers, all levels brought to 1/4, localisation and damage."""

import torch
from torch import Tensor, nn

from models.networks.base import NetworkSpec
from models.networks.damage.base import Residual, TwoHeads, resized, upsampled
from models.networks.damage.encoders import pyramid


class DamageFormer(TwoHeads):
    """Two encoders that share nothing; localisation reads the one before only."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        name, width = spec.options["encoder"], spec.options["width"]
        self.of_before, self.of_after = pyramid(name, self.before), pyramid(name, self.after)
        whole = sum(self.of_before.channels)
        self.fuse_before, self.fuse_after = Residual(whole, width), Residual(whole, width)
        self.fuse = Residual(2 * width, width)
        self.building_head = nn.Conv2d(width, 2, 1)
        self.head = nn.Conv2d(width, spec.classes, 1)

    def heads(self, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of localisation and damage, made at 1/4 and brought up."""
        first = self.fuse_before(_joined(self.of_before(before)))
        second = self.fuse_after(_joined(self.of_after(after)))
        which = self.fuse(torch.cat([first, second], 1))
        return upsampled(self.building_head(first), 4), upsampled(self.head(which), 4)


def _joined(levels: list[Tensor]) -> Tensor:
    """Return all levels at the size of the finest, as one map."""
    return torch.cat([levels[0], *(resized(level, levels[0]) for level in levels[1:])], 1)
