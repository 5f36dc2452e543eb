"""Co-teaching of Han et al. 2018 for pixels: two networks, each picks what the other learns.

Networks learn what is regular before they learn single mistakes, so pixels of small loss are more
likely right. A network that picked for itself would pile up its own mistakes; picked by the other
one, which started elsewhere, they are caught.
"""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks import SegmentationNetwork, build
from models.objective import Objective, Supervised, Tensors
from models.recipes.labelling import checked
from models.recipes.run import Run
from models.sample import IGNORE, Sample
from models.train import Trained
from models.training.config import TrainConfig

CHECKED = "checked"
"""The input that says which pixels people checked."""


class CoTeaching(Objective):
    """Two supervised networks on the same batch, each on the pixels that the other finds easy."""

    def __init__(
        self,
        network: SegmentationNetwork,
        class_weight: Tensor,
        config: TrainConfig,
        *,
        noise: float,
        ramp: float,
        by_class: bool,
    ) -> None:
        super().__init__()
        self.network, self.class_weight = network, class_weight
        with torch.random.fork_rng():
            torch.manual_seed(config.seed + 1)
            spec = network.spec
            self.peer = build(spec.name, spec.bands, spec.classes, spec.options)
        self.peer.to(class_weight.device)
        for modality in spec.bands:
            mean = getattr(network, f"mean_{modality}")
            self.peer.set_normalisation(modality, mean, getattr(network, f"std_{modality}"))
        self.both = nn.ModuleList([self.network, self.peer])
        self.first = Supervised(network, class_weight, config)
        self.second = Supervised(self.peer, class_weight, config)
        self.noise, self.by_class = noise, by_class
        self.ramp_steps = max(1.0, ramp * config.steps)
        self.step = 0

    @property
    def trained(self) -> nn.Module:
        """Return both networks."""
        return self.both

    @property
    def heads(self) -> list[nn.Parameter]:
        """Return the last layers of both networks: they learn at the same rates."""
        return [*self.network.head_parameters(), *self.peer.head_parameters()]

    @property
    def modalities(self) -> tuple[str, ...]:
        """Return the inputs of the networks and where people checked labels."""
        return (*self.network.spec.bands, CHECKED)

    @property
    def kept_share(self) -> float:
        """Return 1 - R(t): all pixels at first, 1 - noise from the end of the ramp on."""
        return 1 - self.noise * min(self.step / self.ramp_steps, 1.0)

    def forward(self, inputs: Tensors, label: Tensor, weight: Tensor, more: Tensors) -> Tensor:
        """Return the sum of both networks' losses on what each picked for the other."""
        images = {m: inputs[m] for m in self.network.spec.bands}
        sure = torch.nan_to_num(inputs[CHECKED][:, 0], nan=0.0) > 0.5
        first = self.first.network.learn(images, label)
        second = self.second.network.learn(images, label)
        by_first = self._easy(first.logits, label, weight) | sure
        by_second = self._easy(second.logits, label, weight) | sure
        return self.first.of(first, label, weight * by_second) + self.second.of(
            second, label, weight * by_first
        )

    def after_step(self, step: int) -> None:
        """Move on along the ramp."""
        self.step = step
        self.first.after_step(step)
        self.second.after_step(step)

    def memory(self) -> dict[str, Any]:
        """Return the place on the ramp."""
        return {"step": self.step}

    def remember(self, values: Mapping[str, Any]) -> None:
        """Take that over."""
        self.after_step(int(values["step"]))

    @torch.no_grad()
    def _easy(self, logits: Tensor, label: Tensor, weight: Tensor) -> Tensor:
        """Return bool [B, H, W]: the pixels of smallest loss, as many as are kept now."""
        losses = F.cross_entropy(logits.float(), label, ignore_index=IGNORE, reduction="none")
        counted = (label != IGNORE) & (weight > 0)
        if not self.by_class:
            return counted & (losses <= _limit(losses[counted], self.kept_share))
        easy = torch.zeros_like(counted)
        for k in torch.unique(label[counted]).tolist():
            here = counted & (label == k)
            easy |= here & (losses <= _limit(losses[here], self.kept_share))
        return easy


def _limit(losses: Tensor, share: float) -> Tensor:
    """Return the largest loss among the smallest `share` of losses [N]."""
    if not len(losses):
        return losses.new_zeros(())
    return losses.kthvalue(max(1, min(len(losses), round(share * len(losses)))))[0]


def co_teaching(run: Run) -> Trained:
    """Return the first of two networks that taught each other."""

    def objective(
        network: SegmentationNetwork, class_weight: Tensor, config: TrainConfig
    ) -> Objective:
        return CoTeaching(network, class_weight, config, **run.settings)

    samples = [_with_checked(sample) for sample in run.samples]
    return run.teach(1, run.kept_config(), samples, objective=objective, kept=True)


def _with_checked(sample: Sample) -> Sample:
    inputs = {**sample.inputs, CHECKED: [checked(sample)[None].astype("uint8")]}
    return Sample(
        inputs, sample.label, sample.weight, sample.name, sample.by_people, sample.checked
    )
