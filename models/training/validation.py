"""What a network says of the watched samples while it learns."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch

from core.errors import Cancelled
from core.metrics import confusion
from models.networks import SegmentationNetwork
from models.sample import Bands, Sample
from models.scene import OVERLAP_PX, WINDOW_PX, How, predict_windows
from models.training.scoring import never
from models.training.speed import to_device

Indices = npt.NDArray[np.uint8]


@torch.inference_mode()
def validate(
    network: SegmentationNetwork,
    val: Sequence[Sample],
    *,
    device: str = "cpu",
    half: bool = False,
    cancelled: Callable[[], bool] = never,
    most_px: int | None = None,
) -> npt.NDArray[np.int64]:
    """Return the confusion matrix over `val`, int64 [K+1, K+1].

    Of each modality the first image counts. A sample goes through whole, or by windows where it is
    larger than the network takes at once or than `most_px`.
    """
    network.eval()
    classes = network.spec.classes
    matrix = np.zeros((classes + 1, classes + 1), np.int64)
    for sample in val:
        if cancelled():
            raise Cancelled("validation", found="a request to stop")
        images = {m: sample.inputs[m][0] for m in network.spec.bands}
        side = max(sample.label.shape)
        if side <= min(network.most_px or side, most_px or side):
            found = _whole(network, images, device, half)
        else:
            found = _by_windows(network, images, device, half, most_px or WINDOW_PX)
        matrix += confusion(sample.label, found, classes)
    return matrix


def _whole(
    network: SegmentationNetwork, images: Mapping[str, Bands], device: str, half: bool
) -> Indices:
    """Return class indices, uint8 [H, W], of images that go through at once."""
    inputs = {m: to_device(device, np.asarray(x, np.float32)[None]) for m, x in images.items()}
    with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half):
        return network(inputs)[0].argmax(0).cpu().numpy().astype(np.uint8)  # type: ignore[no-any-return]


def _by_windows(
    network: SegmentationNetwork,
    images: Mapping[str, Bands],
    device: str,
    half: bool,
    window_px: int,
) -> Indices:
    """Return class indices, uint8 [H, W], as a map of these images has them."""

    def read(y0: int, x0: int, height: int, width: int) -> Mapping[str, Bands]:
        return {m: x[:, y0 : y0 + height, x0 : x0 + width] for m, x in images.items()}

    height, width = next(iter(images.values())).shape[1:]
    overlap = min(OVERLAP_PX, window_px // 2)
    how = How(window_px=window_px, overlap_px=overlap, mixed_precision=half)
    return predict_windows(network, read, height, width, how=how, device=device)[0]
