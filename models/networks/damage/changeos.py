"""ChangeOS-style: localisation before, damage from both dates, and one class per object.

What makes it object-based is applied to the finished map: each connected building takes the class
with the greatest share of its pixels (`core.object_vote`), which the model's card asks for.
"""

import torch
from torch import Tensor, nn

from models.networks.base import NetworkSpec
from models.networks.damage.base import TwoHeads, conv_norm, upsampled
from models.networks.damage.encoders import pyramid
from models.networks.damage.feature_pyramid import FeaturePyramid


class ChangeOS(TwoHeads):
    """An encoder and a feature pyramid per date, which share nothing."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        name, width = spec.options["encoder"], spec.options["width"]
        self.of_before, self.of_after = pyramid(name, self.before), pyramid(name, self.after)
        channels = self.of_before.channels
        self.join_before = FeaturePyramid(channels, width)
        self.join_after = FeaturePyramid(channels, width)
        self.fuse = nn.Sequential(conv_norm(2 * width, width, 1), conv_norm(width, width, 1))
        self.building_head = nn.Conv2d(width, 2, 1)
        self.head = nn.Conv2d(width, spec.classes, 1)

    def heads(self, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of localisation and damage, made at 1/4 and brought up."""
        first = self.join_before(self.of_before(before))
        second = self.join_after(self.of_after(after))
        which = self.head(self.fuse(torch.cat([first, second], 1)))
        return upsampled(self.building_head(first), 4), upsampled(which, 4)
