"""Patches: the change that one stroke makes to class codes and provenance. Pure numpy.

A *patch* has a box in tile pixels and a mask of changed pixels inside it; the four value arrays
hold one byte per changed pixel, in row-major order. *Runs* are run lengths of the mask over the
box, row-major, starting with the run of unchanged pixels (which may be 0). A patch holds only
pixels that really change, so `apply` and then `apply` of its `invert` gives back every byte.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import BadPatch
from core.grid import Window
from core.pixels import Bytes, Mask, Pixels, Runs, decode_runs, encode_runs, tight

__all__ = ["Bytes", "Mask", "Patch", "Pixels", "Runs", "decode_runs", "encode_runs"]

MAX_BOX_PX = 4096 * 4096
MAX_RUNS = 2_000_000
SMALLER = "Paint it in smaller pieces."


@dataclass(frozen=True, eq=False)
class Patch:
    """The change of one stroke. Values and provenance are uint8 [n], n changed pixels."""

    box: Window
    runs: Runs
    old_values: Bytes
    new_values: Bytes
    old_provenance: Bytes
    new_provenance: Bytes

    @property
    def pixels(self) -> int:
        """Return the count of changed pixels."""
        return len(self.new_values)

    @cached_property
    def places(self) -> Pixels:
        """Return where the changed pixels are."""
        return Pixels(self.box, self.runs)

    @property
    def mask(self) -> Mask:
        """Return bool [h, w] over the box: the changed pixels."""
        return self.places.mask


class Encoded(NamedTuple):
    """A patch as compressed bytes, one field per column of the edit log."""

    mask: bytes
    old_values: bytes
    new_values: bytes
    old_provenance: bytes
    new_provenance: bytes


def check_box(box: Window, height: int, width: int) -> None:
    """Raise `BadPatch` unless the box has pixels, lies inside the tile and is not too large."""
    text = f"row {box.y0}, column {box.x0}, {box.h} x {box.w} pixels"
    inside = box.y0 >= 0 and box.x0 >= 0 and box.y0 + box.h <= height and box.x0 + box.w <= width
    if box.h < 1 or box.w < 1 or not inside:
        raise BadPatch("field box", found=text, expected=f"inside {height} x {width} pixels")
    if box.h * box.w > MAX_BOX_PX:
        raise BadPatch("field box", found=text, expected=f"at most {MAX_BOX_PX} px", todo=SMALLER)


def check_runs(runs: Sequence[int] | npt.NDArray[np.integer], box: Window) -> Runs:
    """Return the runs as an array; raises `BadPatch` unless they fill the box exactly."""
    if len(runs) > MAX_RUNS:
        expected = f"at most {MAX_RUNS}"
        raise BadPatch("field mask", found=f"{len(runs)} runs", expected=expected, todo=SMALLER)
    try:
        values = np.array(runs, dtype=np.int64)
    except (OverflowError, ValueError, TypeError) as error:
        expected = "whole numbers of pixels"
        raise BadPatch("field mask", found="values that are none", expected=expected) from error
    if values.ndim != 1 or (values.size and values.min() < 0):
        raise BadPatch("field mask", found="a negative run", expected="runs of 0 or more pixels")
    # Each run is bounded before the sum, which could otherwise wrap around.
    total = int(values.sum()) if values.size and values.max() <= MAX_BOX_PX else -1
    if total != box.h * box.w:
        found = f"runs of {total} px" if total >= 0 else "runs longer than the box, or none"
        expected = f"{box.h} x {box.w} = {box.h * box.w} px"
        raise BadPatch("field mask", found=found, expected=expected)
    return values.astype(np.uint32)


def make_patch(
    box: Window,
    labels: Bytes,
    provenance: Bytes,
    mask: Mask,
    new_labels: Bytes | int,
    new_provenance: Bytes | int,
) -> Patch | None:
    """Return the patch of what really changes, its box drawn tight; None when nothing does.

    `labels` and `provenance` are uint8 [h, w] over the box, `mask` bool [h, w]; the new values are
    uint8 [h, w] or one number.
    """
    values = np.broadcast_to(np.asarray(new_labels, np.uint8), labels.shape)
    origin = np.broadcast_to(np.asarray(new_provenance, np.uint8), labels.shape)
    changed = mask & ((labels != values) | (provenance != origin))
    if not changed.any():
        return None
    places = tight(box, changed)
    return Patch(
        places.box,
        places.runs,
        labels[changed],
        values[changed],
        provenance[changed],
        origin[changed],
    )


def patch_on(
    places: Pixels,
    labels: Bytes,
    provenance: Bytes,
    new_labels: Bytes | int,
    new_provenance: Bytes | int,
    only: npt.NDArray[np.bool_] | None = None,
) -> Patch | None:
    """Return the patch of what really changes on some pixels; None when nothing does.

    `labels` and `provenance` are uint8 [n], one per pixel, and so are the new values, or one
    number; of the pixels those marked by `only`, bool [n], may change.
    """
    values = np.broadcast_to(np.asarray(new_labels, np.uint8), labels.shape)
    origin = np.broadcast_to(np.asarray(new_provenance, np.uint8), labels.shape)
    changed = (labels != values) | (provenance != origin)
    if only is not None:
        changed &= only
    if not changed.any():
        return None
    narrowed = places.narrowed(changed)
    return Patch(
        narrowed.box,
        narrowed.runs,
        labels[changed],
        values[changed],
        provenance[changed],
        origin[changed],
    )


def empty_patch(box: Window) -> Patch:
    """Return a patch that changes nothing: an undo that found all its pixels changed by others."""
    none = np.zeros(0, np.uint8)
    return Patch(box, np.array([box.h * box.w], np.uint32), none, none, none, none)


def invert(patch: Patch) -> Patch:
    """Return the patch that takes this one back."""
    return Patch(
        patch.box,
        patch.runs,
        patch.new_values,
        patch.old_values,
        patch.new_provenance,
        patch.old_provenance,
    )


def apply(labels: Bytes, provenance: Bytes, patch: Patch, *, y0: int = 0, x0: int = 0) -> None:
    """Write the new values into uint8 [H, W] arrays, in place.

    The arrays' upper left corner is at tile pixel (y0, x0); what sticks out of them is left out.
    """
    here = Window(y0, x0, *labels.shape)
    patch.places.put(here, (labels, patch.new_values), (provenance, patch.new_provenance))


def plane(patch: Patch, values: Bytes) -> Bytes:
    """Return uint8 [h, w] over the patch's box with `values` on its mask and 0 elsewhere."""
    spread = np.zeros((patch.box.h, patch.box.w), np.uint8)
    spread[patch.mask] = values
    return spread


