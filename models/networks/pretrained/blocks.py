"""Blocks of vision transformers, named as in the published files.

Words: a *token* stands for one square patch of the image; the *grid* says how many there are, rows
by columns. Tokens are float [B, N, D]; a class token, where there is one, comes first.
"""

from math import isqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.errors import CloudbrushError

MAX_TOKENS = 4096
"""Attention compares every token with every other: 64 x 64 of them is what a laptop can hold."""

Grid = tuple[int, int]


def most_side(patch: int, images: int = 1) -> int:
    """Return the longest side in pixels of a square that attention takes at once.

    `images` is how many pictures of one place it looks at together.
    """
    return isqrt(MAX_TOKENS // images) * patch


def check_grid(grid: Grid, patch: int, images: int = 1) -> None:
    """Raise `CloudbrushError` when `images` of a grid are more tokens than attention can take."""
    if grid[0] * grid[1] * images > MAX_TOKENS:
        side = most_side(patch, images)
        raise CloudbrushError(
            "network input",
            found=f"{grid[0] * patch} x {grid[1] * patch} px at once",
            expected=f"at most {side} x {side} px",
            todo="Use a smaller crop or window.",
        )


class Attention(nn.Module):
    """Self-attention of several heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return tokens [B, N, D]."""
        query, key, value = split_heads(self.qkv(x), self.heads, 3)
        mixed: Tensor = self.proj(join_heads(F.scaled_dot_product_attention(query, key, value)))
        return mixed


def split_heads(x: Tensor, heads: int, parts: int) -> list[Tensor]:
    """Return `parts` tensors [B, heads, N, D / heads] from [B, N, parts * D]."""
    batch, count, _ = x.shape
    return list(x.view(batch, count, parts, heads, -1).permute(2, 0, 3, 1, 4).unbind(0))


def join_heads(x: Tensor) -> Tensor:
    """Return [B, N, D] from [B, heads, N, D / heads]."""
    return x.transpose(1, 2).flatten(2)


class Mlp(nn.Module):
    """Two linear layers with GELU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return tokens [B, N, D]."""
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class LayerScale(nn.Module):
    """One learnt factor per channel (DINOv2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width,), 1e-5))

    def forward(self, x: Tensor) -> Tensor:
        """Return tokens [B, N, D]."""
        return x * self.gamma


class Block(nn.Module):
    """Attention and MLP, each normalised before and added after."""

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        eps: float = 1e-6,
        norm_bias: bool = True,
        layer_scale: bool = False,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=eps, bias=norm_bias)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=eps, bias=norm_bias)
        self.mlp = Mlp(width, 4 * width)
        self.ls1 = LayerScale(width) if layer_scale else nn.Identity()
        self.ls2 = LayerScale(width) if layer_scale else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return tokens [B, N, D]."""
        x = x + self.ls1(self.attn(self.norm1(x)))
        out: Tensor = x + self.ls2(self.mlp(self.norm2(x)))
        return out


def taken(depth: int) -> tuple[int, ...]:
    """Return which blocks are looked at: four, evenly, the last included (2, 5, 8, 11 of 12)."""
    return tuple(sorted({max(0, depth * part // 4 - 1) for part in range(1, 5)}))


def to_map(tokens: Tensor, grid: Grid) -> Tensor:
    """Return the last grid[0] * grid[1] tokens as a map [B, D, rows, columns]."""
    batch, _, width = tokens.shape
    return tokens[:, -grid[0] * grid[1] :].transpose(1, 2).reshape(batch, width, *grid)


def resized(positions: Tensor, grid: Grid) -> Tensor:
    """Return positions [1, n * n, D] of a square grid on another grid, bicubic, [1, N, D]."""
    side = int(positions.shape[1] ** 0.5)
    if grid == (side, side):
        return positions
    square = positions.float().transpose(1, 2).reshape(1, -1, side, side)
    return F.interpolate(square, size=grid, mode="bicubic").flatten(2).transpose(1, 2)


def waves(positions: Tensor, width: int) -> Tensor:
    """Return sines and cosines [len(positions), width] at wavelengths up to 10,000 (MoCo v3)."""
    rate = 1e4 ** -(torch.arange(width // 2, dtype=torch.float64) / (width / 2))
    angle = positions.double()[:, None] * rate.to(positions.device)
    return torch.cat([angle.sin(), angle.cos()], 1).float()
