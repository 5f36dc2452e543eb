"""The two U-Nets of the BRIGHT benchmark: inputs joined, and one encoder per image."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.base import NetworkSpec
from models.networks.damage.base import DamageNetwork


def block(channels_in: int, channels_out: int) -> nn.Sequential:
    """Return twice a 3x3 convolution with bias, batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=1),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels_out, channels_out, 3, padding=1),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


class Levels(nn.Module):
    """A block per width, each at half of the size of the one before."""

    def __init__(self, bands: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            block(a, b) for a, b in zip([bands, *widths], widths, strict=False)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the features of all levels, finest first."""
        found: list[Tensor] = []
        for level, layer in enumerate(self.blocks):
            x = layer(x if level == 0 else F.max_pool2d(x, 2))
            found.append(x)
        return found


class BrightUNet(DamageNetwork):
    """The U-Net of the BRIGHT benchmark: 31 M parameters at the published widths."""

    def __init__(self, spec: NetworkSpec) -> None:
        widths: tuple[int, ...] = spec.options["widths"]
        super().__init__(spec, stride=2 ** (len(widths) - 1))
        self.encoder = Levels(self.before + self.after, widths)
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(deep, fine, 2, stride=2) for deep, fine in pairs
        )
        self.blocks = nn.ModuleList(block(2 * fine, fine) for _, fine in pairs)
        self.head = nn.Conv2d(widths[0], spec.classes, 1)

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return logits from both images joined."""
        *skips, x = self.encoder(torch.cat(self.images(inputs), 1))
        for up, layer, skip in zip(self.ups, self.blocks, skips[::-1], strict=True):
            x = layer(torch.cat([skip, up(x)], 1))
        logits: Tensor = self.head(x)
        return logits


class ChannelAttention(nn.Module):
    """x + x * (f(GAP(r)) + g(GMP(r))): a decoder feature r says which channels of x count."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.by_mean, self.by_maximum = (self._gate(channels) for _ in range(2))

    @staticmethod
    def _gate(channels: int) -> nn.Sequential:
        narrow = max(1, channels // 8)
        return nn.Sequential(
            nn.Conv2d(channels, narrow, 1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(narrow, channels, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor, r: Tensor) -> Tensor:
        """Return `x` with its channels weighed; both [B, C, H, W]."""
        mean: Tensor = self.by_mean(r.mean((2, 3), keepdim=True))
        maximum: Tensor = self.by_maximum(r.amax((2, 3), keepdim=True))
        return x + x * (mean + maximum)


class SiamAttnUNet(DamageNetwork):
    """Two U-Net encoders that share nothing, and channel attention on the skips.

    61 M parameters at the published widths.
    """

    def __init__(self, spec: NetworkSpec) -> None:
        widths: tuple[int, ...] = spec.options["widths"]
        super().__init__(spec, stride=2 ** (len(widths) - 1))
        self.of_before, self.of_after = Levels(self.before, widths), Levels(self.after, widths)
        self.joins = nn.ModuleList(nn.Conv2d(2 * w, w, 1) for w in widths)
        finer = widths[-2::-1]
        deeper = [widths[-1], *(2 * w for w in finer[:-1])]  # after a join with the skip
        self.ups = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(a, b, 4, stride=2, padding=1), block(b, b))
            for a, b in zip(deeper, finer, strict=True)
        )
        self.attention = nn.ModuleList(ChannelAttention(w) for w in finer)
        self.last = block(2 * widths[0], widths[0])
        self.head = nn.Conv2d(widths[0], spec.classes, 1)

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return logits from the images' features, joined level by level."""
        before, after = self.images(inputs)
        pairs = zip(self.joins, self.of_before(before), self.of_after(after), strict=True)
        *skips, x = [join(torch.cat([a, b], 1)) for join, a, b in pairs]
        for up, attend, skip in zip(self.ups, self.attention, skips[::-1], strict=True):
            r = up(x)
            x = torch.cat([attend(skip, r), r], 1)
        logits: Tensor = self.head(self.last(x))
        return logits
