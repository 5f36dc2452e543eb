"""What a confusion matrix is worth, and how much classes count while a network learns."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.metrics import iou, mean
from models.sample import IGNORE, Sample
from models.training.config import TrainConfig


def never() -> bool:
    """Never ask to stop."""
    return False


def score(matrix: npt.NDArray[np.int64] | None) -> float | None:
    """Return the mean IoU of the classes in the reference; None where there is nothing to score."""
    value = math.nan if matrix is None else float(mean(iou(matrix)))
    return value if math.isfinite(value) else None


def class_weights(config: TrainConfig, samples: Sequence[Sample]) -> npt.NDArray[np.float32]:
    """Return float32 [K]: inverse frequency to the power of `class_balance`, at most 10.

    Frequencies count pixels by their weight; the weights average 1 over those pixels.
    """
    counts = np.zeros(config.classes)
    for sample in samples:
        counted = sample.label != IGNORE
        counts += np.bincount(
            sample.label[counted], sample.weight[counted], minlength=config.classes
        )
    share = counts / max(counts.sum(), 1e-9)
    raw = np.where(share > 0, np.maximum(share, 1e-6) ** -config.class_balance, 0.0)
    mean = float((raw * share).sum())
    return np.minimum(raw / (mean or 1.0), 10.0).astype(np.float32)
