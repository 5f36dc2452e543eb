"""Optical reliability modulation: how far to trust each optical feature, from optical alone.

CloudLULC-Net (arXiv 2606.17713) names the module and says what it does: it learns from the cloudy
optical features how reliable they are, without a cloud mask, and holds back what lies under cloud,
shadow or haze. The formula is ours: one gate per feature, from the feature's own place and from a
wider view, which the deepest features give.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TRUST = 2.0
"""Where every gate starts, before the sigmoid: optical is trusted (0.88) until clouds teach."""


class Reliability(nn.Module):
    """Gates R in [0, 1] for the features of every level of an optical encoder."""

    def __init__(self, channels: Sequence[int]) -> None:
        """Take the channels of each level, finest first."""
        super().__init__()
        deep = channels[-1]
        self.near = nn.ModuleList(_trusting(count) for count in channels)
        self.wide = nn.Sequential(
            nn.Conv2d(deep, deep, 3, padding=1), nn.ReLU(), nn.Conv2d(deep, 1, 1)
        )

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Return R per level, float [B, C, h, w] like the features.

        R_l = sigmoid(near_l(F_l) + up(wide(F_deepest))).
        """
        seen_wide = self.wide(features[-1])
        return [
            torch.sigmoid(near(feature) + _resized(seen_wide, feature))
            for near, feature in zip(self.near, features, strict=True)
        ]


def _trusting(channels: int) -> nn.Conv2d:
    """Return a 1x1 convolution that answers `TRUST` whatever it sees, until it has learnt."""
    near = nn.Conv2d(channels, channels, 1)
    nn.init.zeros_(near.weight)
    nn.init.constant_(near.bias, TRUST)  # type: ignore[arg-type]
    return near


def _resized(wide: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(wide, size=like.shape[-2:], mode="bilinear", align_corners=False)


def modulated(
    features: Sequence[Tensor], reliability: Sequence[Tensor] | None, data: Tensor
) -> list[Tensor]:
    """Return R * F per level, and 0 where the picture has no data whatever R says.

    `data` is [B, 1, H, W] at the resolution of the finest level; a feature 2^l coarser counts by
    the share of its pixels that have data. `reliability` None trusts everything that has data.
    """
    held = []
    for level, feature in enumerate(features):
        there = F.avg_pool2d(data, data.shape[-1] // feature.shape[-1]).to(feature.dtype)
        gate = there if reliability is None else there * reliability[level]
        held.append(feature * gate)
    return held
