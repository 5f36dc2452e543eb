"""From joined features to what they mean: a transformer, and anchors that its tokens are held to.

CloudLULC-Net (arXiv 2606.17713) maps fused tokens to a latent space made for classes, not for clear
pictures, and holds that space to an anchor derived from the label, in training only. Its formulas
are not published; these are ours, from plain ViT blocks.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MAX_HEADS = 4
ANCHOR_SEED = 5


class TokenBlock(nn.Module):
    """One transformer block: attention between all tokens, then a small network on each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = math.gcd(width, MAX_HEADS)
        self.before_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.before_mlp = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens [B, N, D]."""
        batch, count, width = tokens.shape
        qkv = self.qkv(self.before_attention(tokens))
        split = qkv.view(batch, count, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(split[0], split[1], split[2])
        tokens = tokens + self.out(mixed.transpose(1, 2).reshape(batch, count, width))
        thought: Tensor = self.mlp(self.before_mlp(tokens))
        return tokens + thought


class SemanticMapping(nn.Module):
    """USMT: pixels of a coarse map become tokens, at half the map's resolution.

    Their place comes from a depthwise convolution, so that any size of map will do. What the
    tokens learnt is added to the map.
    """

    def __init__(self, width: int, layers: int) -> None:
        """Take the channels of the map and the number of blocks."""
        super().__init__()
        self.place = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.blocks = nn.ModuleList(TokenBlock(width) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map with meaning, [B, D, h, w], from [B, D, h, w]."""
        coarse = F.avg_pool2d(x, 2, ceil_mode=True)
        coarse = coarse + self.place(coarse)
        tokens = coarse.flatten(2).transpose(1, 2)
        for block in self.blocks:
            tokens = block(tokens)
        meaning = self.norm(tokens).transpose(1, 2).reshape(coarse.shape)
        return x + _sized(meaning, x.shape[-2:])


class CoarseHead(nn.Module):
    """Logits straight from an encoder's features, for training: cheap beside a decoder."""

    def __init__(self, channels: Sequence[int], classes: int) -> None:
        """Take the channels of each level, finest first; the finest is too dear to take part."""
        super().__init__()
        self.votes = nn.ModuleList(nn.Conv2d(count, classes, 1) for count in channels[1:])

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Return the sum of all levels' votes, [B, K, H, W] at the size of the finest level."""
        each = [vote(feature) for vote, feature in zip(self.votes, features[1:], strict=True)]
        half = each[0].shape[-2:]
        votes = torch.stack([each[0], *(_sized(vote, half) for vote in each[1:])]).sum(0)
        return _sized(votes, features[0].shape[-2:])


def _sized(x: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


def class_embedding(classes: int, width: int) -> Tensor:
    """Return a unit vector per class, float32 [K, D], at right angles as long as K <= D.

    Fixed, not learned: a learned embedding and tokens that are pulled together would meet in one
    point, where the penalty is zero and nothing is learnt.
    """
    generator = torch.Generator().manual_seed(ANCHOR_SEED)
    drawn = torch.randn(max(classes, width), width, generator=generator)
    if classes <= width:
        basis: Tensor = torch.linalg.qr(drawn)[0]
        return basis[:classes].contiguous()
    return F.normalize(drawn[:classes], dim=1)


def label_anchor(target: Tensor, embedding: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return the label in the latent space [B, D, h, w], and each token's share of labelled pixels.

    `target` int64 [B, H, W], 255 for void; H and W are padded with void to whole tokens. A token's
    anchor is the mean of the embeddings of its labelled pixels.
    """
    classes = len(embedding)
    high, wide = (-(-n // m) for n, m in zip(target.shape[-2:], size, strict=True))
    pad = (0, wide * size[1] - target.shape[-1], 0, high * size[0] - target.shape[-2])
    label = F.pad(target, pad, value=255)
    codes = torch.arange(classes, device=target.device)[:, None, None]
    shares = F.avg_pool2d((label[:, None] == codes).float(), (high, wide))
    labelled = shares.sum(1)
    anchor = torch.einsum("bkhw,kd->bdhw", shares, embedding)
    return anchor / labelled.clamp_min(1e-6)[:, None], labelled


def anchor_penalty(latent: Tensor, target: Tensor, embedding: Tensor) -> Tensor:
    """Return the mean of 1 - cos(token, its anchor), a scalar 0 to 2; 0 without labelled pixels.

    `latent` [B, D, h, w]. Tokens count by their share of labelled pixels.
    """
    latent = latent.float()
    anchor, labelled = label_anchor(target, embedding, (latent.shape[-2], latent.shape[-1]))
    apart = 1 - F.cosine_similarity(latent, anchor, dim=1)
    return (apart * labelled).sum() / labelled.sum().clamp_min(1e-6)
