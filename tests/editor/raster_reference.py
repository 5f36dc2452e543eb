"""The editor's pixel geometry written a second time, plainly, and the cases both must pass.

`python -m tests.editor.raster_reference` writes tests/data/raster_cases.json again.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.patch import encode_runs

CASES = Path(__file__).resolve().parents[1] / "data" / "raster_cases.json"
FARTHEST = 2.0**17
NEVER = 255
SPECK = 8
Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Point = tuple[float, float]


def stamp(diameter: int, square: bool = False) -> Mask:
    """Return the pixels of a square, or whose centre lies in a circle, bool [d, d]."""
    if square:
        return np.ones((diameter, diameter), np.bool_)
    twice = 2 * np.arange(diameter) - (diameter - 1)
    return np.asarray(twice[:, None] ** 2 + twice[None, :] ** 2 <= diameter**2)


def origin(at: Point, diameter: int) -> tuple[int, int]:
    """Return the upper left pixel of the stamp around a position (y, x) in pixels."""
    y, x = (int(np.floor(value - diameter / 2 + 0.5)) for value in at)
    return y, x


def line(
    start: Point, end: Point, diameter: int, shape: tuple[int, int], square: bool = False
) -> Mask:
    """Return the pixels of all stamps between two positions, bool of that shape."""
    (ay, ax), (by, bx) = origin(start, diameter), origin(end, diameter)
    count = -(-max(abs(by - ay), abs(bx - ax)) // max(1, diameter // 16))
    canvas = np.zeros((shape[0] + 1024, shape[1] + 1024), bool)
    for i in range(count + 1):
        y = ay + ((2 * (by - ay) * i + count) // (2 * count) if count else 0)
        x = ax + ((2 * (bx - ax) * i + count) // (2 * count) if count else 0)
        canvas[512 + y : 512 + y + diameter, 512 + x : 512 + x + diameter] |= stamp(
            diameter, square
        )
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


def sixteenths(value: float) -> int:
    """Return a position in pixels as a whole number of sixteenths."""
    return int(np.floor(min(FARTHEST, max(-FARTHEST, value)) * 16 + 0.5))


def polygon(points: Sequence[Point], shape: tuple[int, int]) -> Mask:
    """Return the pixels whose centre lies inside a closed polygon of (y, x), even-odd."""
    rows = 16 * np.arange(shape[0], dtype=np.int64)[:, None] + 8
    columns = 16 * np.arange(shape[1], dtype=np.int64)[None, :] + 8
    inside = np.zeros(shape, np.bool_)
    corners = [(sixteenths(y), sixteenths(x)) for y, x in points]
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        (ay, ax), (by, bx) = sorted((start, end))
        crosses = (rows >= ay) & (rows < by)
        left = (columns - ax) * (by - ay) >= (rows - ay) * (bx - ax)
        inside ^= crosses & left
    return inside


def encircle(points: Sequence[Point], shape: tuple[int, int]) -> Mask:
    """Return what a closed line of (y, x) passes or encloses."""
    mask = polygon(points, shape)
    pixels = [(float(sixteenths(y) // 16), float(sixteenths(x) // 16)) for y, x in points]
    for start, end in zip(pixels, pixels[1:] + pixels[:1], strict=True):
        mask = mask | line(start, end, 1, shape)
    return mask


def box_mean(plane: Bytes, radius: int) -> Bytes:
    """Return the mean around each pixel, cut at the edges, half rounded up; uint8 [h, w]."""
    height, width = plane.shape
    out = np.empty_like(plane)
    for row in range(height):
        for col in range(width):
            around = plane[
                max(0, row - radius) : row + radius + 1, max(0, col - radius) : col + radius + 1
            ]
            out[row, col] = (2 * int(around.sum()) + around.size) // (2 * around.size)
    return out


def levels(values: Bytes, valid: Mask, row: int, col: int) -> Bytes:
    """Return the least tolerance that connects each pixel with the seed; 255 where none does."""
    here = np.zeros(valid.shape, np.bool_)
    here[max(0, row - 1) : row + 2, max(0, col - 1) : col + 2] = True
    here &= valid
    far = np.zeros(valid.shape, np.int64)
    for plane in values:
        around = plane[here].astype(np.int64)
        target = (2 * around.sum() + around.size) // (2 * around.size) if around.size else 0
        far = np.maximum(far, np.minimum(254, np.abs(plane.astype(np.int64) - target)))
    found = np.full(valid.shape, NEVER, np.uint8)
    if not valid[row, col]:
        return found
    far[row, col] = 0
    for tolerance in reversed(range(NEVER)):
        ids, _ = ndimage.label(valid & (far <= tolerance))
        found[ids == ids[row, col]] = tolerance
    return found


def tidied(mask: Mask, beyond: Mask, row: int, col: int) -> Mask:
    """Return what a flood found from a seed without specks, thin parts and small holes.

    `beyond` are pixels that no flood reaches: a hole that holds one stays open.
    """
    holes, count = ndimage.label(~np.pad(mask, 1))
    holes = holes[1:-1, 1:-1]
    outside = ndimage.label(~np.pad(mask, 1))[0][0, 0]
    closed = mask.copy()
    for number in range(1, count + 1):
        hole = holes == number
        if number != outside and hole.sum() < SPECK and not (hole & beyond).any():
            closed |= hole
    thick = ndimage.binary_opening(closed, np.ones((2, 2)))
    if not thick[row, col]:
        return closed
    pieces, count = ndimage.label(thick)
    for number in range(1, count + 1):
        piece = pieces == number
        if piece.sum() < SPECK and not piece[row, col]:
            thick &= ~piece
    return np.asarray(thick, np.bool_)


def edges(ids: npt.NDArray[np.integer]) -> Mask:
    """Return the pixels whose right or lower neighbour has another id."""
    mask = np.zeros(ids.shape, np.bool_)
    mask[:, :-1] |= ids[:, :-1] != ids[:, 1:]
    mask[:-1] |= ids[:-1] != ids[1:]
    return mask


def _runs(mask: Mask) -> list[int]:
    return [int(run) for run in encode_runs(mask)]


def _point(generator: np.random.Generator) -> Point:
    y, x = (round(float(value), 2) for value in generator.uniform(-20, 100, 2))
    return y, x


def _around(turn: float, radius: float) -> Point:
    y, x = (round(float(v), 3) for v in (35 + radius * np.sin(turn), 45 + radius * np.cos(turn)))
    return y, x


def polygon_shapes() -> dict[str, list[Point]]:
    """Return polygons (y, x) that a scan gets wrong easily, for a raster of 70 x 90."""
    turns = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    generator = np.random.default_rng(5)
    return {
        "nothing": [],
        "one point": [(10.5, 10.5)],
        "a line": [(3.0, 3.0), (60.0, 80.0)],
        "whole pixels": [(10.0, 10.0), (10.0, 20.0), (15.0, 20.0), (15.0, 10.0)],
        "on centres": [(10.5, 10.5), (10.5, 20.5), (15.5, 20.5), (15.5, 10.5)],
        "flat triangle": [(30.5, 2.5), (30.5, 80.5), (31.5, 40.5)],
        "bow tie": [(5.0, 5.0), (60.0, 80.0), (5.0, 80.0), (60.0, 5.0)],
        "star": [_around(turn, 33.3) for turn in turns[[0, 16, 32, 8, 24]]],
        "circle": [_around(turn, 31.7) for turn in turns],
        "around the raster": [(-50.0, -50.0), (-50.0, 300.0), (300.0, 300.0), (300.0, -50.0)],
        "outside": [(-5.0, -5.0), (-5.0, -1.0), (-1.0, -1.0)],
        "half out": [(-20.0, 40.3), (30.7, -25.0), (95.2, 60.1), (40.0, 130.0)],
        "far away": [(1e9, -1e9), (-1e9, 30.0), (35.0, 1e12)],
        "twice around": [(10.0, 10.0), (10.0, 50.0), (50.0, 50.0), (50.0, 10.0)] * 2,
        "scribble": [_point(generator) for _ in range(60)],
        "sliver": [(20.03, 10.0), (20.47, 80.0), (20.53, 10.0)],
    }


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
                "square": _runs(line(start, end, diameter, shape, square=True)),
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
        "polygons": [
            {
                "name": name,
                "points": points,
                "runs": _runs(polygon(points, shape)),
                "encircled": _runs(encircle(points, shape)),
            }
            for name, points in polygon_shapes().items()
        ],
        "runs": [{"bits": bits.astype(int).tolist(), "runs": _runs(bits)} for bits in coded],
    }


if __name__ == "__main__":
    CASES.write_text(json.dumps(make_cases(), separators=(",", ":")) + "\n")
