"""Scoring presets: the rules of a benchmark as three switches that know nothing of each other.

1. `ignore_codes`: pixels whose *reference* has one of these codes never count. A prediction of them
   on other ground is wrong; no pixel is dropped for what was predicted.
2. `exclude_from_mean`: classes that stay in the matrix, where they can be hit and missed, but not
   in the mean over classes.
3. `absent_class`: a class that is not there is left out of the mean, or counts as 0. What "not
   there" means is said by `absent_test`.

`docs/scoring.md` says where each preset comes from, and what of it is inferred or not published.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core import bright, metrics
from core.classes import ClassTable
from core.errors import NotFound
from core.metrics import AbsentRule, AbsentTest, Matrix, Scores

UNLABELLED = -1
"""Stands in `ignore_codes` for pixels without a class, whatever code a dataset gives them."""


@dataclass(frozen=True)
class Preset:
    """The rules of one benchmark.

    `absent_recall` is the third switch for mean class accuracy, where a benchmark treats it in
    another way than its mean IoU. `headline` names the figures (`FIGURES`) that the benchmark
    reports, `lead` the one that comparisons turn on. `source` says where the rules come from.
    """

    name: str
    title: str
    source: str
    ignore_codes: frozenset[int] = frozenset({UNLABELLED})
    exclude_from_mean: frozenset[int] = frozenset()
    absent_class: AbsentRule = "skip"
    absent_test: AbsentTest = "reference"
    absent_recall: AbsentRule = "skip"
    headline: tuple[str, ...] = ("miou",)
    lead: str = "miou"
    per_patch: bool = False

    @property
    def description(self) -> str:
        """Return the three switches in words, and where they come from."""
        return f"{self.rule} {self.source}"

    @property
    def rule(self) -> str:
        """Return the three switches in words."""
        unlabelled = (
            "Unlabelled reference pixels are ignored."
            if UNLABELLED in self.ignore_codes
            else "Nothing is ignored: a class predicted on unlabelled ground is a false alarm."
        )
        codes = _codes_in_words(self.ignore_codes - {UNLABELLED})
        ignored = f"{unlabelled} Reference pixels of {codes} are ignored." if codes else unlabelled
        excluded = _codes_in_words(self.exclude_from_mean)
        kept = f"Left out of the mean: {excluded}." if excluded else "No class is left out."
        what = (
            "without a reference pixel"
            if self.absent_test == "reference"
            else "that neither the reference nor the map has"
        )
        absent = "is left out of the mean" if self.absent_class == "skip" else "counts as 0"
        recall = "" if self.absent_recall == self.absent_class else self._recall_rule()
        return f"{ignored} {kept} A class {what} {absent}{recall}."

    def _recall_rule(self) -> str:
        how = "left out" if self.absent_recall == "skip" else "counted as 0"
        return f" (in mean class accuracy it is {how})"

    @property
    def void_counts(self) -> bool:
        """Return whether a class predicted on unlabelled ground is a false alarm."""
        return UNLABELLED not in self.ignore_codes

    def counted(self, matrix: Matrix, classes: ClassTable) -> Matrix:
        """Return a copy of [..., K+1, K+1] in which ignored reference pixels never counted."""
        marked = [code in self.ignore_codes for code in classes.codes]
        void = not self.void_counts or classes.void_code in self.ignore_codes
        return metrics.without_reference(matrix, np.array([*marked, void]))

    def excluded(self, classes: ClassTable) -> npt.NDArray[np.bool_]:
        """Return bool [K]: classes left out of the mean; an ignored class cannot be in it."""
        left_out = self.exclude_from_mean | self.ignore_codes
        return np.array([code in left_out for code in classes.codes])

    def iou(self, matrix: Matrix, classes: ClassTable) -> Scores:
        """Return IoU per class by the first switch, [..., K]; NaN where the class is absent."""
        counted = self.counted(matrix, classes)
        return metrics.iou(counted, void_counts=self.void_counts, absent=self.absent_test)

    def f1(self, matrix: Matrix, classes: ClassTable) -> Scores:
        """Return F1 per class by the first switch, [..., K]; NaN where the class is absent."""
        counted = self.counted(matrix, classes)
        return metrics.f1(counted, void_counts=self.void_counts, absent=self.absent_test)

    def mean(self, values: Scores, classes: ClassTable) -> Scores:
        """Return the mean over classes of [..., K] by the other two switches, [...]."""
        return metrics.mean(values, excluded=self.excluded(classes), absent=self.absent_class)

    def mean_iou(self, matrix: Matrix, classes: ClassTable) -> Scores:
        """Return the mean IoU under this preset; [...] for a matrix [..., K+1, K+1]."""
        return self.mean(self.iou(matrix, classes), classes)

    def figure(self, name: str, matrix: Matrix, classes: ClassTable) -> Scores:
        """Return one of `FIGURES` under this preset; [...] for a matrix [..., K+1, K+1]."""
        return FIGURES[name].score(self, matrix, classes)

    def lead_score(self, matrix: Matrix, classes: ClassTable) -> Scores:
        """Return the figure that comparisons turn on, [...]."""
        return self.figure(self.lead, matrix, classes)

    def in_mean(self, matrix: Matrix, classes: ClassTable) -> npt.NDArray[np.bool_]:
        """Return bool [K]: the classes that the mean of one matrix [K+1, K+1] is taken over."""
        kept = ~self.excluded(classes)
        if self.absent_class == "skip":
            kept &= np.isfinite(self.iou(matrix, classes))
        return kept

    def classes_in_mean(self, matrix: Matrix, classes: ClassTable) -> int:
        """Return how many classes the mean of one matrix [K+1, K+1] is taken over."""
        return int(self.in_mean(matrix, classes).sum())

    def mean_in_words(self, matrix: Matrix, classes: ClassTable) -> str:
        """Return which classes of one matrix are not in its mean, or are in it with 0, and why.

        Where the two tests of absence disagree, the mean under the other one is given too.
        """
        counted = self.counted(matrix, classes)
        none = ~(metrics.reference_pixels(counted) > 0) & ~self.excluded(classes)
        kept = self.classes_in_mean(matrix, classes)
        parts = [f"Mean over {kept} of {len(classes.codes)} classes"]
        out = _names(classes, self.excluded(classes))
        if out:
            parts.append(f"{out} left out by the rules")
        if none.any():
            zero = none & self.in_mean(matrix, classes)
            for marked, how in ((none & ~zero, "left out"), (zero, "counted as 0")):
                if marked.any():
                    parts.append(f"{_names(classes, marked)} not in the reference, {how}")
        return "; ".join(parts) + self._other_test(counted, none, classes) + "."

    def _other_test(self, counted: Matrix, none: npt.NDArray[np.bool_], classes: ClassTable) -> str:
        other: AbsentTest = "either" if self.absent_test == "reference" else "reference"
        values = metrics.iou(counted, void_counts=self.void_counts, absent=other)
        false = none & (np.asarray(counted.sum(-2), np.float64)[:-1] > 0)
        if self.absent_class == "zero" or not false.any():
            return ""
        how = "counted as 0" if other == "either" else "left out"
        mean = float(self.mean(values, classes))
        return f"; {_names(classes, false)} predicted all the same: {how}, mIoU is {mean:.3f}"


@dataclass(frozen=True)
class Figure:
    """A score of a whole matrix: its title, and how a preset takes it; [...] from [..., n, n]."""

    title: str
    score: Callable[[Preset, Matrix, ClassTable], Scores]


def _recalls(preset: Preset, matrix: Matrix, classes: ClassTable) -> Scores:
    values = metrics.recall(preset.counted(matrix, classes))
    excluded = preset.excluded(classes)
    return metrics.mean(values, excluded=excluded, absent=preset.absent_recall)


FIGURES: dict[str, Figure] = {
    "miou": Figure("mIoU", lambda p, m, c: p.mean_iou(m, c)),
    "mean_f1": Figure("mean F1", lambda p, m, c: p.mean(p.f1(m, c), c)),
    "overall_accuracy": Figure(
        "overall accuracy", lambda p, m, c: metrics.overall_accuracy(p.counted(m, c))
    ),
    "average_accuracy": Figure("mean class accuracy", _recalls),
    "kappa": Figure("kappa", lambda p, m, c: metrics.kappa(p.counted(m, c))),
    "fw_iou": Figure(
        "weighted IoU", lambda p, m, c: metrics.frequency_weighted_iou(p.counted(m, c))
    ),
    "location_f1": Figure("location F1", lambda p, m, c: bright.location_f1(m)),
    "damage_f1": Figure("damage F1", lambda p, m, c: bright.damage_f1(m)),
    "damage_f1_present": Figure(
        "damage F1 (present classes)",
        lambda p, m, c: metrics.harmonic_mean(metrics.damage_f1(m)),
    ),
    "merged_f1": Figure("merged F1", lambda p, m, c: metrics.localisation(m)["f1"]),
}
"""Every score of a whole matrix. Those of damage and the merged F1 read class 0 as background."""

GENERAL = ("miou", "mean_f1", "overall_accuracy", "average_accuracy", "kappa", "fw_iou")


OF_DAMAGE = ("location_f1", "damage_f1", "damage_f1_present")


def figures_shown(preset: Preset, *, damage: bool) -> list[str]:
    """Return the figures to show: those of the benchmark first, then the rest that have a sense."""
    names = dict.fromkeys([*preset.headline, *OF_DAMAGE, *GENERAL])
    return [name for name in names if damage or name not in OF_DAMAGE]


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "dfc25_t1",
            "DFC2025 Track 1",
            "After the public baseline; the rules of the contest's server are not published.",
            ignore_codes=frozenset(),
            exclude_from_mean=frozenset({0}),
        ),
        Preset(
            "dfc25_t1_void",
            "DFC2025 Track 1, void left out",
            "Reads code 0 as void, which is inferred. It differs from DFC2025 Track 1 only by what "
            "is predicted on unlabelled ground.",
        ),
        Preset(
            "dfc25_t2",
            "DFC2025 Track 2 (BRIGHT)",
            "After BRIGHT's evaluation code. Background is one of the classes, and an event "
            "without a class cannot reach 1.",
            absent_class="zero",
            absent_test="either",
            absent_recall="zero",
            headline=("miou", "location_f1", "damage_f1", "damage_f1_present", "overall_accuracy"),
        ),
        Preset(
            "dfc2020",
            "DFC2020",
            "Savanna (3) and snow (8) are not among the contest's 8 classes. Mean class accuracy "
            "is what the contest ranked by; mean IoU is the baseline's.",
            exclude_from_mean=frozenset({3, 8}),
            absent_class="zero",
            headline=("average_accuracy", "miou"),
            lead="average_accuracy",
        ),
        Preset(
            "cloudlulc",
            "CloudLULC-Set",
            "That absent classes are left out, and that F1 is a mean over classes, is inferred; "
            "the benchmark's cloud levels are not published.",
            headline=("overall_accuracy", "mean_f1", "miou"),
        ),
        Preset(
            "landcover_ai",
            "LandCover.ai",
            "Background is one of the classes, as in the published mean.",
        ),
        Preset(
            "kuro_siwo",
            "Kuro Siwo",
            "Code 3 is invalid ground. Merged F1 takes permanent water and flood as one class.",
            headline=("mean_f1", "miou", "merged_f1"),
        ),
        Preset(
            "bigearthnet_map",
            "BigEarthNet, reference map",
            "Land cover codes without a class are unlabelled. Mean IoU is inferred: the papers "
            "report scores of whole patches.",
        ),
        Preset(
            "oam_tcd",
            "OAM-TCD",
            "Tree canopy alone is scored; background can be hit and missed.",
            exclude_from_mean=frozenset({0}),
            headline=("overall_accuracy", "mean_f1", "miou"),
        ),
        Preset(
            "patch_labels",
            "Labels of whole patches",
            "One count per patch instead of one per pixel.",
            ignore_codes=frozenset(),
            headline=("overall_accuracy", "kappa", "mean_f1"),
            lead="overall_accuracy",
            per_patch=True,
        ),
        Preset(
            "patch_lists",
            "Lists of classes of whole patches",
            "F1 of each class over the patches, and their mean: a class that a patch has not is "
            "a false alarm where it is predicted.",
            ignore_codes=frozenset(),
            headline=("mean_f1",),
            lead="mean_f1",
            per_patch=True,
        ),
        Preset("plain", "Plain", "Of no benchmark."),
    )
}


def preset(name: str) -> Preset:
    """Return the preset of that name; raises `NotFound`."""
    if name not in PRESETS:
        raise NotFound(f"scoring preset {name}", expected=f"one of {', '.join(PRESETS)}")
    return PRESETS[name]


def batch_mean_miou(batches: Matrix, preset: Preset, classes: ClassTable) -> float:
    """Return the "batch-mean mIoU (legacy)" of matrices of batches, [batches, K+1, K+1].

    The public baseline of DFC2025 Track 1 logs it: of each batch the mean IoU of the classes in its
    reference, with 1e-7 above and below the line, then the mean of batches. It depends on how tiles
    were batched and is no score of a dataset; compare it with that baseline's logs alone.
    """
    counted = np.asarray(preset.counted(batches, classes), np.float64)
    hit = np.diagonal(counted, axis1=-2, axis2=-1)[..., :-1]
    actual, predicted = counted.sum(-1)[..., :-1], counted.sum(-2)[..., :-1]
    values = (hit + bright.EPSILON) / (actual + predicted - hit + bright.EPSILON)
    values = np.where(actual > 0, values, np.nan)
    means = metrics.mean(values, excluded=preset.excluded(classes))
    return float(metrics.mean(means)) if np.isfinite(means).any() else float("nan")


def _codes_in_words(codes: Iterable[int]) -> str:
    words = [str(code) for code in sorted(codes)]
    return f"{'code' if len(words) == 1 else 'codes'} {', '.join(words)}" if words else ""


def _names(classes: ClassTable, marked: npt.NDArray[np.bool_]) -> str:
    return ", ".join(
        entry.name for entry, there in zip(classes.entries, marked, strict=True) if there
    )
