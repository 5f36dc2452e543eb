"""Scenes by windows: nothing of the cut shows, and nothing is left behind when it is stopped."""

import threading
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from core.errors import Cancelled, ModelFileError
from models.blend import Rows
from models.model_files import LoadedModel
from models.networks import NetworkSpec, SegmentationNetwork, build
from models.predict import predict_array
from models.scene import How, Read, predict_scene, predict_windows
from models.windows import lay_out

Image = npt.NDArray[np.float32]
SMALL = How(window_px=32, overlap_px=8)


class Near(SegmentationNetwork):
    """Looks `radius` pixels far and no further; pools by 2, so that where windows start matters."""

    def __init__(self, radius: int = 2, classes: int = 4) -> None:
        super().__init__(NetworkSpec("near", {"sar": 2}, classes, {}), stride=2)
        side = 2 * (radius // 2) + 1
        self.look = nn.Conv2d(2, classes, side, padding=side // 2)

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        coarse = nn.functional.max_pool2d(inputs[0], 2)
        return nn.functional.interpolate(self.look(coarse), scale_factor=2.0)


@pytest.fixture(autouse=True)
def small_and_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute in float32: what is compared here must not hang on the rounding of bfloat16.

    And cut these small windows into strips too, so that some hold rows of two windows.
    """
    monkeypatch.setattr("models.scene.mixed_precision_helps", lambda _device: False)
    monkeypatch.setattr("models.planes.STRIP_ROWS", 5)


def reader(image: Image) -> Read:
    def read(y0: int, x0: int, h: int, w: int) -> Mapping[str, Image]:
        return {"sar": image[:, y0 : y0 + h, x0 : x0 + w]}

    return read


def noise(height: int, width: int, seed: int = 0) -> Image:
    return np.random.default_rng(seed).standard_normal((2, height, width)).astype(np.float32)


def probabilities(network: SegmentationNetwork, image: Image, how: How) -> npt.NDArray[np.uint8]:
    parts: list[Rows] = []
    height, width = image.shape[1:]
    predict_scene(network, reader(image), height, width, parts.append, how=how)
    return np.concatenate(
        [rows.probabilities for rows in parts if rows.probabilities is not None], 1
    )


@pytest.mark.parametrize(
    ("height", "width"), [(70, 90), (32, 100), (33, 32), (5, 7), (64, 64), (131, 33)]
)
def test_a_network_that_looks_no_further_than_the_margin_gives_what_it_gives_on_the_whole(
    height: int, width: int
) -> None:
    torch.manual_seed(0)
    network, image = Near(radius=2).eval(), noise(height, width)
    index, confidence = predict_windows(network, reader(image), height, width, how=SMALL)
    with torch.inference_mode():
        whole = network({"sar": torch.from_numpy(image)[None]})[0].softmax(0)
    assert (index == whole.argmax(0).numpy()).all()
    best = 255 * whole.max(0).values.numpy()
    assert np.abs(confidence - best).max() <= 0.5 + 1e-3


def test_one_that_looks_further_than_the_margin_would_show() -> None:
    """So that the test above cannot pass by luck."""
    torch.manual_seed(0)
    network, image = Near(radius=8).eval(), noise(70, 90)
    index, _ = predict_windows(network, reader(image), 70, 90, how=SMALL)
    with torch.inference_mode():
        whole = network({"sar": torch.from_numpy(image)[None]})[0].argmax(0).numpy()
    assert (index != whole).any()


def _ramp_network(radius: int) -> SegmentationNetwork:
    """Return one whose first class is exp(mean around the pixel) against a second of 1."""
    network = Near(radius, classes=2)
    network.look.weight.data.zero_()
    network.look.bias.data.zero_()  # type: ignore[union-attr]
    network.look.weight.data[0, 0] = 1 / network.look.weight[0, 0].numel()
    return network.eval()


def test_no_seam_on_a_ramp() -> None:
    """The ideal confidence of a ramp is smooth and known; windows pad with zeros at their edges."""
    height, width = 64, 400
    ramp = np.linspace(1, 4, width, dtype=np.float32)
    image = np.broadcast_to(ramp, (2, height, width))
    pooled = ramp.reshape(-1, 2).max(1).repeat(2)  # what max pooling makes of a rising ramp
    ideal = 255 / (1 + np.exp(-pooled))
    inner = (slice(8, -8), slice(8, -8))
    steps = {}
    for overlap in (0, 16, 32):
        how = How(window_px=64, overlap_px=overlap)
        _, confidence = predict_windows(_ramp_network(6), reader(image), height, width, how=how)
        steps[overlap] = float(np.abs(confidence - ideal)[inner].max())
    assert steps[32] <= 0.5 + 1e-3  # rounding to 8 bits, and no more
    assert steps[0] > 20 and steps[16] < steps[0] / 2


def test_shifted_windows_give_the_same_inside() -> None:
    """Cut elsewhere, a network that looks far beyond the margin changes next to nothing."""
    torch.manual_seed(3)
    network = build("unet", {"sar": 2}, 3, {"widths": (4, 8, 8)}).eval()
    image: Image = (np.cumsum(noise(200, 216), axis=2) / 4).astype(np.float32)
    how = How(window_px=96, overlap_px=48, probabilities=True)
    first = probabilities(network, image, how)[:, 60:140, 60:140].astype(int)
    moved = probabilities(network, image[:, 20:, 36:], how)[:, 40:120, 24:104].astype(int)
    assert lay_out(180, 180, 96, 48, 4).y.starts[1] + 20 != lay_out(200, 216, 96, 48, 4).y.starts[1]
    assert np.abs(first - moved).max() <= 2
    assert (first.argmax(0) != moved.argmax(0)).mean() < 0.01


def test_probabilities_of_all_classes_belong_to_the_map() -> None:
    torch.manual_seed(0)
    network, image = Near().eval(), noise(70, 90)
    parts: list[Rows] = []
    how = How(window_px=32, overlap_px=8, probabilities=True)
    predict_scene(network, reader(image), 70, 90, parts.append, how=how)
    assert [rows.y0 for rows in parts] == list(lay_out(70, 90, 32, 8, 2).y.starts)
    for rows in parts:
        assert rows.probabilities is not None
        assert (rows.probabilities.max(0) == rows.confidence).all()
        taken = np.take_along_axis(rows.probabilities, rows.index[None].astype(int), 0)[0]
        assert (taken == rows.confidence).all()
        assert np.abs(rows.probabilities.sum(0, dtype=int) - 255).max() <= 2


def test_batches_change_nothing() -> None:
    torch.manual_seed(0)
    network, image = Near().eval(), noise(100, 75)
    one, _ = predict_windows(network, reader(image), 100, 75, how=SMALL)
    for batch in (2, 5, 100):
        how = How(window_px=32, overlap_px=8, batch=batch)
        index, _ = predict_windows(network, reader(image), 100, 75, how=how)
        assert (index == one).all()


def test_codes_come_from_the_model() -> None:
    network = build("unet", {"sar": 1}, 2, {"widths": (2, 2)})
    torch.nn.init.zeros_(network.get_parameter("decoder.head.weight"))
    network.get_parameter("decoder.head.bias").data = torch.tensor([0.0, 9.0])
    model = LoadedModel(network, (3, 7), {})
    codes, confidence = predict_array(model, {"sar": np.zeros((1, 9, 11), np.uint8)})
    assert codes.shape == (9, 11) and (codes == 7).all() and (confidence >= 254).all()


@pytest.mark.parametrize("views", [1, 24])
def test_missing_pixels_and_missing_images_are_predicted_too(views: int) -> None:
    network = build("unet", {"optical": 3, "sar": 1}, 2, {"widths": (2, 2)})
    model, how = LoadedModel(network, (1, 2), {}), How(views=views)
    sar = np.ones((1, 16, 16), np.float32)
    nothing = np.full((3, 16, 16), np.nan, np.float32)
    absent = predict_array(model, {"sar": sar}, how=how)
    missing = predict_array(model, {"sar": sar, "optical": nothing}, how=how)
    assert (absent[1] >= 127).all() and (absent[1] == missing[1]).all()


def test_a_stop_leaves_no_thread_and_hands_on_no_more() -> None:
    network, image = Near().eval(), noise(400, 40)
    before, rows, shares = threading.active_count(), list[Rows](), list[float]()

    def report(share: float, _message: str) -> None:
        shares.append(share)

    with pytest.raises(Cancelled):
        predict_scene(
            network,
            reader(image),
            400,
            40,
            rows.append,
            how=SMALL,
            report=report,
            cancelled=lambda: len(shares) >= 3,
        )
    assert threading.active_count() == before
    assert len(rows) == len(shares) == 3
    assert shares == sorted(shares) and 0 < shares[-1] < 0.5  # told for each row


@pytest.mark.parametrize("where", ["read", "sink"])
def test_what_fails_on_the_way_is_raised_and_ends_everything(where: str) -> None:
    network, image, seen = Near().eval(), noise(400, 40), list[int]()
    before, plain = threading.active_count(), reader(image)

    def fail(*at: object) -> None:
        seen.append(1)
        if len(seen) == 5:
            raise OSError("the disk is gone")

    def read(y0: int, x0: int, h: int, w: int) -> Mapping[str, npt.NDArray[np.generic]]:
        fail()
        return plain(y0, x0, h, w)

    work: Sequence[object] = (read, list[Rows]().append) if where == "read" else (plain, fail)
    with pytest.raises(OSError, match="disk is gone"):
        predict_scene(network, work[0], 400, 40, work[1], how=SMALL)  # type: ignore[arg-type]
    assert threading.active_count() == before and len(seen) < 9


def test_reading_runs_beside_the_network() -> None:
    """Windows are read ahead from a thread of its own, and never more than a few."""
    network, image = Near().eval(), noise(400, 40)
    threads, ahead, done = set[int](), list[int](), list[int]()
    plain = reader(image)

    def read(y0: int, x0: int, h: int, w: int) -> Mapping[str, npt.NDArray[np.generic]]:
        threads.add(threading.get_ident())
        ahead.append(len(ahead) - len(done))
        return plain(y0, x0, h, w)

    layer = network.features_to_logits
    network.features_to_logits = lambda inputs: (done.append(1), layer(inputs))[1]  # type: ignore
    predict_scene(network, read, 400, 40, lambda _rows: None, how=SMALL)
    assert len(threads) == 1 and threading.get_ident() not in threads
    assert max(ahead) <= 3


def test_views_that_there_are_not_are_refused() -> None:
    with pytest.raises(ModelFileError, match="one of 1, 4, 8, 24"):
        How(views=3)
