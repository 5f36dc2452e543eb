"""The table of training settings: their words, bounds and sources. Needs no torch.

Pages make their fields from it, requests and settings are checked against it. Defaults of a run are
those of `models.request.RetrainRequest` and `models.training.config.TrainConfig`; the one here is
what "off" or "plain" means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import JobError
from models.zoo.entry import Option

OPTIMISERS = ("adamw", "adam", "sgd")
SCHEDULES = ("cosine", "poly", "constant", "step")
KEEPS = ("last", "best")


@dataclass(frozen=True)
class Setting:
    """One setting of a run. `says` is one line for people; `source` is where it comes from."""

    title: str
    option: Option
    says: str
    source: str = "own"


SETTINGS: dict[str, Setting] = {
    "steps": Setting("Steps", Option(240, 1, 1_000_000), "Updates of the weights."),
    "batch": Setting("Crops per pass", Option(8, 1, 1024), "Memory and time grow with it."),
    "accumulate": Setting(
        "Passes per step",
        Option(1, 1, 256),
        "Gradients of so many batches are added before a step: a large batch in little memory.",
        "textbook",
    ),
    "crop_px": Setting("Crop, pixels", Option(192, 16, 4096), "Side of a crop."),
    "optimiser": Setting(
        "Optimiser",
        Option("adamw", choices=OPTIMISERS),
        "AdamW is the safe choice; SGD with momentum wants a rate about ten times as high.",
        "Loshchilov and Hutter 2017, arXiv 1711.05101; Kingma and Ba 2014, arXiv 1412.6980",
    ),
    "momentum": Setting("Momentum", Option(0.9, 0.0, 0.999), "Of SGD.", "FarSeg's recipe"),
    "learning_rate": Setting(
        "Learning rate", Option(2e-3, 0.0, 10.0), "The highest; the schedule goes down from it."
    ),
    "head_rate": Setting(
        "Rate of the last layer after a start",
        Option(20.0, 0.0, 1000.0),
        "Times the rate, where training goes on from a model.",
    ),
    "fresh_head_rate": Setting(
        "Rate of the last layer without a start",
        Option(1.0, 0.0, 1000.0),
        "Times the rate; 10 where the encoder comes with pretrained weights.",
        "DAFormer's recipe, arXiv 2111.14887",
    ),
    "schedule": Setting(
        "Schedule",
        Option("cosine", choices=SCHEDULES),
        "How the rate falls: as a half cosine, as a power, not at all, or in drops.",
        "cosine: Loshchilov and Hutter 2016, arXiv 1608.03983; poly: DeepLab, arXiv 1606.00915",
    ),
    "warm_up": Setting(
        "Warm-up",
        Option(0.1, 0.0, 1.0),
        "Share of the steps in which the rate climbs in a straight line.",
        "Goyal et al. 2017, arXiv 1706.02677",
    ),
    "poly_power": Setting("Power", Option(0.9, 0.1, 10.0), "Of poly.", "DeepLab"),
    "drop_at": Setting(
        "Drops at", Option((50,), 1, 99, lengths=(1, 9)), "Of step: per cent of the steps."
    ),
    "drop_to": Setting("Drops to", Option(0.1, 1e-4, 1.0), "Of step: times the rate before."),
    "weight_decay": Setting(
        "Weight decay", Option(1e-2, 0.0, 1.0), "Pulls weights towards zero.", "textbook"
    ),
    "decay_norms": Setting(
        "Decay of norms and biases",
        Option(True),
        "Whether weight decay pulls them too; published transformers say no.",
        "Swin, arXiv 2103.14030",
    ),
    "clip_norm": Setting(
        "Longest gradient",
        Option(5.0, 1e-3, 1e6),
        "A longer gradient is shortened to it.",
        "Pascanu et al. 2012, arXiv 1211.5063",
    ),
    "average": Setting(
        "Average of weights (EMA)",
        Option(0.0, 0.0, 0.99999),
        "The kept model is a running average of the weights; 0 keeps the weights themselves.",
        "Tarvainen and Valpola 2017, arXiv 1703.01780: min(1 - 1/(step + 1), decay)",
    ),
    "keep": Setting(
        "Keeps",
        Option("last", choices=KEEPS),
        "The model of the last step, or that of the best score on the watched tiles. The best of "
        "many looks is a little lucky on those tiles.",
    ),
    "patience": Setting(
        "Patience",
        Option(0, 0, 1000),
        "Stops after so many scores without a better one on the watched tiles; 0 never stops.",
        "Prechelt 1998, Early stopping - but when?",
    ),
    "auxiliary_weight": Setting(
        "Weight of further heads",
        Option(0.4, 0.0, 100.0),
        "Of a network's second head for the same classes, where it has one.",
        "PSPNet, arXiv 1612.01105; the Track 1 winner has 1",
    ),
    "building_weight": Setting(
        "Weight of the building head",
        Option(1.0, 0.0, 100.0),
        "Of a network's head that tells buildings from background, where it has one.",
        "BRIGHT's baselines",
    ),
    "class_balance": Setting(
        "Class balance",
        Option(0.25, 0.0, 1.0),
        "A class counts by its share of the pixels to the power of minus this, at most ten times.",
    ),
    "favour_people": Setting(
        "Where people were",
        Option(3.0, 0.0, 100.0),
        "A tile that people verified is drawn so many times as often as an untouched one.",
    ),
    "flip": Setting("Flips and turns", Option(True), "Random flips and quarter turns."),
    "mixed_precision": Setting(
        "Mixed precision",
        Option(True),
        "Computes in bfloat16 where the processor is fast at it; weights stay in float32.",
        "Micikevicius et al. 2017, arXiv 1710.03740",
    ),
    "seed": Setting("Seed", Option(0, 0, 2**31), "The same seed gives the same model."),
}


def check_settings(values: Mapping[str, Any], where: str) -> None:
    """Raise `JobError`, naming the setting, unless every value of the table is within bounds."""
    for name, setting in SETTINGS.items():
        if name in values and not setting.option.accepts(values[name]):
            raise JobError(
                f"{where}, {name}",
                found=repr(values[name])[:80],
                expected=setting.option.expected,
            )
