"""Outlines of single buildings as MS-COCO JSON, one file per tile: checked and counted."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from core.errors import DatasetError

MAX_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Instances:
    """What one file holds: objects by category, and those left out as their box is empty."""

    by_category: Counter[int]
    empty_boxes: int


def read_instances(path: Path, categories: Sequence[int]) -> Instances:
    """Return the count of objects in a file of one image; a file without any is right.

    The text may start with a byte order mark. Objects whose box has no width or no height are left
    out, as the benchmark leaves them out. Raises `DatasetError` for anything that is not such a
    file: another category, an outline that is none, an object of another image.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DatasetError(str(path), found="a very long file", expected="one tile's outlines")
        held = json.loads(path.read_text("utf-8-sig"))
        (image,) = held["images"]
        inside = (float(image["width"]), float(image["height"]))
        if not all(isfinite(side) and side > 0 for side in inside):
            raise ValueError(f"an image of {inside[0]} x {inside[1]}")
        found = [_category(one, image["id"], categories) for one in held["annotations"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise DatasetError(
            str(path),
            found=f"{type(error).__name__}: {error}"[:200],
            expected="MS-COCO outlines of one image",
            todo="Download or unpack the file again.",
        ) from error
    counted = Counter(category for category in found if category is not None)
    return Instances(counted, found.count(None))


def _category(one: dict[str, Any], image: object, categories: Sequence[int]) -> int | None:
    """Return the category of an object, None where its box is empty; raises when it is none."""
    if one["image_id"] != image:
        raise ValueError(f"an object of image {str(one['image_id'])[:40]!r}")
    if one["category_id"] not in categories:
        raise ValueError(f"category {str(one['category_id'])[:40]}")
    _, _, width, height = _numbers(one["bbox"], 4)
    _check_outline(one["segmentation"])
    return int(one["category_id"]) if width > 0 and height > 0 else None


def _check_outline(outline: object) -> None:
    """Raise unless an outline is polygons of at least three corners, or run lengths."""
    if isinstance(outline, dict):
        _numbers(outline["size"], 2)
        if not isinstance(outline["counts"], str | list):
            raise ValueError("run lengths without counts")
        return
    if not isinstance(outline, list) or not outline:
        raise ValueError("an object without an outline")
    for polygon in outline:
        if len(_numbers(polygon)) < 6 or len(polygon) % 2:
            raise ValueError(f"a polygon of {len(polygon)} numbers")


def _numbers(values: object, count: int | None = None) -> list[float]:
    if not isinstance(values, list) or (count is not None and len(values) != count):
        raise ValueError(f"{str(values)[:40]} where {count or 'some'} numbers belong")
    found = [float(value) for value in values]
    if not all(isfinite(value) for value in found):
        raise ValueError("a number that is not finite")
    return found
