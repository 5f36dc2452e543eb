"""CROMA: one encoder for SAR, one for optical, and a third in which SAR looks at optical.

Fuller et al. 2023, arXiv 2311.00566. Places enter by a bias on attention that grows with distance
(2D-ALiBi), so the encoder has no positions of its own and takes any grid.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.pretrained.blocks import Grid, check_grid, join_heads, split_heads, to_map

PATCH, HEADS = 8, 16


class FeedForward(nn.Module):
    """Normalise, widen by four, GELU, narrow."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.input_norm = nn.LayerNorm(width)
        # The third place is the authors' dropout, of which the published model uses none.
        self.net = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Identity(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return tokens [B, N, D]."""
        out: Tensor = self.net(self.input_norm(x))
        return out


class SelfAttention(nn.Module):
    """Attention with a bias by distance."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.input_norm = nn.LayerNorm(width)
        self.to_qkv = nn.Linear(width, 3 * width, bias=False)
        self.to_out = nn.Linear(width, width)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return tokens [B, N, D]; bias [1, heads, N, N]."""
        query, key, value = split_heads(self.to_qkv(self.input_norm(x)), HEADS, 3)
        out: Tensor = self.to_out(_attend(query, key, value, bias))
        return out


class CrossAttention(nn.Module):
    """Tokens look at those of another image, both normalised alike."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.input_norm = nn.LayerNorm(width)
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(width, width, bias=False)
        self.to_v = nn.Linear(width, width, bias=False)
        self.to_out = nn.Linear(width, width)

    def forward(self, x: Tensor, context: Tensor, bias: Tensor) -> Tensor:
        """Return tokens [B, N, D]."""
        seen = self.input_norm(context)
        (query,) = split_heads(self.to_q(self.input_norm(x)), HEADS, 1)
        (key,), (value,) = (split_heads(to(seen), HEADS, 1) for to in (self.to_k, self.to_v))
        out: Tensor = self.to_out(_attend(query, key, value, bias))
        return out


def _attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    mask = bias.to(query.dtype)
    return join_heads(F.scaled_dot_product_attention(query, key, value, attn_mask=mask))


class Transformer(nn.Module):
    """Layers of attention (and a look at the other image, where `crossed`) and feed-forward."""

    def __init__(self, width: int, depth: int, *, crossed: bool = False) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [
                    SelfAttention(width),
                    *([CrossAttention(width)] if crossed else []),
                    FeedForward(width),
                ]
            )
            for _ in range(depth)
        )
        self.norm_out = nn.LayerNorm(width)

    def forward(self, x: Tensor, bias: Tensor, context: Tensor | None = None) -> Tensor:
        """Return tokens [B, N, D]."""
        for layer in self.layers:
            parts = list(layer.children())
            x = parts[0](x, bias) + x
            if context is not None:
                x = parts[1](x, context, bias) + x
            x = parts[-1](x) + x
        out: Tensor = self.norm_out(x)
        return out


class ImageEncoder(nn.Module):
    """Patches of one image through a transformer."""

    def __init__(self, bands: int, width: int, depth: int) -> None:
        super().__init__()
        self.linear_input = nn.Linear(PATCH * PATCH * bands, width)
        self.transformer = Transformer(width, depth)

    def forward(self, image: Tensor, bias: Tensor) -> Tensor:
        """Return tokens [B, N, D]; a patch is read band by band."""
        patches = F.unfold(image, PATCH, stride=PATCH).transpose(1, 2)
        tokens: Tensor = self.transformer(self.linear_input(patches), bias)
        return tokens


class Croma(nn.Module):
    """SAR (`s1_`), optical (`s2_`) and, with both, the joint encoder."""

    patch = PATCH

    def __init__(self, bands: Mapping[str, int], width: int, depth: int) -> None:
        super().__init__()
        self.modalities = tuple(bands)
        if "sar" in bands:
            self.s1_encoder = ImageEncoder(bands["sar"], width, depth // 2)
        if "optical" in bands:
            self.s2_encoder = ImageEncoder(bands["optical"], width, depth)
        if {"sar", "optical"} <= set(bands):
            self.joint_encoder = Transformer(width, depth // 2, crossed=True)

    def forward(self, inputs: list[Tensor]) -> list[Tensor]:
        """Return one map per encoder: SAR, optical, joint, of those that there are."""
        images = dict(zip(self.modalities, map(spread, inputs), strict=True))
        first = inputs[0]
        grid = (first.shape[-2] // PATCH, first.shape[-1] // PATCH)
        check_grid(grid, PATCH)
        bias = distance_bias(grid, first.device)
        tokens = []
        if "sar" in images:
            tokens.append(self.s1_encoder(images["sar"], bias))
        if "optical" in images:
            tokens.append(self.s2_encoder(images["optical"], bias))
        if len(tokens) == 2:
            tokens.append(self.joint_encoder(tokens[0], bias, tokens[1]))
        return [to_map(x, grid) for x in tokens]


def spread(image: Tensor) -> Tensor:
    """Return each band of each image clipped to mean +- 2 deviations and brought to 0 to 1."""
    mean = image.mean((-2, -1), keepdim=True)
    deviation = image.std((-2, -1), keepdim=True, correction=0).clamp_min(1e-6)
    return (((image - mean) / deviation).clamp(-2, 2) + 2) / 4


def distance_bias(grid: Grid, device: torch.device) -> Tensor:
    """Return float32 [1, heads, N, N]: minus the distance in patches, times a slope per head.

    Slopes are 2^(-8 i / heads) for i = 1 to heads.
    """
    place = torch.cartesian_prod(
        torch.arange(grid[0], device=device), torch.arange(grid[1], device=device)
    ).float()
    slopes = 2.0 ** (-8.0 * torch.arange(1, HEADS + 1, device=device) / HEADS)
    return -(slopes[:, None, None] * torch.cdist(place, place))[None]
