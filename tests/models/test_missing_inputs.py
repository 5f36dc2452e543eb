"""Optical that is missing at prediction time, for every network of the table."""

from functools import cache

import pytest
import torch
from torch import Tensor

from core.errors import CloudbrushError
from models.networks import SegmentationNetwork, build
from models.networks.base import has_data
from models.zoo import NETWORKS

BANDS = {"optical": 3, "sar": 1}


@cache
def _small(name: str) -> SegmentationNetwork:
    torch.manual_seed(0)
    network = build(name, BANDS, 4, NETWORKS[name].smallest).eval()
    for modality, count in BANDS.items():
        network.set_normalisation(modality, torch.full((count,), 80.0), torch.full((count,), 30.0))
    return network


def _pictures() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        name: 255 * torch.rand(2, count, 40, 33, generator=generator)
        for name, count in BANDS.items()
    }


@pytest.mark.parametrize("name", NETWORKS)
@torch.inference_mode()
def test_every_network_predicts_without_optical(name: str) -> None:
    """Left out and NaN throughout are the same, and SAR counts where it ever does."""
    network, pictures = _small(name), _pictures()
    nothing = torch.full_like(pictures["optical"], torch.nan)
    absent = network({"sar": pictures["sar"]})
    assert absent.shape == (2, 4, 40, 33)
    assert absent.isfinite().all()
    torch.testing.assert_close(absent, network({"optical": nothing, "sar": pictures["sar"]}))
    assert not torch.equal(absent, network(pictures))
    other = pictures["sar"].flip(0)
    reads_sar = not torch.equal(network(pictures), network({**pictures, "sar": other}))
    assert reads_sar is not torch.equal(absent, network({"sar": other}))


@pytest.mark.parametrize("name", NETWORKS)
@torch.inference_mode()
def test_a_missing_picture_leaves_its_neighbours_in_the_batch_alone(name: str) -> None:
    network, pictures = _small(name), _pictures()
    whole = network(pictures)
    pictures["optical"][0] = torch.nan
    partly = network(pictures)
    torch.testing.assert_close(partly[1], whole[1], rtol=1e-4, atol=1e-4)
    assert not torch.equal(partly[0], whole[0])


@pytest.mark.parametrize("name", NETWORKS)
@torch.inference_mode()
def test_a_missing_sar_picture_is_borne_too(name: str) -> None:
    network, pictures = _small(name), _pictures()
    assert network({"optical": pictures["optical"]}).isfinite().all()


def test_no_picture_at_all_is_refused_in_words() -> None:
    with pytest.raises(CloudbrushError, match="at least one of optical, sar"):
        _small("unet")({"height": torch.rand(1, 1, 8, 8)})


def test_data_is_told_from_missing_per_pixel() -> None:
    network = _small("unet")
    pictures = _pictures()
    pictures["optical"][1] = torch.nan
    pictures["optical"][0, :, :10] = torch.nan
    pictures["sar"][:, :, 0, 0] = 80.0  # the mean is missing to the last bit
    optical, sar = network._prepared(pictures)
    seen = has_data(optical)[:, 0, :40, :33]
    assert seen[1].max() == 0 and seen[0, :10].max() == 0 and seen[0, 10:].min() == 1
    assert has_data(sar)[:, 0, :40, :33].sum() == 2 * (40 * 33 - 1)
    absent = network._prepared({"sar": pictures["sar"]})[0]
    assert absent.shape == optical.shape and has_data(absent).max() == 0
