from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.networks import build
from models.predict import predict_array, predict_windows
from models.registry import LoadedModel


@pytest.mark.parametrize(("height", "width"), [(70, 90), (32, 100), (33, 32), (5, 7), (64, 64)])
def test_windows_agree_with_the_whole(height: int, width: int) -> None:
    """Where the network sees one pixel only, windows and blending must change nothing."""
    torch.manual_seed(0)
    network = build("unet", {"sar": 2}, 4, {"widths": (4, 8)}).eval()
    image = np.random.default_rng(0).random((2, height, width), np.float32)
    head = torch.nn.Conv2d(2, 4, 1)
    network.features_to_logits = lambda inputs: head(inputs[0])  # type: ignore[method-assign]

    def read(y0: int, x0: int, h: int, w: int) -> Mapping[str, npt.NDArray[np.float32]]:
        return {"sar": image[:, y0 : y0 + h, x0 : x0 + w]}

    index, confidence = predict_windows(network, read, height, width, window_px=32, overlap_px=8)
    with torch.inference_mode():
        whole, _ = predict_windows(network, read, height, width, window_px=200, overlap_px=8)
        best = 255 * head(torch.from_numpy(image)).softmax(0).max(0).values.numpy()
    assert (index == whole).all()
    assert np.abs(confidence - best).max() <= 2  # bfloat16 has 8 bits


def test_windows_cover_and_overlap() -> None:
    network = build("unet", {"sar": 1}, 2, {"widths": (2, 2)})
    seen: list[tuple[int, int, int, int]] = []
    cover = np.zeros((100, 75), int)

    def read(y0: int, x0: int, h: int, w: int) -> Mapping[str, npt.NDArray[np.float32]]:
        seen.append((y0, x0, h, w))
        cover[y0 : y0 + h, x0 : x0 + w] += 1
        return {"sar": np.zeros((1, h, w), np.float32)}

    predict_windows(network, read, 100, 75, window_px=40, overlap_px=10)
    assert cover.min() >= 1
    assert {box[2:] for box in seen} == {(40, 40)}
    for starts in (sorted({box[0] for box in seen}), sorted({box[1] for box in seen})):
        assert all(b - a <= 30 for a, b in pairwise(starts))


def test_codes_come_from_the_model() -> None:
    network = build("unet", {"sar": 1}, 2, {"widths": (2, 2)})
    torch.nn.init.zeros_(network.get_parameter("decoder.head.weight"))
    network.get_parameter("decoder.head.bias").data = torch.tensor([0.0, 9.0])
    model = LoadedModel(network, (3, 7), {})
    codes, confidence = predict_array(model, {"sar": np.zeros((1, 9, 11), np.uint8)})
    assert codes.shape == (9, 11) and (codes == 7).all() and (confidence >= 254).all()


def test_missing_pixels_are_predicted_too() -> None:
    network = build("unet", {"sar": 1}, 2, {"widths": (2, 2)})
    _, confidence = predict_array(
        LoadedModel(network, (1, 2), {}), {"sar": np.full((1, 16, 16), np.nan, np.float32)}
    )
    assert (confidence >= 127).all()
