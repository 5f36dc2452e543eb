"""An extra: the pixel classifier of s2cloudless, where a person has installed it.

Only its weights are used, a text file inside the package that LightGBM reads; the package itself is
not imported, as it brings a client of an online service along. See docs/clouds.md.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.clouds.cover import CLEAR, NONE, THICK
from core.clouds.images import Light
from core.errors import CloudbrushError

BANDS = ("b1", "b2", "b4", "b5", "b8", "b8a", "b9", "b10", "b11", "b12")
THRESHOLD = 0.4  # of the package
AVERAGED_PX = 4  # radius over which probabilities are averaged: what its authors use at 10 m
MODEL = "models/pixel_s2_cloud_detector_lightGBM_v0.1.txt"

Levels = npt.NDArray[np.uint8]


def installed() -> bool:
    """Return whether the extra is there."""
    return find_spec("lightgbm") is not None and _weights() is not None


def detect(image: Light) -> Levels:
    """Return cloud levels uint8 [H, W] of a Sentinel-2 L1C image; 255 where it has no pixel.

    All cloud is thick: the classifier knows neither thin cloud nor shadow. Raises
    `CloudbrushError` without the extra, or where one of its ten bands is missing.
    """
    names = [_plain(name) for name in image.names]
    missing = [band for band in BANDS if band not in names]
    if missing:
        raise CloudbrushError(
            "s2cloudless",
            found=f"no band {', '.join(missing).upper()}",
            expected="the ten bands of Sentinel-2 L1C that it learned from",
            todo="Use another method.",
        )
    weights = _weights()
    if weights is None or find_spec("lightgbm") is None:
        raise CloudbrushError(
            "s2cloudless",
            found="no such package",
            expected="the extra of docs/clouds.md",
            todo="Install it, or use another method.",
        )
    bands = image.values[[names.index(band) for band in BANDS]]
    chance = _probability(weights, bands.reshape(len(BANDS), -1).T).reshape(bands.shape[1:])
    reach = np.arange(-AVERAGED_PX, AVERAGED_PX + 1)
    kernel = (np.hypot(reach[:, None], reach[None, :]) <= AVERAGED_PX).astype(np.float32)
    smooth = ndimage.convolve(chance, kernel / kernel.sum(), mode="reflect")
    levels = np.where(smooth > THRESHOLD, THICK, CLEAR)
    return np.where(image.valid, levels, NONE).astype(np.uint8)


def _weights() -> Path | None:
    spec = find_spec("s2cloudless")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / MODEL
        if path.is_file():
            return path
    return None


def _probability(weights: Path, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    lightgbm: Any = import_module("lightgbm")  # an extra
    booster = lightgbm.Booster(model_file=str(weights))
    return np.asarray(booster.predict(pixels), np.float32)


def _plain(name: str) -> str:
    lower = name.strip().lower()
    return "b" + lower[2:] if lower[:2] == "b0" else lower
