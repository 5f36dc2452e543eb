import math

import pytest
import torch

from models.losses import weighted_cross_entropy
from models.sample import IGNORE

LOGITS = torch.log(torch.tensor([0.7, 0.2, 0.1]))[None, :, None, None]


def test_check_value() -> None:
    loss = weighted_cross_entropy(
        LOGITS, torch.zeros(1, 1, 1, dtype=torch.long), torch.ones(1, 1, 1)
    )
    assert loss.item() == pytest.approx(0.356675, abs=1e-6)


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


@pytest.mark.parametrize(("code", "weight"), [(IGNORE, 1.0), (0, 0.0)])
def test_nothing_to_learn_from_gives_zero_and_zero_gradient(code: int, weight: float) -> None:
    logits = torch.zeros(1, 3, 2, 2, requires_grad=True)
    loss = weighted_cross_entropy(
        logits, torch.full((1, 2, 2), code), torch.full((1, 2, 2), weight)
    )
    loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
    assert loss.item() == 0
    assert logits.grad is not None and not logits.grad.any()
