"""Strokes: what a person asks to change, checked, and the patch that comes of it. Pure numpy.

A stroke names pixels and a wish; the patch is worked out here from the labels of now, so that
nothing but the mask is taken from the browser. The *tool* is the gesture or command that marked the
pixels, the *effect* what becomes of them: every tool can be used with several effects.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from core.classes import ClassTable, Provenance
from core.errors import BadPatch
from core.grid import Window
from core.patch import Bytes, Patch, Pixels, check_box, check_runs, patch_on
from core.records import Grid
from core.restrict import allowed, parse_restriction


class Tool(StrEnum):
    """What marked the pixels of an edit."""

    BRUSH = "brush"
    FILL = "fill"
    FILL_ALL = "fill_all"  # every pixel of one class
    POLYGON = "polygon"
    LASSO = "lasso"
    ENCIRCLE = "encircle"
    WAND = "wand"
    SUPERPIXEL = "superpixel"
    REGION = "region"  # the connected region under the cursor
    OBJECT = "object"  # a building
    RECODE = "recode"
    ISLANDS = "islands"
    HOLES = "holes"
    ACCEPT = "accept"  # the model's answer where it is confident
    SUGGESTION = "suggestion"
    RESTORE = "restore"  # an earlier version
    REVERT = "revert"  # the brush with that effect, as old rows and tabs name it
    VERIFY = "verify"  # a region with that effect, as old rows and tabs name it
    PATCH = "patch"  # the label of a whole patch, or one cell of its list
    UNDO = "undo"
    REDO = "redo"
    IMPORT = "import"  # labels from elsewhere, one value per pixel


class Effect(StrEnum):
    """What becomes of the marked pixels."""

    CLASS = "class"  # the class chosen
    REVERT = "revert"  # the label as it came
    MODEL = "model"  # the class that a model predicts
    VERIFY = "verify"  # the label is right: changes provenance only
    UNSURE = "unsure"  # nobody can tell: changes provenance only
    VALUES = "values"  # one class per pixel


REVERSING = (Tool.UNDO, Tool.REDO)
MODEL_TOOLS = (Tool.ACCEPT, Tool.SUGGESTION)
_OF_TOOL = {
    Tool.REVERT: Effect.REVERT,
    Tool.VERIFY: Effect.VERIFY,
    Tool.ACCEPT: Effect.MODEL,
    Tool.SUGGESTION: Effect.VALUES,
    Tool.RESTORE: Effect.VALUES,
    Tool.IMPORT: Effect.VALUES,
}


@dataclass(frozen=True, eq=False)
class Stroke:
    """One stroke or command of one browser tab (`client_id`), numbered by it (`seq`).

    `runs` are run lengths over `box`, as in `core.patch`; undo and redo have neither, and name the
    stroke that they reverse by its (client_id, seq), or None for the newest. `effect` None means
    the tool's own. Of one byte per marked pixel, row-major, uint8: `values`, the classes of the
    effect "values"; `prediction_values`, the predicted classes of the effect "model", where codes
    of no class mark pixels without an answer; `provenance_values`, for "values", who is behind
    each (None: the tool says). `force` overrules a conflict.
    """

    client_id: str
    seq: int
    base_version: int
    tool: Tool
    box: Window | None = None
    runs: npt.NDArray[np.integer] | None = None
    to_class: int | None = None
    effect: Effect | None = None
    values: Bytes | None = None
    prediction_values: Bytes | None = None
    provenance_values: Bytes | None = None
    from_classes: tuple[int, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    panes_shown: tuple[str, ...] = ()
    restrict: str | None = None
    group_id: str | None = None
    reason: str | None = None
    reverses: tuple[str, int] | None = None
    force: bool = False

    @property
    def does(self) -> Effect | None:
        """Return the effect, the tool's own where none is named; None for undo and redo."""
        return effect_of(self.tool, self.effect)


def effect_of(tool: str, effect: str | None) -> Effect | None:
    """Return what an edit did to its pixels; None for undo and redo.

    Edits of before there were effects name none: their tool says it.
    """
    if tool in REVERSING:
        return None
    return Effect(effect) if effect is not None else _OF_TOOL.get(Tool(tool), Effect.CLASS)


