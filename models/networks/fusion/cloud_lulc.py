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
    CoarseHead,
    SemanticMapping,
    anchor_penalty,
    class_embedding,
)


class CloudLulcStyle(SegmentationNetwork):
    """About 1.3 M parameters with optical and SAR at the default options."""

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
        self.alone = CoarseHead(widths, spec.classes) if options["alone"] else None
        self.register_buffer("embedding", class_embedding(spec.classes, channels))

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        """Return logits from normalised inputs in the order of the bands."""
        skips, latent = self._joined(*self._branches(inputs))
        logits: Tensor = self.decoder([*skips, latent])
        return logits

    def learn(self, inputs: Mapping[str, Tensor], target: Tensor) -> Outputs:
        """Return logits, the semantic anchor as a penalty, and what is seen through clouds alone.

        In some draws of a batch optical is taken away (option `drop`). Where optical shows the
        class, little is left to learn for SAR, which then fails where it is needed: with option
        `alone` it learns by itself as well.
        """
        height, width = target.shape[-2:]
        optical, through = self._branches(self._with_drops(self._prepared(inputs)))
        skips, latent = self._joined(optical, through)
        outputs = Outputs(self.decoder([*skips, latent])[..., :height, :width])
        if self.alone is not None:
            outputs.auxiliary["classes"] = self.alone(through)[..., :height, :width]
        weight = self.spec.options["anchor"]
        if weight:
            outputs.penalties["anchor"] = weight * anchor_penalty(latent, target, self.embedding)
        return outputs

    def _branches(self, inputs: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return the features per level of optical, held back, and of all other inputs."""
        pictures = dict(zip(self.spec.bands, inputs, strict=True))
        clouded = pictures.pop("optical")
        seen: list[Tensor] = self.optical(clouded)
        gates = self.reliability(seen) if self.reliability is not None else None
        optical = modulated(seen, gates, has_data(clouded))
        return optical, self.through(torch.cat(list(pictures.values()), 1))

    def _joined(self, optical: list[Tensor], through: list[Tensor]) -> tuple[list[Tensor], Tensor]:
        """Return the joined features of the finer levels, and those of the deepest with meaning."""
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
