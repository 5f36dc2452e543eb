"""What the loop is made of: settings, optimisers, schedules, averages, accumulation, stopping."""

import dataclasses
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import CloudbrushError
from core.metrics import iou, mean
from models.losses import LossTerm
from models.networks import SegmentationNetwork, build
from models.objective import Supervised, Tensors
from models.sample import Sample
from models.train import Progress, TrainConfig, train, validate
from models.training import memory
from models.training.average import WeightAverage
from models.training.config import check_config, of_json, of_values, to_json
from models.training.curve import Curve
from models.training.optimiser import make_optimiser, rate
from models.zoo.augment import Augment, check_augments
from models.zoo.training import SETTINGS
from tests.models.conftest import make_sample


def same(first: SegmentationNetwork, second: SegmentationNetwork) -> bool:
    other = second.state_dict()
    return all(torch.equal(v, other[k]) for k, v in first.state_dict().items())


def furthest(first: SegmentationNetwork, second: SegmentationNetwork) -> float:
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    return max((a - b).abs().max().item() for a, b in pairs)


class WithoutBatchNorm(Supervised):
    """A network in which no crop sees the others of its batch."""

    def __init__(self, network: SegmentationNetwork, balance: Tensor, config: TrainConfig) -> None:
        for parent in list(network.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, nn.BatchNorm2d):
                    setattr(parent, name, nn.GroupNorm(2, child.num_features))
        super().__init__(network, balance, config)


def test_settings_survive_json(config: TrainConfig) -> None:
    config = replace(
        config,
        losses=(LossTerm("ce", 1.0, {"smoothing": 0.1}), LossTerm("lovasz", 0.5)),
        augments=check_augments([Augment("gain")]),
        schedule="step",
        drop_at=(30, 60),
    )
    again = of_json(to_json(config))
    assert again.drop_at == (30, 60) and again.options == config.options
    assert of_json(to_json(again)) == again
    assert again.losses[1] == LossTerm("lovasz", 0.5) and again.augments == config.augments


def test_settings_of_older_cards_still_read() -> None:
    """As cards had them before there were schedules and losses to choose."""
    card = {"classes": 3, "bands": {"sar": 1}, "network": "unet", "options": {"widths": [4, 8]}}
    found = of_values({**card, "steps": 7, "mixed_precision": False})
    assert found.steps == 7 and found.schedule == "cosine" and found.options == {"widths": (4, 8)}


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"classes": 3}', '{"classes": 3, "bands": {}, "x": 1}']
)
def test_settings_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(CloudbrushError, match="settings"):
        of_json(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schedule", "linear"),
        ("optimiser", "lion"),
        ("accumulate", 0),
        ("average", 1.0),
        ("drop_at", (0,)),
        ("learning_rate", math.nan),
        ("patience", -1),
        ("keep", "worst"),
        ("warm_up", 2.0),
    ],
)
def test_a_wrong_setting_is_named(config: TrainConfig, name: str, value: object) -> None:
    with pytest.raises(CloudbrushError, match=f"setting, {name}"):
        check_config(replace(config, **{name: value}))  # type: ignore[arg-type]


def test_the_table_tells_the_defaults_of_a_run() -> None:
    """Pages show the table; it must not say otherwise than a run does."""
    for field in dataclasses.fields(TrainConfig):
        if field.name in SETTINGS:
            assert SETTINGS[field.name].option.default == field.default, field.name
            assert SETTINGS[field.name].option.accepts(field.default)


def test_schedules_by_hand(config: TrainConfig) -> None:
    config = replace(config, steps=100, warm_up=0.1)
    for name in ("cosine", "poly", "constant", "step"):
        climbing = [rate(step, replace(config, schedule=name)) for step in range(10)]
        assert climbing == pytest.approx([(step + 1) / 10 for step in range(10)])
    half = 10 + 45  # half of the way that is left
    assert rate(half, config) == pytest.approx(0.5)
    assert rate(100, config) == pytest.approx(0.0)
    poly = replace(config, schedule="poly", poly_power=2.0)
    assert rate(half, poly) == pytest.approx(0.25)
    assert rate(half, replace(config, schedule="constant")) == 1.0
    steps = replace(config, schedule="step", drop_at=(50, 80), drop_to=0.1)
    assert [rate(s, steps) for s in (49, 50, 79, 80)] == pytest.approx([1, 0.1, 0.1, 0.01])


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_optimisers_take_the_published_first_step(config: TrainConfig, name: str) -> None:
    """Adam's first step is rate * sign(gradient); decay is beside it, in it, or none at all."""
    config = replace(config, optimiser=name, learning_rate=0.1, weight_decay=0.5, fresh_head_rate=1)
    aim = Supervised(build("unet", {"sar": 1}, 2, {"widths": (2, 4)}))
    head = aim.network.get_parameter("decoder.head.weight")
    optimiser, rates = make_optimiser(config, aim, started=False)
    before = head.detach().clone()
    head.grad = torch.full_like(head, 0.25)
    optimiser.step()
    if name == "adamw":
        expected = before * (1 - 0.1 * 0.5) - 0.1
    elif name == "adam":
        expected = before - 0.1 * torch.sign(0.25 + 0.5 * before)
    else:
        expected = before - 0.1 * (0.25 + 0.5 * before)
    assert torch.allclose(head, expected, atol=1e-6)
    assert rates == [0.1, 0.1]


