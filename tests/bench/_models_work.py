"""What one run of the benchmark of models does, and which of its numbers the tables show."""

from collections.abc import Callable, Mapping
from typing import Any

from core.classes import OPEN_EARTH_MAP_SAR
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
    """Train on two events of the damage demo; scores on the third."""
    found = _damage.run(asked["network"], asked.get("options", {}), asked["event"], seed, SECONDS)
    scores = found.scores[asked.get("finish", "pixels")]
    names = ("background", "intact", "damaged", "destroyed")
    return {
        "main": scores.miou,
        "shown": {
            "mIoU": scores.miou,
            **dict(zip(names, scores.iou, strict=True)),
            "localisation F1": scores.localisation_f1,
            "damage F1": scores.damage_f1,
            "buildings F1": scores.building_mean_f1,
            "buildings right": scores.buildings_right,
        },
        "steps": found.steps,
        "cpu_seconds": round(found.cpu_seconds, 1),
    }


WORK: dict[str, Callable[[Mapping[str, Any], int], Result]] = {
    "land cover": land_cover,
    "damage": damage,
}
