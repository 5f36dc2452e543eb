"""A running average of the weights (EMA), which may be kept instead of the weights themselves.

After step t: average <- a average + (1 - a) weights with a = min(1 - 1/(t + 1), decay), as in mean
teachers (Tarvainen and Valpola 2017, arXiv 1703.01780): early on it is the plain mean, so that the
untrained start is soon forgotten. Running statistics of batch norm are copied.
"""

import copy

import torch

from models.networks import SegmentationNetwork


class WeightAverage:
    """The average of a network's weights, as a network of its own that is never trained."""

    def __init__(self, network: SegmentationNetwork, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def follow(self, network: SegmentationNetwork, step: int) -> None:
        """Take the weights after `step` steps, counted from 1, into the average."""
        share = min(1 - 1 / (step + 1), self.decay)
        for own, weights in zip(self.network.parameters(), network.parameters(), strict=True):
            own.lerp_(weights, 1 - share)
        for mine, theirs in zip(self.network.buffers(), network.buffers(), strict=True):
            mine.copy_(theirs)
