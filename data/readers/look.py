"""One look into a raster: what it may be, and which classes a label holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np

from core.classes import ClassEntry, ClassTable
from core.errors import RasterError
from core.headers import MAX_TILE_PX
from core.raster import Array, RasterInfo, describe, read

CODE_FILES = 64  # label files looked into for the class table; the check reads them all
LOOK_PX = 512
MAX_CODES = 64

# Told apart by lightness as well as hue; a person may change them.
COLOURS = (
    *("#8a8f9b", "#f4b942", "#3565d6", "#b80f45", "#07552c", "#a6c98a", "#ba7341", "#7b3fa0"),
    *("#2a9d8f", "#f7f4ee", "#e76f51", "#264653", "#ff9bb3", "#6b705c", "#00b4d8", "#ffd6a5"),
)


@dataclass(frozen=True)
class Look:
    """What one file of a pattern holds."""

    info: RasterInfo
    grey: bool  # three bands that are all the same
    codes: tuple[float, ...]  # its values, when they are few whole numbers in one band
    low: float
    high: float


def look(path: Path) -> Look | None:
    """Return what a file holds, from a coarse copy; None when it cannot be read or is huge."""
    try:
        info = describe(path)
        if info.height * info.width > MAX_TILE_PX:
            return None
        count = min(info.count, 3)
        shape = (min(info.height, LOOK_PX), min(info.width, LOOK_PX))
        sources = [(path, band) for band in range(1, count + 1)]
        raster = read(sources, out_shape=shape, categorical=count == 1)
    except RasterError:
        return None
    kept = raster.values[:, raster.valid]
    if not kept.size:
        return Look(info, False, (), 0.0, 0.0)
    low, high = (float(v) for v in np.percentile(kept, (2, 98)))
    grey = count == 3 and bool((kept == kept[:1]).all())
    return Look(info, grey, _few_codes(kept) if info.count == 1 else (), low, high)


def _few_codes(values: Array) -> tuple[float, ...]:
    found = np.unique(values)
    few = len(found) <= MAX_CODES and bool((found == np.rint(found)).all())
    return tuple(found.tolist()) if few else ()


def first_look(paths: Sequence[Path]) -> Look | None:
    """Return a look into the first file that can be read and holds a value."""
    seen = [found for path in paths if (found := look(path))]
    return next((found for found in seen if found.high > found.low), seen[0] if seen else None)


def class_table(
    labels: Sequence[Path], most: int = CODE_FILES
) -> tuple[ClassTable, dict[int, int]]:
    """Return classes and code map from the colour table and codes of at most so many labels."""
    found: set[int] = set()
    colours: dict[int, tuple[int, int, int]] = {}
    nodata: float | None = None
    for path in labels[:: max(len(labels) // most, 1)]:
        seen = look(path)
        if seen:
            found |= {int(code) for code in seen.codes}
            colours |= seen.info.colours or {}
            nodata = seen.info.nodata if nodata is None else nodata
    if nodata is not None and not isfinite(nodata):
        nodata = None
    return table_of(found, colours, None if nodata is None else int(nodata))


def table_of(
    found: set[int], colours: dict[int, tuple[int, int, int]], nodata: int | None
) -> tuple[ClassTable, dict[int, int]]:
    """Return a table for the codes found; those that no byte can hold are numbered anew.

    Negative codes, the nodata value and 255 become void; 0 and 255 alone are no and yes.
    """
    missing = {code for code in found if code < 0 or code == nodata}
    if found - missing != {0, 255} and max(found, default=0) == 255:
        missing.add(255)  # by custom no label
    used = sorted(found - missing)[:MAX_CODES]
    codes: dict[int, int] = {}
    if used == [0, 255] or any(code > 254 for code in used):
        codes = {code: number for number, code in enumerate(used)}
        if used[:1] != [0]:
            codes = {code: number + 1 for code, number in codes.items()}
    void = nodata if nodata is not None and 0 <= nodata <= 254 and not codes else None
    void_code = 255 if void is None else void
    codes |= {code: void_code for code in missing if code != void_code}
    targets = [(code, codes.get(code, code)) for code in used]
    while len(targets) < 2:  # a table needs two classes; the second can be named later
        taken = {target for _, target in targets} | {void_code}
        free = next(code for code in range(256) if code not in taken)
        targets.append((free, free))
    entries = tuple(
        ClassEntry(target, f"class {code}", _colour(code, position, colours))
        for position, (code, target) in enumerate(targets)
    )
    changed = {code: target for code, target in codes.items() if code != target}
    return ClassTable("from the label files", entries, void), changed


def _colour(code: int, position: int, colours: dict[int, tuple[int, int, int]]) -> str:
    if colours.get(code, (0, 0, 0)) != (0, 0, 0):
        return "#{:02x}{:02x}{:02x}".format(*colours[code])
    return COLOURS[position % len(COLOURS)]
