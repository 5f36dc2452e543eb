"""Speckle filters, for display only: nothing that a network sees or that is scored passes here.

Both estimate each pixel from its neighbourhood by the local linear minimum mean square error for
multiplicative noise: mean + k (value - mean). k is 0 where the neighbourhood varies as speckle
alone does, and nears 1 where it varies more.

- Lee, J.-S. (1980). Digital image enhancement and noise filtering by use of local statistics.
  IEEE Transactions on Pattern Analysis and Machine Intelligence 2(2), 165-168.
- Lee, J.-S. (1981). Refined filtering of image noise using local statistics. Computer Graphics and
  Image Processing 15(4), 380-389: the neighbourhood is the half of the window along the edge.

Images are linear power. Pixels that are not valid take no part, and nor does what lies outside the
array: with `HALO` more pixels on each side a block comes out as it does within the whole.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.records import Unit

Filter = Literal["none", "lee", "refined_lee"]
FILTERS: tuple[Filter, ...] = ("none", "lee", "refined_lee")

SIDE = 7
HALO = SIDE // 2
LOOKS = 4.4  # equivalent number of looks of Sentinel-1 IW ground range detected images

Power = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
_Sums = npt.NDArray[np.float64]

# The eight halves of the window as (row, first column, length) per row, centre at 0: left, right,
# above, below, and the four sides of the diagonals; all hold the line through the centre.
_ROWS = range(-HALO, HALO + 1)
_Half = tuple[tuple[int, int, int], ...]
_HALVES: tuple[_Half, ...] = (
    tuple((dy, -HALO, HALO + 1) for dy in _ROWS),
    tuple((dy, 0, HALO + 1) for dy in _ROWS),
    tuple((dy, -HALO, SIDE) for dy in range(-HALO, 1)),
    tuple((dy, -HALO, SIDE) for dy in range(HALO + 1)),
    tuple((dy, -HALO, HALO + 1 - dy) for dy in _ROWS),
    tuple((dy, -dy, HALO + 1 + dy) for dy in _ROWS),
    tuple((dy, dy, HALO + 1 - dy) for dy in _ROWS),
    tuple((dy, -HALO, HALO + 1 + dy) for dy in _ROWS),
)
# Where the mean of a part of the window stands for each half, as (row, column) of the 3 x 3 parts.
_SIDES = ((1, 0), (1, 2), (0, 1), (2, 1), (0, 0), (2, 2), (0, 2), (2, 0))


def lee(power: Power, valid: Mask, looks: float = LOOKS) -> Power:
    """Return linear power [H, W] after the filter of Lee (1980) with a window of 7 x 7.

    `valid` is bool [H, W]; pixels that are not valid come back as they are.
    """
    weight = valid.astype(np.float64)
    known = np.where(valid, power, 0).astype(np.float64)
    ones = np.ones(SIDE)
    count, total, squares = (_box(part, ones) for part in (weight, known, known * known))
    return _estimate(power, valid, count, total, squares, looks)


def refined_lee(power: Power, valid: Mask, looks: float = LOOKS) -> Power:
    """Return linear power [H, W] after the filter of Lee (1981): windows directed along edges.

    The direction is the largest gradient between the means of the window's 3 x 3 parts; of its two
    halves the one counts whose mean is nearer to that of the centre.
    """
    weight = valid.astype(np.float64)
    known = np.where(valid, power, 0).astype(np.float64)
    half = _choose_half(weight, known)
    count, total, squares = (_half_sums(part, half) for part in (weight, known, known * known))
    return _estimate(power, valid, count, total, squares, looks)


def filtered(values: npt.NDArray[np.float32], valid: Mask, unit: Unit, kind: Filter) -> Power:
    """Return bands [C, H, W] after a filter, in the unit that they came in.

    dB and amplitude are turned into power and back; the filter itself always sees power.
    """
    if kind == "none":
        return values
    work = lee if kind == "lee" else refined_lee
    return np.stack([_from_power(work(_to_power(b, unit), valid), unit) for b in values])


def _to_power(band: Power, unit: Unit) -> Power:
    if unit is Unit.LINEAR:
        return band
    if unit is Unit.DB:
        power: Power = np.power(np.float32(10), band / np.float32(10))
        return power
    return band * band


def _from_power(power: Power, unit: Unit) -> Power:
    if unit is Unit.LINEAR:
        return power
    if unit is Unit.DB:
        return (10 * np.log10(np.maximum(power, np.float32(1e-12)))).astype(np.float32)
    return np.sqrt(np.maximum(power, 0))


def _box(image: _Sums, ones: _Sums) -> _Sums:
    """Return sums over a square around each pixel; outside counts as 0."""
    along = ndimage.correlate1d(image, ones, axis=0, mode="constant")
    found: _Sums = ndimage.correlate1d(along, ones, axis=1, mode="constant")
    return found


def _estimate(
    power: Power, valid: Mask, count: _Sums, total: _Sums, squares: _Sums, looks: float
) -> Power:
    """Return mean + k (value - mean) from the count, sum and sum of squares of neighbourhoods."""
    count = np.maximum(count, 1)
    mean = total / count
    variance = np.maximum(squares / count - mean * mean, 0)
    noise = 1 / looks  # variance of speckle around a mean of 1
    signal = np.maximum(variance - noise * mean * mean, 0) / (1 + noise)
    k = signal / np.maximum(variance, 1e-30)
    found: Power = np.where(valid, mean + k * (power - mean), power).astype(np.float32)
    return found


def _choose_half(weight: _Sums, known: _Sums) -> npt.NDArray[np.int8]:
    """Return the number of the half window of each pixel, int8 [H, W]."""
    ones = np.ones(3)
    means = _box(known, ones) / np.maximum(_box(weight, ones), 1)
    # Parts without a valid pixel say nothing: they count as the centre does.
    means = np.where(_box(weight, ones) > 0, means, np.nan)
    padded = np.pad(means, 2, constant_values=np.nan)
    height, width = known.shape
    part = {
        (i, j): np.where(np.isnan(view), means, view)
        for i in range(3)
        for j in range(3)
        for view in [padded[2 * i : 2 * i + height, 2 * j : 2 * j + width]]
    }
    gradients = np.stack([np.abs(_side(part, a) - _side(part, b)) for a, b in _OPPOSITE])
    direction = np.nan_to_num(gradients).argmax(axis=0)
    centre = part[1, 1]
    half = np.zeros(known.shape, np.int8)
    for number in range(len(_OPPOSITE)):
        first, second = (np.abs(part[_SIDES[2 * number + k]] - centre) for k in (0, 1))
        chosen = 2 * number + (second < first)
        half = np.where(direction == number, chosen, half).astype(np.int8)
    return half


# The three parts on either side of each direction: across columns, across rows, both diagonals.
_OPPOSITE = (
    (((0, 0), (1, 0), (2, 0)), ((0, 2), (1, 2), (2, 2))),
    (((0, 0), (0, 1), (0, 2)), ((2, 0), (2, 1), (2, 2))),
    (((0, 0), (0, 1), (1, 0)), ((2, 2), (2, 1), (1, 2))),
    (((0, 2), (0, 1), (1, 2)), ((2, 0), (2, 1), (1, 0))),
)


def _side(part: dict[tuple[int, int], _Sums], places: Sequence[tuple[int, int]]) -> _Sums:
    found: _Sums = np.sum([part[place] for place in places], axis=0)
    return found


def _half_sums(image: _Sums, half: npt.NDArray[np.int8]) -> _Sums:
    """Return the sum over the half window that each pixel chose; outside counts as 0.

    Runs are summed pixel by pixel and not as differences of running sums, so that a bright target
    leaves no rounding in its neighbours and blocks come out as the whole does.
    """
    runs = _runs(np.pad(image, HALO))
    result = np.zeros(image.shape)
    for number, rows in enumerate(_HALVES):
        np.copyto(result, _row_sums(runs, rows, image.shape), where=half == number)
    return result


def _runs(padded: _Sums) -> dict[int, _Sums]:
    """Return for each length the sums of that many pixels to the right of each pixel, it included.

    The last columns lack what lies outside; nothing reads them.
    """
    runs = {1: padded}
    for length in range(2, SIDE + 1):
        run = runs[length - 1].copy()
        run[:, : 1 - length] += padded[:, length - 1 :]
        runs[length] = run
    return runs


def _row_sums(runs: dict[int, _Sums], rows: _Half, shape: tuple[int, ...]) -> _Sums:
    """Return sums over one half window around each pixel, float64 of that shape."""
    result = np.zeros(shape)
    for dy, first, length in rows:
        y, x = HALO + dy, HALO + first
        result += runs[length][y : y + shape[0], x : x + shape[1]]
    return result
