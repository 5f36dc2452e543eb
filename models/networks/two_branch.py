"""One encoder per modality and one decoder: for images that differ in kind and in date.

Optical before and SAR after an event share no statistics, so the encoders share no weights; their
features meet at every level of the decoder.
"""

import torch
from torch import Tensor, nn

from models.networks.base import Decoder, Encoder, NetworkSpec, SegmentationNetwork


class TwoBranch(SegmentationNetwork):
    """About 0.5 M parameters with two modalities at the default widths: 2 MB as float32."""

    def __init__(self, spec: NetworkSpec) -> None:
        widths: tuple[int, ...] = spec.options["widths"]
        super().__init__(spec, stride=2 ** (len(widths) - 1))
        self.encoders = nn.ModuleList(Encoder(count, widths) for count in spec.bands.values())
        self.decoder = Decoder([w * len(spec.bands) for w in widths], widths, spec.classes)

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return logits from features joined level by level."""
        branches = [encoder(x) for encoder, x in zip(self.encoders, inputs, strict=True)]
        logits: Tensor = self.decoder(
            [torch.cat(level, 1) for level in zip(*branches, strict=True)]
        )
        return logits
