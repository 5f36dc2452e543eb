"""Losses of single pixels: a value per pixel, then the weighted mean over those that count.

Words: p is the softmax of the logits, y the label, p_y the probability of the label. A *class
weight* multiplies the weight of the pixels of its class.
"""

import math

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


def label_log_probability(logits: Tensor, target: Tensor) -> Tensor:
    """Return ln p_y per pixel, float32 [B, H, W]; 0 where the target is void."""
    return -F.cross_entropy(logits.float(), target, ignore_index=IGNORE, reduction="none")


def weighted_cross_entropy(
    logits: Tensor,
    target: Tensor,
    weight: Tensor,
    class_weight: Tensor | None = None,
    *,
    smoothing: float = 0.0,
) -> Tensor:
    """Return the weighted mean of cross entropy over the pixels that count.

    `logits` float [B, K, H, W]; `target` int64 [B, H, W] with `IGNORE` for void; `weight` float
    [B, H, W], 0 leaves a pixel out; `class_weight` float [K] multiplies the pixel's weight.
    `smoothing` is the share of the label that is spread evenly over all classes.
    """
    losses = F.cross_entropy(
        logits.float(), target, ignore_index=IGNORE, reduction="none", label_smoothing=smoothing
    )
    return weighted_mean(losses, pixel_weight(target, weight, class_weight))


def focal(
    logits: Tensor,
    target: Tensor,
    weight: Tensor,
    class_weight: Tensor | None = None,
    *,
    gamma: float = 2.0,
) -> Tensor:
    """Return the mean of (1 - p_y)^gamma CE. Lin et al. 2017, without their class weight alpha."""
    log_py = label_log_probability(logits, target)
    # -expm1 is 1 - p_y without loss of digits; the floor keeps the gradient of 0^gamma finite.
    losses = (-torch.expm1(log_py)).clamp_min(1e-8) ** gamma * -log_py
    return weighted_mean(losses, pixel_weight(target, weight, class_weight))


def annealed_focal(
    logits: Tensor,
    target: Tensor,
    weight: Tensor,
    class_weight: Tensor | None = None,
    *,
    gamma: float = 2.0,
    steps: int = 10_000,
    step: int = 0,
) -> Tensor:
    """Return FarSeg's loss at `step`: cross entropy that turns into focal as a cosine.

    The focal factors are scaled so that they leave the sum of the losses as it is; no gradient
    goes through them. The sum is divided by the count of pixels plus the batch. Zheng et al. 2020.
    """
    counts = pixel_weight(target, weight, class_weight)
    losses = -label_log_probability(logits, target)
    with torch.no_grad():
        factor = (-torch.expm1(-losses)).clamp_min(0.0) ** gamma
        scale = (losses * counts).sum() / (losses * factor * counts).sum().clamp_min(1e-8)
        focused = factor * scale
        still_plain = 0.5 * (math.cos(math.pi * min(step / steps, 1.0)) + 1)
        factor = focused + (1 - focused) * still_plain
    return (losses * factor * counts).sum() / (counts.sum() + len(logits))


def symmetric_ce(
    logits: Tensor,
    target: Tensor,
    weight: Tensor,
    class_weight: Tensor | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 2.0,
    log_zero: float = math.log(1e-4),
) -> Tensor:
    """Return alpha CE + beta RCE, where RCE = -log_zero (1 - p_y) has a ceiling.

    Reverse cross entropy is -sum_k p_k ln q_k of the label q with ln 0 := log_zero. Wang et al.
    2019, the formula as published.
    """
    log_py = label_log_probability(logits, target)
    losses = alpha * -log_py + beta * -log_zero * -torch.expm1(log_py)
    return weighted_mean(losses, pixel_weight(target, weight, class_weight))


def generalised_ce(
    logits: Tensor,
    target: Tensor,
    weight: Tensor,
    class_weight: Tensor | None = None,
    *,
    q: float = 0.7,
) -> Tensor:
    """Return the mean of (1 - p_y^q) / q. Zhang and Sabuncu 2018, without their truncation."""
    losses = -torch.expm1(q * label_log_probability(logits, target)) / q
    return weighted_mean(losses, pixel_weight(target, weight, class_weight))


def bootstrap_soft(
    logits: Tensor,
    target: Tensor,
    weight: Tensor,
    class_weight: Tensor | None = None,
    *,
    beta: float = 0.95,
) -> Tensor:
    """Return the mean of -sum_k (beta q_k + (1 - beta) p_k) ln p_k. Reed et al. 2014.

    The gradient goes through p on both sides: the second part makes the network sure of itself.
    """
    log_p = F.log_softmax(logits.float(), 1)
    own = -(log_p.exp() * log_p).sum(1)
    losses = beta * -label_log_probability(logits, target) + (1 - beta) * own
    return weighted_mean(losses, pixel_weight(target, weight, class_weight))


def bootstrap_hard(
    logits: Tensor,
    target: Tensor,
    weight: Tensor,
    class_weight: Tensor | None = None,
    *,
    beta: float = 0.8,
) -> Tensor:
    """Return the mean of -beta ln p_y - (1 - beta) ln max_k p_k. Reed et al. 2014."""
    likeliest = F.log_softmax(logits.float(), 1).amax(1)
    losses = beta * -label_log_probability(logits, target) - (1 - beta) * likeliest
    return weighted_mean(losses, pixel_weight(target, weight, class_weight))