def check_stroke(stroke: Stroke, grid: Grid, classes: ClassTable) -> Pixels | None:
    """Return the pixels that the stroke marks, or None for undo and redo.

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
        if stroke.effect is not None:
            raise BadPatch("field effect", found=stroke.effect, expected=f"none for {stroke.tool}")
        return None
    places = marked(stroke, grid)
    _check_values(stroke, places.count, classes)
    return places


def marked(stroke: Stroke, grid: Grid) -> Pixels:
    """Return the pixels that a stroke marks; raises `BadPatch`."""
    if stroke.box is None or stroke.runs is None:
        raise BadPatch("fields box and mask", found="nothing", expected=f"both for {stroke.tool}")
    check_box(stroke.box, grid.height, grid.width)
    return Pixels(stroke.box, check_runs(stroke.runs, stroke.box))


def _check_classes(stroke: Stroke, classes: ClassTable) -> None:
    known = {*classes.codes, classes.void_code}
    wanted = f"one of {sorted(known)}"
    if stroke.does is Effect.CLASS and stroke.to_class not in known:
        raise BadPatch("field to_class", found=str(stroke.to_class)[:40], expected=wanted)
    if not set(stroke.from_classes) <= known:
        found = str(sorted(set(stroke.from_classes) - known))[:80]
        raise BadPatch("field from_classes", found=found, expected=wanted)
    sources = set(parse_restriction(stroke.restrict).from_codes or ())
    if not sources <= known:
        found = f"from {sorted(sources - known)}"[:80]
        raise BadPatch("field restrict", found=found, expected=wanted)


def _check_values(stroke: Stroke, count: int, classes: ClassTable) -> None:
    if stroke.does is Effect.VALUES:
        _check_count("field values", stroke.values, count)
        unknown = classes.unknown_codes(np.asarray(stroke.values, np.uint8))
        if unknown:
            raise BadPatch("field values", found=f"codes {unknown}", expected=f"{classes.codes}")
    if stroke.does is Effect.MODEL:
        _check_count("field prediction", stroke.prediction_values, count)
    if stroke.provenance_values is not None:
        _check_count("provenance values", stroke.provenance_values, count)
        if count and int(stroke.provenance_values.max()) > max(Provenance):
            raise BadPatch("provenance values", found="unknown codes", expected="0 to 4")


def _check_count(field: str, values: Bytes | None, count: int) -> None:
    if values is None or len(values) != count:
        found = "nothing" if values is None else f"{len(values)} values"
        raise BadPatch(field, found=found, expected=f"{count}, one per marked pixel")


def change(
    stroke: Stroke,
    places: Pixels,
    labels: Bytes,
    provenance: Bytes,
    original: Bytes,
    classes: ClassTable,
) -> Patch | None:
    """Return what a stroke other than undo and redo changes; None when nothing.

    The arrays are uint8 [n], one for each marked pixel. A pixel that already has the class wished
    for is left out: painting a class over itself is not a confirmation.
    """
    effect = stroke.does
    here = (places, labels, provenance)
    may = allowed(parse_restriction(stroke.restrict), labels, provenance)
    if effect is Effect.REVERT:
        return patch_on(*here, original, Provenance.PSEUDO, may)
    if effect is Effect.VERIFY:
        unsettled = may & (provenance != Provenance.CHANGED)
        return patch_on(*here, labels, Provenance.VERIFIED, unsettled)
    if effect is Effect.UNSURE:
        return patch_on(*here, labels, Provenance.UNSURE, may)
    if effect is Effect.MODEL:
        wanted = np.asarray(stroke.prediction_values, np.uint8)
        may = may & (classes.index_lut[wanted] != 255) & (labels != wanted)
        return patch_on(*here, wanted, Provenance.MODEL, may)
    if effect is Effect.VALUES:
        wanted = np.asarray(stroke.values, np.uint8)
        if stroke.provenance_values is not None:
            return patch_on(*here, wanted, stroke.provenance_values, may)
        source = Provenance.MODEL if stroke.tool in MODEL_TOOLS else Provenance.CHANGED
        return patch_on(*here, wanted, source, may & (labels != wanted))
    code = stroke.to_class or 0
    return patch_on(*here, code, Provenance.CHANGED, may & (labels != code))


def reverse(patch: Patch, labels: Bytes, provenance: Bytes) -> tuple[Patch | None, int]:
    """Return the patch that takes `patch` back where its result still stands, None when nowhere.

    The arrays are uint8 [n], the values now of the pixels that it changed. The number returned is
    that of the pixels whose result does not stand.
    """
    stands = (labels == patch.new_values) & (provenance == patch.new_provenance)
    back = patch_on(
        patch.places, labels, provenance, patch.old_values, patch.old_provenance, stands
    )
    return back, len(stands) - int(np.count_nonzero(stands))
