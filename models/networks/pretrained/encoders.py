"""SoftCon's ViT, Prithvi-EO-2.0 and TerraMind: plain transformers that differ in their first layer.

Each takes its inputs as a list of [B, C, H, W] (height and width multiples of the patch) and
returns four maps [B, D, rows, columns].
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.networks.pretrained.blocks import Block, check_grid, resized, taken, to_map, waves

NATIVE_PX = 224
"""The size on which these three were trained."""


class PatchEmbed(nn.Module):
    """Each patch of `patch` pixels a side becomes one token."""

    def __init__(self, bands: int, width: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(bands, width, patch, stride=patch)

    def forward(self, x: Tensor) -> Tensor:
        """Return tokens [B, N, D], row by row."""
        return self.proj(x).flatten(2).transpose(1, 2)  # type: ignore[no-any-return]


class SoftConViT(nn.Module):
    """DINOv2's ViT with patch 14, class token, layer scale and learnt positions.

    Wang et al. 2024, arXiv 2405.20462; the published file is a small one: width 384, 12 blocks.
    """

    def __init__(self, bands: int, width: int, depth: int, heads: int, patch: int = 14) -> None:
        super().__init__()
        self.patch = patch
        self.patch_embed = PatchEmbed(bands, width, patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        side = NATIVE_PX // patch
        self.pos_embed = nn.Parameter(0.02 * torch.randn(1, side * side + 1, width))
        self.blocks = nn.ModuleList(Block(width, heads, layer_scale=True) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, inputs: list[Tensor]) -> list[Tensor]:
        """Return four maps from the inputs joined."""
        x = torch.cat(inputs, 1)
        grid = (x.shape[-2] // self.patch, x.shape[-1] // self.patch)
        check_grid(grid, self.patch)
        tokens = self.patch_embed(x) + resized(self.pos_embed[:, 1:], grid)
        first = (self.cls_token + self.pos_embed[:, :1]).expand(len(x), -1, -1)
        return _maps(torch.cat([first, tokens], 1), self.blocks, self.norm, grid)


class Prithvi(nn.Module):
    """ViT with patch 16 and fixed positions in space and time, here for one date.

    Szwarcman et al. 2024, arXiv 2412.02732. `*_embed_enc.scale` weigh the time and the place of an
    image, which we do not give: the authors drop them at random in training.
    """

    patch = 16

    def __init__(self, bands: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(bands, width, self.patch)
        self.cls_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        side = NATIVE_PX // self.patch
        self.register_buffer("positions", space_time(width, side), persistent=False)
        self.blocks = nn.ModuleList(Block(width, heads, eps=1e-5) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, inputs: list[Tensor]) -> list[Tensor]:
        """Return four maps from the inputs joined."""
        x = torch.cat(inputs, 1)
        grid = (x.shape[-2] // self.patch, x.shape[-1] // self.patch)
        check_grid(grid, self.patch)
        tokens = self.patch_embed(x) + resized(self.get_buffer("positions"), grid)
        first = self.cls_token.expand(len(x), -1, -1)  # its own position is zero
        return _maps(torch.cat([first, tokens], 1), self.blocks, self.norm, grid)


def space_time(width: int, side: int) -> Tensor:
    """Return Prithvi's positions of the first date, [1, side * side, width].

    6/16 of the channels for the column, 6/16 for the row, 4/16 for the date, which is 0.
    """
    rows, columns = _rows_and_columns(side)
    part = width // 16
    date = torch.zeros(side * side)
    parts = [waves(columns, 6 * part), waves(rows, 6 * part), waves(date, width - 12 * part)]
    return torch.cat(parts, 1)[None]


TERRAMIND_KEYS = {"optical": "untok_sen2l2a@224", "sar": "untok_sen1grd@224"}
"""The names of our inputs in the published file; others get a first layer of their own."""


class TerraMind(nn.Module):
    """A first layer per kind of input, one transformer over the tokens of all, no class token.

    Jakubik et al. 2025, arXiv 2504.11171. Tokens of different inputs at one place are averaged
    after the last block, as in the authors' example.
    """

    patch = 16

    def __init__(self, bands: Mapping[str, int], width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.encoder_embeddings = nn.ModuleDict(
            {
                TERRAMIND_KEYS.get(modality, modality): ModalityEmbedding(count, width, self.patch)
                for modality, count in bands.items()
            }
        )
        self.encoder = nn.ModuleList(Block(width, heads, norm_bias=False) for _ in range(depth))
        self.encoder_norm = nn.LayerNorm(width, eps=1e-6, bias=False)

    def forward(self, inputs: list[Tensor]) -> list[Tensor]:
        """Return four maps, each the mean over the inputs."""
        grid = (inputs[0].shape[-2] // self.patch, inputs[0].shape[-1] // self.patch)
        check_grid(grid, self.patch, len(inputs))
        layers = self.encoder_embeddings.values()
        x = torch.cat([embed(image) for embed, image in zip(layers, inputs, strict=True)], 1)
        found, wanted = [], taken(len(self.encoder))
        for index, block in enumerate(self.encoder):
            x = block(x)
            if index in wanted:
                last = index == len(self.encoder) - 1
                tokens = self.encoder_norm(x) if last else x
                found.append(to_map(torch.stack(tokens.chunk(len(inputs), 1)).mean(0), grid))
        return found


class ModalityEmbedding(nn.Module):
    """First layer of one kind of input: patches, positions, and a vector that names the kind."""

    def __init__(self, bands: int, width: int, patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.proj = nn.Linear(bands * patch * patch, width, bias=False)
        self.mod_emb = nn.Parameter(0.02 * torch.randn(1, 1, width))
        rows, columns = _rows_and_columns(NATIVE_PX // patch)
        positions = torch.cat([waves(rows, width // 2), waves(columns, width // 2)], 1)
        self.register_buffer("pos_emb", positions[None])

    def forward(self, image: Tensor) -> Tensor:
        """Return tokens [B, N, D]; a patch is read pixel by pixel, all bands of each together."""
        batch, bands, height, width = image.shape
        rows, columns = height // self.patch, width // self.patch
        cut = image.reshape(batch, bands, rows, self.patch, columns, self.patch)
        flat = cut.permute(0, 2, 4, 3, 5, 1).reshape(batch, rows * columns, -1)
        positions = resized(self.get_buffer("pos_emb"), (rows, columns))
        tokens: Tensor = self.proj(flat) + positions + self.mod_emb
        return tokens


def _rows_and_columns(side: int) -> tuple[Tensor, Tensor]:
    place = torch.arange(side * side)
    return place.div(side, rounding_mode="floor").float(), (place % side).float()


def _maps(x: Tensor, blocks: nn.ModuleList, norm: nn.Module, grid: tuple[int, int]) -> list[Tensor]:
    """Return the maps after four of the blocks; the last is normalised."""
    found, wanted = [], taken(len(blocks))
    for index, block in enumerate(blocks):
        x = block(x)
        if index in wanted:
            found.append(to_map(norm(x) if index == len(blocks) - 1 else x, grid))
    return found
