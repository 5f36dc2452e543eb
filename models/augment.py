"""Augmentations: small pure functions from a crop to a crop, drawn from a generator that is given.

Numpy only, but for simulated clouds. Names, bounds and words are in `models.zoo.augment`. What
changes where a crop lies or how large it is (resize, mixed crops, mosaic) is in `models.sample`.
Optical is the modality "optical", SAR "sar"; a crop without it stays as it is.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.zoo.augment import Augment

IGNORE = 255
"""The label index of pixels without a class."""

Picture = npt.NDArray[np.float32]
Generator = np.random.Generator

LARGEST_8BIT = 255.0
SHARE_LIMIT = 3.0
"""Optical values up to here are taken for shares of light, and up to 255 for an 8-bit picture."""


@dataclass(frozen=True)
class Crop:
    """One crop: inputs float32 [C, h, w] by modality, NaN where missing, with its label.

    `label` int64 [h, w] with 255 for void, `weight` float32 [h, w]; `checked` bool [h, w] says
    which pixels a person changed or verified.
    """

    inputs: Mapping[str, Picture]
    label: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float32]
    checked: npt.NDArray[np.bool_]

    def with_input(self, modality: str, values: npt.NDArray[np.floating[Any]]) -> "Crop":
        """Return the crop with other values of one modality."""
        changed = {**self.inputs, modality: np.asarray(values, np.float32)}
        return dataclasses.replace(self, inputs=changed)


def augmented(crop: Crop, augments: Sequence[Augment], rng: Generator) -> Crop:
    """Return the crop after the augmentations that change its values, each by its chance."""
    for augment in augments:
        change = CODE.get(augment.name)
        if change is None:
            continue
        params = dict(augment.params)
        if rng.random() < params.pop("chance", 1.0):
            crop = change(crop, rng, **params)
    return crop


def border_labels(crop: Crop, rng: Generator, *, width_px: int = 2) -> Crop:
    """Return the crop with each machine-made label drawn from the pixels around.

    Neighbours lie up to `width_px` away along rows and columns; void neighbours are not taken, and
    checked pixels keep their label. The expected loss is that of a label softened by the class
    shares of the neighbourhood, for any loss that is a sum over pixels.
    """
    height, width = crop.label.shape
    rows, cols = np.indices(crop.label.shape)
    rows = np.clip(rows + rng.integers(-width_px, width_px + 1, (height, width)), 0, height - 1)
    cols = np.clip(cols + rng.integers(-width_px, width_px + 1, (height, width)), 0, width - 1)
    near = crop.label[rows, cols]
    stays = crop.checked | (crop.label == IGNORE) | (near == IGNORE)
    return dataclasses.replace(crop, label=np.where(stays, crop.label, near))


def coarsen(crop: Crop, rng: Generator, *, low: float = 0.1, high: float = 0.35) -> Crop:
    """Return the crop with its optical image taken down to a part of its pixels and back."""
    if "optical" not in crop.inputs:
        return crop
    image = crop.inputs["optical"]
    height, width = image.shape[1:]
    part = rng.uniform(low, high)
    small = resized(image, max(round(height * part), 1), max(round(width * part), 1))
    return crop.with_input("optical", resized(small, height, width))


def colour(crop: Crop, rng: Generator, *, strength: float = 0.2) -> Crop:
    """Return the crop with other optical brightness, contrast, saturation and band balance.

    Each factor is uniform in 1 +- strength. Works for any number of bands and any unit.
    """
    if "optical" not in crop.inputs:
        return crop
    image = crop.inputs["optical"]
    if not np.isfinite(image).any():
        return crop
    brightness, contrast, saturation = 1 + strength * rng.uniform(-1, 1, 3)
    balance = 1 + 0.5 * strength * rng.uniform(-1, 1, (len(image), 1, 1))
    middle = np.nanmean(image)
    grey = image.mean(0, keepdims=True)
    changed = grey + (image - grey) * saturation
    changed = (changed - middle) * contrast + middle
    return crop.with_input("optical", changed * brightness * balance)


def blur(crop: Crop, rng: Generator, *, low: float = 0.15, high: float = 1.15) -> Crop:
    """Return the crop with a Gaussian over its optical image, its sigma in pixels drawn evenly."""
    if "optical" not in crop.inputs:
        return crop
    sigma = rng.uniform(low, high)
    reach = max(int(np.ceil(3 * sigma)), 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    image = crop.inputs["optical"].astype(np.float64)
    for axis in (1, 2):
        pad = [(0, 0), (reach, reach), (0, 0)] if axis == 1 else [(0, 0), (0, 0), (reach, reach)]
        wide = np.pad(image, pad, mode="edge")
        count = image.shape[axis]
        image = sum(
            part * np.take(wide, np.arange(i, i + count), axis) for i, part in enumerate(kernel)
        )
    return crop.with_input("optical", image)


def clouds(crop: Crop, rng: Generator, *, low: float = 0.1, high: float = 0.9) -> Crop:
    """Return the crop with simulated clouds and shadows over its optical image.

    These are the clouds of the Clouds page (`core.clouds`), of a cover between `low` and `high`.
    """
    if "optical" not in crop.inputs or not np.isfinite(crop.inputs["optical"]).any():
        return crop
    # Not at the top: they read files with rasterio, which a machine that only trains may lack.
    from core.clouds.optics import under
    from core.clouds.simulator import Sky, draw
    from core.records import Unit

    image = crop.inputs["optical"]
    valid = np.asarray(np.isfinite(image).all(0))
    brightest = float(np.nanmax(image))
    sky = Sky(
        cover=float(rng.uniform(low, high)),
        seed=int(rng.integers(2**31)),
        thin=float(rng.uniform(0, 0.6)),
        sun_azimuth_deg=float(rng.uniform(0, 360)),
        sun_elevation_deg=float(rng.uniform(25, 70)),
    )
    drawn = draw(sky, image.shape[1:], 10.0, valid=valid)
    eight_bit = SHARE_LIMIT < brightest <= LARGEST_8BIT
    unit = Unit.RELATIVE_8BIT if eight_bit else Unit.NUMBER
    if brightest <= SHARE_LIMIT:
        unit = Unit.REFLECTANCE
    filled = np.where(valid, image, 0)
    values = np.clip(np.rint(filled), 0, 255).astype(np.uint8) if eight_bit else filled
    names = [str(i) for i in range(len(image))]
    seen = under(values, valid, unit, names, drawn.opacity, drawn.shade, drawn.glow)
    return crop.with_input("optical", np.where(valid, seen, image))


def speckle(crop: Crop, rng: Generator, *, looks: float = 8.0) -> Crop:
    """Return the crop with its SAR power multiplied by gamma noise of mean 1 and `looks` looks.

    Values with a negative among them are dB, where the noise is added as 10 log10; all others are
    amplitude, where its root is multiplied. 8-bit amplitude ends at 255.
    """
    if "sar" not in crop.inputs:
        return crop
    image = crop.inputs["sar"]
    noise = np.maximum(rng.gamma(looks, 1 / looks, image.shape), 1e-6)
    return crop.with_input("sar", _times_power(image, noise))


def gain(crop: Crop, rng: Generator, *, decibels: float = 1.5) -> Crop:
    """Return the crop with each SAR band brighter or darker by up to so many dB."""
    if "sar" not in crop.inputs:
        return crop
    image = crop.inputs["sar"]
    power = 10 ** (rng.uniform(-decibels, decibels, (len(image), 1, 1)) / 10)
    return crop.with_input("sar", _times_power(image, power))


def drop_polarisation(crop: Crop, rng: Generator) -> Crop:
    """Return the crop with one SAR band missing, where there are several."""
    image = crop.inputs.get("sar")
    if image is None or len(image) < 2:
        return crop
    left = image.copy()
    left[int(rng.integers(len(image)))] = np.nan
    return crop.with_input("sar", left)


def drop_optical(crop: Crop, rng: Generator) -> Crop:
    """Return the crop without its optical image (all NaN); not where it is the only input."""
    return _without(crop, "optical")


def drop_sar(crop: Crop, rng: Generator) -> Crop:
    """Return the crop without its SAR image (all NaN); not where nothing else is left."""
    return _without(crop, "sar")


CODE: dict[str, Callable[..., Crop]] = {
    "border_labels": border_labels,
    "coarsen": coarsen,
    "colour": colour,
    "blur": blur,
    "clouds": clouds,
    "drop_optical": drop_optical,
    "speckle": speckle,
    "gain": gain,
    "drop_polarisation": drop_polarisation,
    "drop_sar": drop_sar,
}
"""The function behind each name of the table that changes values."""


def resized(image: npt.NDArray[np.generic], height: int, width: int) -> Picture:
    """Return an image [C, H, W] at another size, float32: linear between pixel centres.

    A pixel that a missing one has a part in is missing.
    """
    values = image.astype(np.float32)
    for axis, count in ((1, height), (2, width)):
        old = values.shape[axis]
        if old == count:
            continue
        at = np.clip((np.arange(count) + 0.5) * old / count - 0.5, 0, old - 1)
        first = np.floor(at).astype(np.intp)
        share = (at - first).astype(np.float32).reshape((-1, 1) if axis == 1 else (-1,))
        before = np.take(values, first, axis)
        after = np.take(values, np.minimum(first + 1, old - 1), axis)
        # Not by a weighted sum: a missing pixel of share 0 must have no part.
        values = np.where(share == 0, before, before + (after - before) * share)
    return values


def nearest(values: npt.NDArray[np.generic], height: int, width: int) -> npt.NDArray[np.generic]:
    """Return [H, W] at another size, each pixel that of the nearest centre."""
    rows, cols = (
        np.minimum(((np.arange(count) + 0.5) * old / count).astype(np.intp), old - 1)
        for old, count in zip(values.shape, (height, width), strict=True)
    )
    found: npt.NDArray[np.generic] = values[rows[:, None], cols]
    return found


def _times_power(image: Picture, factor: npt.NDArray[np.float64]) -> Picture:
    """Return SAR values whose power is `factor` times as large, in their own unit."""
    if (image < 0).any():
        return np.asarray(image + 10 * np.log10(factor), np.float32)
    louder = image * np.sqrt(factor)
    if np.nanmax(image, initial=0) <= LARGEST_8BIT:
        louder = np.minimum(louder, LARGEST_8BIT)
    return np.asarray(louder, np.float32)


def _without(crop: Crop, modality: str) -> Crop:
    others = (m for m in ("optical", "sar", "height") if m != modality)
    left = any(np.isfinite(crop.inputs[m]).any() for m in others if m in crop.inputs)
    if modality not in crop.inputs or not left:
        return crop
    return crop.with_input(modality, np.full_like(crop.inputs[modality], np.nan))