def test_norms_and_biases_may_be_left_alone(config: TrainConfig) -> None:
    aim = Supervised(build("unet", {"sar": 1}, 2, {"widths": (2, 4)}))
    optimiser, _ = make_optimiser(replace(config, decay_norms=False), aim, started=False)
    decayed = {
        id(p): group["weight_decay"] for group in optimiser.param_groups for p in group["params"]
    }
    assert all((decayed[id(p)] > 0) == (p.ndim > 1) for p in aim.network.parameters())


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_every_optimiser_learns(name: str, samples: list[Sample], config: TrainConfig) -> None:
    high = 0.2 if name == "sgd" else 1e-2
    config = replace(config, optimiser=name, steps=40, validate_every=40, learning_rate=high)
    found = train(config, samples, [make_sample(9)])
    assert found.history[-1].val_miou is not None and found.history[-1].val_miou > 0.5


def test_the_average_is_the_mean_first_and_then_decays() -> None:
    network = build("unet", {"sar": 1}, 2, {"widths": (2, 4)})
    weight = network.get_parameter("decoder.head.bias")
    average = WeightAverage(network, decay=0.75)
    start = weight.detach().clone()
    seen = [start]
    for step in range(1, 4):
        with torch.no_grad():
            weight.add_(step)
        seen.append(weight.detach().clone())
        average.follow(network, step)
    found = average.network.get_parameter("decoder.head.bias")
    assert torch.allclose(found, torch.stack(seen).mean(0))  # 1 - 1/(t + 1) up to t = 3
    before = found.detach().clone()
    average.follow(network, 4)
    assert torch.allclose(found, 0.75 * before + 0.25 * weight)


