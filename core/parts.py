"""The pixels of one tile counted apart by who and what is behind the label that people correct.

A *part* is a (provenance code, person id) of the corrected label; the matrices of a tile's parts
sum to its matrix. They lie in the details of its evaluation. A tile that nobody edited needs none.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from core import metrics
from core.authors import NOBODY, Ids
from core.classes import Provenance

Part = tuple[int, int]
Matrices = dict[Part, npt.NDArray[np.int64]]
Bytes = npt.NDArray[np.uint8]

KEY = "parts"
AS_IT_CAME: Part = (int(Provenance.PSEUDO), NOBODY)
NOT_RECORDED: Part = (-1, -1)


def count_parts(
    reference: Bytes, prediction: Bytes, provenance: Bytes, people: Ids, lut: Bytes
) -> Matrices:
    """Return a confusion matrix per part; all arrays are [H, W], `lut` a table's `index_lut`."""
    found: Matrices = {}
    for code in np.flatnonzero(np.bincount(provenance.ravel(), minlength=256)):
        of_code = provenance == code
        for person in np.unique(people[of_code]):
            here = of_code & (people == person)
            matrix = metrics.confusion(reference[here], prediction[here], lut)
            found[int(code), int(person)] = matrix
    return found


def summed(parts: Iterable[Matrices]) -> Matrices:
    """Return the sums of the parts of several windows."""
    total: Matrices = {}
    for found in parts:
        for part, matrix in found.items():
            total[part] = total[part] + matrix if part in total else matrix
    return total


def details_of(parts: Matrices) -> list[list[Any]]:
    """Return parts as plain lists: provenance code, person id, rows of the matrix."""
    return [[code, person, matrix.tolist()] for (code, person), matrix in sorted(parts.items())]


def stored_parts(
    details: Mapping[str, Any] | None, matrix: npt.NDArray[np.int64], *, edited: bool
) -> Matrices:
    """Return the parts that an evaluation keeps of its matrix.

    Without any, all is as it came on a tile that nobody `edited`, and `NOT_RECORDED` on another.
    """
    kept = (details or {}).get(KEY)
    if kept:
        return {(code, person): np.array(rows, np.int64) for code, person, rows in kept}
    return {NOT_RECORDED if edited else AS_IT_CAME: matrix}
