"""Cloud levels of one acquisition and the classes of cover that scores are grouped by.

A cloud raster is uint8 on the tile's grid: clear, thin cloud, thick cloud, cloud shadow, or none
(outside the image). *Cover* is the share of valid pixels under thin or thick cloud or shadow.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from core.errors import CloudbrushError, DatasetError

CLEAR, THIN, THICK, SHADOW, NONE = 0, 1, 2, 3, 255
LEVELS = {CLEAR: "clear", THIN: "thin cloud", THICK: "thick cloud", SHADOW: "shadow", NONE: "none"}
DEFAULT_EDGES = (0.0, 0.05, 0.2, 0.5, 0.8, 1.0)

# Scene classes of Sentinel-2 (SCL): 3 shadow, 8 and 9 cloud by probability, 10 thin cirrus,
# 0 and 1 no data or defective; 7 (unclassified) counts as clear.
SENTINEL2_SCL = {
    **{code: CLEAR for code in (2, 4, 5, 6, 7, 11)},
    **{0: NONE, 1: NONE, 3: SHADOW, 8: THICK, 9: THICK, 10: THIN},
}

# Codes of masks in use, to the levels above. Values outside a table are refused when they are met.
CLOUDSEN12 = {0: CLEAR, 1: THICK, 2: THIN, 3: SHADOW}
CLOUD_SHADOW_THIN = {0: CLEAR, 1: THICK, 2: SHADOW, 3: THIN}
MASK_CODES: dict[str, dict[int, int]] = {
    "Sentinel-2 scene classification": SENTINEL2_SCL,
    "CloudSEN12 (1 thick, 2 thin, 3 shadow)": CLOUDSEN12,
    "1 cloud, 2 shadow, 3 thin": CLOUD_SHADOW_THIN,
}

# How the levels of an acquisition were found; stored with it.
MASK_SOURCE = "mask"
SCENE_SOURCE = "scene classification"
DIFFERENCE_SOURCE = "difference to a clear image"
DETECTOR_SOURCE = "detector"
S2CLOUDLESS_SOURCE = "s2cloudless"
SIMULATED_SOURCE = "simulated"
TAKEN_SOURCE = "taken as clear"
GIVEN_SOURCES = (MASK_SOURCE, SCENE_SOURCE)
"""Sources that came with the data; a method of ours never replaces their levels."""

EVEN_EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
EDGE_PRESETS: dict[str, tuple[float, ...] | None] = {
    "Cloudbrush": DEFAULT_EDGES,
    "Even steps of 20 %": EVEN_EDGES,
    "CloudLULC-Set": None,
}
"""Edges by name; None where a benchmark scores by cloud cover but has not published its edges."""


def mask_source(code_map: Mapping[int, int] | None) -> str:
    """Return how the levels of a mask that came with the data were found, by its code map."""
    return SCENE_SOURCE if code_map and dict(code_map) == SENTINEL2_SCL else MASK_SOURCE


def fractions(levels: npt.NDArray[np.uint8]) -> tuple[float, float, float]:
    """Return the shares (thin, thick, shadow) of the valid pixels of `levels`, any shape.

    Raises `DatasetError` when a value is not a level or no pixel is valid.
    """
    return fractions_of_counts(np.bincount(levels.ravel(), minlength=256))


def fractions_of_counts(counts: npt.NDArray[np.intp]) -> tuple[float, float, float]:
    """Return the shares (thin, thick, shadow) from pixel counts by value, [256]."""
    unknown = [int(value) for value in np.flatnonzero(counts) if int(value) not in LEVELS]
    if unknown:
        raise DatasetError(
            "cloud mask",
            found=f"values {unknown}",
            expected="0 clear, 1 thin, 2 thick, 3 shadow, 255 none",
            todo="Map the file's values to these levels.",
        )
    valid = int(counts[[CLEAR, THIN, THICK, SHADOW]].sum())
    if not valid:
        raise DatasetError("cloud mask", found="no valid pixel", expected="at least one")
    thin, thick, shadow = (int(counts[level]) / valid for level in (THIN, THICK, SHADOW))
    return thin, thick, shadow


def check_edges(edges: Sequence[float]) -> tuple[float, ...]:
    """Return the edges as floats; raises unless they rise strictly from 0 to 1."""
    found = tuple(float(edge) for edge in edges)
    rising = all(low < high for low, high in pairwise(found))
    if len(found) < 2 or found[0] != 0.0 or found[-1] != 1.0 or not rising:
        raise CloudbrushError(
            "edges of cloud levels", found=str(found), expected="rising numbers from 0 to 1"
        )
    return found


def level_of(cover: float | None, edges: Sequence[float] = DEFAULT_EDGES) -> int | None:
    """Return the index of the level that holds `cover`; None when cover is unknown.

    Levels are half-open [low, high), the last one closed.
    """
    if cover is None:
        return None
    return min(max(bisect_right(edges, cover) - 1, 0), len(edges) - 2)


def level_names(edges: Sequence[float] = DEFAULT_EDGES) -> list[str]:
    """Return one name per level, such as "5-20 %"."""
    return [f"{low * 100:g}-{high * 100:g} %" for low, high in pairwise(edges)]