def test_the_average_is_scored_and_kept(samples: list[Sample], config: TrainConfig) -> None:
    held = [make_sample(9)]
    found = train(replace(config, average=0.9), samples, held)
    plain = train(config, samples, held)
    assert not same(found.network, plain.network)
    assert [p.loss for p in found.history] == [p.loss for p in plain.history]
    assert found.matrix is not None
    half = found.config.mixed_precision
    assert np.array_equal(found.matrix, validate(found.network, held, half=half))
    assert all(p.requires_grad for p in found.network.parameters())


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_accumulated_batches_equal_a_larger_one(
    optimiser: str, samples: list[Sample], config: TrainConfig
) -> None:
    """With void pixels and class weights, so that batches do not count alike."""
    config = replace(config, optimiser=optimiser, mixed_precision=False, steps=4)
    large = train(replace(config, batch=6), samples, objective=WithoutBatchNorm)
    small = train(replace(config, batch=2, accumulate=3), samples, objective=WithoutBatchNorm)
    single = train(replace(config, batch=2), samples, objective=WithoutBatchNorm)
    assert furthest(large.network, small.network) < 1e-5 < furthest(large.network, single.network)
    losses = [[p.loss for p in run.history] for run in (large, small)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_the_best_weights_are_kept(samples: list[Sample], config: TrainConfig) -> None:
    """At a rate as high as this the score goes up and down."""
    config = replace(config, steps=30, validate_every=3, learning_rate=0.3, schedule="constant")
    held = [make_sample(9)]
    best = train(replace(config, keep="best"), samples, held)
    last = train(config, samples, held)
    scores = {p.step: p.val_miou for p in best.history if p.val_miou is not None}
    assert best.step == max(scores, key=lambda step: scores[step])
    assert best.step < 30 == last.step, "the run must have a best score before its end"
    assert best.matrix is not None and mean(iou(best.matrix)) == max(scores.values())
    again = validate(best.network, held, half=config.mixed_precision)
    assert np.array_equal(again, best.matrix)


def test_patience_ends_a_run(samples: list[Sample], config: TrainConfig) -> None:
    """At rate 0 the score cannot rise after the first time."""
    config = replace(config, steps=60, validate_every=5, learning_rate=0.0, patience=2)
    found = train(config, samples, [make_sample(9)], objective=WithoutBatchNorm)
    assert found.history[-1].step == 15 and "no better score since step 5" in found.notes[-1]
    assert found.history[-1].epochs == 12


@pytest.mark.parametrize(("name", "value"), [("keep", "best"), ("patience", 3)])
def test_a_score_that_is_asked_for_needs_samples(
    samples: list[Sample], config: TrainConfig, name: str, value: object
) -> None:
    with pytest.raises(CloudbrushError, match=f"setting {name}"):
        train(replace(config, **{name: value}), samples)  # type: ignore[arg-type]


def test_a_loss_that_is_no_number_says_what_to_do(
    samples: list[Sample], config: TrainConfig
) -> None:
    class Endless(Supervised):
        def forward(self, inputs: Tensors, label: Tensor, weight: Tensor, more: Tensors) -> Tensor:
            return super().forward(inputs, label, weight, more) * 1e39  # beyond float32

    config = replace(config, learning_rate=10.0, warm_up=0.0)
    with pytest.raises(CloudbrushError) as caught:
        train(config, samples, objective=Endless)
    assert caught.value.where == "training loss, step 1"
    todo = caught.value.todo
    assert "lower learning rate (it is 10)" in todo and "longer warm-up" in todo
    assert "no mixed precision" in todo
    curve = Curve(config)
    curve.step = 12
    with pytest.raises(CloudbrushError, match="step 11: found nan"):
        curve.point([0.5, math.nan, math.inf], ())


class Hungry(WithoutBatchNorm):
    """Needs more memory than there is for more than two crops: asks torch for it, in earnest."""

    asked = 0

    def forward(self, inputs: Tensors, label: Tensor, weight: Tensor, more: Tensors) -> Tensor:
        if len(label) > 2:
            type(self).asked += 1
            torch.empty(1 << 46, dtype=torch.uint8)
        return super().forward(inputs, label, weight, more)


def test_short_memory_splits_the_batch_and_says_so(
    samples: list[Sample], config: TrainConfig
) -> None:
    config = replace(config, batch=8, mixed_precision=False, steps=3, validate_every=3)
    points: list[Progress] = []
    Hungry.asked = 0
    found = train(config, samples, objective=Hungry, report=points.append)
    assert Hungry.asked == 2  # 8 and 4 crops; 2 fit, and the run stays there
    plenty = train(config, samples, objective=WithoutBatchNorm)
    assert furthest(found.network, plenty.network) < 1e-5
    assert [p.loss for p in points] == pytest.approx([p.loss for p in plenty.history], rel=1e-5)
    assert "now passes in 4 parts of up to 2 crops" in points[0].note
    assert len(found.notes) == 2 and plenty.notes == ()


def test_a_single_crop_that_does_not_fit_is_an_error(
    samples: list[Sample], config: TrainConfig
) -> None:
    class Greedy(Hungry):
        def forward(self, inputs: Tensors, label: Tensor, weight: Tensor, more: Tensors) -> Tensor:
            return torch.empty(1 << 46)

    with pytest.raises(CloudbrushError, match="one crop of 32 x 32"):
        train(replace(config, batch=3), samples, objective=Greedy)


def test_other_errors_are_not_taken_for_short_memory() -> None:
    assert memory.ran_out(torch.OutOfMemoryError("CUDA out of memory"))
    assert memory.ran_out(MemoryError())
    assert not memory.ran_out(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not memory.ran_out(ValueError("out of memory"))


def test_dropout_follows_the_seed(samples: list[Sample], config: TrainConfig) -> None:
    class Dropping(Supervised):
        def forward(self, inputs: Tensors, label: Tensor, weight: Tensor, more: Tensors) -> Tensor:
            holes = {m: torch.dropout(x.float(), 0.5, True) for m, x in inputs.items()}
            return super().forward(holes, label, weight, more)

    config = replace(config, steps=3)
    runs = [train(config, samples, objective=Dropping).network for _ in range(2)]
    assert same(*runs)
    assert not same(runs[0], train(config, samples).network)


def test_a_card_of_a_run_reads_back(samples: list[Sample], config: TrainConfig) -> None:
    found = train(replace(config, steps=1), samples)
    card = json.loads(json.dumps(dataclasses.asdict(found.config)))
    assert of_values(card).steps == 1
