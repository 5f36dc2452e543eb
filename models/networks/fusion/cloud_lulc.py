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
from models.networks.fusion.semantics import (
    SemanticMapping,
    anchor_penalty,
    class_embedding,
    label_anchor,
)


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
        self.join = nn.Conv2d(3 * channels, channels, 1)
        self.mapping = SemanticMapping(channels, options["layers"]) if options["layers"] else None
        self.decoder = Decoder([*(2 * w for w in widths[:-1]), channels], widths, spec.classes)
        self.register_buffer("embedding", class_embedding(spec.classes, channels))

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return logits from normalised inputs in the order of the bands."""
        skips, latent = self._features(inputs)
        logits: Tensor = self.decoder([*skips, latent])
        return logits

    def learn(self, inputs: Mapping[str, Tensor], target: Tensor) -> Outputs:
        """Return logits, and the semantic anchor as a penalty.

        In some draws of a batch optical is taken away (option `drop`), so that the network also
        learns to do without.
        """
        height, width = target.shape[-2:]
        prepared = self._prepared(inputs)
        skips, latent = self._features(prepared, self._drawn(prepared[0]))
        logits = self.decoder([*skips, latent])[..., :height, :width]
        weight = self.spec.options["anchor"]
        if not weight:
            return Outputs(logits)
        size = (latent.shape[-2], latent.shape[-1])
        penalty = anchor_penalty(latent, *label_anchor(target, self.embedding, size))
        return Outputs(logits, penalties={"anchor": weight * penalty})

    def _features(
        self, inputs: list[Tensor], with_optical: Tensor | float = 1.0
    ) -> tuple[list[Tensor], Tensor]:
        """Return the joined features of the finer levels, and those of the deepest with meaning.

        `with_optical` [B, 1, 1, 1] is 0 where optical features are taken away. They are taken away
        after the encoder, whose batch norm must see only real pictures.
        """
        pictures = dict(zip(self.spec.bands, inputs, strict=True))
        clouded = pictures.pop("optical")
        seen: list[Tensor] = self.optical(clouded)
        gates = self.reliability(seen) if self.reliability is not None else None
        optical = modulated(seen, gates, has_data(clouded) * with_optical)
        through = self.through(torch.cat(list(pictures.values()), 1))
        kept, alone = self.into[0](optical[-1]), self.into[1](through[-1])
        helper = alone
        for block in self.blocks:
            kept, helper = block(kept, helper)
        latent = self.join(torch.cat([kept, helper, alone], 1))
        if self.mapping is not None:
            latent = self.mapping(latent)
        pairs = zip(optical[:-1], through[:-1], strict=True)
        return [torch.cat(pair, 1) for pair in pairs], latent

    def _drawn(self, like: Tensor) -> Tensor:
        """Return 1 for each draw that keeps its optical, 0 by the chance of option `drop`."""
        chance = self.spec.options["drop"] if self.training else 0.0
        return (torch.rand(len(like), 1, 1, 1, device=like.device) >= chance).float()
