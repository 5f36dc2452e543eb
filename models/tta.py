"""Test-time augmentation: the mean of what a network says of several views of one image.

1 view is the image itself. 4: with both flips. 8: with the turns as well, all there is for a square
(the dihedral group). 24: six scales by four flips, after the winner of DFC2025 Track 1 (arXiv
2504.13458). Probabilities are averaged, not logits. What comes out for a flipped (with 8: or
turned) image is the flipped outcome, whatever the network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from models.networks import SegmentationNetwork

SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)


@dataclass(frozen=True)
class View:
    """One way of looking: scaled, turned by quarters to the left, then flipped."""

    scale: float = 1.0
    turns: int = 0
    down: bool = False
    across: bool = False

    def look(self, image: Tensor) -> Tensor:
        """Return an image [B, C, h, w] as it is seen. Pixels beside missing ones may go missing."""
        if self.scale != 1.0:
            size = [max(1, round(side * self.scale)) for side in image.shape[-2:]]
            image = F.interpolate(image, size, mode="bilinear", align_corners=False)
        return torch.flip(torch.rot90(image, self.turns, (-2, -1)), self._axes)

    def back(self, seen: Tensor, height: int, width: int) -> Tensor:
        """Return logits [B, K, ...] of the view on the image's own pixels, [B, K, h, w]."""
        image = seen
        if self.turns or self._axes:  # even turning by nothing would copy
            image = torch.rot90(torch.flip(seen, self._axes), -self.turns, (-2, -1))
        if self.scale != 1.0:
            size = (height, width)
            image = F.interpolate(image.float(), size, mode="bilinear", align_corners=False)
        return image

    @property
    def _axes(self) -> list[int]:
        return [axis for axis, flipped in ((-2, self.down), (-1, self.across)) if flipped]


_FLIPS = tuple(product((False, True), repeat=2))

BY_COUNT: dict[int, tuple[View, ...]] = {
    1: (View(),),
    4: tuple(View(down=d, across=a) for d, a in _FLIPS),
    8: tuple(View(turns=t, across=a) for t in range(4) for a in (False, True)),
    24: tuple(View(scale=s, down=d, across=a) for s in SCALES for d, a in _FLIPS),
}


def mean_probabilities(
    network: SegmentationNetwork, inputs: Mapping[str, Tensor], views: int = 1, *, half: bool
) -> Tensor:
    """Return the mean softmax of a network over views, float32 [B, K, h, w].

    `inputs` are raw, float32 [B, C, h, w] by modality, on the network's device. `half` computes
    in bfloat16 where that keeps the answer. Views are made one by one: memory does not grow.
    """
    first = next(iter(inputs.values()))
    height, width = first.shape[-2:]
    total = torch.zeros(())
    for number, view in enumerate(BY_COUNT[views]):
        seen = inputs if view == View() else {m: _packed(view.look(x)) for m, x in inputs.items()}
        with torch.autocast(first.device.type, torch.bfloat16, enabled=half):
            logits = network(seen)
        # One class after the other in memory, while they are still small: softmax is quickest so.
        planes = view.back(logits, height, width).contiguous()
        found = torch.softmax(planes, 1, dtype=torch.float32)
        total = total.add_(found) if number else found
    return total if views == 1 else total.div_(len(BY_COUNT[views]))


def _packed(image: Tensor) -> Tensor:
    return image.contiguous(memory_format=torch.channels_last)
