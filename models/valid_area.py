"""Where a SAR image shows no signal: missing, or blank ground that a product was filled up with.

The winner of DFC2025 track 1 trained a network for this. Blank ground is exactly constant, so a
rule finds it and nothing needs to be learnt: all bands missing, or all exactly zero over a patch
that no speckle leaves.
"""

import numpy as np
import numpy.typing as npt

BLANK_PX = 64
"""Zeros in one piece from which ground is blank: speckle and radar shadow leave smaller ones."""
SEEN_AROUND_PX = BLANK_PX - 1
"""Rows on either side of a strip that must be seen to know its blank ground: a piece that reaches
further than that from a pixel of the strip has `BLANK_PX` pixels on the way."""


def with_signal(image: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Return bool [H, W]: where a SAR image [C, H, W] shows anything."""
    if image.dtype.kind == "f":
        missing = ~np.isfinite(image).any(0)
    else:
        missing = np.zeros(image.shape[1:], np.bool_)
    dark = (np.nan_to_num(image) == 0).all(0) if image.dtype.kind == "f" else (image == 0).all(0)
    return np.asarray(~(missing | _large(dark & ~missing)))


def _large(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the parts of a mask that hang together by sides and have `BLANK_PX` pixels."""
    if not mask.any():
        return mask
    # Not at the top: a machine that only trains may lack it.
    from scipy import ndimage

    parts, _ = ndimage.label(mask)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(sizes[parts] >= BLANK_PX)
