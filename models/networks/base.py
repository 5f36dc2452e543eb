"""What every network shares: its specification, its input normalisation, padding, and the blocks
of an encoder and a decoder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.errors import CloudbrushError, ModelFileError

MAX_BANDS = 64
MAX_CLASSES = 64


@dataclass(frozen=True)
class NetworkSpec:
    """Everything needed to build a network again: what a card stores.

    `options` holds every option of its entry in `models.zoo`, checked.
    """

    name: str
    bands: dict[str, int]
    classes: int
    options: dict[str, Any]


@dataclass
class Outputs:
    """What a network gives while it learns.

    `auxiliary` are further logits [B, K', h, w] by the name of what they predict: "classes" for
    the same classes, "building" for background and building; they may be coarser than the label.
    `penalties` are scalars to be added to the loss as they are.
    """

    logits: Tensor
    auxiliary: dict[str, Tensor] = field(default_factory=dict)
    penalties: dict[str, Tensor] = field(default_factory=dict)


def check_inputs(
    name: str, bands: Mapping[str, int], classes: int, modalities: Sequence[str]
) -> None:
    """Raise `ModelFileError` unless inputs and classes are sane to build a network for.

    The bounds keep a hostile card from asking for more memory than a machine has.
    """
    if not bands or not all(_int_within(count, 1, MAX_BANDS) for count in bands.values()):
        raise ModelFileError(
            "network bands", found=str(dict(bands)), expected=f"1 to {MAX_BANDS} per modality"
        )
    if len(bands) > 8 or not all(key.isidentifier() for key in bands):
        raise ModelFileError(
            "network bands", found=str(list(bands)), expected="up to 8 modalities with plain names"
        )
    if not set(modalities) <= set(bands):
        raise ModelFileError(
            f"network {name}",
            found=f"inputs {', '.join(bands)}",
            expected=f"{' and '.join(modalities)}",
            todo="Choose another network, or tiles with these inputs.",
        )
    if not _int_within(classes, 2, MAX_CLASSES):
        raise ModelFileError("network classes", found=str(classes), expected=f"2 to {MAX_CLASSES}")


def _int_within(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


class SegmentationNetwork(nn.Module):
    """Base of the networks: normalises, pads to a multiple of the deepest stride, crops back.

    A subclass is built from a spec whose options are settled, and implements `features_to_logits`
    on padded, normalised inputs. `stride` is what height and width are padded to a multiple of.
    `most_px` is the longest side that it takes at once, a multiple of the stride; None: any.
    Whoever gives it a larger image cuts that into windows (`models.scene`).
    """

    def __init__(self, spec: NetworkSpec, *, stride: int, most_px: int | None = None) -> None:
        super().__init__()
        self.spec, self.stride, self.most_px = spec, stride, most_px
        for modality, count in spec.bands.items():
            self.register_buffer(f"mean_{modality}", torch.zeros(count))
            self.register_buffer(f"std_{modality}", torch.ones(count))

    def on(self, device: str) -> Self:
        """Move to a device, with the memory layout that convolutions are fast in."""
        # torch's own signature of Module.to lacks the keyword.
        return self.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def set_normalisation(self, modality: str, mean: Tensor, std: Tensor) -> None:
        """Store mean and standard deviation per band, float32 [C], in the units of the input."""
        getattr(self, f"mean_{modality}").copy_(mean)
        getattr(self, f"std_{modality}").copy_(std.clamp_min(1e-6))

    def head_parameters(self) -> list[nn.Parameter]:
        """Return weight and bias of the last convolution, which turns features into logits."""
        return list(self.get_submodule("decoder.head").parameters())

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Return logits [B, K, H, W] from raw inputs float32 [B, C, H, W] by modality.

        A picture that is missing is left out, or NaN throughout; it counts as the mean of its
        bands, and a network that cares finds out by `has_data`. Raises `CloudbrushError` when
        every picture is left out.
        """
        height, width = self._reference(inputs).shape[-2:]
        return self.features_to_logits(self._prepared(inputs))[..., :height, :width]

    def learn(self, inputs: Mapping[str, Tensor], target: Tensor) -> Outputs:
        """Return logits and what else the loss is made of, in training only.

        `target` int64 [B, H, W] with 255 for void is there for penalties that look at the label;
        logits never depend on it. Override it together with `features_to_logits` where a network
        has auxiliary heads.
        """
        return Outputs(self(inputs))

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return logits from normalised inputs in the order of the specification's bands."""
        raise NotImplementedError

    def _prepared(self, inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """Return the inputs in the order of the bands, normalised and padded to the stride."""
        given = self._reference(inputs)
        height, width = given.shape[-2:]
        pad = (0, -width % self.stride, 0, -height % self.stride)
        return [
            F.pad(self._normalised(modality, inputs[modality]), pad, mode="replicate")
            if modality in inputs
            else given.new_zeros(
                (len(given), count, height + pad[3], width + pad[1]), dtype=torch.float32
            )
            for modality, count in self.spec.bands.items()
        ]

    def _reference(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Return a picture that is there, which tells how many there are and how large."""
        for modality in self.spec.bands:
            if modality in inputs:
                return inputs[modality]
        raise CloudbrushError(
            f"inputs of network {self.spec.name}",
            found=", ".join(inputs) or "none",
            expected=f"at least one of {', '.join(self.spec.bands)}",
        )

    def _normalised(self, modality: str, values: Tensor) -> Tensor:
        mean: Tensor = getattr(self, f"mean_{modality}")[:, None, None]
        std: Tensor = getattr(self, f"std_{modality}")[:, None, None]
        return torch.nan_to_num((values.float() - mean) / std, nan=0.0, posinf=0.0, neginf=0.0)


def has_data(picture: Tensor) -> Tensor:
    """Return float32 [B, 1, H, W]: 1 where a prepared input has data, 0 where it is missing.

    Normalisation turns missing pixels into exact zeros in all bands, which a measured pixel is only
    if it equals the mean of every band to the last bit.
    """
    return (picture != 0).any(1, keepdim=True).float()


def double_conv(channels_in: int, channels_out: int, *, dilation: int = 1) -> nn.Sequential:
    """Return two 3x3 convolutions with batch norm and ReLU; the second may be dilated."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels_out, channels_out, 3, padding=dilation, dilation=dilation, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


class Encoder(nn.Module):
    """Features from full resolution down, one level per width; the deepest sees twice as far."""

    def __init__(self, channels_in: int, widths: Sequence[int]) -> None:
        super().__init__()
        inputs = [channels_in, *widths[:-1]]
        last = len(widths) - 1
        self.levels = nn.ModuleList(
            double_conv(inputs[i], widths[i], dilation=2 if i == last else 1)
            for i in range(len(widths))
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return one tensor per level; level i is 2^i coarser."""
        features: list[Tensor] = []
        for index, level in enumerate(self.levels):
            x = level(x if index == 0 else F.max_pool2d(x, 2))
            features.append(x)
        return features


class Decoder(nn.Module):
    """Logits from the features of an encoder: up, join with the finer level, convolve."""

    def __init__(self, channels: Sequence[int], widths: Sequence[int], classes: int) -> None:
        """Take `channels` per level as they come in, and `widths` per level of the decoder."""
        super().__init__()
        below = [*widths[1:-1], channels[-1]]
        self.levels = nn.ModuleList(
            double_conv(below[i] + channels[i], widths[i]) for i in range(len(channels) - 1)
        )
        self.head = nn.Conv2d(widths[0], classes, 1)

    def forward(self, features: list[Tensor]) -> Tensor:
        """Return logits [B, K, H, W] at the resolution of the first feature."""
        x = features[-1]
        for level, skip in zip(reversed(self.levels), reversed(features[:-1]), strict=True):
            x = level(torch.cat([F.interpolate(x, scale_factor=2.0), skip], 1))
        logits: Tensor = self.head(x)
        return logits
