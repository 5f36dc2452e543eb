"""What a network scores on samples, and how much its classes count while it learns."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch

from core.errors import Cancelled
from core.metrics import confusion, iou, mean
from models.networks import SegmentationNetwork
from models.sample import IGNORE, Sample
from models.training.config import TrainConfig
from models.training.speed import to_device


def never() -> bool:
    """Never ask to stop."""
    return False


@torch.inference_mode()
def validate(
    network: SegmentationNetwork,
    val: Sequence[Sample],
    *,
    device: str = "cpu",
    half: bool = False,
    cancelled: Callable[[], bool] = never,
) -> npt.NDArray[np.int64]:
    """Return the confusion matrix over `val`, int64 [K+1, K+1].

    Of each modality the first image counts.
    """
    network.eval()
    classes = network.spec.classes
    matrix = np.zeros((classes + 1, classes + 1), np.int64)
    for sample in val:
        if cancelled():
            raise Cancelled("validation", found="a request to stop")
        inputs = {
            m: to_device(device, np.asarray(sample.inputs[m][0], np.float32)[None])
            for m in network.spec.bands
        }
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half):
            found = network(inputs)[0].argmax(0).cpu().numpy().astype(np.uint8)
        matrix += confusion(sample.label, found, classes)
    return matrix


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
