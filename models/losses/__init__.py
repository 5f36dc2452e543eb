"""Losses: what training makes small. Names, bounds and words are in `models.zoo.losses`.

Every loss is a function of (logits [B, K, H, W], target int64 [B, H, W] with 255 for void, weight
float [B, H, W], class weight [K] or None). A pixel of weight 0 is as void; a batch with nothing to
learn from gives zero with a gradient, never NaN.
"""

from collections.abc import Callable, Sequence

from torch import Tensor

from models.losses import pixels, regions
from models.losses.pixels import weighted_cross_entropy
from models.zoo.losses import LossTerm, check_terms

__all__ = ["Combined", "Loss", "LossTerm", "combined", "weighted_cross_entropy"]

Loss = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]

CODE: dict[str, Callable[..., Tensor]] = {
    "ce": weighted_cross_entropy,
    "lovasz": regions.lovasz,
    "dice": regions.dice,
    "focal": pixels.focal,
    "annealed_focal": pixels.annealed_focal,
    "symmetric_ce": pixels.symmetric_ce,
    "generalised_ce": pixels.generalised_ce,
    "bootstrap_soft": pixels.bootstrap_soft,
    "bootstrap_hard": pixels.bootstrap_hard,
}
"""The function behind each name of `models.zoo.losses.LOSSES`."""


class Combined:
    """The weighted sum of some losses. `step` is how far training is, for losses that anneal."""

    def __init__(self, terms: Sequence[LossTerm]) -> None:
        self.terms = check_terms(terms)
        self.step = 0

    def __call__(
        self, logits: Tensor, target: Tensor, weight: Tensor, class_weight: Tensor | None = None
    ) -> Tensor:
        """Return the sum, a scalar."""
        parts = [
            term.weight * CODE[term.name](logits, target, weight, class_weight, **self._of(term))
            for term in self.terms
        ]
        return sum(parts[1:], parts[0])

    def _of(self, term: LossTerm) -> dict[str, object]:
        anneals = {"step": self.step} if term.name == "annealed_focal" else {}
        return {**term.params, **anneals}


def combined(terms: Sequence[LossTerm] = (LossTerm(),)) -> Combined:
    """Return the sum of `terms` as one loss. Raises `ModelFileError` for one that is not known."""
    return Combined(terms)
