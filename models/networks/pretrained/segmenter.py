"""From an encoder of tokens to a class per pixel: a small decoder, the same for all.

Tokens are 8 to 16 pixels wide and know no edges, so a shallow encoder of the raw image gives detail
at full, half and quarter resolution; the maps of the large encoder join it at an eighth. The
decoder is ours: the authors of the encoders publish none, or a different one each.
"""

from math import lcm

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.errors import ModelFileError
from models.networks.base import Decoder, Encoder, NetworkSpec, SegmentationNetwork
from models.networks.pretrained.blocks import most_side
from models.networks.pretrained.croma import Croma
from models.networks.pretrained.dofa import Dofa
from models.networks.pretrained.encoders import Prithvi, SoftConViT, TerraMind

DETAIL = (16, 32, 64)
"""Channels of the raw image's features at full, half and quarter resolution."""
JOIN = 2 ** len(DETAIL)


class TokenSegmenter(SegmentationNetwork):
    """Base: `encoder`, whose tensors have the names of the published file, and the decoder.

    `images` is how many inputs the encoder's attention looks at together.
    """

    def __init__(
        self,
        spec: NetworkSpec,
        encoder: nn.Module,
        patch: int,
        maps: int,
        width: int,
        *,
        images: int = 1,
    ) -> None:
        stride = lcm(patch, JOIN)
        super().__init__(spec, stride=stride, most_px=most_side(patch, images) // stride * stride)
        joined: int = spec.options["decoder"]
        self.encoder = encoder
        self.detail = Encoder(sum(spec.bands.values()), DETAIL)
        self.reduce = nn.Sequential(
            nn.Conv2d(maps * width, joined, 1, bias=False), nn.BatchNorm2d(joined), nn.GELU()
        )
        self.decoder = Decoder([*DETAIL, joined], [*DETAIL, joined], spec.classes)

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return logits from maps of the encoder and details of the image."""
        height, width = inputs[0].shape[-2:]
        maps = torch.cat(self.encoder(inputs), 1)
        deep = F.interpolate(
            self.reduce(maps), size=(height // JOIN, width // JOIN), mode="bilinear"
        )
        logits: Tensor = self.decoder([*self.detail(torch.cat(inputs, 1)), deep])
        return logits


def _shape(spec: NetworkSpec) -> tuple[int, int, int]:
    """Return width, depth and heads; raises `ModelFileError` where heads do not share a width."""
    width, depth, heads = (spec.options[key] for key in ("width", "depth", "heads"))
    if width % (16 * heads):
        raise ModelFileError(
            f"network {spec.name}, width",
            found=f"{width} with {heads} heads",
            expected=f"a multiple of {16 * heads}",
        )
    return width, depth, heads


def _maps_of(depth: int) -> int:
    return min(depth, 4)


class SoftConNetwork(TokenSegmenter):
    """On SoftCon's small ViT, patch 14."""

    def __init__(self, spec: NetworkSpec) -> None:
        width, depth, heads = _shape(spec)
        encoder = SoftConViT(sum(spec.bands.values()), width, depth, heads)
        super().__init__(spec, encoder, encoder.patch, _maps_of(depth), width)


class PrithviNetwork(TokenSegmenter):
    """On Prithvi-EO-2.0, patch 16, one date."""

    def __init__(self, spec: NetworkSpec) -> None:
        width, depth, heads = _shape(spec)
        encoder = Prithvi(sum(spec.bands.values()), width, depth, heads)
        super().__init__(spec, encoder, encoder.patch, _maps_of(depth), width)


class TerraMindNetwork(TokenSegmenter):
    """On TerraMind, patch 16, any inputs."""

    def __init__(self, spec: NetworkSpec) -> None:
        width, depth, heads = _shape(spec)
        encoder = TerraMind(spec.bands, width, depth, heads)
        maps = _maps_of(depth)
        super().__init__(spec, encoder, encoder.patch, maps, width, images=len(spec.bands))


class CromaNetwork(TokenSegmenter):
    """On CROMA, patch 8: SAR, optical or both."""

    def __init__(self, spec: NetworkSpec) -> None:
        if not set(spec.bands) <= {"optical", "sar"}:
            raise ModelFileError(
                f"network {spec.name}",
                found=f"inputs {', '.join(spec.bands)}",
                expected="optical, sar or both",
            )
        width: int = spec.options["width"]
        if width % 16:
            raise ModelFileError(
                f"network {spec.name}, width", found=str(width), expected="a multiple of 16"
            )
        encoder = Croma(spec.bands, width, spec.options["depth"])
        super().__init__(spec, encoder, encoder.patch, 2 * len(spec.bands) - 1, width)


RGB_NM, C_BAND_NM = (665, 560, 490), 3750
"""What bands are taken for when no wavelengths are given: red, green, blue; and SAR, for which the
authors give C-band a made-up 3.75 micrometres."""


class DofaNetwork(TokenSegmenter):
    """On DOFA, patch 16: any bands, by their wavelengths."""

    def __init__(self, spec: NetworkSpec) -> None:
        width, depth, heads = _shape(spec)
        encoder = Dofa(wavelengths(spec), width, depth, heads)
        super().__init__(spec, encoder, encoder.patch, _maps_of(depth), width)


def wavelengths(spec: NetworkSpec) -> tuple[int, ...]:
    """Return the wavelength of each band in nanometres, in the order of the inputs.

    Raises `ModelFileError` when there is not one per band, and none can be assumed.
    """
    given: tuple[int, ...] = spec.options["wavelengths_nm"]
    if not given:
        for modality, count in spec.bands.items():
            if modality == "sar":
                given += (C_BAND_NM,) * count
            elif modality == "optical" and count == len(RGB_NM):
                given += RGB_NM
    if len(given) != sum(spec.bands.values()):
        raise ModelFileError(
            f"network {spec.name}, wavelengths_nm",
            found=f"{len(given)} wavelengths for {spec.bands}",
            expected="one per band",
            todo="Give the wavelength of each band in nanometres; SAR of C-band counts as 3750.",
        )
    return given
