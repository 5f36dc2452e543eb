"""Strokes: what a person asks to change, checked, and the patch that comes of it. Pure numpy.

A stroke names pixels and a wish; the patch is worked out here from the labels of now, so that
nothing but the mask is taken from the browser.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from core.classes import ClassTable, Provenance
from core.errors import BadPatch
from core.grid import Window
from core.patch import Bytes, Mask, Patch, check_box, check_runs, decode_runs, make_patch, plane
from core.records import Grid


class Tool(StrEnum):
    """What made an edit."""

    BRUSH = "brush"
    FILL = "fill"
    REVERT = "revert"  # back to the label as it came
    VERIFY = "verify"  # the label is right: changes provenance only
    UNDO = "undo"
    REDO = "redo"
    IMPORT = "import"  # labels from elsewhere, one value per pixel


PAINTING = (Tool.BRUSH, Tool.FILL)
REVERSING = (Tool.UNDO, Tool.REDO)


@dataclass(frozen=True, eq=False)
class Stroke:
    """One stroke or command of one browser tab (`client_id`), numbered by it (`seq`).

    `runs` are run lengths over `box`, as in `core.patch`; undo and redo have neither, and name the
    stroke that they reverse by its (client_id, seq), or None for the newest. `values` (uint8, one
    per marked pixel, row-major) belongs to imports. `force` overrules a conflict.
    """

    client_id: str
    seq: int
    base_version: int
    tool: Tool
    box: Window | None = None
    runs: npt.NDArray[np.integer] | None = None
    to_class: int | None = None
    values: Bytes | None = None
    from_classes: tuple[int, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    panes_shown: tuple[str, ...] = ()
    restrict: str | None = None
    group_id: str | None = None
    reason: str | None = None
    reverses: tuple[str, int] | None = None
    force: bool = False


def check_stroke(stroke: Stroke, grid: Grid, classes: ClassTable) -> Mask | None:
    """Return the stroke's mask, bool [h, w] over its box, or None for undo and redo.

    Raises `BadPatch` that names the field.
    """
    if not 1 <= len(stroke.client_id) <= 64:
        found = f"{len(stroke.client_id)} letters"
        raise BadPatch("field client_id", found=found, expected="1 to 64 letters")
    for name, number in (("seq", stroke.seq), ("base_version", stroke.base_version)):
        if not 0 <= number < 2**53:
            raise BadPatch(f"field {name}", found=str(number)[:40], expected="0 or more")
    _check_classes(stroke, classes)
    if stroke.tool in REVERSING:
        return None
    if stroke.box is None or stroke.runs is None:
        raise BadPatch("fields box and mask", found="nothing", expected=f"both for {stroke.tool}")
    check_box(stroke.box, grid.height, grid.width)
    mask = decode_runs(check_runs(stroke.runs, stroke.box), stroke.box)
    if stroke.tool is Tool.IMPORT:
        _check_values(stroke.values, int(np.count_nonzero(mask)), classes)
    return mask


def _check_classes(stroke: Stroke, classes: ClassTable) -> None:
    known = {*classes.codes, classes.void_code}
    wanted = f"one of {sorted(known)}"
    if stroke.tool in PAINTING and stroke.to_class not in known:
        raise BadPatch("field to_class", found=str(stroke.to_class)[:40], expected=wanted)
    if not set(stroke.from_classes) <= known:
        found = str(sorted(set(stroke.from_classes) - known))[:80]
        raise BadPatch("field from_classes", found=found, expected=wanted)


def _check_values(values: Bytes | None, marked: int, classes: ClassTable) -> None:
    if values is None or len(values) != marked:
        found = "nothing" if values is None else f"{len(values)} values"
        raise BadPatch("field values", found=found, expected=f"{marked}, one per marked pixel")
    unknown = classes.unknown_codes(values)
    if unknown:
        raise BadPatch("field values", found=f"codes {unknown}", expected=f"{classes.codes}")


def change(
    stroke: Stroke, mask: Mask, labels: Bytes, provenance: Bytes, original: Bytes
) -> Patch | None:
    """Return what a stroke other than undo and redo changes; None when nothing.

    The arrays are uint8 [h, w] over the stroke's box. A pixel that already has the class painted
    is left out: painting a class over itself is not a confirmation.
    """
    if stroke.box is None:
        return None
    box = stroke.box
    if stroke.tool is Tool.REVERT:
        return make_patch(box, labels, provenance, mask, original, Provenance.PSEUDO)
    if stroke.tool is Tool.VERIFY:
        unsettled = mask & (provenance != Provenance.CHANGED)
        return make_patch(box, labels, provenance, unsettled, labels, Provenance.VERIFIED)
    wanted: Bytes | int = stroke.to_class or 0
    if stroke.values is not None:
        wanted = np.zeros(labels.shape, np.uint8)
        wanted[mask] = stroke.values
    return make_patch(
        box, labels, provenance, mask & (labels != wanted), wanted, Provenance.CHANGED
    )


def reverse(patch: Patch, labels: Bytes, provenance: Bytes) -> Patch | None:
    """Return the patch that takes `patch` back where its result still stands; None when nowhere.

    The arrays are uint8 [h, w] over the patch's box.
    """
    still = patch.mask & (labels == plane(patch, patch.new_values))
    still &= provenance == plane(patch, patch.new_provenance)
    return make_patch(
        patch.box,
        labels,
        provenance,
        still,
        plane(patch, patch.old_values),
        plane(patch, patch.old_provenance),
    )
