"""What an encoder's file must fit: bands, unit, tensors and network; else nothing changes."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from core.errors import ModelFileError
from core.records import Unit
from models.encoder_files import Seen, load_encoder
from models.networks import SegmentationNetwork, build
from models.zoo.weights import WEIGHTS, same_band
from tests.models.published import network_for, seen_as


@pytest.fixture
def prithvi(tmp_path: Path) -> Iterator[tuple[SegmentationNetwork, dict[str, Tensor], Path]]:
    """A Prithvi of width 48 and its file, quick to write."""
    network = network_for(WEIGHTS["prithvi_tiny"], width=48, depth=2, heads=3)
    tensors = {
        f"encoder.{key.removeprefix('encoder.')}": torch.randn_like(value)
        for key, value in network.state_dict().items()
        if key.startswith("encoder.")
    }
    key = "encoder.patch_embed.proj.weight"
    tensors[key] = tensors[key][:, :, None].clone()
    yield network, tensors, tmp_path / "weights.pt"


def refused(
    given: tuple[SegmentationNetwork, dict[str, Tensor], Path],
    match: str,
    bands: tuple[str, ...] = ("B2", "B3", "B4", "b8a", "B11", "B12"),
) -> None:
    """Assert that a file is refused with a message and that the network stays as it was."""
    network, tensors, path = given
    torch.save(tensors, path)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(ModelFileError, match=match):
        load_encoder(network, "prithvi_tiny", path, [path.parent], seen_as({"optical": bands}))
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


Given = tuple[SegmentationNetwork, dict[str, Tensor], Path]


def test_bands_must_fit_by_name_and_order(prithvi: Given) -> None:
    refused(prithvi, "B03 B02", ("B03", "B02", "B04", "B8A", "B11", "B12"))
    refused(prithvi, "B02", ("B02", "B03", "B04"))
    refused(prithvi, "unnamed bands", ())


def test_images_must_be_in_the_unit_of_the_training(prithvi: Given) -> None:
    network, tensors, path = prithvi
    torch.save(tensors, path)
    seen = {"optical": Seen(WEIGHTS["prithvi_tiny"].bands["optical"], Unit.NUMBER)}
    with pytest.raises(ModelFileError, match="images as number"):
        load_encoder(network, "prithvi_tiny", path, [path.parent], seen)


def test_missing_misshapen_and_broken_tensors_are_refused(prithvi: Given) -> None:
    network, tensors, path = prithvi
    name = "encoder.blocks.1.mlp.fc2.bias"
    kept = tensors.pop(name)
    refused(prithvi, "1 of .* tensors missing, first 'blocks.1.mlp.fc2.bias'")
    tensors[name] = torch.zeros(7)
    refused(prithvi, r"fc2.bias \[7\]")
    tensors[name] = torch.full_like(kept, math.nan)
    refused(prithvi, "not numbers")
    tensors[name] = kept
    torch.save({"state_dict": tensors, "epoch": 3}, path)
    bands = WEIGHTS["prithvi_tiny"].bands
    fit = load_encoder(network, "prithvi_tiny", path, [path.parent], seen_as(bands))
    assert fit.says == f"{fit.of} of {fit.of} tensors fitted, 0 of the file unused"


def test_another_network_or_name_is_refused(prithvi: Given) -> None:
    network, tensors, path = prithvi
    torch.save(tensors, path)
    with pytest.raises(ModelFileError, match="network terramind"):
        load_encoder(network, "terramind_tiny_s2", path, [path.parent], {})
    with pytest.raises(ModelFileError, match="nonsense"):
        load_encoder(network, "nonsense", path, [path.parent], {})
    resnet = build("unet_scse", {"sar": 2}, 3, {"encoder": "resnet18", "scse": False})
    with pytest.raises(ModelFileError, match="another encoder"):
        load_encoder(resnet, "softcon_rn50_s1", path, [path.parent], seen_as({"sar": ("VV", "VH")}))


@pytest.mark.parametrize(("one", "other"), [("B2", "B02"), ("b8a", "B8A"), (" vv", "VV")])
def test_band_names_that_mean_the_same(one: str, other: str) -> None:
    assert same_band(one, other) and not same_band(one, "B12")


def test_statistics_of_a_weight_reach_the_network_only_when_it_fits(prithvi: Given) -> None:
    network, tensors, _ = prithvi
    tensors.pop("encoder.norm.weight")
    refused(prithvi, "norm.weight")
    assert network.get_buffer("mean_optical").tolist() == [0.0] * 6
