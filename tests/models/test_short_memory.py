"""Memory that runs out beside the passes: while the weights move, and while tiles are scored."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from core.errors import CloudbrushError
from models.networks import SegmentationNetwork
from models.sample import Sample
from models.train import TrainConfig, train, validate
from models.training.optimiser import make_optimiser
from tests.models.conftest import make_sample


def ask_for_too_much() -> None:
    torch.empty(1 << 46, dtype=torch.uint8)  # of the allocator, in earnest


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """Return a function that lets larger images be learnt but not scored; it gives the sides."""
    forward = SegmentationNetwork.forward

    def limit(most: int) -> list[int]:
        seen: list[int] = []

        def narrow(self: SegmentationNetwork, inputs: Mapping[str, Tensor]) -> Tensor:
            if not self.training:
                seen.append(max(next(iter(inputs.values())).shape[-2:]))
                if seen[-1] > most:
                    ask_for_too_much()
            return forward(self, inputs)

        monkeypatch.setattr(SegmentationNetwork, "forward", narrow)
        return seen

    return limit


def test_watched_tiles_that_do_not_fit_are_scored_by_windows(
    samples: list[Sample], config: TrainConfig, tight: Callable[[int], list[int]]
) -> None:
    held = [make_sample(9, size=160)]
    config = replace(config, mixed_precision=False)
    plenty = train(config, samples, held)
    sides = tight(40)
    found = train(config, samples, held)
    assert sides.count(160) == 1, "the run stays with what fits"
    assert sides[:3] == [160, 80, 40] and set(sides[3:]) == {40}
    assert [n for n in found.notes if "scoring" in n] == [
        f"Memory ran out while scoring at step 6: watched tiles are now scored by windows of {px} "
        "px."
        for px in (80, 40)
    ]
    assert plenty.notes == () and found.matrix is not None and plenty.matrix is not None
    by_windows = validate(found.network, held, most_px=40)
    assert np.array_equal(found.matrix, by_windows)
    assert np.abs(found.matrix - plenty.matrix).sum() <= 0.05 * plenty.matrix.sum()


def test_tiles_that_do_not_fit_at_all_end_the_run(
    samples: list[Sample], config: TrainConfig, tight: Callable[[int], list[int]]
) -> None:
    tight(32)
    held = [make_sample(9, size=96)]
    train(config, samples, held)  # windows as large as the crops
    tight(16)
    with pytest.raises(CloudbrushError, match="one crop of 32 x 32"):
        train(config, samples, held)


def test_weights_that_cannot_move_are_told_apart_from_crops(
    samples: list[Sample], config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def heavy(*args: Any, **more: Any) -> Any:
        optimiser, rates = make_optimiser(*args, **more)
        optimiser.register_step_pre_hook(lambda *_: ask_for_too_much())
        return optimiser, rates

    monkeypatch.setattr("models.training.learner.make_optimiser", heavy)
    with pytest.raises(CloudbrushError, match="what the optimiser remembers") as caught:
        train(config, samples)
    assert "do not help" in caught.value.todo
