"""What is minimised: the losses of the settings, further heads, penalties, other objectives."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.losses import LossTerm, combined
from models.networks import Outputs, SegmentationNetwork, build
from models.objective import Supervised, building_of
from models.sample import IGNORE, Sample
from models.train import TrainConfig, train

BANDS = {"optical": 3, "sar": 1}


@pytest.fixture
def label() -> Tensor:
    torch.manual_seed(0)
    label = torch.randint(0, 3, (2, 8, 8))
    label[:, :2] = IGNORE
    return label


def aim_of(config: TrainConfig) -> Supervised:
    network = build("unet", BANDS, 3, {"widths": (4, 8)})
    return Supervised(network, torch.tensor([1.0, 2.0, 0.5]), config)


def test_auxiliary_heads_and_penalties_add_to_the_loss(config: TrainConfig, label: Tensor) -> None:
    losses = (LossTerm("ce"), LossTerm("dice", 0.5))
    buildings = (LossTerm("ce"), LossTerm("lovasz", 0.5))
    config = replace(
        config,
        losses=losses,
        building_losses=buildings,
        auxiliary_weight=0.3,
        building_weight=2.0,
    )
    aim = aim_of(config)
    weight = torch.rand(2, 8, 8)
    main, coarse = torch.randn(2, 3, 8, 8), torch.randn(2, 3, 4, 4)
    house = torch.randn(2, 2, 8, 8)
    penalty = torch.tensor(0.25)
    outputs = Outputs(main, {"classes": coarse, "building": house}, {"anchor": penalty})
    found = aim.of(outputs, label, weight)

    loss, balance = combined(losses), aim.class_weight
    finer = F.interpolate(coarse, (8, 8), mode="bilinear", align_corners=False)
    expected = (
        loss(main, label, weight, balance)
        + 0.3 * loss(finer, label, weight, balance)
        + 2.0 * combined(buildings)(house, building_of(label), weight, None)
        + 0.25
    )
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)


def test_buildings_are_all_classes_but_the_first() -> None:
    label = torch.tensor([0, 1, 2, 3, IGNORE])
    assert building_of(label).tolist() == [0, 1, 1, 1, IGNORE]


def test_without_building_losses_the_head_has_the_main_ones(
    config: TrainConfig, label: Tensor
) -> None:
    config = replace(config, losses=(LossTerm("dice"),), building_weight=1.0)
    weight, logits = torch.ones(2, 8, 8), torch.randn(2, 2, 8, 8)
    main = torch.zeros(2, 3, 8, 8)
    aim = aim_of(config)
    with_head = aim.of(Outputs(main, {"building": logits}), label, weight)
    without = aim.of(Outputs(main), label, weight)
    dice = combined((LossTerm("dice"),))(logits, building_of(label), weight, None)
    assert (with_head - without).item() == pytest.approx(dice.item(), rel=1e-5)


def test_losses_of_the_settings_are_minimised(samples: list[Sample], config: TrainConfig) -> None:
    config = replace(config, steps=3)
    plain = train(config, samples).network.state_dict()
    other = train(replace(config, losses=(LossTerm("focal"),)), samples).network.state_dict()
    assert not all(torch.equal(plain[name], other[name]) for name in plain)


def test_losses_that_anneal_know_the_step(samples: list[Sample], config: TrainConfig) -> None:
    made: list[Supervised] = []

    def objective(network: SegmentationNetwork, balance: Tensor, c: TrainConfig) -> Supervised:
        made.append(Supervised(network, balance, c))
        return made[0]

    annealed = (LossTerm("annealed_focal", 1.0, {"steps": 10}),)
    train(replace(config, steps=3, losses=annealed), samples, objective=objective)
    assert made[0].loss.step == 3
