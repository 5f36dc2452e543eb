"""Arrays as picture files."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

JPEG_QUALITY = 92
PNG_LEVEL = 1


def png(picture: npt.NDArray[np.uint8]) -> bytes:
    """Return uint8 [H, W], [H, W, 3] or [H, W, 4] as PNG, packed fast rather than small."""
    target = io.BytesIO()
    Image.fromarray(picture).save(target, "PNG", compress_level=PNG_LEVEL)
    return target.getvalue()


def jpeg(picture: npt.NDArray[np.uint8]) -> bytes:
    """Return uint8 [H, W, 3] as JPEG."""
    target = io.BytesIO()
    Image.fromarray(picture).save(target, "JPEG", quality=JPEG_QUALITY)
    return target.getvalue()