def mask_in(patch: Patch, window: Window) -> Mask:
    """Return bool [h, w] over `window`: the pixels in it that the patch changes."""
    found = np.zeros((window.h, window.w), np.bool_)
    common = _common(patch.box, window)
    if common is not None:
        source = _slices(common, patch.box.y0, patch.box.x0)
        found[_slices(common, window.y0, window.x0)] = patch.mask[source]
    return found


def overlap(a: Patch, b: Patch) -> int:
    """Return the count of pixels that both patches change."""
    if _common(a.box, b.box) is None:
        return 0
    return int(np.count_nonzero(a.mask & mask_in(b, a.box)))


def disjoint(a: Patch, b: Patch) -> bool:
    """Return whether no pixel is changed by both patches."""
    return overlap(a, b) == 0


def encode(patch: Patch) -> Encoded:
    """Return the patch as compressed bytes."""
    return Encoded(
        zlib.compress(patch.runs.astype("<u4").tobytes(), 1),
        *(
            zlib.compress(values.tobytes(), 1)
            for values in (
                patch.old_values,
                patch.new_values,
                patch.old_provenance,
                patch.new_provenance,
            )
        ),
    )


def decode(box: Window, encoded: Encoded) -> Patch:
    """Return the patch; raises `BadPatch` when the bytes do not fit together."""
    try:
        raw = [zlib.decompress(part) for part in encoded]
        runs = np.frombuffer(raw[0], "<u4")
        values = [np.frombuffer(part, np.uint8) for part in raw[1:]]
    except (zlib.error, ValueError) as error:
        raise BadPatch("edit log", found="bytes that cannot be unpacked") from error
    if int(runs.sum()) != box.h * box.w or {len(v) for v in values} != {int(runs[1::2].sum())}:
        raise BadPatch(
            "edit log", found="values that do not fit the mask", expected="one per changed pixel"
        )
    return Patch(box, runs, *values)


def _common(a: Window, b: Window) -> Window | None:
    y0, x0 = max(a.y0, b.y0), max(a.x0, b.x0)
    y1, x1 = min(a.y0 + a.h, b.y0 + b.h), min(a.x0 + a.w, b.x0 + b.w)
    return Window(y0, x0, y1 - y0, x1 - x0) if y0 < y1 and x0 < x1 else None


def _slices(window: Window, y0: int, x0: int) -> tuple[slice, slice]:
    return (
        slice(window.y0 - y0, window.y0 - y0 + window.h),
        slice(window.x0 - x0, window.x0 - x0 + window.w),
    )
