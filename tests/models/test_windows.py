"""Where windows lie and how they share pixels."""

import numpy as np
import pytest

from models.windows import lay_out

SIDES = (1, 5, 31, 32, 33, 90, 100, 1000, 1024, 1025, 1100, 2049, 40_000)
CUTS = ((32, 8, 2), (1024, 128, 8), (512, 64, 32), (40, 10, 1), (64, 32, 4), (32, 0, 16))


@pytest.mark.parametrize("length", SIDES)
@pytest.mark.parametrize(("window", "overlap", "stride"), CUTS)
def test_windows_cover_overlap_and_share(
    length: int, window: int, overlap: int, stride: int
) -> None:
    axis = lay_out(length, length, window, overlap, stride).y
    assert axis.size <= window and axis.size % stride == 0
    assert all(start % stride == 0 for start in axis.starts) and axis.starts[0] == 0
    assert 0 <= axis.starts[-1] + axis.size - length < stride
    known = np.zeros(axis.starts[-1] + axis.size)
    for number, (start, share) in enumerate(zip(axis.starts, axis.shares, strict=True)):
        known[start : start + axis.size] += share
        assert (known[: axis.ends(number)] > 1 - 1e-6).all(), "rows given on before they are whole"
        if number:
            assert axis.starts[number - 1] + axis.size - start >= overlap
            assert (share[: overlap // 4] == 0).all()
    assert np.allclose(known, 1, atol=1e-6)


def test_no_more_windows_than_needed_and_all_of_one_size() -> None:
    assert lay_out(1024, 1024, 1024, 128, 8).y.starts == (0,)
    assert lay_out(1100, 1, 1024, 128, 8).y.size < 700  # two halves, not a whole and a sliver
    assert len(lay_out(40_000, 40_000, 1024, 128, 8)) == 45 * 45


def test_an_overlap_as_large_as_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        lay_out(100, 100, 32, 32, 1)
