"""Losses of single pixels: a value per pixel, then the weighted mean over those that count.

Pixels that do not count are left out before any mean; a batch with nothing to learn from gives
zero with a gradient, never NaN.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from models.sample import IGNORE


def pixel_weight(target: Tensor, weight: Tensor, class_weight: Tensor | None) -> Tensor:
    """Return what each pixel counts, float32 [B, H, W]; 0 where the target is void."""
    weight = torch.where(target == IGNORE, 0.0, weight.float())
    if class_weight is not None:
        weight = weight * class_weight[target.clamp_max(len(class_weight) - 1)]
    return weight


def weighted_mean(losses: Tensor, weight: Tensor) -> Tensor:
    """Return the mean of `losses` by `weight`, both [B, H, W]; zero where nothing counts."""
    total = weight.sum()
    if total <= 0:
        return losses.sum() * 0.0
    return (losses * weight).sum() / total


def weighted_cross_entropy(
    logits: Tensor, target: Tensor, weight: Tensor, class_weight: Tensor | None = None
) -> Tensor:
    """Return the weighted mean of cross entropy over the pixels that count.

    `logits` float [B, K, H, W]; `target` int64 [B, H, W] with `IGNORE` for void; `weight` float
    [B, H, W], 0 leaves a pixel out; `class_weight` float [K] multiplies the pixel's weight.
    """
    losses = F.cross_entropy(logits.float(), target, ignore_index=IGNORE, reduction="none")
    return weighted_mean(losses, pixel_weight(target, weight, class_weight))
