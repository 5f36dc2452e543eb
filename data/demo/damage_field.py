"""Who is hit: the force of an event over a town, and the damage class of each house.

*Force* is a field without unit; the houses under the most of it are destroyed, the next are
damaged. How many of each is a property of the event, so that every seed shows all classes.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.classes import LabelArray
from core.noise import Field, fractal
from data.demo.damage_town import Town
from data.demo.noise import coordinates

Hazard = Literal["earthquake", "wildfire", "flood", "explosion"]

INTACT, DAMAGED, DESTROYED = 1, 2, 3


@dataclass(frozen=True)
class Severity:
    """Shares of houses destroyed and damaged, and how much luck weighs against force."""

    destroyed: float
    damaged: float
    luck: float


SEVERITY: dict[Hazard, Severity] = {
    "earthquake": Severity(0.17, 0.22, 0.55),
    "wildfire": Severity(0.30, 0.08, 0.25),
    "flood": Severity(0.16, 0.20, 0.25),
    "explosion": Severity(0.20, 0.25, 0.25),
}


def force(hazard: Hazard, town: Town, rng: np.random.Generator) -> Field:
    """Return the force of the event, float32 [H, W], deviation about 1 over the town.

    Shaking varies with the soil, fire runs as a front through a part of town, water follows the
    river, a blast falls off around one point.
    """
    shape = town.ids.shape
    soil = fractal(rng, shape, 380)
    rows, cols = coordinates(shape)
    angle = rng.uniform(0, 2 * np.pi)
    if hazard == "flood":
        return np.asarray(1.5 - town.river_px / 90 + 0.3 * soil, np.float32)
    if hazard == "explosion":
        distance = np.hypot(rows - shape[0] * 0.55, cols - shape[1] * 0.45)
        return np.asarray(2.5 - 4 * distance / max(shape) + 0.3 * soil, np.float32)
    across = (rows / shape[0] - 0.5) * np.sin(angle) + (cols / shape[1] - 0.5) * np.cos(angle)
    if hazard == "wildfire":
        return np.asarray(2.2 - 6 * np.abs(across) + 0.9 * soil, np.float32)
    return np.asarray(soil + 1.2 * across, np.float32)


def damage_classes(
    hazard: Hazard, town: Town, field: Field, rng: np.random.Generator
) -> LabelArray:
    """Return uint8 [n + 1]: the damage class of each house id, 0 for id 0."""
    severity = SEVERITY[hazard]
    found = np.zeros(len(town.houses) + 1, np.uint8)
    if not town.houses:
        return found
    edges = np.array(field.shape) - 1
    middle = np.clip(np.array([house.centre for house in town.houses]).astype(int), 0, edges)
    weakness = rng.standard_normal(len(middle)) * severity.luck
    score = field[middle[:, 0], middle[:, 1]] + weakness
    order = np.argsort(-score, kind="stable")
    last_destroyed = round(severity.destroyed * len(order))
    last_damaged = last_destroyed + round(severity.damaged * len(order))
    grades = np.full(len(order), INTACT, np.uint8)
    grades[order[:last_destroyed]] = DESTROYED
    grades[order[last_destroyed:last_damaged]] = DAMAGED
    found[1:] = grades
    return found


def hit_area(hazard: Hazard, town: Town, field: Field, grades: LabelArray) -> npt.NDArray[np.bool_]:
    """Return bool [H, W]: ground that burnt or was covered with mud; nothing for other events."""
    hit = grades[town.ids[town.ids > 0]] >= DAMAGED
    if hazard not in ("wildfire", "flood") or not hit.any():
        return np.zeros(field.shape, np.bool_)
    level = np.quantile(field[town.ids > 0][hit], 0.15)
    return np.asarray(field > level, np.bool_)
