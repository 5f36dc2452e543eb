"""Networks that take so many pixels at once and no more: larger images go through by windows."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch

from core.errors import CloudbrushError
from core.metrics import confusion
from models.networks import SegmentationNetwork, build
from models.sample import Bands, Sample
from models.scene import Codes, How, _layout, predict_windows
from models.train import validate
from models.tta import BY_COUNT, View, largest_scale
from models.windows import lay_out

SIDE = 1100
EXACT = How(mixed_precision=False)
SMALL = {"width": 16, "heads": 1, "depth": 1, "decoder": 8}


@pytest.fixture
def softcon() -> SegmentationNetwork:
    torch.manual_seed(0)
    network = build("softcon_vit", {"sar": 1}, 3, SMALL).eval()
    torch.nn.init.zeros_(network.get_parameter("decoder.head.bias"))
    return network


@pytest.fixture
def image() -> Bands:
    return np.random.default_rng(0).standard_normal((1, SIDE, SIDE)).astype(np.float32)


def predicted(network: SegmentationNetwork, image: Bands, how: How) -> tuple[Codes, Codes]:
    def read(y0: int, x0: int, height: int, width: int) -> Mapping[str, Bands]:
        return {"sar": image[:, y0 : y0 + height, x0 : x0 + width]}

    return predict_windows(network, read, *image.shape[1:], how=how)


@pytest.mark.parametrize(
    ("name", "bands", "options", "most"),
    [
        ("croma", {"sar": 1, "optical": 3}, {"width": 16, "depth": 2, "decoder": 8}, 512),
        ("softcon_vit", {"sar": 1}, SMALL, 896),
        ("prithvi", {"optical": 3}, SMALL, 1024),
        ("dofa", {"sar": 1, "optical": 3}, SMALL, 1024),
        ("terramind", {"sar": 1}, SMALL, 1024),
        ("terramind", {"sar": 1, "optical": 3}, SMALL, 720),
        ("unet", {"sar": 1}, {"widths": (2, 4)}, None),
    ],
)
def test_a_network_says_how_much_it_takes_at_once(
    name: str, bands: dict[str, int], options: dict[str, object], most: int | None
) -> None:
    with torch.device("meta"):
        network = build(name, bands, 2, options)
    assert network.most_px == most
    for views in BY_COUNT:
        layout = _layout(network, 2000, 3000, How(views=views))
        side = max(layout.y.size, layout.x.size)
        if most is None:
            assert layout == lay_out(2000, 3000, 1024, 128, network.stride)
        else:
            assert round(side * largest_scale(views)) <= most
            assert max(layout.y.most_shared, layout.x.most_shared) >= 128


def test_a_map_is_made_of_windows_that_fit(softcon: SegmentationNetwork, image: Bands) -> None:
    """1,000 px would be one window, 1,100 px are two of 672."""
    assert predicted(softcon, image, EXACT)[0].shape == (SIDE, SIDE)
    image = image[:, :1000, :1000]
    found = predicted(softcon, image, EXACT)
    by_hand = predicted(softcon, image, How(window_px=896, mixed_precision=False))
    assert all(map(np.array_equal, found, by_hand)) and len(np.unique(found[0])) > 1
    softcon.most_px = None
    with pytest.raises(CloudbrushError, match="896 x 896"):
        predicted(softcon, image, EXACT)


def test_a_larger_view_fits_too(
    softcon: SegmentationNetwork, image: Bands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BY_COUNT, 24, (View(scale=1.75),))  # one of them is enough here
    index, confidence = predicted(softcon, image, How(views=24, mixed_precision=False))
    assert index.shape == (SIDE, SIDE) and (confidence > 0).all()


def test_watched_tiles_are_scored_as_their_maps_are(
    softcon: SegmentationNetwork, image: Bands
) -> None:
    label = np.random.default_rng(1).integers(0, 3, (SIDE, SIDE)).astype(np.uint8)
    sample = Sample({"sar": [image]}, label, np.ones(label.shape, np.float32), "large")
    index, _ = predicted(softcon, image, EXACT)
    assert np.array_equal(validate(softcon, [sample]), confusion(label, index, 3))


def test_tiles_of_networks_without_a_limit_are_scored_whole(image: Bands) -> None:
    torch.manual_seed(0)
    network = build("unet", {"sar": 1}, 3, {"widths": (2, 4, 4)}).eval()
    label = np.zeros((SIDE, SIDE), np.uint8)
    sample = Sample({"sar": [image]}, label, np.ones(label.shape, np.float32), "large")
    with torch.inference_mode():
        whole = network({"sar": torch.from_numpy(image)[None]})[0].argmax(0).numpy()
    expected = confusion(label, whole.astype(np.uint8), 3)
    assert np.array_equal(validate(network, [sample]), expected)
