"""What a model's card says of the labels and tiles behind it, as values of JSON."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.classes import Provenance
from models.sample import IGNORE, Sample
from models.splits import Split
from models.training_set import Choice, TrainingSet, by_name


def learnt_from(
    found: TrainingSet, choice: Choice, codes: Sequence[int], *, alike: bool = False
) -> dict[str, Any]:
    """Return what a model learnt from. `weights` are there only where pixels counted by them.

    `alike` says that the recipe counted every pixel of a weight above 0 alike.
    """
    weights = {p: w for p, w in choice.weights.items() if choice.corrected or p == UNTOUCHED}
    return {
        "versions": {str(key): version for key, version in found.versions.items()},
        "corrected_px": found.corrected_px,
        "class_px": seen_classes(found.samples, codes),
        "sha256": found.sha256,
        "left_out": found.left_out,
        "labels": choice.use,
        "as_they_came": not choice.corrected,
        **({"weights": by_name(weights)} if choice.use == "weighted" and not alike else {}),
        "max_cover": choice.max_cover,
    }


UNTOUCHED = Provenance.PSEUDO
"""All that a control learns from: labels as they came."""


def split_of(split: Split, held_out: Choice | None, watched: Sequence[Sample]) -> dict[str, Any]:
    """Return how a run was split: the tiles that were held out by id, and what was watched."""
    ids = () if held_out is None else held_out.tile_ids or ()
    return {"by": split, "held_out": list(ids), "watched": [sample.name for sample in watched]}


def seen_classes(samples: Sequence[Sample], codes: Sequence[int]) -> dict[str, int]:
    """Return by class code how many pixels of that class samples hold that count in training."""
    total = np.zeros(256, np.int64)
    for sample in samples:
        total += np.bincount(sample.label[sample.weight > 0], minlength=256)[:256]
    total[IGNORE] = 0
    return {str(code): int(total[index]) for index, code in enumerate(codes)}
