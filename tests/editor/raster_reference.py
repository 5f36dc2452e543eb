"""Stamps, lines and fills written a second time, plainly, and the cases both languages must pass.

`python -m tests.editor.raster_reference` writes tests/data/raster_cases.json again.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.patch import encode_runs

CASES = Path(__file__).resolve().parents[1] / "data" / "raster_cases.json"
Mask = npt.NDArray[np.bool_]
Point = tuple[float, float]


def stamp(diameter: int) -> Mask:
    """Return the pixels whose centre lies in a circle of that diameter, bool [d, d]."""
    twice = 2 * np.arange(diameter) - (diameter - 1)
    return np.asarray(twice[:, None] ** 2 + twice[None, :] ** 2 <= diameter**2)


def origin(at: Point, diameter: int) -> tuple[int, int]:
    """Return the upper left pixel of the stamp around a position (y, x) in pixels."""
    y, x = (int(np.floor(value - diameter / 2 + 0.5)) for value in at)
    return y, x


def line(start: Point, end: Point, diameter: int, shape: tuple[int, int]) -> Mask:
    """Return the pixels of all stamps between two positions, bool of that shape."""
    (ay, ax), (by, bx) = origin(start, diameter), origin(end, diameter)
    count = -(-max(abs(by - ay), abs(bx - ax)) // max(1, diameter // 16))
    canvas = np.zeros((shape[0] + 1024, shape[1] + 1024), bool)
    for i in range(count + 1):
        y = ay + ((2 * (by - ay) * i + count) // (2 * count) if count else 0)
        x = ax + ((2 * (bx - ax) * i + count) // (2 * count) if count else 0)
        canvas[512 + y : 512 + y + diameter, 512 + x : 512 + x + diameter] |= stamp(diameter)
    return canvas[512 : 512 + shape[0], 512 : 512 + shape[1]]


def fill(values: npt.NDArray[np.uint8], row: int, col: int) -> Mask:
    """Return the pixels of the seed's value that are connected with it by sides."""
    found = np.zeros(values.shape, bool)
    found[row, col] = True
    same = values == values[row, col]
    while True:
        grown = found.copy()
        grown[1:] |= found[:-1]
        grown[:-1] |= found[1:]
        grown[:, 1:] |= found[:, :-1]
        grown[:, :-1] |= found[:, 1:]
        grown &= same
        if (grown == found).all():
            return found
        found = grown


def _runs(mask: Mask) -> list[int]:
    return [int(run) for run in encode_runs(mask)]


def _point(generator: np.random.Generator) -> Point:
    y, x = (round(float(value), 2) for value in generator.uniform(-20, 100, 2))
    return y, x


def make_cases() -> dict[str, Any]:
    """Return every case with its answer as run lengths over the whole raster."""
    generator = np.random.default_rng(11)
    shape = (70, 90)
    lines = []
    for diameter in (1, 1, 2, 3, 5, 8, 16, 17, 40, 64, 129, 256):
        start, end = _point(generator), _point(generator)
        lines.append(
            {
                "start": start,
                "end": end,
                "diameter": diameter,
                "runs": _runs(line(start, end, diameter, shape)),
            }
        )
    fills = []
    for size, classes in ((1, 2), (6, 2), (30, 2), (30, 3), (48, 2)):
        values = generator.integers(0, classes, (size, size + 3), dtype=np.uint8)
        row, col = int(generator.integers(size)), int(generator.integers(size))
        fills.append(
            {
                "values": values.tolist(),
                "seed": [row, col],
                "runs": _runs(fill(values, row, col)),
            }
        )
    coded = [generator.random(n) < share for n, share in ((1, 0), (1, 1), (40, 0.5), (300, 0.02))]
    return {
        "shape": shape,
        "stamps": [{"diameter": d, "runs": _runs(stamp(d))} for d in [*range(1, 33), 64, 255, 256]],
        "lines": lines,
        "fills": fills,
        "runs": [{"bits": bits.astype(int).tolist(), "runs": _runs(bits)} for bits in coded],
    }


if __name__ == "__main__":
    CASES.write_text(json.dumps(make_cases(), separators=(",", ":")) + "\n")
