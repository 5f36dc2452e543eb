"""Files of ImageNet fill the encoders of the damage networks, one file for both dates."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from core.errors import ModelFileError
from models.encoder_files import load_imagenet
from models.networks import SegmentationNetwork, build
from models.torchvision_shim import import_torchvision
from models.zoo import NETWORKS
from models.zoo.weights import IMAGENET_NETWORKS

import_torchvision()

BANDS = {"optical": 3, "sar": 1}
FILES = {"resnet18": "resnet18", "swin_t": "swin_tiny_patch4_window7_224", "pvt_v2_b0": "pvt_v2_b0"}


def timms(encoder: str) -> Any:
    import timm

    torch.manual_seed(0)
    return timm.create_model(FILES[encoder]).eval()


def old_swin(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The names of the authors: a stage ends with what makes it half as large."""
    return {
        re.sub(r"layers\.(\d)\.downsample", lambda m: f"layers.{int(m[1]) - 1}.downsample", key): x
        for key, x in tensors.items()
    }


def old_pvt(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The names of the authors: stages counted from 1, side by side."""
    found = {}
    for name, tensor in tensors.items():
        key = name.replace("patch_embed.", "patch_embed1.").replace(".dwconv.", ".dwconv.dwconv.")
        key = re.sub(r"stages\.(\d)\.downsample", lambda m: f"patch_embed{int(m[1]) + 1}", key)
        key = re.sub(r"stages\.(\d)\.blocks", lambda m: f"block{int(m[1]) + 1}", key)
        key = re.sub(r"stages\.(\d)\.norm\.", lambda m: f"norm{int(m[1]) + 1}.", key)
        found[key] = tensor
    return found


def network_of(name: str, encoder: str, **options: object) -> SegmentationNetwork:
    return build(name, BANDS, 4, {**NETWORKS[name].smallest, "encoder": encoder, **options}).eval()


@pytest.mark.parametrize(
    ("name", "encoder", "named"),
    [
        ("siam_crnn", "resnet18", dict),
        ("changeos", "resnet18", dict),
        ("damage_former", "swin_t", dict),
        ("damage_former", "swin_t", old_swin),
        ("uabcd", "pvt_v2_b0", dict),
        ("uabcd", "pvt_v2_b0", old_pvt),
    ],
)
def test_both_dates_get_the_encoder_of_the_file(
    name: str, encoder: str, named: Any, tmp_path: Path
) -> None:
    source, path = timms(encoder), tmp_path / "imagenet.pth"
    torch.save({"model": named(source.state_dict())}, path)
    network: Any = network_of(name, encoder)
    fit = load_imagenet(network, path, [tmp_path])
    assert fit.fitted == fit.of and fit.adapted.startswith("of_after.body.")
    assert fit.unused < 30  # the classifier and counters
    before, after = network.of_before.body.state_dict(), network.of_after.body.state_dict()
    first = next(key for key, x in before.items() if x.ndim == 4)
    assert torch.equal(after[first], before[first].sum(1, keepdim=True))
    assert all(torch.equal(after[key], x) for key, x in before.items() if key != first)
    image = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        ours = network.of_before(image)
        theirs = source.forward_intermediates(image, intermediates_only=True)[-4:]
    for mine, wanted in zip(ours, theirs, strict=True):
        assert torch.allclose(mine, wanted, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "encoder", "adapted"),
    [("bright_deeplab", "resnet18", "conv1.weight"), ("building_fpn", "pvt_v2_b0", "")],
)
def test_networks_with_one_encoder_take_a_file_too(
    name: str, encoder: str, adapted: str, tmp_path: Path
) -> None:
    torch.save(timms(encoder).state_dict(), tmp_path / "imagenet.pth")
    fit = load_imagenet(network_of(name, encoder), tmp_path / "imagenet.pth", [tmp_path])
    assert fit.fitted == fit.of > 90 and fit.adapted == adapted


@pytest.mark.parametrize(("own", "filled"), [("pvt_v2_b0", 3), ("small_pvt", 2)])
def test_a_building_branch_gets_the_file_where_its_encoder_is_of_the_same_kind(
    own: str, filled: int, tmp_path: Path
) -> None:
    source = timms("pvt_v2_b0")
    torch.save(source.state_dict(), tmp_path / "imagenet.pth")
    network = network_of("uabcd_v2", "pvt_v2_b0", building_encoder=own)
    fit = load_imagenet(network, tmp_path / "imagenet.pth", [tmp_path])
    body = network.get_submodule("of_before.body")
    assert fit.fitted == fit.of == filled * len(body.state_dict())
    same = network.get_submodule("buildings.encoder.body").state_dict()
    assert (torch.equal(same["patch_embed.proj.weight"], source.patch_embed.proj.weight)) == (
        filled == 3
    )


def test_a_file_of_another_encoder_changes_nothing(tmp_path: Path) -> None:
    torch.save(timms("resnet18").state_dict(), tmp_path / "imagenet.pth")
    network = network_of("siam_crnn", "small_resnet")
    before = {key: x.clone() for key, x in network.state_dict().items()}
    with pytest.raises(ModelFileError):
        load_imagenet(network, tmp_path / "imagenet.pth", [tmp_path])
    assert all(torch.equal(x, before[key]) for key, x in network.state_dict().items())
    with pytest.raises(ModelFileError, match="damage_former"):
        load_imagenet(build("bright_unet", BANDS, 4, {"widths": (4, 8)}), "", [tmp_path])


def test_every_network_of_the_list_has_encoders_to_choose_from() -> None:
    for name in IMAGENET_NETWORKS:
        assert not str(NETWORKS[name].options["encoder"].default).startswith("small")
