"""A raster whose nodata value, scale and offset are known from elsewhere, such as a STAC item."""

from dataclasses import replace

import numpy as np

from core.grid import Window
from core.sources.base import Opened, Raster, resolve
from core.sources.reduce import reduced
from core.sources.source import Part


class ScaledRaster:
    """Pixels with another nodata value, times `scale` plus `offset`; classes are never scaled."""

    def __init__(self, under: Opened, part: Part) -> None:
        self._under, self._part = under, part
        self._nodata = under.info.nodata if part.nodata is None else part.nodata
        self._plain = part.scale == 1.0 and part.offset == 0.0
        dtype = under.info.dtype if self._plain else "float32"
        self.info = replace(under.info, nodata=self._nodata, dtype=dtype, overviews=())

    def read(
        self, bands: list[int], window: Window, shape: tuple[int, int], categorical: bool
    ) -> Raster:
        """Return a window; nodata is resolved before anything is averaged or scaled."""
        if categorical:
            return self._under.read(bands, window, shape, categorical)

        def strip(part: Window) -> Raster:
            raw = self._under.read(bands, part, (part.h, part.w), True)
            return resolve(raw.values, self._nodata, False, raw.valid)

        raster = reduced(strip, window, shape, categorical)
        if self._plain:
            return raster
        values = raster.values.astype(np.float32) * np.float32(self._part.scale)
        values += np.float32(self._part.offset)
        values[:, ~raster.valid] = 0
        return Raster(values, raster.valid)

    def holds_classes(self) -> bool:
        """Return what the file says."""
        return self._under.holds_classes()

    def close(self) -> None:
        """Close the file."""
        self._under.close()
