"""SiamCRNN: the change between two encoders' features, read by a recurrent cell at each level."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.base import NetworkSpec
from models.networks.damage.base import Residual, TwoHeads, resized, upsampled
from models.networks.damage.encoders import pyramid


class Recurrent(nn.Module):
    """A convolutional LSTM of 3x3 over two dates, from zero; returns the last hidden state."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.gates = nn.Conv2d(channels + hidden, 4 * hidden, 3, padding=1)

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        """Return [B, hidden, H, W] from features [B, C, H, W] of both dates."""
        state = before.new_zeros(before.shape[0], self.hidden, *before.shape[-2:])
        memory = state
        for x in (before, after):
            enter, keep, show, value = self.gates(torch.cat([x, state], 1)).chunk(4, 1)
            memory = torch.sigmoid(keep) * memory + torch.sigmoid(enter) * torch.tanh(value)
            state = torch.sigmoid(show) * torch.tanh(memory)
        return state


class TopDown(nn.Module):
    """From the deepest level up: bring up, add to the finer level, smooth."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.smooth = nn.ModuleList(Residual(width, width) for _ in range(3))

    def forward(self, levels: list[Tensor]) -> Tensor:
        """Return the features at the finest level; `levels` are finest first."""
        x = levels[-1]
        for smooth, level in zip(self.smooth, levels[-2::-1], strict=True):
            x = smooth(resized(x, level) + level)
        return x


class SiamCRNN(TwoHeads):
    """Two ResNets that share nothing; localisation reads the one before only."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        name, width = spec.options["encoder"], spec.options["width"]
        self.of_before, self.of_after = pyramid(name, self.before), pyramid(name, self.after)
        channels = self.of_before.channels
        self.cells = nn.ModuleList(Recurrent(count, width) for count in channels)
        self.narrow = nn.ModuleList(
            nn.Sequential(nn.Conv2d(count, width, 3, padding=1), nn.BatchNorm2d(width))
            for count in channels
        )
        self.where, self.which = TopDown(width), TopDown(width)
        self.building_head = nn.Conv2d(width, 2, 1)
        self.head = nn.Conv2d(width, spec.classes, 1)

    def heads(self, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of localisation and damage, made at 1/4 and brought up."""
        first, second = self.of_before(before), self.of_after(after)
        where = [F.relu(layer(x)) for layer, x in zip(self.narrow, first, strict=True)]
        which = [cell(a, b) for cell, a, b in zip(self.cells, first, second, strict=True)]
        building = self.building_head(self.where(where))
        return upsampled(building, 4), upsampled(self.head(self.which(which)), 4)
