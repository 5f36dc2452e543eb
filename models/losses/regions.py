"""Losses of whole classes: the overlap of prediction and label over the batch.

The mean is over the classes present in the label; a class that only the network sees is left to
the errors of the others. A pixel of weight w counts as w pixels. Classes count alike already, so
the class weight is not used.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from models.losses.pixels import pixel_weight


def lovasz(
    logits: Tensor, target: Tensor, weight: Tensor, class_weight: Tensor | None = None
) -> Tensor:
    """Return the Lovász-softmax loss over the whole batch, classes "present".

    Per class, errors |[y = k] - p_k| are sorted downwards and weighted by the growth of the Jaccard
    loss as pixel after pixel is counted wrong. Berman et al. 2018. The weight is ours: a pixel of
    whole weight w gives the loss that w copies of it would.
    """
    return _mean_of_present(_lovasz_of_class, logits, target, weight)


def dice(
    logits: Tensor, target: Tensor, weight: Tensor, class_weight: Tensor | None = None
) -> Tensor:
    """Return 1 - 2 sum(p q) / (sum p + sum q), the mean of the classes present in the batch.

    After Milletari et al. 2016, with plain sums below the line instead of sums of squares.
    """
    return _mean_of_present(_dice_of_class, logits, target, weight)


def _mean_of_present(
    loss: Callable[[Tensor, Tensor, Tensor], Tensor],
    logits: Tensor,
    target: Tensor,
    weight: Tensor,
) -> Tensor:
    counts = pixel_weight(target, weight, None)
    counted = counts > 0
    label = target[counted]
    if not len(label):
        return logits.float().sum() * 0.0
    p = F.softmax(logits.float(), 1).movedim(1, -1)[counted]
    losses = [
        loss(p[:, k], (label == k).float(), counts[counted]) for k in torch.unique(label).tolist()
    ]
    return torch.stack(losses).mean()


def _lovasz_of_class(p: Tensor, inside: Tensor, counts: Tensor) -> Tensor:
    """Return the loss of one class from flat pixels [N]; `inside` is 1 where the label is it."""
    errors, order = (inside - p).abs().sort(descending=True)
    # Sums over a million pixels lose the last pixels in float32.
    inside, counts = inside[order].double(), counts[order].double()
    label = (inside * counts).sum()
    intersection = label - (inside * counts).cumsum(0)
    union = label + ((1 - inside) * counts).cumsum(0)
    jaccard = 1 - intersection / union
    return torch.dot(errors, jaccard.diff(prepend=jaccard.new_zeros(1)).float())


def _dice_of_class(p: Tensor, inside: Tensor, counts: Tensor) -> Tensor:
    overlap = (p * inside * counts).sum()
    return 1 - 2 * overlap / ((p * counts).sum() + (inside * counts).sum())
