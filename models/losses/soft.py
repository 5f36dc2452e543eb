"""Losses against probabilities instead of labels, for recipes in which one network teaches another.

`soft` is float [B, K, H, W], sums to 1 over the classes and carries no gradient.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from models.losses.pixels import weighted_mean


def divergence(logits: Tensor, soft: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted mean of KL(soft || p) over the pixels of `weight` float [B, H, W]."""
    return weighted_mean(_divergences(F.log_softmax(logits.float(), 1), soft), weight.float())


def entropy_split(
    logits: Tensor, soft: Tensor, weight: Tensor, *, threshold: float, alpha: float = 0.5
) -> Tensor:
    """Return CE where the network is sure, KL where it is not.

    With the network's own entropy H = -sum p ln p: CE with the likeliest class of `soft` where
    H < `threshold`, else `alpha` KL(soft || p); the mean is over all pixels that count. From the
    winner of DFC2025 track 2 (arXiv 2505.04941): 0.3 for two classes, 0.2 for four.
    """
    log_p = F.log_softmax(logits.float(), 1)
    with torch.no_grad():
        sure = entropy(log_p.exp()) < threshold
    hard = -log_p.gather(1, soft.argmax(1, keepdim=True))[:, 0]
    return weighted_mean(torch.where(sure, hard, alpha * _divergences(log_p, soft)), weight.float())


def entropy(probabilities: Tensor) -> Tensor:
    """Return -sum_k p_k ln(p_k + 1e-8) of [B, K, H, W], float32 [B, H, W]; at most ln K."""
    p = probabilities.float()
    return -(p * (p + 1e-8).log()).sum(1)


def image_confidence(probabilities: Tensor, threshold: float = 0.968) -> Tensor:
    """Return float32 [B]: the share of an image's pixels whose likeliest class has `threshold`.

    Pixels without a number (NaN) count as not confident. From DACS, as the DFC25 Track 1 winner
    uses it.
    """
    return (probabilities.float().amax(1) >= threshold).float().mean((1, 2))


def _divergences(log_p: Tensor, soft: Tensor) -> Tensor:
    return F.kl_div(log_p, soft.float(), reduction="none").sum(1)
