"""A class raster whose codes fit no byte, or of which only some are classes, as codes of ours."""

from dataclasses import replace

import numpy as np

from core.grid import Window
from core.sources.base import Array, Opened, Raster
from core.sources.source import Part

OTHER = 255


class RecodedRaster:
    """Whole numbers turned into codes by `part.codes`; all others become 255."""

    def __init__(self, under: Opened, part: Part) -> None:
        """Keep the codes in the order of the file's values."""
        pairs = sorted((int(text), code) for text, code in part.codes)
        self._values = np.array([value for value, _ in pairs], np.int64)
        self._codes = np.array([code for _, code in pairs], np.uint8)
        self._under = under
        self.info = replace(
            under.info, dtype="uint8", nodata=float(OTHER), colours=None, overviews=()
        )

    def read(
        self, bands: list[int], window: Window, shape: tuple[int, int], categorical: bool
    ) -> Raster:
        """Return a window of codes, uint8; pixels are never mixed."""
        raw = self._under.read(bands, window, shape, True)
        place = np.searchsorted(self._values, raw.values).clip(0, len(self._values) - 1)
        known = (self._values[place] == raw.values) & raw.valid
        codes: Array = np.full(raw.values.shape, OTHER, np.uint8)
        codes[known] = self._codes[place][known]
        return Raster(codes, raw.valid)

    def holds_classes(self) -> bool:
        """Return what the file says."""
        return self._under.holds_classes()

    def close(self) -> None:
        """Close the file."""
        self._under.close()


class AboveRaster:
    """A class raster of one band: 1 where any band of the file holds more than a number, else 0."""

    def __init__(self, under: Opened, above: float) -> None:
        self._under, self._above = under, above
        self._bands = list(range(1, under.info.count - (under.info.alpha_band is not None) + 1))
        self.info = replace(
            under.info, dtype="uint8", count=1, alpha_band=None, nodata=None, colours=None
        )

    def read(
        self, bands: list[int], window: Window, shape: tuple[int, int], categorical: bool
    ) -> Raster:
        """Return a window of 0 and 1, uint8 [1, h, w]."""
        raw = self._under.read(self._bands, window, shape, True)
        found = np.logical_or.reduce(raw.values > self._above)
        return Raster(found[np.newaxis].astype(np.uint8), raw.valid)

    def holds_classes(self) -> bool:
        """Return what the file says."""
        return self._under.holds_classes()

    def close(self) -> None:
        """Close the file."""
        self._under.close()
