"""Encoders of the damage networks: a pyramid of features at 1/4, 1/8, 1/16 and 1/32.

They are timm's, with random weights and any number of bands. The names that start with "small" are
ours, for a CPU and for tests; the others have the published sizes.
"""

from typing import Any

from torch import Tensor, nn

from models.torchvision_shim import import_torchvision

RESNETS: dict[str, tuple[str, tuple[int, ...], tuple[int, ...]]] = {  # block, layers, channels
    "resnet50": ("Bottleneck", (3, 4, 6, 3), (64, 128, 256, 512)),
    "resnet34": ("BasicBlock", (3, 4, 6, 3), (64, 128, 256, 512)),
    "resnet18": ("BasicBlock", (2, 2, 2, 2), (64, 128, 256, 512)),
    "small_resnet": ("BasicBlock", (1, 1, 1, 1), (16, 32, 64, 128)),
}
SWINS: dict[str, tuple[int, tuple[int, ...], tuple[int, ...]]] = {  # width, depths, heads
    "swin_s": (96, (2, 2, 18, 2), (3, 6, 12, 24)),
    "swin_t": (96, (2, 2, 6, 2), (3, 6, 12, 24)),
    "small_swin": (24, (1, 1, 1, 1), (1, 2, 4, 8)),
}
PVTS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {  # depths, dims
    "pvt_v2_b4": ((3, 8, 27, 3), (64, 128, 320, 512)),
    "pvt_v2_b3": ((3, 4, 18, 3), (64, 128, 320, 512)),
    "pvt_v2_b2": ((3, 4, 6, 3), (64, 128, 320, 512)),
    "pvt_v2_b1": ((2, 2, 2, 2), (64, 128, 320, 512)),
    "pvt_v2_b0": ((2, 2, 2, 2), (32, 64, 160, 256)),
    "small_pvt": ((1, 1, 1, 1), (16, 32, 80, 128)),
}


class Pyramid(nn.Module):
    """A timm body whose forward returns four levels [B, C_i, H / 2^(i+2), W / 2^(i+2)]."""

    def __init__(self, body: Any, channels: tuple[int, ...], indices: list[int]) -> None:  # noqa: ANN401  # timm's classes carry no types
        super().__init__()
        self.body, self.channels, self.indices = body, channels, indices

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the levels, finest first; height and width of `x` are multiples of 32."""
        found: list[Tensor] = self.body.forward_intermediates(
            x, indices=self.indices, intermediates_only=True
        )
        return found


def pyramid(name: str, bands: int) -> Pyramid:
    """Return the encoder of a name in one of the tables above, for images of `bands` bands."""
    import_torchvision()
    if name in RESNETS:
        return _resnet(name, bands)
    return _swin(name, bands) if name in SWINS else _pvt(name, bands)


def _resnet(name: str, bands: int) -> Pyramid:
    from timm.models import resnet

    kind, layers, channels = RESNETS[name]
    block = getattr(resnet, kind)
    body = resnet.ResNet(block, layers, num_classes=0, in_chans=bands, channels=channels)
    # Index 0 is the stem at 1/2.
    return Pyramid(body, tuple(c * block.expansion for c in channels), [1, 2, 3, 4])


def _swin(name: str, bands: int) -> Pyramid:
    from timm.models.swin_transformer import SwinTransformer

    width, depths, heads = SWINS[name]
    body = SwinTransformer(
        in_chans=bands,
        num_classes=0,
        embed_dim=width,
        depths=depths,
        num_heads=heads,
        drop_path_rate=0.0 if name.startswith("small") else 0.2,
        dynamic_img_size=True,
    )
    body.norm = nn.Identity()  # for classification only: nothing here would train it
    return Pyramid(body, tuple(width * 2**i for i in range(4)), [0, 1, 2, 3])


def _pvt(name: str, bands: int) -> Pyramid:
    from timm.models.pvt_v2 import PyramidVisionTransformerV2

    depths, dims = PVTS[name]
    body = PyramidVisionTransformerV2(
        in_chans=bands,
        num_classes=0,
        depths=depths,
        embed_dims=dims,
        num_heads=(1, 2, 5, 8),
        drop_path_rate=0.0 if name.startswith("small") else 0.1,
    )
    return Pyramid(body, dims, [0, 1, 2, 3])
