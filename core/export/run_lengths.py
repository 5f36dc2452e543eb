"""COCO run lengths of masks: column by column, as the compressed text that pycocotools reads.

Counts run over the pixels of a mask [H, W] from the upper left downwards, column after column, and
start with the pixels outside. As text, each count after the third is the difference to the one two
places before, cut into groups of 5 bits, low ones first; a group is a letter from "0" on, whose
sixth bit says that more follow, and the highest bit of the last one is the sign.
"""

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

BITS = 5
LETTERS = 13  # groups that hold 64 bits


def counts_of(mask: Mask, y0: int, x0: int, height: int, width: int) -> Counts:
    """Return the counts of a mask bool [h, w] that lies at row y0, column x0 of [height, width]."""
    edged = np.zeros((mask.shape[1], mask.shape[0] + 2), np.int8)
    edged[:, 1:-1] = mask.T
    steps = np.diff(edged, axis=1)
    columns, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    first = (columns + x0) * height + y0 + starts
    last = (columns + x0) * height + y0 + ends
    joined = first[1:] == last[:-1]  # a run that reaches the lower edge and goes on at the upper
    first = first[np.concatenate([[True], ~joined])] if first.size else first
    last = last[np.concatenate([~joined, [True]])] if last.size else last
    bounds = np.stack([first, last], axis=1).ravel()
    counts = np.diff(np.concatenate([[0], bounds]))
    rest = height * width - (int(bounds[-1]) if bounds.size else 0)
    return np.append(counts, rest) if rest else counts.astype(np.int64)


def pixels_of(counts: Counts, pixels: int) -> Counts:
    """Return the places of the pixels inside, counted down the columns of a mask of `pixels`.

    Raises `ValueError` unless the counts fill the mask.
    """
    if counts.size == 0 or counts.min() < 0 or int(counts.sum()) != pixels:
        raise ValueError(f"runs of {int(counts.sum())} pixels in a mask of {pixels}")
    lengths = counts[1::2]
    starts = np.cumsum(counts)[0 : 2 * len(lengths) : 2]
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))


def to_text(counts: Counts) -> str:
    """Return counts as COCO's compressed text."""
    values = counts.astype(np.int64)
    values[3:] -= counts[1:-2]
    letters = np.zeros((len(values), LETTERS), np.uint8)
    used = np.zeros((len(values), LETTERS), np.bool_)
    more = np.ones(len(values), np.bool_)
    for place in range(LETTERS):
        if not more.any():
            break
        used[:, place] = more
        group = values & 0x1F
        values = values >> BITS
        again = np.where(group & 0x10, values != -1, values != 0)
        letters[:, place] = group | (again.astype(np.int64) << BITS)
        more = more & again
    return (letters[used] + 48).tobytes().decode("ascii")


def from_text(text: str) -> Counts:
    """Return the counts of COCO's compressed text; raises `ValueError` for text that is none."""
    letters = np.frombuffer(text.encode("ascii"), np.uint8).astype(np.int64) - 48
    if letters.size == 0 or letters.min() < 0 or letters.max() > 63 or letters[-1] & 0x20:
        raise ValueError("text that holds no run lengths")
    ends = np.flatnonzero((letters & 0x20) == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    place = np.arange(len(letters)) - np.repeat(starts, ends - starts + 1)
    values = np.add.reduceat((letters & 0x1F) << (BITS * place), starts)
    signed = (letters[ends] & 0x10) != 0
    values[signed] -= np.int64(1) << (BITS * (ends - starts + 1)[signed])
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values
