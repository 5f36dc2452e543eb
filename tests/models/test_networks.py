from typing import Any

import numpy as np
import pytest
import torch

from core.errors import ModelFileError
from models.networks import build
from models.networks.two_branch import TwoBranch
from models.zoo import NETWORKS
from models.zoo.own import NETWORKS as OWN


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("height", "width"), [(64, 64), (1, 1), (37, 90), (5, 8)])
def test_logits_have_the_size_of_the_input(name: str, height: int, width: int) -> None:
    network = build(name, {"optical": 3, "sar": 1}, 5, NETWORKS[name].smallest).eval()
    inputs = {"optical": torch.rand(2, 3, height, width), "sar": torch.rand(2, 1, height, width)}
    assert network(inputs).shape == (2, 5, height, width)


@pytest.mark.parametrize("name", OWN)
def test_default_size_fits_in_three_megabytes(name: str) -> None:
    network = build(name, {"optical": 3, "sar": 1}, 8)
    assert 4 * sum(p.numel() for p in network.parameters()) < 3e6


def test_branches_share_no_weights() -> None:
    network = build("two_branch", {"optical": 3, "sar": 1}, 4, {"widths": (4, 8)}).eval()
    optical, sar = torch.rand(1, 3, 8, 8), torch.rand(1, 1, 8, 8)
    before = network({"optical": optical, "sar": sar})
    after = network({"optical": optical + 1, "sar": sar})
    assert not torch.equal(before, after)
    assert isinstance(network, TwoBranch)
    first, second = ({id(p) for p in encoder.parameters()} for encoder in network.encoders)
    assert first.isdisjoint(second)


def test_missing_pixels_count_as_the_mean_of_their_band() -> None:
    network = build("unet", {"sar": 1}, 2, {"widths": (4, 8)}).eval()
    network.set_normalisation("sar", torch.tensor([7.0]), torch.tensor([2.0]))
    missing = torch.full((1, 1, 8, 8), np.nan)
    assert torch.equal(network({"sar": missing}), network({"sar": torch.full((1, 1, 8, 8), 7.0)}))


@pytest.mark.parametrize(
    ("name", "bands", "classes", "options"),
    [
        ("resnet", {"sar": 1}, 8, {}),
        ("unet", {}, 8, {}),
        ("unet", {"sar": 0}, 8, {}),
        ("unet", {"sar": 10**9}, 8, {}),
        ("unet", {"a.b": 1}, 8, {}),
        ("unet", {"sar": 1}, 1, {}),
        ("unet", {"sar": 1}, 8, {"widths": (4,)}),
        ("unet", {"sar": 1}, 8, {"widths": (4, 10**6)}),
        ("unet", {"sar": 1}, 8, {"depth": 3}),
    ],
)
def test_insane_specifications_are_refused(
    name: str, bands: dict[str, int], classes: int, options: dict[str, Any]
) -> None:
    with pytest.raises(ModelFileError):
        build(name, bands, classes, options)
