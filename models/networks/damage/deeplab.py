"""DeepLabV3+ as in the BRIGHT benchmark: both images joined, deepest features at 1/16."""

import torch
from torch import Tensor, nn

from models.networks.base import NetworkSpec
from models.networks.damage.base import DamageNetwork, conv_norm, resized, upsampled
from models.networks.damage.encoders import pyramid

LOW = 48


class Atrous(nn.Module):
    """Parallel views of a feature map: 1x1, 3x3 dilated by 6, 12 and 18, and the mean of all."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.views = nn.ModuleList(
            [conv_norm(channels, width, 1)]
            + [conv_norm(channels, width, dilation=rate) for rate in (6, 12, 18)]
        )
        # One value per image and channel: batch norm would fail with a batch of one.
        self.whole = nn.Sequential(nn.Conv2d(channels, width, 1), nn.ReLU(inplace=True))
        self.join = nn.Conv2d(5 * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return features [B, width, H, W]."""
        whole = self.whole(x.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[-2:])
        joined: Tensor = self.join(torch.cat([*(view(x) for view in self.views), whole], 1))
        return joined


class BrightDeepLab(DamageNetwork):
    """DeepLabV3+ with a ResNet whose last stage keeps its size, without dilation."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        width: int = spec.options["width"]
        self.encoder = pyramid(spec.options["encoder"], self.before + self.after)
        for part in self.encoder.body.layer4[0].modules():
            if isinstance(part, nn.Conv2d):
                part.stride = (1, 1)
        self.atrous = Atrous(self.encoder.channels[3], width)
        self.low = conv_norm(self.encoder.channels[0], LOW, 1)
        self.refine = nn.Sequential(conv_norm(width + LOW, width), conv_norm(width, width))
        self.head = nn.Conv2d(width, spec.classes, 1)

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return logits, made at 1/4 and brought up."""
        fine, _, _, deep = self.encoder(torch.cat(self.images(inputs), 1))
        low = self.low(fine)
        joined = torch.cat([resized(self.atrous(deep), low), low], 1)
        return upsampled(self.head(self.refine(joined)), 4)
