"""High-order interaction between two pictures' features, in space and between channels.

From the formulas of SHIP (CVPR 2024), which CloudLULC-Net (arXiv 2606.17713) cites for its blocks.
`kept` are the features that are carried on (optical, after modulation), `helper` those that help
(SAR); both float [B, C, H, W]. *Order* counts products.
"""

import torch
from torch import Tensor, nn

START = 0.1
"""What a block adds at first, as a share; ours, so that blocks can be stacked on a short run."""


class ChannelNorm(nn.Module):
    """Layer norm over the channels of every pixel, with a learned scale and shift per channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels, 1, 1))
        self.shift = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return x with mean 0 and variance 1 over channels, scaled and shifted."""
        centred = x - x.mean(1, keepdim=True)
        spread = centred.square().mean(1, keepdim=True)
        normed: Tensor = centred * torch.rsqrt(spread + 1e-6) * self.scale + self.shift
        return normed


def circular_product(query: Tensor, key: Tensor) -> Tensor:
    """Return the circular convolution of two maps [B, C, H, W], channel by channel, in float32.

    out[y, x] = sum over (v, u) of query[v, u] * key[y - v, x - u], indices wrapping round. Through
    the FFT every pixel meets every other in O(HW log HW). bfloat16 is too coarse for such sums, and
    FFT lacks it, so mixed precision is off here.
    """
    with torch.autocast(query.device.type, enabled=False):
        spectrum = torch.fft.rfft2(query.float()) * torch.fft.rfft2(key.float())
        product: Tensor = torch.fft.irfft2(spectrum, s=query.shape[-2:])
    return product


def two_convs(channels: int) -> nn.Sequential:
    """Return two 3x3 convolutions with a ReLU between, as SHIP has in front of its products."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1),
    )


class SpatialInteraction(nn.Module):
    """SHOI of order O.

    A = LN(IFFT(FFT(kept) * FFT(helper))), S_1 = A * helper, V_1 = helper; for n = 2..O:
    V_n = W_V(V_n-1), S_n = LN(W_Q(S_n-1)) * V_n. Gives kept + a S_O and V_O; the learned share a
    per channel is ours.
    """

    def __init__(self, channels: int, order: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(ChannelNorm(channels) for _ in range(order))
        self.values = nn.ModuleList(two_convs(channels) for _ in range(order - 1))
        self.queries = nn.ModuleList(two_convs(channels) for _ in range(order - 1))
        self.share = nn.Parameter(torch.full((channels, 1, 1), START))

    def forward(self, kept: Tensor, helper: Tensor) -> tuple[Tensor, Tensor]:
        """Return the carried features and the helper's, both [B, C, H, W]."""
        value = helper
        product = self.norms[0](circular_product(kept, helper)) * value
        steps = zip(self.norms[1:], self.values, self.queries, strict=True)
        for norm, to_value, to_query in steps:
            value = to_value(value)
            product = norm(to_query(product)) * value
        return kept + self.share * product, value


class ChannelInteraction(nn.Module):
    """CHOI of order O.

    X = concat(kept, helper); a_1 = g(W_Z(mean over pixels of X)), C_1 = X * a_1; for n = 2..O:
    a_n = g(W_Z(a_n-1)), C_n = W_F(C_n-1) * a_n. Gives kept + a Conv(C_O), helper as it was. g is
    the sigmoid of SHIP's figure: the softmax of its code divides activations by about 2C an order.
    Conv is 1x1, and the learned share a is ours.
    """

    def __init__(self, channels: int, order: int) -> None:
        super().__init__()
        both = 2 * channels
        self.weigh = nn.ModuleList(
            nn.Sequential(nn.Conv2d(both, channels, 1), nn.ReLU(), nn.Conv2d(channels, both, 1))
            for _ in range(order)
        )
        self.refine = nn.ModuleList(two_convs(both) for _ in range(order - 1))
        self.join = nn.Conv2d(both, channels, 1)
        self.share = nn.Parameter(torch.full((channels, 1, 1), START))

    def forward(self, kept: Tensor, helper: Tensor) -> tuple[Tensor, Tensor]:
        """Return the carried features and the helper's, both [B, C, H, W]."""
        both = torch.cat([kept, helper], 1)
        weight = torch.sigmoid(self.weigh[0](both.mean((2, 3), keepdim=True)))
        product = both * weight
        for weigh, refine in zip(self.weigh[1:], self.refine, strict=True):
            weight = torch.sigmoid(weigh(weight))
            product = refine(product) * weight
        return kept + self.share * self.join(product), helper
