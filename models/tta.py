"""Test-time augmentation: the mean of what a network says of several views of one image.

1 view is the image itself. 4: with both flips. 8: with the turns as well, all there is for a square
(the dihedral group). 24: six scales by four flips, after the winner of DFC2025 Track 1 (arXiv
2504.13458). Probabilities are averaged, not logits. What comes out for a flipped (with 8: or
turned) image is the flipped outcome, whatever the network.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from models import planes
from models.networks import SegmentationNetwork
from models.planes import Planes

SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)

Take = Callable[[slice], Planes]
"""Gives some rows of the probabilities of an image, float32 [K, n, w], computed when asked for; the
caller may change them."""


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


def largest_scale(views: int) -> float:
    """Return how many times as large as the image the largest of so many views is."""
    return max(view.scale for view in BY_COUNT[views])


def mean_probabilities(
    network: SegmentationNetwork, inputs: Mapping[str, Tensor], views: int = 1, *, half: bool
) -> list[Take]:
    """Return, for each image of a batch, the mean softmax of a network over views.

    `inputs` are raw, float32 [B, C, h, w] by modality, on the network's device. `half` computes
    in bfloat16 where that keeps the answer. Views are made one by one: memory does not grow.
    """
    first = next(iter(inputs.values()))
    count, _, height, width = first.shape
    if views == 1:
        return [partial(_softmax, logits) for logits in _logits(network, inputs, View(), half)]
    total = planes.zeros((count, network.spec.classes, height, width), first.device)
    for view in BY_COUNT[views]:
        for added, logits in zip(total, _logits(network, inputs, view, half), strict=True):
            for rows in planes.strips(height, first.device):
                added[:, rows] += _softmax(logits, rows)
    return [partial(_mean, added, views) for added in total]


def _logits(
    network: SegmentationNetwork, inputs: Mapping[str, Tensor], view: View, half: bool
) -> Tensor:
    """Return logits [B, K, h, w] of a view, on the pixels of the inputs."""
    first = next(iter(inputs.values()))
    seen = inputs if view == View() else {m: _packed(view.look(x)) for m, x in inputs.items()}
    with torch.autocast(first.device.type, torch.bfloat16, enabled=half):
        logits = network(seen)
    return view.back(logits, *first.shape[-2:])


def _softmax(logits: Tensor, rows: slice) -> Planes:
    return planes.softmax(logits[:, rows])


def _mean(total: Planes, count: int, rows: slice) -> Planes:
    return total[:, rows] / count


def _packed(image: Tensor) -> Tensor:
    return image.contiguous(memory_format=torch.channels_last)
