"""DOFA: one encoder for any sensor; its first layer is computed from the wavelengths of the bands.

Xiong et al. 2024, arXiv 2403.15356.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.pretrained.blocks import Block, check_grid, resized, taken, to_map, waves

PATCH, NATIVE_PX = 16, 224
WAVE_WIDTH, WEIGHT_TOKENS = 128, 128
SCALE = 0.01
"""The authors' factor on the computed weights."""


class Residual(nn.Module):
    """Two linear layers with ReLU, added to what comes in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.w1, self.w2 = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return float [bands, width]."""
        return x + F.relu(self.w2(F.relu(self.w1(x))))


class WeightGenerator(nn.Module):
    """A transformer that turns the waves of each band into the weights of its convolution."""

    def __init__(self, outputs: int, width: int) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            WAVE_WIDTH, 4, activation="gelu", norm_first=False, batch_first=False, dropout=0.0
        )
        self.transformer_encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.fc_weight = nn.Linear(WAVE_WIDTH, outputs)
        self.fc_bias = nn.Linear(WAVE_WIDTH, width)
        self.weight_tokens = nn.Parameter(0.02 * torch.randn(WEIGHT_TOKENS, WAVE_WIDTH))
        self.bias_token = nn.Parameter(0.02 * torch.randn(1, WAVE_WIDTH))

    def forward(self, bands: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights [bands, outputs] and bias [width] from waves [bands, WAVE_WIDTH]."""
        x = self.transformer_encoder(torch.cat([self.weight_tokens, bands, self.bias_token]))
        return self.fc_weight(x[WEIGHT_TOKENS:-1] + bands), self.fc_bias(x[-1])


class WavelengthEmbed(nn.Module):
    """A convolution over patches whose weights follow from wavelengths."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.weight_generator = WeightGenerator(PATCH * PATCH * width, width)
        self.fclayer = Residual(WAVE_WIDTH)

    def forward(self, x: Tensor, wavelengths_nm: Tensor) -> Tensor:
        """Return tokens [B, N, D] of x [B, bands, H, W]; wavelengths float [bands]."""
        weight, bias = self.weight_generator(self.fclayer(waves(wavelengths_nm, WAVE_WIDTH)))
        kernel = weight.view(-1, PATCH, PATCH, self.width).permute(3, 0, 1, 2)
        tokens = F.conv2d(x, SCALE * kernel, SCALE * bias, stride=PATCH, padding=1)
        return tokens.flatten(2).transpose(1, 2)


class Dofa(nn.Module):
    """The encoder. The published base file: width 768, 12 blocks of 12 heads, trained at 224 px."""

    patch = PATCH

    def __init__(self, wavelengths_nm: tuple[int, ...], width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.register_buffer(
            "wavelengths_nm", torch.tensor(wavelengths_nm).float(), persistent=False
        )
        self.patch_embed = WavelengthEmbed(width)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        side = NATIVE_PX // PATCH
        self.pos_embed = nn.Parameter(0.02 * torch.randn(1, side * side + 1, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))

    def forward(self, inputs: list[Tensor]) -> list[Tensor]:
        """Return four maps from the inputs joined; the file has no last normalisation."""
        x = torch.cat(inputs, 1)
        grid = (x.shape[-2] // PATCH, x.shape[-1] // PATCH)
        check_grid(grid, PATCH)
        tokens = self.patch_embed(x, self.get_buffer("wavelengths_nm"))
        tokens = tokens + resized(self.pos_embed[:, 1:], grid)
        first = (self.cls_token + self.pos_embed[:, :1]).expand(len(x), -1, -1)
        x = torch.cat([first, tokens], 1)
        found, wanted = [], taken(len(self.blocks))
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in wanted:
                found.append(to_map(x, grid))
        return found
