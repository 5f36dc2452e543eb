"""Labels that networks make: probabilities over dates and views, and what is kept of them.

*Soft* labels are uint8 [K, H, W], probabilities in steps of 1/255. They travel as an input named
`SOFT` beside the images of a sample, so that crops of both fit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import numpy.typing as npt

from models.blend import Rows
from models.networks import SegmentationNetwork
from models.recipes.run import Run
from models.sample import IGNORE, Bands, Sample
from models.scene import How, predict_scene

SOFT = "soft"

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def look(
    run: Run,
    networks: Sequence[SegmentationNetwork],
    sample: Sample,
    views: int,
    dates: int | None = None,
) -> Floats:
    """Return the mean probabilities of networks over dates of a sample and views of each.

    float32 [K, H, W]. `dates` is how many, the clearest first (None: all). Raises `Cancelled` when
    asked to stop.
    """
    total = np.zeros((networks[0].spec.classes, *sample.label.shape), np.float32)
    count = 0
    for network in networks:
        for images in islice(_dates(sample, tuple(network.spec.bands)), dates):
            total += _probabilities(run, network, images, views)
            count += 1
    return np.asarray(total / count, np.float32)


def without_labels(sample: Sample) -> Sample:
    """Return a sample of which only the images are left."""
    void = np.full(sample.label.shape, IGNORE, np.uint8)
    return Sample(sample.inputs, void, np.zeros(void.shape, np.float32), sample.name)


def seen(sample: Sample, modalities: Sequence[str], dates: int | None = None) -> Mask:
    """Return bool [H, W]: where at least one image that `look` would see has a value."""
    values = [
        np.isfinite(image).any(0) if image.dtype.kind == "f" else np.ones(image.shape[1:], np.bool_)
        for images in islice(_dates(sample, modalities), dates)
        for image in images.values()
    ]
    return np.asarray(np.logical_or.reduce(values))


def checked(sample: Sample) -> Mask:
    """Return bool [H, W]: pixels with a label that a person changed or verified."""
    if sample.checked is None:
        return np.zeros(sample.label.shape, np.bool_)
    return np.asarray(sample.checked & (sample.label != IGNORE))


def relabelled(sample: Sample, label: Bytes, weight: Floats) -> Sample:
    """Return a sample with other labels; pixels that people checked keep theirs and their weight.

    `label` uint8 [H, W] with 255 for void, `weight` float32 [H, W].
    """
    kept = checked(sample)
    return replace(
        sample,
        label=np.where(kept, sample.label, label).astype(np.uint8),
        weight=np.where(kept, sample.weight, weight).astype(np.float32),
    )


def softened(sample: Sample, soft: Floats, weight: Floats) -> Sample:
    """Return a sample with soft labels float32 [K, H, W] as a further input.

    Pixels that people checked are wholly of their class. The label is the likeliest class.
    """
    kept = checked(sample)
    sure = np.arange(len(soft))[:, None, None] == sample.label
    soft = np.where(kept, sure.astype(np.float32), soft)
    changed = relabelled(sample, soft.argmax(0).astype(np.uint8), weight)
    return replace(changed, inputs={**sample.inputs, SOFT: [_in_bytes(soft)]})


def agreed(first: Bytes, second: Bytes) -> Bytes:
    """Return the label where two maps uint8 [H, W] agree, void elsewhere."""
    return np.where(first == second, first, IGNORE).astype(np.uint8)


def _in_bytes(soft: Floats) -> Bytes:
    return np.rint(255 * np.clip(soft, 0, 1)).astype(np.uint8)


def _dates(sample: Sample, modalities: Sequence[str]) -> Iterator[Mapping[str, Bands]]:
    """Yield one image per modality for each date; a modality with one image serves all dates."""
    count = max(len(sample.inputs[m]) for m in modalities)
    for date in range(count):
        yield {m: sample.inputs[m][min(date, len(sample.inputs[m]) - 1)] for m in modalities}


def _probabilities(
    run: Run, network: SegmentationNetwork, images: Mapping[str, Bands], views: int
) -> Floats:
    height, width = next(iter(images.values())).shape[1:]
    found = np.empty((network.spec.classes, height, width), np.float32)

    def read(y0: int, x0: int, h: int, w: int) -> Mapping[str, Bands]:
        return {m: image[:, y0 : y0 + h, x0 : x0 + w] for m, image in images.items()}

    def keep(rows: Rows) -> None:
        strip = np.asarray(rows.probabilities, np.float32)
        found[:, rows.y0 : rows.y0 + strip.shape[1]] = strip / np.maximum(strip.sum(0), 1)

    predict_scene(
        network,
        read,
        height,
        width,
        keep,
        how=How(views=views, probabilities=True, mixed_precision=run.config.mixed_precision),
        device=run.device,
        cancelled=run.cancelled,
    )
    return found
