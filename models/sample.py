"""What training reads: plain arrays of one tile, and crops drawn from them by seed. Numpy only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import CloudbrushError

IGNORE = 255
"""The label index of pixels without a class."""

Bands = npt.NDArray[np.generic]
"""One image, any number type, [C, H, W]; NaN marks a missing pixel."""


@dataclass(frozen=True)
class Sample:
    """One tile. `inputs` holds alternatives per modality, for instance every optical date.

    `label` is uint8 [H, W] with class indices 0..K-1 and 255 for void; `weight` is float32 [H, W]
    and says how much a pixel counts. `by_people` is the share of pixels that a person changed or
    verified, 0 to 1.
    """

    inputs: Mapping[str, Sequence[Bands]]
    label: npt.NDArray[np.uint8]
    weight: npt.NDArray[np.float32]
    name: str
    by_people: float = 0.0

    def __post_init__(self) -> None:
        shape = self.label.shape
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
) -> Batch:
    """Return `size` random crops: tile, acquisition, place, flip and turn all come from `rng`.

    `chances` float64 [len(samples)] sum to 1; None draws all tiles alike. A tile smaller than the
    crop is padded with missing input and void label.
    """
    crops = []
    for _ in range(size):
        if chances is None:
            number = int(rng.integers(len(samples)))
        else:
            number = int(rng.choice(len(samples), p=chances))
        crops.append(_draw_crop(samples[number], modalities, crop_px, rng, flip=flip))
    return Batch(
        {m: np.stack([crop[0][m] for crop in crops]) for m in modalities},
        np.stack([crop[1] for crop in crops]),
        np.stack([crop[2] for crop in crops]),
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


Crop = tuple[dict[str, npt.NDArray[np.float32]], npt.NDArray[np.int64], npt.NDArray[np.float32]]


def _draw_crop(
    sample: Sample, modalities: Sequence[str], crop_px: int, rng: np.random.Generator, *, flip: bool
) -> Crop:
    height, width = sample.label.shape
    y = int(rng.integers(max(height - crop_px, 0) + 1))
    x = int(rng.integers(max(width - crop_px, 0) + 1))
    box = (slice(y, y + crop_px), slice(x, x + crop_px))
    turns, mirrored = (int(rng.integers(4)), bool(rng.integers(2))) if flip else (0, False)

    def place(values: npt.NDArray[np.generic], fill: float, dtype: type) -> npt.NDArray[np.generic]:
        cut: npt.NDArray[Any] = values[(..., *box)].astype(dtype)
        missing = [(0, 0)] * (cut.ndim - 2) + [(0, crop_px - n) for n in cut.shape[-2:]]
        if any(after for _, after in missing):
            cut = np.pad(cut, missing, constant_values=fill)
        cut = np.rot90(cut, turns, (-2, -1))
        return np.ascontiguousarray(cut[..., ::-1] if mirrored else cut)

    inputs = {}
    for modality in modalities:
        images = sample.inputs[modality]
        image = images[int(rng.integers(len(images)))]
        inputs[modality] = place(image, np.nan, np.float32).astype(np.float32, copy=False)
    label = place(sample.label, IGNORE, np.int64).astype(np.int64, copy=False)
    weight = place(sample.weight, 0.0, np.float32).astype(np.float32, copy=False)
    return inputs, label, weight


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
