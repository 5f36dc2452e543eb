"""Numpy and torch say the same of probabilities, and the first of equals is the class."""

import numpy as np
import pytest
import torch

from models.planes import highest, in_8_bits, softmax, strips


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_softmax_is_that_of_torch(dtype: torch.dtype, layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    logits = (20 * torch.randn(1, 9, 24, 40)).to(dtype).to(memory_format=layout)[0]
    before = logits.clone()
    found = softmax(logits[:, 3:20])
    assert found.flags.c_contiguous
    assert np.allclose(found, torch.softmax(logits[:, 3:20].float(), 0).numpy(), atol=1e-6)
    assert torch.equal(logits, before)


def test_the_highest_is_the_first_of_equals_by_numpy_and_torch() -> None:
    values = np.random.default_rng(0).integers(0, 4, (5, 30, 20)).astype(np.float32) / 4
    index, best = highest(values)
    same, also = highest(torch.from_numpy(values))
    assert (index == values.argmax(0)).all() and (best == values.max(0)).all()
    assert (same == index).all() and (also.numpy() == best).all()
    assert index.dtype == same.dtype == np.uint8


def test_values_are_rounded_and_never_wrap() -> None:
    values = np.array([0, 0.49 / 255, 0.51 / 255, 0.5, 1, 1 + 1e-6], np.float32).reshape(1, 2, 3)
    wanted = [0, 0, 1, 128, 255, 255]
    assert in_8_bits(values).ravel().tolist() == wanted
    assert in_8_bits(torch.from_numpy(values)).ravel().tolist() == wanted


def test_a_cpu_takes_a_few_rows_at_a_time_and_a_gpu_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.planes.STRIP_ROWS", 5)
    assert list(strips(12, "cpu")) == [slice(0, 5), slice(5, 10), slice(10, 12)]
    assert list(strips(12, "cuda")) == [slice(0, 12)]
