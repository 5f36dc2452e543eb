"""A small U-Net with early fusion: all modalities joined into one image of n bands."""

from typing import ClassVar

import torch
from torch import Tensor

from models.networks.base import Decoder, Encoder, SegmentationNetwork


class UNet(SegmentationNetwork):
    """About 0.49 M parameters at the default widths: 2 MB as float32."""

    name: ClassVar[str] = "unet"
    default_widths: ClassVar[tuple[int, ...]] = (16, 32, 64, 128)

    def __init__(self, bands: dict[str, int], classes: int, widths: tuple[int, ...]) -> None:
        super().__init__(bands, classes, widths)
        self.encoder = Encoder(sum(bands.values()), widths)
        self.decoder = Decoder(widths, widths, classes)

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return logits from the joined bands."""
        logits: Tensor = self.decoder(self.encoder(torch.cat(inputs, 1)))
        return logits
