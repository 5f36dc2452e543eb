"""Our encoders against other people's code with the same weights."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.errors import CloudbrushError, ModelFileError
from models.networks import build
from models.networks.pretrained.blocks import Block, resized, to_map
from models.networks.pretrained.croma import Croma, spread
from models.networks.pretrained.dofa import Dofa
from models.networks.pretrained.encoders import ModalityEmbedding, SoftConViT, space_time
from models.torchvision_shim import import_torchvision

import_torchvision()


def shaken(module: nn.Module, seed: int = 0) -> nn.Module:
    """Give every tensor random values, so that no two of them can be exchanged unnoticed."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for tensor in module.parameters():
            tensor.copy_(0.2 * torch.randn_like(tensor))
    return module.eval()


def close(ours: Tensor, theirs: Tensor) -> None:
    assert ours.shape == theirs.shape
    assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))


@torch.no_grad()
def test_softcon_equals_timm() -> None:
    from torchgeo.models import vit_small_patch14_dinov2

    theirs = shaken(vit_small_patch14_dinov2(in_chans=2, img_size=224, num_classes=0, depth=4))
    ours = SoftConViT(2, 384, 4, 6).eval()
    ours.load_state_dict(theirs.state_dict())
    image = torch.randn(1, 2, 224, 224)
    expected = theirs.forward_intermediates(image, indices=4, intermediates_only=True)  # type: ignore[operator]
    found = ours([image])
    for ours_map, theirs_map in zip(found[:-1], expected[:-1], strict=True):
        close(ours_map, theirs_map)
    close(found[-1], to_map(theirs.forward_features(image), (16, 16)))  # type: ignore[operator]


@torch.no_grad()
def test_dofa_equals_torchgeo() -> None:
    from torchgeo.models import DOFA

    theirs = shaken(DOFA(embed_dim=64, depth=2, num_heads=4, num_classes=0))
    nm = (3750, 3750, 665, 560, 490)
    ours = Dofa(nm, 64, 2, 4).eval()
    left = ours.load_state_dict(theirs.state_dict(), strict=False)
    assert not left.missing_keys and all("norm" in key for key in left.unexpected_keys)
    seen: list[Tensor] = []
    for block in theirs.blocks:  # type: ignore[union-attr]
        block.register_forward_hook(lambda *args: seen.append(args[2]))
    image = torch.randn(1, 5, 224, 224)
    theirs(image, [value / 1000 for value in nm])
    for ours_map, tokens in zip(ours([image[:, :2], image[:, 2:]]), seen, strict=True):
        close(ours_map, to_map(tokens, (14, 14)))


@torch.no_grad()
@pytest.mark.parametrize("modalities", [("sar",), ("optical",), ("sar", "optical")])
def test_croma_equals_torchgeo(
    modalities: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchgeo.models import CROMA

    theirs = shaken(CROMA(modalities, encoder_dim=32, encoder_depth=4, image_size=40))
    bands = {"sar": 2, "optical": 12}
    ours = Croma({name: bands[name] for name in modalities}, 32, 4).eval()
    left = ours.load_state_dict(theirs.state_dict(), strict=False)
    assert not left.missing_keys
    assert all("GAP_FFN" in key or key == "attn_bias" for key in left.unexpected_keys)
    images = {name: spread(torch.randn(1, bands[name], 40, 40)) for name in modalities}
    expected = theirs(images.get("sar"), images.get("optical"))
    monkeypatch.setattr("models.networks.pretrained.croma.spread", lambda image: image)
    found = ours([images[name] for name in modalities])
    for ours_map, name in zip(found, [*modalities, "joint"], strict=False):
        close(ours_map, to_map(expected[f"{name}_encodings"], (5, 5)))


def test_croma_scales_each_band_of_each_image() -> None:
    image = torch.cat([torch.randn(2, 1, 50, 50) * 7 - 20, torch.randn(2, 1, 50, 50)], 1)
    image[0, 0, 0, 0] = 1e4
    scaled = spread(image)
    assert scaled.min() >= 0 and scaled.max() == 1
    assert torch.allclose(scaled[1], spread(3 * image + 5)[1], atol=1e-4)
    assert torch.equal(spread(torch.zeros(1, 1, 4, 4)), torch.full((1, 1, 4, 4), 0.5))


@torch.no_grad()
def test_a_block_without_norm_bias_equals_timm() -> None:
    from timm.models.vision_transformer import Block as Theirs

    theirs = shaken(Theirs(48, 3, qkv_bias=True))
    ours = Block(48, 3, eps=1e-5, norm_bias=False).eval()
    with torch.no_grad():
        for norm in (theirs.norm1, theirs.norm2):
            norm.bias.zero_()  # type: ignore[union-attr,operator]
    left = ours.load_state_dict(theirs.state_dict(), strict=False)
    assert not left.missing_keys and set(left.unexpected_keys) == {"norm1.bias", "norm2.bias"}
    x = torch.randn(2, 7, 48)
    close(ours(x), theirs(x))


def test_prithvi_positions_by_hand() -> None:
    positions = space_time(32, 3)[0]
    row, column = 2, 1
    rates = [10_000 ** -(i / 6) for i in range(6)]
    expected = [torch.tensor([column * r for r in rates]), torch.tensor([row * r for r in rates])]
    by_hand = torch.cat([f(part) for part in expected for f in (torch.sin, torch.cos)])
    assert torch.allclose(positions[row * 3 + column, :24], by_hand, atol=1e-5)
    assert torch.equal(positions[:, 24:], torch.tensor([0.0] * 4 + [1.0] * 4).expand(9, 8))


def test_terramind_reads_patches_pixel_by_pixel() -> None:
    embed = ModalityEmbedding(3, 16, 16)
    image = torch.arange(3 * 32 * 48.0).reshape(1, 3, 32, 48)
    with torch.no_grad():
        embed.proj.weight.zero_()
        embed.proj.weight[0, (5 * 16 + 7) * 3 + 2] = 1.0  # row 5, column 7, band 2 of a patch
        embed.mod_emb.zero_()
        embed.get_buffer("pos_emb").zero_()
        tokens = embed(image)
    assert torch.equal(tokens[0, :, 0], image[0, 2, 5::16, 7::16].flatten())


def test_positions_stay_where_the_grid_is_the_trained_one() -> None:
    positions = torch.randn(1, 16, 5)
    assert resized(positions, (4, 4)) is positions
    assert resized(positions, (2, 6)).shape == (1, 12, 5)
    flat = torch.ones(1, 16, 5)
    assert torch.allclose(resized(flat, (7, 3)), torch.ones(1, 21, 5))


@pytest.mark.parametrize(
    ("name", "bands", "options"),
    [
        ("croma", {"height": 1}, {}),
        ("croma", {"sar": 1}, {"width": 50}),
        ("softcon_vit", {"sar": 1}, {"heads": 5}),
        ("dofa", {"optical": 4}, {}),
        ("dofa", {"optical": 4}, {"wavelengths_nm": (490, 560, 665)}),
        ("dofa", {"height": 1}, {}),
    ],
)
def test_what_cannot_be_built_is_refused(
    name: str, bands: dict[str, int], options: dict[str, Any]
) -> None:
    with pytest.raises(ModelFileError):
        build(name, bands, 3, options)


def test_an_image_too_large_for_attention_is_refused() -> None:
    network = build("croma", {"sar": 1}, 2, {"width": 16, "depth": 2, "decoder": 8}).eval()
    with pytest.raises(CloudbrushError, match="512 x 512"):
        network({"sar": torch.zeros(1, 1, 520, 520)})
