"""What one run of the benchmark of models does, and which of its numbers the tables show."""

from collections.abc import Callable, Mapping
from typing import Any

from core.classes import BRIGHT, OPEN_EARTH_MAP_SAR
from data.demo.damage import EVENTS
from models.zoo.losses import LossTerm
from tests.bench import _damage, _fusion
from tests.bench._models_rows import SECONDS

Result = dict[str, Any]


def land_cover(asked: Mapping[str, Any], seed: int) -> Result:
    """Train on the larger demo; scores by cloud level where several dates were learnt from."""
    given = dict(asked)
    network, options = given.pop("network"), given.pop("options", {})
    losses = given.pop("losses", None)
    if losses is not None:
        given["settings"] = {"losses": tuple(LossTerm(**term) for term in losses)}
    found = _fusion.run(network, options, seed, SECONDS, **given)
    levels = list(found.miou)
    clear, full = found.miou[levels[0]], found.miou[levels[-1]]
    if given.get("dates") == (0,):
        classes = [entry.name for entry in OPEN_EARTH_MAP_SAR.entries]
        by_class = dict(zip(classes, found.per_class[levels[0]], strict=True))
        main, shown = clear, {"mIoU": clear, **by_class}
    else:
        main = found.average
        shown = {"average": main, **found.miou, "lost": clear - full, "no optical": found.missing}
    return {
        "main": main,
        "shown": shown,
        "per_class": found.per_class,
        "steps": found.steps,
        "cpu_seconds": round(found.cpu_seconds, 1),
    }


def damage(asked: Mapping[str, Any], seed: int) -> Result:
    """Train on two events of the damage demo, score on the third: another one for each seed."""
    given = dict(asked)
    network, options = given.pop("network"), given.pop("options", {})
    event = EVENTS[seed % len(EVENTS)].name
    found = _damage.run(network, options, event, seed, SECONDS, **given)
    plain = found.scores["pixels"]
    names = [entry.name for entry in BRIGHT.entries]
    return {
        "main": plain.miou,
        "shown": {
            "mIoU": plain.miou,
            **dict(zip(names, plain.iou, strict=True)),
            "localisation F1": plain.localisation_f1,
            "damage F1": plain.damage_f1,
            "F1 by building": plain.building_mean_f1,
            "buildings right": plain.buildings_right,
            "mIoU, threshold vote": found.scores["threshold"].miou,
            "mIoU, majority vote": found.scores["majority"].miou,
        },
        "event": event,
        "steps": found.steps,
        "cpu_seconds": round(found.cpu_seconds, 1),
    }


WORK: dict[str, Callable[[Mapping[str, Any], int], Result]] = {
    "land cover": land_cover,
    "damage": damage,
}
