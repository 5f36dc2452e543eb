"""A feature pyramid that carries deep features down to fine ones, and sums them at 1/4."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.damage.base import conv_norm


def _rise(width: int, level: int) -> nn.Sequential:
    """Return what brings a level to the size of level 0: a convolution before each doubling."""
    if level == 0:
        return conv_norm(width, width)
    up = nn.Upsample(scale_factor=2.0, mode="bilinear", align_corners=False)
    return nn.Sequential(*(nn.Sequential(conv_norm(width, width), up) for _ in range(level)))


class FeaturePyramid(nn.Module):
    """1x1 per level, deep added to fine (nearest), 3x3 per level; then Semantic-FPN's sum at 1/4.

    Sources: Lin et al. 2017, arXiv 1612.03144; Kirillov et al. 2019, arXiv 1901.02446.
    """

    def __init__(self, channels: Sequence[int], width: int) -> None:
        """Take the channels of the levels, finest first."""
        super().__init__()
        self.sides = nn.ModuleList(nn.Conv2d(count, width, 1) for count in channels)
        self.smooth = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in channels)
        self.rise = nn.ModuleList(_rise(width, level) for level in range(len(channels)))

    def forward(self, levels: list[Tensor]) -> Tensor:
        """Return [B, width, H, W] at the size of the first of `levels`, which are finest first."""
        x = self.sides[-1](levels[-1])
        total: Tensor = self.rise[-1](self.smooth[-1](x))
        for level in range(len(levels) - 2, -1, -1):
            x = self.sides[level](levels[level]) + F.interpolate(x, size=levels[level].shape[-2:])
            total = total + self.rise[level](self.smooth[level](x))
        return total
