"""CloudLULC-Net-style: optical held back where it cannot be trusted, then joined with SAR.

After CloudLULC-Net (arXiv 2606.17713), whose code is not published. Two encoders that share no
weights; reliability modulation of the optical features of every level; N blocks of spatial and
channel high-order interaction at the deepest level; a transformer; a decoder. Optical is one
branch; everything else (SAR, and height where there is some) sees through clouds and is the other.
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
from models.networks.fusion.interaction import ChannelInteraction, SpatialInteraction
from models.networks.fusion.reliability import Reliability, modulated
from models.networks.fusion.semantics import SemanticMapping, anchor_penalty, class_embedding


class CloudLulcStyle(SegmentationNetwork):
    """About 1.1 M parameters with optical and SAR at the default options."""

    embedding: Tensor

    def __init__(self, spec: NetworkSpec) -> None:
        options = spec.options
        widths: tuple[int, ...] = options["widths"]
        super().__init__(spec, stride=2 ** (len(widths) - 1))
        channels, deep = options["channels"], widths[-1]
        through = sum(count for name, count in spec.bands.items() if name != "optical")
        self.optical = Encoder(spec.bands["optical"], widths)
        self.through = Encoder(through, widths)
        self.reliability = Reliability(widths) if options["reliability"] else None
        self.into = nn.ModuleList(nn.Conv2d(deep, channels, 1) for _ in range(2))
        kinds = [("spatial", SpatialInteraction), ("channel", ChannelInteraction)]
        self.blocks = nn.ModuleList(
            kind(channels, options["order"])
            for _ in range(options["blocks"])
            for name, kind in kinds
            if options[name]
        )
        self.join = nn.Conv2d(2 * channels, channels, 1)
        self.mapping = SemanticMapping(channels, options["layers"]) if options["layers"] else None
        self.decoder = Decoder([*(2 * w for w in widths[:-1]), channels], widths, spec.classes)
        self.register_buffer("embedding", class_embedding(spec.classes, channels))

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return logits from normalised inputs in the order of the bands."""
        skips, latent = self._latent(inputs)
        logits: Tensor = self.decoder([*skips, latent])
        return logits

    def learn(self, inputs: Mapping[str, Tensor], target: Tensor) -> Outputs:
        """Return logits, and the semantic anchor as a penalty.

        In some draws of a batch optical is taken away (option `drop`), so that the network also
        learns what it must do without.
        """
        height, width = target.shape[-2:]
        prepared = self._with_drops(self._prepared(inputs))
        skips, latent = self._latent(prepared)
        logits = self.decoder([*skips, latent])[..., :height, :width]
        if not self.spec.options["anchor"]:
            return Outputs(logits)
        penalty = anchor_penalty(latent, target, self.embedding)
        return Outputs(logits, penalties={"anchor": self.spec.options["anchor"] * penalty})

    def _latent(self, inputs: list[Tensor]) -> tuple[list[Tensor], Tensor]:
        """Return the joined features of the finer levels, and those of the deepest with meaning."""
        pictures = dict(zip(self.spec.bands, inputs, strict=True))
        clouded = pictures.pop("optical")
        seen: list[Tensor] = self.optical(clouded)
        gates = self.reliability(seen) if self.reliability is not None else None
        optical = modulated(seen, gates, has_data(clouded))
        through = self.through(torch.cat(list(pictures.values()), 1))
        kept, helper = self.into[0](optical[-1]), self.into[1](through[-1])
        for block in self.blocks:
            kept, helper = block(kept, helper)
        latent = self.join(torch.cat([kept, helper], 1))
        if self.mapping is not None:
            latent = self.mapping(latent)
        pairs = zip(optical[:-1], through[:-1], strict=True)
        return [torch.cat(pair, 1) for pair in pairs], latent

    def _with_drops(self, inputs: list[Tensor]) -> list[Tensor]:
        """Return the inputs, optical missing in each draw with the chance of option `drop`."""
        chance = self.spec.options["drop"]
        if not self.training or not chance:
            return inputs
        names = list(self.spec.bands)
        optical = inputs[names.index("optical")]
        kept = torch.rand(len(optical), 1, 1, 1, device=optical.device) >= chance
        return [x * kept if name == "optical" else x for name, x in zip(names, inputs, strict=True)]
