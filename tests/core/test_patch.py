"""Patches: exact inverses, exact codec, and refusals that name the field."""

import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.errors import BadPatch
from core.grid import Window
from core.patch import (
    MAX_RUNS,
    Encoded,
    Patch,
    apply,
    check_box,
    check_runs,
    decode,
    decode_runs,
    disjoint,
    empty_patch,
    encode,
    encode_runs,
    invert,
    make_patch,
    mask_in,
    overlap,
)

some = settings(max_examples=60, deadline=None)
FEW = st.integers(0, 3).map(np.uint8)


@st.composite
def masks(draw: Any) -> np.ndarray:
    shape = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    return np.asarray(draw(arrays(np.bool_, shape)))


@st.composite
def changes(draw: Any) -> tuple[np.ndarray, np.ndarray, Patch | None]:
    """Labels and provenance of a tile, and a patch on them."""
    height, width = draw(st.tuples(st.integers(1, 14), st.integers(1, 14)))
    y0, x0 = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    box = Window(y0, x0, draw(st.integers(1, height - y0)), draw(st.integers(1, width - x0)))
    labels = draw(arrays(np.uint8, (height, width), elements=FEW))
    provenance = draw(arrays(np.uint8, (height, width), elements=FEW))
    shape = (box.h, box.w)
    patch = make_patch(
        box,
        labels[box.slices],
        provenance[box.slices],
        draw(arrays(np.bool_, shape)),
        draw(arrays(np.uint8, shape, elements=FEW)),
        draw(arrays(np.uint8, shape, elements=FEW)),
    )
    return labels, provenance, patch


@some
@given(masks())
def test_runs_give_back_the_mask(mask: np.ndarray) -> None:
    box = Window(0, 0, *mask.shape)
    runs = encode_runs(mask)
    assert np.array_equal(decode_runs(check_runs(runs.tolist(), box), box), mask)
    assert (runs[1:] > 0).all()


def test_runs_start_with_unchanged_pixels_and_go_row_by_row() -> None:
    mask = np.array([[True, True, False], [False, True, False]])
    assert encode_runs(mask).tolist() == [0, 2, 2, 1, 1]


@some
@given(changes())
def test_a_patch_holds_only_pixels_that_change(case: Any) -> None:
    labels, provenance, patch = case
    if patch is None:
        return
    old = labels.astype(int) * 256 + provenance
    apply(labels, provenance, patch)
    assert np.array_equal(
        old != labels.astype(int) * 256 + provenance,
        mask_in(patch, Window(0, 0, *labels.shape)),
    )


@some
@given(changes())
def test_invert_takes_back_every_byte(case: Any) -> None:
    labels, provenance, patch = case
    if patch is None:
        return
    before = labels.copy(), provenance.copy()
    apply(labels, provenance, patch)
    apply(labels, provenance, invert(patch))
    assert np.array_equal(labels, before[0])
    assert np.array_equal(provenance, before[1])


@some
@given(changes())
def test_bytes_give_back_the_patch(case: Any) -> None:
    patch = case[2]
    if patch is None:
        return
    again = decode(patch.box, encode(patch))
    for name in ("runs", "old_values", "new_values", "old_provenance", "new_provenance"):
        assert np.array_equal(getattr(again, name), getattr(patch, name))


@some
@given(changes(), st.integers(1, 13))
def test_applying_to_parts_equals_applying_to_the_whole(case: Any, cut: int) -> None:
    labels, provenance, patch = case
    if patch is None:
        return
    upper, lower = labels[:cut].copy(), labels[cut:].copy()
    apply(upper, provenance[:cut].copy(), patch)
    if lower.size:
        apply(lower, provenance[cut:].copy(), patch, y0=cut)
    apply(labels, provenance, patch)
    assert np.array_equal(np.concatenate([upper, lower]), labels)


@some
@given(changes(), changes())
def test_overlap_counts_common_pixels(one: Any, two: Any) -> None:
    a, b = one[2], two[2]
    if a is None or b is None:
        return
    tile = Window(0, 0, 14, 14)
    common = int((mask_in(a, tile) & mask_in(b, tile)).sum())
    assert overlap(a, b) == overlap(b, a) == common
    assert disjoint(a, b) == (common == 0)


def test_nothing_changed_is_no_patch() -> None:
    zeros = np.zeros((3, 3), np.uint8)
    assert make_patch(Window(0, 0, 3, 3), zeros, zeros, zeros == 0, 0, 0) is None


def test_an_empty_patch_survives_the_codec() -> None:
    patch = decode(Window(2, 3, 4, 5), encode(empty_patch(Window(2, 3, 4, 5))))
    assert patch.pixels == 0
    assert not patch.mask.any()


@pytest.mark.parametrize(
    "box",
    [
        Window(-1, 0, 2, 2),
        Window(0, 0, 0, 2),
        Window(0, 0, 2, -1),
        Window(99, 0, 2, 2),
        Window(0, 10**12, 1, 1),
        Window(0, 0, 101, 100),
    ],
)
def test_a_box_outside_the_tile_is_refused(box: Window) -> None:
    with pytest.raises(BadPatch, match="field box"):
        check_box(box, 100, 100)


def test_a_huge_box_is_refused() -> None:
    with pytest.raises(BadPatch, match=r"field box.*at most"):
        check_box(Window(0, 0, 5000, 5000), 9000, 9000)


@pytest.mark.parametrize(
    "runs",
    [
        [],
        [3],
        [0, 5],
        [5, -1],
        [-4, 8],
        [2**40, 4 - 2**40],
        [2**63, 4],
        [2**62, 2**62, 2**62, 2**62, 4],
        ["x", 4],
        [[4]],
        [None],
    ],
)
def test_runs_that_do_not_fill_the_box_are_refused(runs: Any) -> None:
    with pytest.raises(BadPatch, match="field mask"):
        check_runs(runs, Window(0, 0, 2, 2))


def test_too_many_runs_are_refused_unread() -> None:
    with pytest.raises(BadPatch, match=f"{MAX_RUNS + 1} runs"):
        check_runs(range(MAX_RUNS + 1), Window(0, 0, 2, 2))


@pytest.mark.parametrize("column", Encoded._fields)
def test_a_damaged_log_is_named(column: str) -> None:
    full = np.ones((2, 2), np.bool_)
    zeros = np.zeros((2, 2), np.uint8)
    patch = make_patch(Window(0, 0, 2, 2), zeros, zeros, full, 1, 1)
    assert patch is not None
    for damaged in (b"no zlib", zlib.compress(b"\1\2\3"), zlib.compress(b"\1\0\0\0\0")):
        with pytest.raises(BadPatch, match="edit log"):
            decode(patch.box, encode(patch)._replace(**{column: damaged}))
