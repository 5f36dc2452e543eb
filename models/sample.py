"""What training reads: plain arrays of one tile, and crops drawn from them by seed. Numpy only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import CloudbrushError
from models.augment import IGNORE, Crop, augmented, nearest, resized
from models.zoo.augment import Augment, check_augments

__all__ = ["IGNORE", "Bands", "Batch", "Sample", "draw_batch", "draw_chances", "normalisation"]

TRIES = 10
"""How often a crop that one class fills is drawn again, as published loaders do."""

Bands = npt.NDArray[np.generic]
"""One image, any number type, [C, H, W]; NaN marks a missing pixel."""


@dataclass(frozen=True)
class Sample:
    """One tile. `inputs` holds alternatives per modality: optical dates, the clearest first.

    `label` is uint8 [H, W] with class indices 0..K-1 and 255 for void; `weight` is float32 [H, W]
    and says how much a pixel counts. `by_people` is the share of pixels that a person changed or
    verified, 0 to 1, and `checked` bool [H, W] says which; None for none.
    """

    inputs: Mapping[str, Sequence[Bands]]
    label: npt.NDArray[np.uint8]
    weight: npt.NDArray[np.float32]
    name: str
    by_people: float = 0.0
    checked: npt.NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        shape = self.label.shape
        if self.checked is not None and self.checked.shape != shape:
            raise CloudbrushError(
                f"sample {self.name}, checked", found=f"{self.checked.shape}", expected=f"{shape}"
            )
        if len(shape) != 2 or min(shape) < 1 or self.weight.shape != shape:
            raise CloudbrushError(
                f"sample {self.name}",
                found=f"label {shape}, weight {self.weight.shape}",
                expected="two arrays [H, W] of one shape",
            )
        for modality, images in self.inputs.items():
            if not images or any(i.ndim != 3 or i.shape[1:] != shape for i in images):
                raise CloudbrushError(
                    f"sample {self.name}, {modality}",
                    found=f"{[i.shape for i in images]}",
                    expected=f"at least one image [C, {shape[0]}, {shape[1]}]",
                )


@dataclass(frozen=True)
class Batch:
    """Crops as arrays: inputs float32 [B, C, h, w], label int64 and weight float32 [B, h, w]."""

    inputs: dict[str, npt.NDArray[np.float32]]
    label: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float32]


def draw_batch(
    samples: Sequence[Sample],
    modalities: Sequence[str],
    crop_px: int,
    size: int,
    rng: np.random.Generator,
    *,
    flip: bool = True,
    chances: npt.NDArray[np.float64] | None = None,
    augments: Sequence[Augment] = (),
) -> Batch:
    """Return `size` random crops: tile, acquisition, place, flip and turn all come from `rng`.

    `chances` float64 [len(samples)] sum to 1; None draws all tiles alike. A tile smaller than the
    crop is padded with missing input and void label. `augments` are applied in the order of their
    table; raises `ModelFileError` for one that is not in it.
    """
    wanted = check_augments(augments)
    by_name = {augment.name: augment.params for augment in wanted}

    def draw() -> Crop:
        if chances is None:
            number = int(rng.integers(len(samples)))
        else:
            number = int(rng.choice(len(samples), p=chances))
        crop = _draw_crop(samples[number], modalities, crop_px, rng, flip, by_name)
        return augmented(crop, wanted, rng)

    crops = []
    for _ in range(size):
        crop = draw()
        if "mosaic" in by_name and rng.random() < by_name["mosaic"]["chance"]:
            crop = _mosaic([crop, draw(), draw(), draw()], rng)
        crops.append(crop)
    return Batch(
        {m: np.stack([crop.inputs[m] for crop in crops]) for m in modalities},
        np.stack([crop.label for crop in crops]),
        np.stack([crop.weight for crop in crops]),
    )


def draw_chances(samples: Sequence[Sample], favour: float) -> npt.NDArray[np.float64] | None:
    """Return float64 [len(samples)], summing to 1; None where all tiles have the same chance.

    A tile that people looked at as a whole is drawn `favour` times as often as one that nobody
    touched; in between it goes by the share of its pixels.
    """
    wanted = np.array([1 + (favour - 1) * sample.by_people for sample in samples], np.float64)
    if np.ptp(wanted) == 0:
        return None
    chances: npt.NDArray[np.float64] = wanted / wanted.sum()
    return chances


def _draw_crop(
    sample: Sample,
    modalities: Sequence[str],
    crop_px: int,
    rng: np.random.Generator,
    flip: bool,
    augments: Mapping[str, Mapping[str, Any]],
) -> Crop:
    """Return a crop as it lies in its tile, resized, turned and mirrored; values as they are."""
    side = _side(crop_px, augments.get("resize"), rng)
    box = _box(sample.label, side, augments.get("mixed_crop"), rng)
    turns, mirrored = (int(rng.integers(4)), bool(rng.integers(2))) if flip else (0, False)

    def place(values: npt.NDArray[np.generic], fill: float, dtype: type) -> npt.NDArray[Any]:
        cut: npt.NDArray[Any] = values[(..., *box)].astype(dtype)
        missing = [(0, 0)] * (cut.ndim - 2) + [(0, side - n) for n in cut.shape[-2:]]
        if any(after for _, after in missing):
            cut = np.pad(cut, missing, constant_values=fill)
        if side != crop_px:
            cut = (resized if cut.ndim == 3 else nearest)(cut, crop_px, crop_px)
        cut = np.rot90(cut, turns, (-2, -1))
        return np.ascontiguousarray(cut[..., ::-1] if mirrored else cut)

    inputs = {}
    for modality in modalities:
        images = sample.inputs[modality]
        image = images[int(rng.integers(len(images)))]
        inputs[modality] = place(image, np.nan, np.float32)
    checked = np.zeros_like(sample.label) if sample.checked is None else sample.checked
    return Crop(
        inputs,
        place(sample.label, IGNORE, np.int64),
        place(sample.weight, 0.0, np.float32),
        place(checked, 0, np.bool_),
    )


def _side(crop_px: int, resize: Mapping[str, Any] | None, rng: np.random.Generator) -> int:
    """Return how many pixels of the tile a crop takes; a factor is as likely as its inverse."""
    if resize is None or rng.random() >= resize["chance"]:
        return crop_px
    factor = np.exp(rng.uniform(np.log(resize["low"]), np.log(resize["high"])))
    return max(round(crop_px / float(factor)), 1)


def _box(
    label: npt.NDArray[np.uint8],
    side: int,
    mixed: Mapping[str, Any] | None,
    rng: np.random.Generator,
) -> tuple[slice, slice]:
    """Return where a crop lies; drawn again while one class fills more of it than it may."""
    height, width = label.shape
    for _ in range(1 if mixed is None else TRIES):
        y = int(rng.integers(max(height - side, 0) + 1))
        x = int(rng.integers(max(width - side, 0) + 1))
        box = (slice(y, y + side), slice(x, x + side))
        if mixed is None:
            break
        counts = np.bincount(label[box].ravel(), minlength=IGNORE + 1)[:IGNORE]
        if counts.max() <= mixed["largest"] * counts.sum() and counts.any():
            break
    return box


def _mosaic(crops: Sequence[Crop], rng: np.random.Generator) -> Crop:
    """Return one crop of four: each fills a corner with its middle, split at a random point.

    The split lies in the middle half of each side.
    """
    height, width = crops[0].label.shape
    split_y, split_x = (int(rng.integers(n // 4, 3 * n // 4 + 1)) for n in (height, width))
    corners = [
        (rows, cols)
        for rows in ((0, split_y), (split_y, height))
        for cols in ((0, split_x), (split_x, width))
    ]

    def join(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        whole = np.empty_like(parts[0])
        for part, ((y0, y1), (x0, x1)) in zip(parts, corners, strict=True):
            top, left = (height - (y1 - y0)) // 2, (width - (x1 - x0)) // 2
            middle = part[..., top : top + y1 - y0, left : left + x1 - x0]
            whole[..., y0:y1, x0:x1] = middle
        return whole

    return Crop(
        {m: join([crop.inputs[m] for crop in crops]) for m in crops[0].inputs},
        join([crop.label for crop in crops]),
        join([crop.weight for crop in crops]),
        join([crop.checked for crop in crops]),
    )


def normalisation(
    samples: Sequence[Sample], modality: str
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return mean and standard deviation per band, float32 [C], of every fourth row and column."""
    parts = [
        image[:, ::4, ::4].reshape(image.shape[0], -1).astype(np.float64)
        for sample in samples
        for image in sample.inputs[modality]
    ]
    values = np.concatenate(parts, 1)
    counts = np.isfinite(values).sum(1)
    values = np.where(np.isfinite(values), values, 0.0)
    mean = values.sum(1) / np.maximum(counts, 1)
    square = (values**2).sum(1) / np.maximum(counts, 1)
    std = np.sqrt(np.maximum(square - mean**2, 0.0))
    return mean.astype(np.float32), np.where(std > 0, std, 1.0).astype(np.float32)
