"""Losses: what training makes small. Names, bounds and words are in `models.zoo.losses`.

Every loss is a function of (logits [B, K, H, W], target int64 [B, H, W] with 255 for void, weight
float [B, H, W], class weight [K] or None). A pixel of weight 0 is as void; a batch with nothing to
learn from gives zero with a gradient, never NaN.
"""

from collections.abc import Callable, Sequence

from torch import Tensor

from models.losses.pixels import weighted_cross_entropy
from models.zoo.losses import LossTerm, check_terms

__all__ = ["Combined", "Loss", "LossTerm", "combined", "weighted_cross_entropy"]

Loss = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]

_CODE: dict[str, Callable[..., Tensor]] = {"ce": weighted_cross_entropy}


class Combined:
    """The weighted sum of some losses. `step` is how far training is, for losses that anneal."""

    def __init__(self, terms: Sequence[LossTerm]) -> None:
        self.terms = check_terms(terms)
        self.step = 0

    def __call__(
        self, logits: Tensor, target: Tensor, weight: Tensor, class_weight: Tensor | None = None
    ) -> Tensor:
        """Return the sum, a scalar."""
        total = logits.new_zeros((), dtype=logits.float().dtype)
        for term in self.terms:
            value = _CODE[term.name](logits, target, weight, class_weight, **term.params)
            total = total + term.weight * value
        return total


def combined(terms: Sequence[LossTerm] = (LossTerm(),)) -> Combined:
    """Return the sum of `terms` as one loss. Raises `ModelFileError` for one that is not known."""
    return Combined(terms)
