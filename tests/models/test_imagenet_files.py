"""Encoders trained on ImageNet and the baseline of OpenEarthMap-SAR load from their files."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.classes import OPEN_EARTH_MAP_SAR
from core.errors import ModelFileError
from models.encoder_files import (
    BASELINE_CODES,
    adapt_first_layer,
    load_imagenet,
    load_oem_sar_baseline,
)
from models.networks import build
from models.sample import IGNORE
from models.torchvision_shim import import_torchvision
from models.zoo import NETWORKS

import_torchvision()


@pytest.mark.parametrize(
    ("name", "encoder", "theirs", "bands", "of"),
    [
        ("fpn", "resnet18", "resnet18", 3, 100),
        ("farseg", "resnet18", "resnet18", 1, 100),
        ("upernet", "convnextv2_atto", "convnextv2_atto", 4, 100),
        ("upernet", "swinv2_tiny_window8_256", "swinv2_tiny_window8_256", 3, 180),
    ],
)
def test_imagenet_encoders_of_timm_fit(
    name: str, encoder: str, theirs: str, bands: int, of: int, tmp_path: Path
) -> None:
    import timm

    source = timm.create_model(theirs)
    path = tmp_path / "imagenet.safetensors"
    save_file({k: v.contiguous() for k, v in source.state_dict().items()}, path)
    options = {**NETWORKS[name].smallest, "encoder": encoder}
    network = build(name, {"optical": bands}, 3, options).eval()
    fit = load_imagenet(network, path, [tmp_path])
    assert fit.fitted == fit.of >= of // 2 and (fit.adapted == "") == (bands == 3)
    assert f"{fit.of} of {fit.of}" in fit.says
    if bands == 3:
        image = torch.randn(1, 3, 256, 256)
        part = network.get_submodule("model.encoder")
        with torch.no_grad():
            ours = part(image)[-1]
            expected = source.eval().forward_features(image)  # type: ignore[operator]
        if expected.shape != ours.shape:  # Swin keeps channels last and normalises
            expected = expected.permute(0, 3, 1, 2)
            ours = source.norm(ours.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)  # type: ignore[operator]
        assert torch.allclose(ours, expected, atol=1e-4)


def test_a_first_layer_keeps_the_size_of_its_activation() -> None:
    weight = torch.randn(5, 3, 7, 7)
    grey = torch.rand(1, 1, 7, 7)
    by_rgb = (weight * grey).sum((1, 2, 3))
    for bands in (1, 2, 3, 6, 9, 12):
        adapted = adapt_first_layer(weight, bands)
        assert adapted.shape == (5, bands, 7, 7)
        if bands == 1 or bands % 3 == 0:  # every colour equally often: grey looks as before
            assert torch.allclose((adapted * grey).sum((1, 2, 3)), by_rgb, atol=1e-4)
    assert torch.equal(adapt_first_layer(weight, 3), weight)


def test_files_that_are_no_imagenet_encoder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save({"a": torch.ones(1)}, path)
    network = build("fpn", {"sar": 1}, 3, NETWORKS["fpn"].smallest)
    with pytest.raises(ModelFileError, match="tensors missing"):
        load_imagenet(network, path, [tmp_path])
    with pytest.raises(ModelFileError, match="never trained on ImageNet"):
        load_imagenet(build("unet", {"sar": 1}, 3), path, [tmp_path])


@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_baseline_of_openearthmap_sar_loads(prefix: str, tmp_path: Path) -> None:
    import segmentation_models_pytorch as smp

    theirs = smp.Unet(
        "efficientnet-b4",
        encoder_weights=None,
        decoder_attention_type="scse",
        in_channels=1,
        classes=9,
        activation=None,
    ).eval()
    path = tmp_path / "SAR_Pesudo_u-efficientnet-b4_s0_CELoss.pth"
    torch.save({prefix + k: v for k, v in theirs.state_dict().items()}, path)
    network = load_oem_sar_baseline(path, [tmp_path])
    image = torch.randint(0, 256, (1, 1, 64, 64)).float()
    with torch.no_grad():
        assert torch.allclose(network({"sar": image}), theirs(image / 255), atol=1e-5)
    assert network.spec.bands == {"sar": 1} and network.spec.classes == 9
    assert BASELINE_CODES == (0, 1, 2, 3, 4, 5, 6, 7, 8)
    assert OPEN_EARTH_MAP_SAR.index_lut[BASELINE_CODES[0]] == IGNORE
    tensors = {prefix + k: v for k, v in theirs.state_dict().items()}
    torch.save({**tensors, f"{prefix}encoder._fc.weight": torch.ones(1)}, path)
    with pytest.raises(ModelFileError, match="1 tensors that it does not have"):
        load_oem_sar_baseline(path, [tmp_path])
    tensors.pop(f"{prefix}segmentation_head.0.bias")
    torch.save(tensors, path)
    with pytest.raises(ModelFileError, match=r"segmentation_head\.0\.bias"):
        load_oem_sar_baseline(path, [tmp_path])
