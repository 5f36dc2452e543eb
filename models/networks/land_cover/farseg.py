"""FarSeg: foreground classes stand out by how much each pixel relates to the scene as a whole.

Zheng et al. 2020, arXiv 2011.09766, from its formulas. A scene vector, pooled from the coarsest
features, is compared with the content at each level of a feature pyramid; the sigmoid of their
product weighs that level before a light decoder averages all levels at stride 4.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.base import NetworkSpec, SegmentationNetwork
from models.networks.land_cover.single_values import tolerate_single_values
from models.torchvision_shim import import_torchvision

STRIDES = (4, 8, 16, 32)


class FarSeg(SegmentationNetwork):
    """ResNet, feature pyramid, foreground-scene relation and decoder; inputs are joined."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec, stride=STRIDES[-1])
        import_torchvision()
        import timm

        options, bands = spec.options, sum(spec.bands.values())
        self.encoder = timm.create_model(
            options["encoder"], features_only=True, in_chans=bands, out_indices=(1, 2, 3, 4)
        )
        channels: list[int] = self.encoder.feature_info.channels()  # type: ignore[operator,union-attr]
        pyramid, width = options["pyramid"], options["width"]
        self.pyramid = Pyramid(channels, pyramid)
        self.relation = SceneRelation(channels[-1], pyramid)
        self.decoder = LightDecoder(pyramid, width, spec.classes)
        tolerate_single_values(self)

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return logits from the joined inputs."""
        features: list[Tensor] = self.encoder(torch.cat(inputs, 1))
        levels = self.relation(features[-1], self.pyramid(features))
        logits: Tensor = self.decoder(levels)
        return logits


class Pyramid(nn.Module):
    """Feature pyramid (Lin et al. 2017): 1x1 into one width, add from coarse to fine, 3x3."""

    def __init__(self, channels: list[int], width: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(count, width, 1) for count in channels)
        self.smooth = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in channels)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Return one tensor [B, width, h, w] per feature, finest first."""
        levels = [into(x) for into, x in zip(self.lateral, features, strict=True)]
        for i in range(len(levels) - 2, -1, -1):
            levels[i] = levels[i] + F.interpolate(levels[i + 1], size=levels[i].shape[-2:])
        return [out(x) for out, x in zip(self.smooth, levels, strict=True)]


class SceneRelation(nn.Module):
    """r = sigmoid(sum_c e * t), with scene embedding e and content t; returns r times content.

    Each level has its own embedding and encoders.
    """

    def __init__(self, scene_channels: int, width: int) -> None:
        super().__init__()
        self.scenes = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(scene_channels, width, 1),
                nn.ReLU(inplace=True),
                nn.Conv2d(width, width, 1),
            )
            for _ in STRIDES
        )
        self.contents = nn.ModuleList(_conv(width, width, 1) for _ in STRIDES)
        self.encoders = nn.ModuleList(_conv(width, width, 1) for _ in STRIDES)

    def forward(self, coarsest: Tensor, levels: list[Tensor]) -> list[Tensor]:
        """Return each level [B, width, h, w], weighed by its relation to the scene."""
        scene = F.adaptive_avg_pool2d(coarsest, 1)
        weighed = []
        for level, embed, content, encode in zip(
            levels, self.scenes, self.contents, self.encoders, strict=True
        ):
            relation = torch.sigmoid((embed(scene) * content(level)).sum(1, keepdim=True))
            weighed.append(relation * encode(level))
        return weighed


class LightDecoder(nn.Module):
    """Bring every level to stride 4 by convolving and doubling, average, classify, enlarge."""

    def __init__(self, channels: int, width: int, classes: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(_upward(channels, width, stride) for stride in STRIDES)
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, levels: list[Tensor]) -> Tensor:
        """Return logits at four times the height and width of the finest level."""
        fine = [level(x) for level, x in zip(self.levels, levels, strict=True)]
        logits: Tensor = self.head(torch.stack(fine).mean(0))
        return F.interpolate(logits, scale_factor=4.0, mode="bilinear", align_corners=False)


def _upward(channels: int, width: int, stride: int) -> nn.Sequential:
    doublings = (stride // STRIDES[0]).bit_length() - 1
    if not doublings:
        return _conv(channels, width, 3)
    steps: list[nn.Module] = []
    for index in range(doublings):
        steps.append(_conv(channels if index == 0 else width, width, 3))
        steps.append(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False))
    return nn.Sequential(*steps)


def _conv(channels: int, width: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel, padding=kernel // 2, bias=kernel == 1),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )
