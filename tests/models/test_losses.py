import dataclasses
import math

import numpy as np
import pytest
import torch

from core.errors import ModelFileError
from models.losses import CODE, LossTerm, combined, weighted_cross_entropy
from models.losses.pixels import annealed_focal
from models.losses.regions import lovasz
from models.losses.soft import entropy, entropy_split, image_confidence
from models.sample import IGNORE
from models.zoo.losses import LOSSES, terms_of

LOGITS = torch.log(torch.tensor([0.7, 0.2, 0.1]))[None, :, None, None]
ONE = torch.zeros(1, 1, 1, dtype=torch.long), torch.ones(1, 1, 1)

CHECK_VALUES = [
    (LossTerm("ce"), 0.356675),
    (LossTerm("symmetric_ce", params={"alpha": 0.0, "beta": 1.0}), 2.763102),
    (LossTerm("symmetric_ce", params={"alpha": 1.0, "beta": 2.0}), 5.882879),
    (LossTerm("generalised_ce", params={"q": 0.3}), 0.338255),
    (LossTerm("generalised_ce", params={"q": 0.7}), 0.315634),
    (LossTerm("generalised_ce", params={"q": 0.9}), 0.305091),
]


@pytest.mark.parametrize(("term", "value"), CHECK_VALUES)
def test_published_check_values(term: LossTerm, value: float) -> None:
    assert combined([term])(LOGITS, *ONE, None).item() == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("term", "value"),
    [
        (LossTerm("focal", params={"gamma": 2.0}), 0.3**2 * -math.log(0.7)),
        (LossTerm("ce", params={"smoothing": 0.3}), -0.8 * math.log(0.7) - 0.1 * math.log(0.02)),
        (LossTerm("bootstrap_hard", params={"beta": 0.8}), -math.log(0.7)),
        (
            LossTerm("bootstrap_soft", params={"beta": 0.9}),
            -0.97 * math.log(0.7) - 0.02 * math.log(0.2) - 0.01 * math.log(0.1),
        ),
        (LossTerm("dice"), 1 - 2 * 0.7 / 1.7),
        (LossTerm("lovasz"), 0.3),
    ],
)
def test_values_computed_by_hand(term: LossTerm, value: float) -> None:
    assert combined([term])(LOGITS, *ONE, None).item() == pytest.approx(value, abs=1e-6)


def test_terms_are_added_by_weight() -> None:
    terms = [LossTerm("ce", 2.0), LossTerm("generalised_ce", 0.5, {"q": 0.7})]
    assert combined(terms)(LOGITS, *ONE, None).item() == pytest.approx(
        2 * 0.356675 + 0.5 * 0.315634, abs=1e-6
    )


def test_weights_make_a_weighted_mean_and_void_is_left_out() -> None:
    logits = LOGITS.expand(1, 3, 1, 4)
    target = torch.tensor([[[0, 1, 2, IGNORE]]])
    weight = torch.tensor([[[1.0, 3.0, 0.0, 5.0]]])
    loss = weighted_cross_entropy(logits, target, weight)
    assert loss.item() == pytest.approx((-math.log(0.7) - 3 * math.log(0.2)) / 4, abs=1e-6)


def test_class_weight_multiplies_the_pixel_weight() -> None:
    logits = LOGITS.expand(1, 3, 1, 2)
    loss = weighted_cross_entropy(
        logits, torch.tensor([[[0, 1]]]), torch.ones(1, 1, 2), torch.tensor([1.0, 3.0, 1.0])
    )
    assert loss.item() == pytest.approx((-math.log(0.7) - 3 * math.log(0.2)) / 4, abs=1e-6)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(("code", "weight"), [(IGNORE, 1.0), (0, 0.0)])
def test_nothing_to_learn_from_gives_zero_and_zero_gradient(
    name: str, code: int, weight: float
) -> None:
    logits = torch.zeros(1, 3, 2, 2, requires_grad=True)
    loss = combined([LossTerm(name)])(
        logits, torch.full((1, 2, 2), code), torch.full((1, 2, 2), weight), torch.ones(3)
    )
    loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
    assert loss.item() == 0
    assert logits.grad is not None and not logits.grad.any()


def _random(seed: int, classes: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(2, classes, 6, 7, generator=generator)
    target = torch.randint(classes, (2, 6, 7), generator=generator)
    target[torch.rand(2, 6, 7, generator=generator) < 0.2] = IGNORE
    return logits, target, torch.randint(4, (2, 6, 7), generator=generator).float()


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("seed", range(3))
def test_order_of_pixels_does_not_matter(name: str, seed: int) -> None:
    logits, target, weight = _random(seed)
    order = torch.randperm(42, generator=torch.Generator().manual_seed(seed))
    loss = combined([LossTerm(name)])
    mixed = loss(
        logits.flatten(2)[..., order].reshape(2, 4, 6, 7),
        target.flatten(1)[..., order].reshape(2, 6, 7),
        weight.flatten(1)[..., order].reshape(2, 6, 7),
        None,
    )
    torch.testing.assert_close(mixed, loss(logits, target, weight, None))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("seed", range(3))
def test_weight_zero_is_as_void_whatever_the_network_says_there(name: str, seed: int) -> None:
    logits, target, weight = _random(seed)
    loss = combined([LossTerm(name)])
    void = torch.where(weight == 0, IGNORE, target)
    elsewhere = torch.where((weight == 0)[:, None], logits.flip(1), logits)
    as_void = loss(logits, void, weight + (weight == 0), None)
    torch.testing.assert_close(loss(elsewhere, target, weight, None), as_void)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_gradient_is_finite_and_goes_the_right_way(name: str, scale: float) -> None:
    logits, target, weight = _random(5)
    logits = (scale * logits).requires_grad_()
    loss = combined([LossTerm(name)])
    value = loss(logits, target, weight, None)
    value.backward()  # type: ignore[no-untyped-call]  # untyped in torch
    assert logits.grad is not None and logits.grad.isfinite().all()
    assert value.item() >= 0
    if scale == 1:
        better = loss((logits - 0.5 * logits.grad).detach(), target, weight, None)
        assert better < value


@pytest.mark.parametrize("name", ["lovasz", "dice", "ce", "symmetric_ce"])
def test_a_pixel_of_weight_three_counts_as_three(name: str) -> None:
    logits, target, _ = _random(1)
    weight = torch.ones(2, 6, 7)
    weight[0, 0] = 3.0
    loss = combined([LossTerm(name)])
    repeated = [torch.cat([x, x[..., :1, :], x[..., :1, :]], -2)[:1] for x in (logits, target)]
    second = [torch.cat([x, x[..., :2, :]], -2)[1:] for x in (logits, target)]
    second[1][:, -2:] = IGNORE
    copies = [torch.cat(pair) for pair in zip(repeated, second, strict=True)]
    again = loss(copies[0], copies[1], torch.ones(2, 8, 7), None)
    torch.testing.assert_close(loss(logits, target, weight, None), again)


@pytest.mark.parametrize("seed", range(4))
def test_lovasz_and_dice_agree_with_an_independent_implementation(seed: int) -> None:
    from models.torchvision_shim import import_torchvision

    import_torchvision()
    from segmentation_models_pytorch.losses import DiceLoss, LovaszLoss

    logits, target, _ = _random(seed, classes=5)
    target[target == 4] = 3  # one class is absent
    ones = torch.ones(2, 6, 7)
    reference = LovaszLoss("multiclass", ignore_index=IGNORE)(logits, target)
    torch.testing.assert_close(lovasz(logits, target, ones), reference)
    dice = DiceLoss("multiclass", ignore_index=IGNORE, eps=0.0)(logits, target)
    present = len(torch.unique(target[target != IGNORE]))
    torch.testing.assert_close(
        combined([LossTerm("dice")])(logits, target, ones), dice * 5 / present
    )


def test_annealed_focal_is_cross_entropy_first_and_keeps_the_sum() -> None:
    logits, target, _ = _random(2)
    ones = torch.ones(2, 6, 7)
    valid = (target != IGNORE).sum()
    mean = weighted_cross_entropy(logits, target, ones)
    for step in (0, 400, 1000, 5000):
        value = annealed_focal(logits, target, ones, step=step, steps=1000)
        torch.testing.assert_close(value, mean * valid / (valid + 2))


def test_annealed_focal_turns_to_hard_pixels() -> None:
    logits = LOGITS.expand(1, 3, 1, 2).clone().requires_grad_()
    target, weight = torch.tensor([[[0, 2]]]), torch.ones(1, 1, 2)
    shares = []
    for step in (0, 500, 1000):
        loss = combined([LossTerm("annealed_focal", params={"steps": 1000})])
        loss.step = step
        (gradient,) = torch.autograd.grad(loss(logits, target, weight, None), logits)
        size = gradient.abs().sum(1)[0, 0]
        shares.append((size[1] / size.sum()).item())
    assert shares[0] < shares[1] < shares[2]


def test_entropy_split_takes_the_label_where_sure_and_the_probabilities_elsewhere() -> None:
    soft = torch.tensor([0.6, 0.3, 0.1])[None, :, None, None]
    weight = torch.ones(1, 1, 1)
    own = entropy(LOGITS.exp()).item()
    assert own == pytest.approx(-sum(p * math.log(p) for p in (0.7, 0.2, 0.1)), abs=1e-6)
    sure = entropy_split(LOGITS, soft, weight, threshold=own + 0.01)
    unsure = entropy_split(LOGITS, soft, weight, threshold=own - 0.01, alpha=0.5)
    kl = sum(s * math.log(s / p) for s, p in ((0.6, 0.7), (0.3, 0.2), (0.1, 0.1)))
    assert sure.item() == pytest.approx(-math.log(0.7), abs=1e-6)
    assert unsure.item() == pytest.approx(0.5 * kl, abs=1e-6)


@pytest.mark.parametrize("classes", [2, 4])
def test_entropy_is_at_most_the_logarithm_of_the_number_of_classes(classes: int) -> None:
    even = torch.full((1, classes, 1, 1), 1 / classes)
    assert entropy(even).item() == pytest.approx(math.log(classes), abs=1e-6)


def test_image_confidence_is_the_share_of_sure_pixels_of_each_image() -> None:
    p = torch.tensor([[0.97, 0.9, 0.968, 0.5], [0.1, 0.2, 0.3, 0.4]])
    probabilities = torch.stack([p, 1 - p], 1)[:, :, None]
    assert image_confidence(probabilities).tolist() == [0.5, 0.0]


def test_every_loss_of_the_table_has_code_with_its_defaults() -> None:
    assert set(CODE) == set(LOSSES)
    for name in LOSSES:
        plain = CODE[name](LOGITS, *ONE, None)
        assert combined([LossTerm(name)])(LOGITS, *ONE, None).item() == pytest.approx(plain.item())


def test_reverse_cross_entropy_has_a_ceiling() -> None:
    wrong = torch.tensor([-20.0, 20.0, -20.0])[None, :, None, None]
    rce = combined([LossTerm("symmetric_ce", params={"alpha": 0.0, "beta": 1.0})])
    assert rce(wrong, *ONE, None).item() == pytest.approx(-math.log(1e-4), abs=1e-4)


@pytest.mark.parametrize(
    "values",
    [
        [],
        [{"name": "unknown"}],
        [{"name": ["ce"]}],
        [{"name": "ce", "weight": math.nan}],
        [{"name": "ce", "weight": -1.0}],
        [{"name": "focal", "params": {"gamma": "2"}}],
        [{"name": "focal", "params": {"alpha": 2.0}}],
        [{"name": "focal", "params": [2.0]}],
        [{"name": "ce", "more": 1}],
        ["ce"],
    ],
)
def test_terms_that_make_no_sense_are_refused(values: list[dict[str, object]]) -> None:
    with pytest.raises(ModelFileError):
        terms_of(values)


def test_terms_survive_a_card() -> None:
    terms = terms_of([{"name": "ce"}, {"name": "lovasz", "weight": 0.75}])
    assert terms_of([dataclasses.asdict(term) for term in terms]) == terms
    assert np.isclose(terms[1].weight, 0.75)
