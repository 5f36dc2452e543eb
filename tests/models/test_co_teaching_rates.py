"""Both networks of co-teaching learn at the same rates, their last layers included."""

import pytest
import torch

from models.networks import build
from models.recipes.co_teaching import CoTeaching
from models.training.config import TrainConfig
from models.training.optimiser import make_optimiser


@pytest.mark.parametrize("decay_norms", [True, False])
def test_the_second_network_has_the_rates_of_the_first(decay_norms: bool) -> None:
    torch.manual_seed(0)
    network = build("unet", {"sar": 1}, 3, {"widths": (4, 8)})
    config = TrainConfig(
        classes=3,
        bands={"sar": 1},
        learning_rate=1e-3,
        fresh_head_rate=10.0,
        decay_norms=decay_norms,
    )
    aim = CoTeaching(network, torch.ones(3), config, noise=0.2, ramp=0.3, by_class=True)
    optimiser, rates = make_optimiser(config, aim, started=False)
    rate_of = {
        id(p): rate
        for group, rate in zip(optimiser.param_groups, rates, strict=True)
        for p in group["params"]
    }
    assert len(rate_of) == len(list(aim.both.parameters()))
    for mine, peer in zip(network.parameters(), aim.peer.parameters(), strict=True):
        assert rate_of[id(mine)] == rate_of[id(peer)]
    assert {rate_of[id(p)] for p in aim.peer.head_parameters()} == {1e-2}
