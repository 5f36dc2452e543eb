"""Every setting of a run, in one frozen record, stored in the model's card. Needs no torch."""

from dataclasses import dataclass, field
from typing import Any

from models.zoo.augment import Augment
from models.zoo.losses import LossTerm


@dataclass(frozen=True)
class TrainConfig:
    """Every setting of a run; stored in the model's card."""

    classes: int
    bands: dict[str, int]  # channels per modality
    network: str = "unet"
    options: dict[str, Any] = field(default_factory=dict)  # of the network, see models.zoo
    losses: tuple[LossTerm, ...] = (LossTerm(),)  # what is minimised, see models.zoo.losses
    auxiliary_weight: float = 0.4  # of further heads for the same classes, as in PSPNet
    building_weight: float = 1.0  # of a head for buildings, as BRIGHT's baselines have it
    building_losses: tuple[LossTerm, ...] = ()  # of that head; none: as `losses`
    augments: tuple[Augment, ...] = ()  # see models.zoo.augment
    steps: int = 240  # batches
    validate_every: int = 40  # steps; also called an epoch
    batch: int = 8  # crops
    crop_px: int = 192
    learning_rate: float = 2e-3  # peak; warms up, then falls as a cosine to zero
    head_rate: float = 20.0  # times learning_rate for the last layer, where there is a start
    warm_up: float = 0.1  # share of steps
    weight_decay: float = 1e-2
    class_balance: float = 0.25  # exponent of inverse class frequency; 0 counts pixels alike
    favour_people: float = 3.0  # a tile verified by people is drawn that many times as often
    flip: bool = True  # random flips and quarter turns
    mixed_precision: bool = True  # bfloat16 where the device is fast at it
    seed: int = 0
