"""What the steps of a recipe share: the data, the device, and one progress over all of them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import CloudbrushError
from models.networks import SegmentationNetwork
from models.objective import supervised
from models.sample import Sample
from models.train import Checkpoint, MakeObjective, Progress, Trained, train
from models.training.config import TrainConfig
from models.zoo import NETWORKS
from models.zoo.augment import Augment
from models.zoo.recipes import Recipe


def speechless(_: str) -> None:
    """Say nothing."""


@dataclass
class Run:
    """One run of a recipe. `unlabelled` are tiles whose labels are never looked at.

    `say` is told what goes on where no optimiser's step counts it.
    """

    recipe: Recipe
    settings: Mapping[str, Any]
    config: TrainConfig
    samples: Sequence[Sample]
    val: Sequence[Sample]
    unlabelled: Sequence[Sample]
    start: SegmentationNetwork | None
    report: Callable[[Progress], None]
    cancelled: Callable[[], bool]
    device: str
    checkpoint: Checkpoint | None = None
    say: Callable[[str], None] = speechless
    history: list[Progress] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.recipe.optimiser_steps(self.config.steps)

    def teach(
        self,
        number: int,
        config: TrainConfig,
        samples: Sequence[Sample],
        *,
        objective: MakeObjective = supervised,
        start: SegmentationNetwork | None = None,
        kept: bool = False,
    ) -> Trained:
        """Return what step `number` (from 0) of the recipe trains, on its share of the steps.

        Only the network that is `kept` is watched on the validation tiles; each step has a seed of
        its own. Raises `Cancelled` when asked to stop.
        """
        steps = self.counts[number]
        own = replace(config, steps=steps, seed=config.seed + number)
        if not kept:  # nothing is scored that could be the best
            own = replace(own, keep="last", patience=0)
        done, seconds = sum(self.counts[:number]), self.seconds
        total, began = sum(self.counts), time.monotonic()

        def report(point: Progress) -> None:
            rest = sum(self.counts[number + 1 :]) * (time.monotonic() - began) / point.step
            epochs = -(-total // config.validate_every)
            whole = replace(
                point,
                step=done + point.step,
                steps=total,
                epoch=-(-(done + point.step) // config.validate_every),
                epochs=epochs,
                seconds_left=point.seconds_left + rest,
            )
            self.history.append(whole)
            self.report(whole)

        result = train(
            own,
            samples,
            self.val if kept else (),
            objective=objective,
            start=start,
            report=report,
            cancelled=self.cancelled,
            device=self.device,
            checkpoint=self._checkpoint(number),
        )
        self.seconds = seconds + result.seconds
        return result

    def one_by_one(self, doing: str, samples: Sequence[Sample]) -> Iterator[Sample]:
        """Yield tiles, saying before each how far `doing` has come."""
        for number, sample in enumerate(samples, 1):
            self.say(f"{doing}: tile {number} of {len(samples)}")
            yield sample

    def _checkpoint(self, number: int) -> Checkpoint | None:
        """Return where a step is kept while it goes on: a file of its own beside the run's."""
        if self.checkpoint is None:
            return None
        path = self.checkpoint.path
        own = path.with_name(f"{path.stem}-step-{number + 1}{path.suffix}")
        return Checkpoint(own, seconds=self.checkpoint.seconds)

    def bands(self, *modalities: str) -> dict[str, int]:
        """Return the bands of some inputs; raises `CloudbrushError` where tiles lack one."""
        found = {m: images[0].shape[0] for m, images in self.samples[0].inputs.items()}
        lacking = [m for m in modalities if m not in found]
        if lacking:
            raise CloudbrushError(
                f"recipe {self.recipe.title}",
                found=f"tiles without {' and '.join(lacking)}",
                expected=f"tiles with {' and '.join(self.recipe.needs)}",
                todo="Choose another recipe, or more inputs.",
            )
        return {m: found[m] for m in modalities}

    def augments(self, *own: Augment) -> tuple[Augment, ...]:
        """Return what changes crops: a step's own, and what the form names beside the recipe's."""
        taken = {*self.recipe.augments, *(augment.name for augment in own)}
        return (*own, *(a for a in self.config.augments if a.name not in taken))

    def helper(self, network: str, *modalities: str, **changes: Any) -> TrainConfig:  # noqa: ANN401
        """Return the settings of a network that only helps.

        It has the options of the kept network where it is of the same kind, else the default ones.
        """
        bands = self.bands(*modalities)
        options = self.config.options if network == self.config.network else {}
        return replace(self.config, network=network, options=options, bands=bands, **changes)

    def kept_config(self, **changes: Any) -> TrainConfig:  # noqa: ANN401  # fields of the settings
        """Return the settings of the network that is kept, on the inputs that the recipe names.

        Raises `CloudbrushError` when that network needs other inputs.
        """
        wanted = self.recipe.inputs
        bands = self.bands(*wanted) if wanted else self.config.bands
        needs = NETWORKS[self.config.network].modalities
        if not set(needs) <= set(bands):
            raise CloudbrushError(
                f"recipe {self.recipe.title}",
                found=f"network {self.config.network}, which needs {' and '.join(needs)}",
                expected=f"a network that reads {' and '.join(bands)}",
                todo="Choose another network or recipe.",
            )
        return replace(self.config, bands=bands, **changes)
