"""Where the sun and a sensor stand, and how far shadows and clouds are moved on a picture by it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sun:
    """Direction to the sun: azimuth clockwise from north, elevation above the horizon, degrees."""

    azimuth_deg: float
    elevation_deg: float

    @property
    def away(self) -> tuple[float, float]:
        """Return the step (rows, columns) of length 1 that points away from the sun."""
        return _away(self.azimuth_deg)

    def shadow_px(self, height_m: float, pixel_m: float) -> tuple[int, int]:
        """Return how many (rows, columns) the shadow of a point lies from the point."""
        length = height_m / np.tan(np.radians(self.elevation_deg)) / pixel_m
        return round(self.away[0] * length), round(self.away[1] * length)


@dataclass(frozen=True)
class View:
    """Direction to the sensor: azimuth clockwise from north, angle from the zenith, degrees."""

    azimuth_deg: float = 0.0
    zenith_deg: float = 0.0

    def displacement_px(self, height_m: float, pixel_m: float) -> tuple[int, int]:
        """Return how many (rows, columns) a point above ground appears from where it is."""
        length = height_m * np.tan(np.radians(self.zenith_deg)) / pixel_m
        away = _away(self.azimuth_deg)
        return round(away[0] * length), round(away[1] * length)


def _away(azimuth_deg: float) -> tuple[float, float]:
    azimuth = np.radians(azimuth_deg)
    return float(np.cos(azimuth)), float(-np.sin(azimuth))
