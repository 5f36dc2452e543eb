"""Views: what is seen comes back to its place, and the mean follows the image."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from torch import Tensor

from models.networks import SegmentationNetwork, build
from models.planes import strips
from models.tta import BY_COUNT, mean_probabilities
from models.zoo.views import VIEWS


@pytest.fixture
def network() -> SegmentationNetwork:
    torch.manual_seed(0)
    return build("unet", {"optical": 2, "sar": 1}, 3, {"widths": (4, 8)}).eval()


@pytest.fixture
def inputs() -> dict[str, Tensor]:
    torch.manual_seed(1)
    return {"optical": torch.randn(2, 2, 16, 24), "sar": torch.randn(2, 1, 16, 24)}


def mean_of(network: SegmentationNetwork, inputs: Mapping[str, Tensor], count: int) -> Tensor:
    """Return all probabilities [B, K, h, w] at once."""
    takes = mean_probabilities(network, inputs, count, half=False)
    return torch.stack([torch.from_numpy(take(slice(0, None))) for take in takes])


def test_the_table_says_how_many_there_are() -> None:
    assert set(BY_COUNT) == set(VIEWS)
    for count, views in BY_COUNT.items():
        assert len(views) == len(set(views)) == count


@pytest.mark.parametrize("count", BY_COUNT)
def test_every_view_comes_back_to_its_place(count: int) -> None:
    ramp = torch.arange(12.0)[:, None] + 100 * torch.arange(20.0)[None]
    seen_once = set()
    for view in BY_COUNT[count]:
        seen = view.look(ramp[None, None])
        back = view.back(seen, 12, 20)[0, 0]
        inner = (slice(2, -2), slice(2, -2))  # bilinear sizes bend a ramp at its edges only
        assert torch.allclose(back[inner], ramp[inner], atol=1e-2), view
        seen_once.add(tuple(seen.flatten().tolist()))
    assert len(seen_once) == count  # no view is looked at twice


TURNS: dict[int, list[Callable[[Tensor], Tensor]]] = {
    4: [lambda x: x.flip(-1), lambda x: x.flip(-2), lambda x: x.flip(-1, -2)],
    8: [
        lambda x: x.flip(-1),
        lambda x: x.rot90(1, (-2, -1)),
        lambda x: x.rot90(3, (-2, -1)).flip(-2),
    ],
    24: [lambda x: x.flip(-1), lambda x: x.flip(-1, -2)],
}


@pytest.mark.parametrize("count", TURNS)
def test_the_outcome_of_a_turned_image_is_the_turned_outcome(
    network: SegmentationNetwork, inputs: dict[str, Tensor], count: int
) -> None:
    with torch.inference_mode():
        plain = mean_of(network, inputs, count)
        alone = mean_of(network, inputs, 1)
        for turn in TURNS[count]:
            turned = {m: turn(x) for m, x in inputs.items()}
            found = mean_of(network, turned, count)
            assert torch.allclose(found, turn(plain), atol=1e-5)
            once = mean_of(network, turned, 1)
            assert not torch.allclose(once, turn(alone), atol=1e-3)  # one view does not
    assert torch.allclose(plain.sum(1), torch.ones(()), atol=1e-5)


def test_the_mean_is_that_of_the_views(
    network: SegmentationNetwork, inputs: dict[str, Tensor]
) -> None:
    with torch.inference_mode():
        found = mean_of(network, inputs, 4)
        by_hand = torch.stack(
            [
                network({m: x.flip(dims) for m, x in inputs.items()}).softmax(1).flip(dims)
                for dims in ([], [-1], [-2], [-1, -2])
            ]
        ).mean(0)
    assert torch.allclose(found, by_hand, atol=1e-6)


@pytest.mark.parametrize("count", [1, 4])
def test_rows_of_the_mean_are_those_of_the_whole(
    network: SegmentationNetwork, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.planes.STRIP_ROWS", 5)
    inputs = {"optical": torch.randn(1, 2, 16, 24), "sar": torch.randn(1, 1, 16, 24)}
    with torch.inference_mode():
        (take,) = mean_probabilities(network, inputs, count, half=False)
        parts = [take(rows) for rows in strips(16, "cpu")]
        assert [part.shape[1] for part in parts] == [5, 5, 5, 1]
        assert np.allclose(np.concatenate(parts, 1), take(slice(0, 16)), atol=1e-6)
