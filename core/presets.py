"""Scoring presets: how the mean IoU of a benchmark treats void, background and absent classes.

A preset decides the mean and nothing else. Scores of single classes are always taken over
labelled reference pixels, and an absent class has none.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core import metrics
from core.classes import ClassTable
from core.errors import NotFound


@dataclass(frozen=True)
class Preset:
    """The three switches of a mean IoU, and the same in words.

    `ignore_void`: unlabelled reference pixels never count; otherwise a class predicted there is a
    false alarm. `ignore_codes`: the same for the reference pixels of these classes.
    `exclude_from_mean`: these classes stay in the matrix but not in the mean.
    `absent`: a class without a reference pixel is left out of the mean, or counts as 0.
    """

    name: str
    title: str
    description: str
    ignore_void: bool = True
    ignore_codes: frozenset[int] = frozenset()
    exclude_from_mean: frozenset[int] = frozenset()
    absent: metrics.AbsentRule = "skip"

    def ignored_rows(self, classes: ClassTable) -> npt.NDArray[np.bool_]:
        """Return bool [K+1]: reference rows that never count."""
        marked = [code in self.ignore_codes for code in classes.codes]
        return np.array([*marked, self.ignore_void])

    def excluded(self, classes: ClassTable) -> npt.NDArray[np.bool_]:
        """Return bool [K]: classes left out of the mean; an ignored class cannot be in it."""
        left_out = self.exclude_from_mean | self.ignore_codes
        return np.array([code in left_out for code in classes.codes])

    def mean_iou(self, matrix: metrics.Matrix, classes: ClassTable) -> metrics.Scores:
        """Return the mean IoU under this preset; [...] for a matrix [..., K+1, K+1]."""
        counted = metrics.without_reference(matrix, self.ignored_rows(classes))
        values = metrics.iou(counted, void_counts=True)
        return metrics.mean(values, excluded=self.excluded(classes), absent=self.absent)

    def classes_in_mean(self, matrix: metrics.Matrix, classes: ClassTable) -> int:
        """Return how many classes the mean of one matrix [K+1, K+1] is taken over."""
        kept = ~self.excluded(classes)
        if self.absent == "skip":
            kept &= metrics.reference_pixels(matrix) > 0
        return int(kept.sum())


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "dfc25_t1",
            "DFC2025 Track 1",
            "Mean over the classes that occur in the reference. Unlabelled ground is not a class, "
            "but a class predicted on it counts as a false alarm.",
            ignore_void=False,
            exclude_from_mean=frozenset({0}),
        ),
        Preset(
            "dfc25_t1_void",
            "DFC2025 Track 1, void left out",
            "Mean over the classes that occur in the reference. Unlabelled ground is left out "
            "altogether. Differs from DFC2025 Track 1 only by what is predicted there.",
        ),
        Preset(
            "dfc25_t2",
            "DFC2025 Track 2 (BRIGHT)",
            "Mean over all classes, background included. A class that does not occur in the "
            "reference counts as 0, so an event without a class cannot reach 1.",
            absent="zero",
        ),
        Preset(
            "plain",
            "Plain",
            "Mean over the classes that occur in the reference; unlabelled ground is left out.",
        ),
    )
}


def preset(name: str) -> Preset:
    """Return the preset of that name; raises `NotFound`."""
    if name not in PRESETS:
        raise NotFound(f"scoring preset {name}", expected=f"one of {', '.join(PRESETS)}")
    return PRESETS[name]
