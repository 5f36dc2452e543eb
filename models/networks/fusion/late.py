"""Late fusion: a whole network per input, and their logits mixed.

The rival that keeps inputs apart until the end (Snoek et al. 2005 name the idea). With a gate,
each pixel's share of an input is learned from what all of them say; without, shares are equal. An
input without data at a pixel gets no share there.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.networks.base import (
    Decoder,
    Encoder,
    NetworkSpec,
    Outputs,
    SegmentationNetwork,
    has_data,
)

WITHOUT_DATA = -1e4
"""What the gate adds for an input without data: its share becomes 0, unless all are without."""


class LateFusion(SegmentationNetwork):
    """About 0.6 M parameters with two inputs at the default widths."""

    def __init__(self, spec: NetworkSpec) -> None:
        widths: tuple[int, ...] = spec.options["widths"]
        super().__init__(spec, stride=2 ** (len(widths) - 1))
        count = len(spec.bands)
        self.encoders = nn.ModuleList(Encoder(bands, widths) for bands in spec.bands.values())
        self.decoders = nn.ModuleList(Decoder(widths, widths, spec.classes) for _ in range(count))
        self.gate: nn.Module | None = None
        if spec.options["gate"]:
            inner = max(8, 4 * count)
            self.gate = nn.Sequential(
                nn.Conv2d(count * spec.classes, inner, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(inner, count, 1),
            )

    def head_parameters(self) -> list[nn.Parameter]:
        """Return weight and bias of the last layer of every input's network."""
        return [
            parameter
            for index in range(len(self.decoders))
            for parameter in self.get_submodule(f"decoders.{index}.head").parameters()
        ]

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return the mix of every input's logits."""
        return self._mixed(inputs, self._each(inputs))

    def learn(self, inputs: Mapping[str, Tensor], target: Tensor) -> Outputs:
        """Return the mix, and beside it one input's own logits, drawn by chance each time.

        A network that is only heard in the mix need not learn where another already knows.
        """
        height, width = target.shape[-2:]
        prepared = self._prepared(inputs)
        each = self._each(prepared)
        mixed = self._mixed(prepared, each)[..., :height, :width]
        if not self.spec.options["alone"]:
            return Outputs(mixed)
        drawn = int(torch.randint(len(each), ()))
        return Outputs(mixed, auxiliary={"classes": each[drawn][..., :height, :width]})

    def _each(self, inputs: list[Tensor]) -> list[Tensor]:
        parts = zip(self.encoders, self.decoders, inputs, strict=True)
        return [decoder(encoder(x)) for encoder, decoder, x in parts]

    def _mixed(self, inputs: list[Tensor], each: list[Tensor]) -> Tensor:
        missing = 1 - torch.cat([has_data(x) for x in inputs], 1)
        vote = missing * WITHOUT_DATA
        if self.gate is not None:
            vote = vote + self.gate(torch.cat(each, 1)).float()
        share = torch.softmax(vote, 1)
        return (torch.stack(each, 1) * share[:, :, None]).sum(1)
