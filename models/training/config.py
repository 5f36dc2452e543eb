"""Every setting of a run, in one frozen record, stored in the model's card. Needs no torch.

Titles, bounds and sources of the numbers are in `models.zoo.training`.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import CloudbrushError, ModelFileError
from models.zoo.augment import Augment, augments_of, check_augments
from models.zoo.losses import LossTerm, check_terms, terms_of
from models.zoo.training import check_settings


@dataclass(frozen=True)
class TrainConfig:
    """Every setting of a run; stored in the model's card.

    A *step* is one update of the weights, from `accumulate` batches of `batch` crops on each
    process; an *epoch* is the time from one score on the watched samples to the next.
    """

    classes: int
    bands: dict[str, int]  # channels per modality
    network: str = "unet"
    options: dict[str, Any] = field(default_factory=dict)  # of the network, see models.zoo
    losses: tuple[LossTerm, ...] = (LossTerm(),)  # what is minimised, see models.zoo.losses
    auxiliary_weight: float = 0.4  # of further heads for the same classes
    building_weight: float = 1.0  # of a head for buildings
    building_losses: tuple[LossTerm, ...] = ()  # of that head; none: as `losses`
    augments: tuple[Augment, ...] = ()  # further changes of crops, see models.zoo.augment
    steps: int = 240
    validate_every: int = 40  # steps; also called an epoch
    batch: int = 8  # crops
    accumulate: int = 1  # batches per step
    crop_px: int = 192
    optimiser: str = "adamw"
    momentum: float = 0.9  # of SGD
    learning_rate: float = 2e-3  # the highest
    head_rate: float = 20.0  # times learning_rate for the last layer, where there is a start
    fresh_head_rate: float = 1.0  # the same without a start
    schedule: str = "cosine"  # after the warm-up
    warm_up: float = 0.1  # share of steps
    poly_power: float = 0.9
    drop_at: tuple[int, ...] = (50,)  # per cent of steps, of schedule "step"
    drop_to: float = 0.1  # times the rate before
    weight_decay: float = 1e-2
    decay_norms: bool = True  # whether norms and biases decay too
    clip_norm: float = 5.0  # longest gradient
    average: float = 0.0  # decay of the running average of weights that is kept; 0: none is
    keep: str = "last"  # or "best", by score on the watched samples
    patience: int = 0  # epochs without a better score until the run stops; 0: never
    class_balance: float = 0.25  # exponent of inverse class frequency; 0 counts pixels alike
    favour_people: float = 3.0  # a tile verified by people is drawn that many times as often
    flip: bool = True  # random flips and quarter turns
    mixed_precision: bool = True  # bfloat16 where the device is fast at it
    seed: int = 0

    def ends_epoch(self, step: int) -> bool:
        """Return whether the watched samples are scored after a step, counted from 1."""
        return step % self.validate_every == 0 or step == self.steps


def check_config(config: TrainConfig) -> None:
    """Raise `CloudbrushError`, naming the setting, unless a run with these settings can be made."""
    check_settings({f.name: getattr(config, f.name) for f in dataclasses.fields(config)}, "setting")
    check_terms(config.losses)
    check_augments(config.augments)
    if config.building_losses:
        check_terms(config.building_losses)
    if config.validate_every < 1:
        raise CloudbrushError(
            "setting validate_every", found=str(config.validate_every), expected="1 or more"
        )


def to_json(config: TrainConfig) -> str:
    """Return the settings as JSON; `of_json` gives an equal record back."""
    return json.dumps(dataclasses.asdict(config), sort_keys=True)


def of_json(text: str) -> TrainConfig:
    """Return the settings in a JSON text; raises `CloudbrushError` for anything else."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFileError("settings", found=str(error), expected="JSON") from error
    if not isinstance(values, dict):
        raise ModelFileError("settings", found=text[:80], expected="a table")
    return of_values(values)


def of_values(values: Mapping[str, Any]) -> TrainConfig:
    """Return the settings that a card holds under "config".

    What is missing takes its default: cards written before a setting was there still read. Raises
    `CloudbrushError` for an unknown setting or a value that does not fit.
    """
    known = {f.name for f in dataclasses.fields(TrainConfig)}
    if not set(values) <= known or not {"classes", "bands"} <= set(values):
        odd = sorted(set(values) - known) or sorted({"classes", "bands"} - set(values))
        raise ModelFileError("settings", found=f"{odd[0]!r}", expected="the settings of a run")
    read = dict(values)
    for name in ("losses", "building_losses"):
        if read.get(name):
            read[name] = terms_of(read[name])
    if read.get("augments"):
        read["augments"] = augments_of(read["augments"])
    read["options"] = _tuples(read.get("options", {}))
    config = TrainConfig(**_tuples(read))
    check_config(config)
    return config


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
