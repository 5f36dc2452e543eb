"""A suggestion after a few strokes: what else nearby may be wrong in the same way. Pure arrays.

Three ways are tried. *Region*: the connected region of the old label in which a stroke was painted
takes the class of most strokes in it. *Ridge*: least squares with a penalty, on the features of the
changed pixels, the confirmed ones and, with less weight, what nobody has touched. *Both*: where the
two agree. Each is checked on strokes held out one at a time; the best is suggested, and none where
the present label does as well. It keeps near the corrections and to a multiple of their size, to
changes from class to class that they made, and off every pixel that a person has settled.
Confirmations count where they say of a corrected class that it can be right: only they can show
that a way goes too far.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.measure import label

from core.classes import Provenance
from core.patch import Bytes, Mask
from core.regions import find_regions

LEAST_STROKES = 3
REACH_PX = 96
PIXELS_OF_STROKE = 400
PIXELS_UNTOUCHED = 1500
WEIGHT_UNTOUCHED = 0.25
PENALTY = 3.0
MOST_TIMES = 20  # a suggestion is at most so many times as large as the corrections behind it,
MOST_PX = 6000  # and no larger than this, or than they are: more cannot be judged at a glance
LEAST_SHARE = 0.2  # of a stroke: what it changed less of may have been under the brush by chance
MARGIN = 0.1  # how far the score of a new class must be above that of the present one
SPECK_PX = 12
BATCH = 65536

Way = Literal["both", "region", "ridge"]
Floats = npt.NDArray[np.float32]
Solution = npt.NDArray[np.float64]
Status = Literal["ready", "few", "useless", "nothing"]


@dataclass(frozen=True, eq=False)
class Example:
    """One stroke: its pixels (rows, columns in the window) with the class before and after.

    A confirmation has the same class before and after.
    """

    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    old: Bytes
    new: Bytes

    @property
    def confirms(self) -> bool:
        """Return whether the stroke said that the label is right."""
        return bool((self.old == self.new).all())


@dataclass(frozen=True)
class Check:
    """Held-out strokes that were right: suggested, by the present label, and of how many."""

    right: int
    present: int
    of: int
    confirmations: int


@dataclass(frozen=True, eq=False)
class Suggestion:
    """What to suggest: `mask` bool [h, w] and `codes` uint8 [h, w] over the window.

    `status`: "ready"; "few" strokes; "useless", as no way is better than the present label;
    "nothing" to change nearby. Only "ready" has pixels.
    """

    status: Status
    mask: Mask | None = None
    codes: Bytes | None = None
    way: Way | None = None
    check: Check | None = None

    @property
    def pixels(self) -> int:
        """Return the count of pixels suggested."""
        return int(np.count_nonzero(self.mask)) if self.mask is not None else 0


@dataclass(eq=False)
class _Ground:
    """The window and what is known of it."""

    features: npt.NDArray[np.int8]
    labels: Bytes
    examples: Sequence[Example]
    targets: tuple[int, ...]
    pairs: npt.NDArray[np.bool_]  # [256, 256]: from class to class, as corrections changed them
    confirmed: int
    corrected: Mask
    candidates: Mask
    regions: npt.NDArray[np.integer]
    sums: list[tuple[Solution, Solution]]
    base: tuple[Solution, Solution]


def suggest(
    features: npt.NDArray[np.int8],
    labels: Bytes,
    provenance: Bytes,
    examples: Sequence[Example],
) -> Suggestion:
    """Return what to suggest from the strokes of a session, oldest first.

    `features` int8 [h, w, F]; `labels` and `provenance` of now, uint8 [h, w].
    """
    corrections = [example for example in examples if not example.confirms]
    if not corrections or len(examples) < LEAST_STROKES:
        return Suggestion("few")
    here = _ground(features, labels, provenance, examples)
    if not here.candidates.any():
        return Suggestion("nothing")
    # Corrections alone bias what is learnt; then only what two ways agree on is tried.
    ways: tuple[Way, ...] = ("both", "region", "ridge") if here.confirmed else ("both",)
    checks = _checks(here, ways)
    way = max(ways, key=lambda w: (checks[w].right, -ways.index(w)))
    check = checks[way]
    if check.right <= check.present or 2 * check.right <= check.of:
        return Suggestion("useless", way=way, check=check)
    mask, codes = _everywhere(here, way)
    if not mask.any():
        return Suggestion("nothing", way=way, check=check)
    return Suggestion("ready", mask, codes, way, check)


def _ground(
    features: npt.NDArray[np.int8], labels: Bytes, provenance: Bytes, examples: Sequence[Example]
) -> _Ground:
    before = labels.copy()
    touched, corrected = np.zeros(labels.shape, np.bool_), np.zeros(labels.shape, np.bool_)
    for example in reversed(examples):
        before[example.rows, example.columns] = example.old
        touched[example.rows, example.columns] = True
        corrected[example.rows, example.columns] |= not example.confirms
    pairs = _pairs(examples)
    wrong = np.flatnonzero(pairs.any(axis=1))
    confirmed = sum(e.confirms and bool(np.isin(e.new, wrong).mean() > 0.5) for e in examples)
    settled = np.isin(provenance, (Provenance.CHANGED, Provenance.VERIFIED, Provenance.UNSURE))
    near = ndimage.maximum_filter(corrected, 2 * REACH_PX + 1, mode="constant")
    candidates = near & ~settled & ~touched & np.isin(labels, wrong)
    targets = tuple(np.flatnonzero(pairs.any(axis=0) | pairs.any(axis=1)).tolist())
    sums = [_sums(features, e.rows, e.columns, _of(e.new, targets)) for e in examples]
    untouched = _sample(np.argwhere(near & ~touched & ~settled), PIXELS_UNTOUCHED)
    rows, columns = untouched[:, 0], untouched[:, 1]
    known = _of(labels[rows, columns], targets)
    base = _sums(features, rows, columns, known, WEIGHT_UNTOUCHED)
    verified = _sample(
        np.argwhere(near & ~touched & (provenance == Provenance.VERIFIED)), PIXELS_OF_STROKE
    )
    if len(verified):
        rows, columns = verified[:, 0], verified[:, 1]
        more = _sums(features, rows, columns, _of(labels[rows, columns], targets))
        base = base[0] + more[0], base[1] + more[1]
    regions = find_regions(before).ids
    return _Ground(
        features, labels, examples, targets, pairs, confirmed, corrected, candidates, regions, sums,
        base,
    )  # fmt: skip


def _pairs(examples: Sequence[Example]) -> npt.NDArray[np.bool_]:
    """Return [256, 256]: which class the corrections made of which."""
    pairs = np.zeros((256, 256), np.bool_)
    for example in examples:
        found, size = np.unique(np.stack([example.old, example.new]), axis=1, return_counts=True)
        old, new = found[:, size >= LEAST_SHARE * len(example.rows)]
        pairs[old, new] |= old != new
    return pairs


def _of(codes: Bytes, targets: Sequence[int]) -> Floats:
    """Return [n, K]: 1 for the class of each pixel, 0 elsewhere."""
    found: Floats = (codes[:, None] == np.array(targets, np.uint8)[None]).astype(np.float32)
    return found


def _sample(found: npt.NDArray[np.intp], most: int) -> npt.NDArray[np.intp]:
    """Return at most so many of the pixels, evenly spread and always the same."""
    if len(found) <= most:
        return found
    return found[np.linspace(0, len(found) - 1, most).astype(np.intp)]


def _inputs(features: npt.NDArray[np.int8]) -> Floats:
    """Return [n, F + 1]: features in units of one, and a constant."""
    values = np.empty((len(features), features.shape[1] + 1), np.float32)
    np.multiply(features, np.float32(1 / 48), out=values[:, :-1])
    values[:, -1] = 1
    return values


def _sums(
    features: npt.NDArray[np.int8],
    rows: npt.NDArray[np.intp],
    columns: npt.NDArray[np.intp],
    wanted: Floats,
    weight: float = 1.0,
) -> tuple[Solution, Solution]:
    """Return what least squares needs of some pixels: [F+1, F+1] and [F+1, K]."""
    kept = _sample(np.arange(len(rows)), PIXELS_OF_STROKE if weight == 1.0 else len(rows))
    inputs = _inputs(features[rows[kept], columns[kept]])
    # A stroke counts by what it says, not by its size.
    share = weight * (PIXELS_OF_STROKE / max(len(kept), 1) if weight == 1.0 else 1.0)
    return (
        (inputs.T @ inputs).astype(np.float64) * share,
        (inputs.T @ wanted[kept]).astype(np.float64) * share,
    )


def _solved(here: _Ground, without: int | None) -> Floats:
    """Return the weights [F+1, K] learnt from all strokes but one."""
    left = here.base[0].copy()
    right = here.base[1].copy()
    for number, (a, b) in enumerate(here.sums):
        if number != without:
            left += a
            right += b
    left[np.diag_indices_from(left)] += PENALTY
    weights: Floats = np.asarray(np.linalg.solve(left, right), np.float32)
    return weights


def _ridge(
    here: _Ground, weights: Floats, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp],
    present: Bytes,
) -> Bytes:  # fmt: skip
    """Return a class for each pixel: the present one unless another is clearly better."""
    found = present.copy()
    targets = np.array(here.targets, np.uint8)
    for start in range(0, len(rows), BATCH):
        part = slice(start, start + BATCH)
        scores = _inputs(here.features[rows[part], columns[part]]) @ weights
        own = (scores * _of(present[part], here.targets)).sum(axis=1)
        best = scores.argmax(axis=1)
        better = scores[np.arange(len(best)), best] > own + MARGIN
        found[part] = np.where(better, targets[best], present[part])
    return found


def _votes(here: _Ground, without: int | None) -> dict[int, int]:
    """Return the class of each region, by number, that most strokes in it gave it."""
    counts: dict[int, dict[int, int]] = {}
    for number, example in enumerate(here.examples):
        if number == without:
            continue
        ids = here.regions[example.rows, example.columns]
        pairs, size = np.unique(
            np.stack([ids.astype(np.int64), example.new.astype(np.int64)]), axis=1,
            return_counts=True,
        )  # fmt: skip
        for (region, code), n in zip(pairs.T.tolist(), size.tolist(), strict=True):
            of = counts.setdefault(region, {})
            of[code] = of.get(code, 0) + min(int(n), PIXELS_OF_STROKE)
    return {region: max(of, key=lambda c: (of[c], -c)) for region, of in counts.items()}


def _region(
    here: _Ground, votes: dict[int, int], rows: npt.NDArray[np.intp],
    columns: npt.NDArray[np.intp], present: Bytes,
) -> Bytes:  # fmt: skip
    """Return a class for each pixel: what its region was given, else the present one."""
    lut = np.full(int(here.regions.max()) + 1, -1, np.int16)
    for region, code in votes.items():
        lut[region] = code
    voted = lut[here.regions[rows, columns]]
    return np.where(voted >= 0, voted, present).astype(np.uint8)


def _predictor(
    here: _Ground, without: int | None
) -> Callable[[npt.NDArray[np.intp], npt.NDArray[np.intp], Bytes, Way], Bytes]:
    weights, votes = _solved(here, without), _votes(here, without)

    def predict(
        rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp], present: Bytes, way: Way
    ) -> Bytes:
        if way == "ridge":
            return _ridge(here, weights, rows, columns, present)
        by_region = _region(here, votes, rows, columns, present)
        if way == "region":
            return by_region
        learnt = _ridge(here, weights, rows, columns, present)
        return np.where(by_region == learnt, learnt, present)

    return predict


def _checks(here: _Ground, ways: Sequence[Way]) -> dict[Way, Check]:
    """Return for each way how many strokes it gets right that it has not seen."""
    right = dict.fromkeys(ways, 0)
    present = 0
    for number, example in enumerate(here.examples):
        predict = _predictor(here, number)
        kept = _sample(np.arange(len(example.rows)), PIXELS_OF_STROKE)
        rows, columns = example.rows[kept], example.columns[kept]
        old, new = example.old[kept], example.new[kept]
        present += bool(2 * np.count_nonzero(old == new) > len(kept))
        for way in ways:
            found = predict(rows, columns, old, way)
            right[way] += bool(2 * np.count_nonzero(found == new) > len(kept))
    of = len(here.examples)
    return {way: Check(right[way], present, of, here.confirmed) for way in ways}


def _everywhere(here: _Ground, way: Way) -> tuple[Mask, Bytes]:
    rows, columns = np.nonzero(here.candidates)
    present = here.labels[rows, columns]
    found = _predictor(here, None)(rows, columns, present, way)
    codes = here.labels.copy()
    codes[rows, columns] = np.where(here.pairs[present, found], found, present)
    _keep_nearest(codes, here)
    return _without_specks(codes, here.labels), codes


def _keep_nearest(codes: Bytes, here: _Ground) -> None:
    """Take back, in place, what lies farthest from the corrections where it is too much of them."""
    changed: Mask = codes != here.labels
    behind = int(np.count_nonzero(here.corrected))
    most = min(MOST_TIMES * behind, max(MOST_PX, behind))
    if np.count_nonzero(changed) <= most:
        return
    distance = ndimage.distance_transform_edt(~here.corrected)
    far = changed & (distance >= np.partition(distance[changed], most)[most])
    codes[far] = here.labels[far]


def _without_specks(codes: Bytes, labels: Bytes) -> Mask:
    """Return what changes, bool [h, w], without pieces too small to be looked at."""
    changed: Mask = codes != labels
    run: Callable[..., npt.NDArray[np.int64]] = label
    pieces = run(np.where(changed, codes.astype(np.int32) + 1, 0), background=0, connectivity=1)
    large = np.bincount(pieces.ravel()) >= SPECK_PX
    large[0] = False
    return large[pieces]
