"""What the damage networks share: which image is which, two heads, and a few blocks.

*Before* is the picture from before the event: the input "optical", joined with every further input
but "sar", for instance height. *After* is the input "sar". *Localisation* says where buildings are,
from before alone; the *damage head* gives background and the damage classes.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.base import NetworkSpec, Outputs, SegmentationNetwork

AFTER = "sar"


class DamageNetwork(SegmentationNetwork):
    """A network of an image before and one after. `before` and `after` are their band counts."""

    def __init__(self, spec: NetworkSpec, *, stride: int = 32) -> None:
        super().__init__(spec, stride=stride)
        self.after = spec.bands.get(AFTER, 0)
        self.before = sum(spec.bands.values()) - self.after

    def head_parameters(self) -> list[nn.Parameter]:
        """Return the weights of the last convolution."""
        return list(self.get_submodule("head").parameters())

    def images(self, inputs: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the images before and after from the inputs in the order of the bands."""
        named = dict(zip(self.spec.bands, inputs, strict=True))
        after = named.pop(AFTER)
        return torch.cat(list(named.values()), 1), after


class TwoHeads(DamageNetwork):
    """A network with localisation and damage head, which learns both.

    The option `combine` says what it predicts. "damage head": that head alone, as BRIGHT's scripts
    have it. "product": Y_loc * Y_clf, as its paper has it: background wherever localisation sees no
    building.
    """

    def head_parameters(self) -> list[nn.Parameter]:
        """Return the weights of the last convolution of each head."""
        return [*super().head_parameters(), *self.get_submodule("building_head").parameters()]

    def heads(self, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of localisation [B, 2, H, W] and of damage [B, K, H, W]."""
        raise NotImplementedError

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return the logits of the damage head, or of both heads together."""
        building, damage = self.heads(*self.images(inputs))
        return gated(building, damage) if self.spec.options["combine"] == "product" else damage

    def learn(self, inputs: Mapping[str, Tensor], target: Tensor) -> Outputs:
        """Return the damage head's logits, and those of localisation as "building"."""
        height, width = target.shape[-2:]
        building, damage = self.heads(*self.images(self._prepared(inputs)))
        return Outputs(damage[..., :height, :width], {"building": building[..., :height, :width]})


def gated(building: Tensor, damage: Tensor) -> Tensor:
    """Return logits [B, K, H, W] whose largest class is Y_loc * Y_clf.

    `building` [B, 2, H, W] and `damage` [B, K, H, W] are logits; class 0 is background in both.
    Where no building is seen, background gets the probability that localisation gives it and the
    rest is shared out as the damage head would.
    """
    where = torch.log_softmax(building, 1)
    which = torch.log_softmax(damage[:, 1:], 1)
    ground = torch.cat([where[:, :1], where[:, 1:] + which], 1)
    return torch.where(where[:, 1:] > where[:, :1], damage, ground)


def resized(x: Tensor, like: Tensor) -> Tensor:
    """Return `x` brought to the height and width of `like`, bilinear."""
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


def upsampled(x: Tensor, factor: int, *, corners: bool = False) -> Tensor:
    """Return `x` made `factor` times as large, bilinear."""
    return F.interpolate(x, scale_factor=float(factor), mode="bilinear", align_corners=corners)


def conv_norm(
    channels_in: int, channels_out: int, size: int = 3, *, dilation: int = 1, relu: bool = True
) -> nn.Sequential:
    """Return a convolution with batch norm and, unless told otherwise, ReLU."""
    padding = dilation * (size // 2)
    layers: list[nn.Module] = [
        nn.Conv2d(channels_in, channels_out, size, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(channels_out),
    ]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if relu else []))


class Residual(nn.Module):
    """Two 3x3 convolutions beside the identity, or beside a 1x1 convolution to other channels."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_norm(channels_in, channels_out), conv_norm(channels_out, channels_out, relu=False)
        )
        same = channels_in == channels_out
        self.beside = nn.Identity() if same else nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same height and width."""
        return F.relu(self.body(x) + self.beside(x))
