"""The building-guided networks of the winner of DFC2025's damage track.

First buildings from the image before (`UFPN`), then damage (`UABCD`), then damage with the map of
buildings as a guide (`UABCDv2`). Source: arXiv 2505.04941.
"""

from collections.abc import Mapping
from typing import Self

import torch
from torch import Tensor, nn

from core.errors import ModelFileError
from models.networks.base import NetworkSpec, Outputs, SegmentationNetwork
from models.networks.damage.base import AFTER, DamageNetwork, conv_norm, resized, upsampled
from models.networks.damage.encoders import pyramid
from models.networks.damage.feature_pyramid import FeaturePyramid


class BuildingMap(nn.Module):
    """Logits [B, K, H, W] of an image before: encoder, narrow levels, feature pyramid."""

    def __init__(self, name: str, bands: int, classes: int, width: int) -> None:
        super().__init__()
        self.encoder = pyramid(name, bands)
        self.narrow = nn.ModuleList(
            conv_norm(count, width, relu=False) for count in self.encoder.channels
        )
        self.join = FeaturePyramid([width] * 4, width)
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits at the size of the image."""
        levels = [f(x) for f, x in zip(self.narrow, self.encoder(image), strict=True)]
        return upsampled(self.head(self.join(levels)), 4, corners=True)


class UFPN(SegmentationNetwork):
    """Buildings from the image before alone; an input "sar" is not looked at."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec, stride=32)
        seen = {m: count for m, count in spec.bands.items() if m != AFTER}
        self.seen = [m != AFTER for m in spec.bands]
        options = spec.options
        self.body = BuildingMap(
            options["encoder"], sum(seen.values()), spec.classes, options["width"]
        )

    def head_parameters(self) -> list[nn.Parameter]:
        """Return the last convolution's weights."""
        return list(self.body.head.parameters())

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return logits from the image before."""
        seen = [x for x, counts in zip(inputs, self.seen, strict=True) if counts]
        logits: Tensor = self.body(torch.cat(seen, 1))
        return logits


class UABCD(DamageNetwork):
    """Two encoders joined level by level, brought to 1/4 and classified; linear after them."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        name, width = spec.options["encoder"], spec.options["width"]
        self.of_before, self.of_after = pyramid(name, self.before), pyramid(name, self.after)
        self.joins = nn.ModuleList(
            nn.Sequential(
                conv_norm(2 * count, count, 1, relu=False), conv_norm(count, width, relu=False)
            )
            for count in self.of_before.channels
        )
        self.fuse = conv_norm(4 * width, width, relu=False)
        self.head = nn.Conv2d(width, spec.classes, 1)

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return logits from both images."""
        return self._damage(*self.images(inputs), None)

    def _damage(self, before: Tensor, after: Tensor, guide: Tensor | None) -> Tensor:
        """Return damage logits; `guide` [B, 1, H, W] from 0 to 1 strengthens what it covers."""
        levels = []
        pairs = zip(self.joins, self.of_before(before), self.of_after(after), strict=True)
        for level, (join, a, b) in enumerate(pairs):
            both = torch.cat([a, b], 1)
            if guide is not None:
                both = both * (1 + resized(guide, both))
            levels.append(upsampled(join(both), 2**level, corners=True) if level else join(both))
        return upsampled(self.head(self.fuse(torch.cat(levels, 1))), 4, corners=True)


class UABCDv2(UABCD):
    """UABCD guided by a map of buildings: F * (1 + mask) at all levels of both dates.

    The mask is the probability that the network's own building branch gives, so that prediction
    needs images only. No gradient of the damage loss flows into that branch: it learns buildings
    from the auxiliary output "building", or is held still by the option `hold_buildings` after
    `take_buildings`.
    """

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        options = spec.options
        self.held = bool(options["hold_buildings"])
        self.buildings = BuildingMap(
            options["building_encoder"], self.before, 2, options["width"]
        ).requires_grad_(not self.held)

    def take_buildings(self, trained: SegmentationNetwork) -> None:
        """Take over a trained `UFPN` of two classes as the building branch, and how it normalises.

        Raises `ModelFileError` when it has another size, other bands or other classes.
        """
        mine = {m: count for m, count in self.spec.bands.items() if m != AFTER}
        theirs = {m: count for m, count in trained.spec.bands.items() if m != AFTER}
        wanted = (mine, 2, self.spec.options["building_encoder"], self.spec.options["width"])
        options = trained.spec.options
        found = (theirs, trained.spec.classes, options.get("encoder"), options.get("width"))
        if not isinstance(trained, UFPN) or found != wanted:
            raise ModelFileError(
                "building branch",
                found=f"{trained.spec.name}: bands, classes, encoder, width {found}",
                expected=f"building_fpn with {wanted}",
            )
        self.buildings.load_state_dict(trained.body.state_dict())
        for modality in mine:
            mean = getattr(trained, f"mean_{modality}")
            self.set_normalisation(modality, mean, getattr(trained, f"std_{modality}"))

    def train(self, mode: bool = True) -> Self:  # torch's own signature
        """Set the mode of all but a branch that is held."""
        super().train(mode)
        if self.held:
            self.buildings.eval()
        return self

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return damage logits from both images, guided by the building branch."""
        return self._both(inputs)[1]

    def learn(self, inputs: Mapping[str, Tensor], target: Tensor) -> Outputs:
        """Return damage logits, and those of the building branch unless it is held."""
        height, width = target.shape[-2:]
        building, damage = self._both(self._prepared(inputs))
        own = {} if self.held else {"building": building[..., :height, :width]}
        return Outputs(damage[..., :height, :width], own)

    def _both(self, inputs: list[Tensor]) -> tuple[Tensor, Tensor]:
        before, after = self.images(inputs)
        building = self.buildings(before)
        guide = torch.softmax(building.detach(), 1)[:, 1:]
        return building, self._damage(before, after, guide)
