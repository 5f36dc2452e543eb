"""Islands, holes and recoding: small rasters by hand, properties on random ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core import regions
from core.classes import OPEN_EARTH_MAP_SAR as CLASSES

VOID = 0
rasters = hnp.arrays(
    np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12),
    elements=st.integers(0, 3),
)  # fmt: skip
sizes = st.integers(1, 8)


def raster(*rows: str) -> np.ndarray:
    return np.array([[int(letter) for letter in row] for row in rows], np.uint8)


def flood(labels: np.ndarray) -> list[set[tuple[int, int]]]:
    """Return the regions of a raster by walking it: slow and plain."""
    left = {(int(y), int(x)) for y, x in np.ndindex(labels.shape)}
    found = []
    while left:
        start = min(left)
        part, todo = {start}, [start]
        while todo:
            y, x = todo.pop()
            for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if near in left - part and labels[near] == labels[start]:
                    part.add(near)
                    todo.append(near)
        found.append(part)
        left -= part
    return found


def around(labels: np.ndarray, part: set[tuple[int, int]]) -> set[int]:
    """Return the classes beside a region."""
    found = set()
    for y, x in part:
        for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            inside = 0 <= near[0] < labels.shape[0] and 0 <= near[1] < labels.shape[1]
            if inside and near not in part:
                found.add(int(labels[near]))
    return found


class TestRegions:
    @given(rasters)
    def test_they_are_those_of_a_plain_walk(self, labels: np.ndarray) -> None:
        found = regions.find_regions(labels)
        walked = flood(labels)
        assert sorted(found.sizes) == sorted(len(part) for part in walked)
        for part in walked:
            assert len({int(found.ids[pixel]) for pixel in part}) == 1

    def test_neighbours_share_sides(self) -> None:
        found = regions.find_regions(raster("112", "112", "333"))
        shared = {
            (int(found.codes[a]), int(found.codes[b])): int(n)
            for a, b, n in zip(found.a, found.b, found.sides, strict=True)
        }
        assert shared == {(1, 2): 2, (1, 3): 2, (2, 3): 1}


class TestIslands:
    def test_an_island_takes_the_class_most_around_it(self) -> None:
        labels = raster("11222", "11322", "11222")
        assert (regions.remove_islands(labels, 2, VOID) == raster("11222", "11222", "11222")).all()

    def test_the_lower_code_wins_a_tie(self) -> None:
        labels = raster("12", "12", "32", "12", "12")
        labels[2] = [3, 3]
        labels = raster("111", "111", "333", "222", "222")
        expected = raster("111", "111", "111", "222", "222")
        assert (regions.remove_islands(labels, 4, VOID) == expected).all()

    def test_one_as_large_as_the_size_stays(self) -> None:
        labels = raster("1111", "1331", "1111")
        assert (regions.remove_islands(labels, 2, VOID) == labels).all()
        assert (regions.remove_islands(labels, 3, VOID) == 1).all()

    def test_islands_among_islands_wait_for_their_neighbours(self) -> None:
        labels = raster("11111", "12321", "13231", "12321", "11111")
        assert (regions.remove_islands(labels, 2, VOID) == 1).all()

    def test_void_is_no_island_and_has_no_vote(self) -> None:
        labels = raster("00000", "01110", "02000", "00000")
        assert (regions.remove_islands(labels, 2, VOID) == raster(
            "00000", "01110", "01000", "00000")).all()  # fmt: skip
        alone = raster("000", "020", "000")
        assert (regions.remove_islands(alone, 9, VOID) == alone).all()
        gap = raster("111", "101", "111")
        assert (regions.remove_islands(gap, 9, VOID) == gap).all()

    def test_one_that_holds_a_fixed_pixel_stays_whole(self) -> None:
        labels = raster("11111", "12311", "11111")
        fixed = labels == 2
        expected = raster("11111", "12111", "11111")
        assert (regions.remove_islands(labels, 3, VOID, fixed) == expected).all()

    @given(rasters, sizes)
    def test_only_islands_change_and_none_is_left_beside_what_is_not(
        self, labels: np.ndarray, size: int
    ) -> None:
        done = regions.remove_islands(labels, size, VOID)
        for part in flood(labels):
            changed = any(done[pixel] != labels[pixel] for pixel in part)
            code = labels[min(part)]
            assert not changed or (len(part) < size and code != VOID)
        left = [part for part in flood(done) if len(part) < size and done[min(part)] != VOID]
        small = {pixel for part in left for pixel in part}
        for part in flood(done):
            if len(part) >= size and done[min(part)] != VOID:
                assert not any(
                    (y + dy, x + dx) in small
                    for y, x in part
                    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0))
                )
        assert (regions.remove_islands(done, size, VOID) == done).all()

    @given(rasters, sizes, st.integers(0, 2**32 - 1))
    def test_fixed_pixels_never_change(self, labels: np.ndarray, size: int, seed: int) -> None:
        fixed = np.random.default_rng(seed).random(labels.shape) < 0.3
        done = regions.remove_islands(labels, size, VOID, fixed)
        assert (done[fixed] == labels[fixed]).all()
        done = regions.fill_holes(labels, size, VOID, fixed)
        assert (done[fixed] == labels[fixed]).all()


class TestHoles:
    def test_a_hole_takes_the_class_around_it_void_as_well(self) -> None:
        labels = raster("11111", "12311", "11101", "11111")
        assert (regions.fill_holes(labels, 3, VOID) == 1).all()
        assert (regions.fill_holes(labels, 1, VOID) == raster(
            "11111", "12311", "11111", "11111")).all()  # fmt: skip

    def test_what_reaches_the_side_is_none(self) -> None:
        labels = raster("1211", "1111", "1112")
        assert (regions.fill_holes(labels, 9, VOID) == labels).all()

    def test_the_largest_hole_that_fits_wins(self) -> None:
        labels = raster("11111", "12221", "12321", "12221", "11111")
        assert (regions.fill_holes(labels, 9, VOID) == 1).all()
        inner = regions.fill_holes(labels, 8, VOID)
        assert inner[2, 2] == 2
        assert inner[1, 1] == 2

    def test_void_fills_nothing(self) -> None:
        labels = raster("000", "020", "000")
        assert (regions.fill_holes(labels, 9, VOID) == labels).all()

    @given(rasters, sizes)
    def test_what_changes_was_surrounded_by_its_new_class(
        self, labels: np.ndarray, size: int
    ) -> None:
        done = regions.fill_holes(labels, size, VOID)
        assert (done[labels != done] != VOID).all()
        changed = np.where(labels != done, 1, 0).astype(np.uint8)
        for part in flood(changed):
            if changed[min(part)]:
                codes = {int(done[pixel]) for pixel in part}
                if len(codes) == 1:
                    assert around(labels, part) == codes
        for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
            assert (done[edge] == labels[edge]).all()
        assert (regions.fill_holes(done, size, VOID) == done).all()


class TestOthers:
    def test_recode_gives_each_of_the_classes_the_new_one(self) -> None:
        labels = raster("123", "012")
        assert (regions.recode(labels, (1, 3), 2) == raster("222", "022")).all()

    def test_the_model_is_accepted_where_it_is_sure_and_has_a_class(self) -> None:
        labels = np.full((1, 5), 1, np.uint8)
        predicted = np.array([[2, 2, 2, 0, 99]], np.uint8)
        confidence = np.array([[229, 230, 255, 255, 255]], np.uint8)
        done = regions.accept(labels, predicted, confidence, 90, CLASSES.index_lut)
        assert done.tolist() == [[1, 2, 2, 1, 1]]

    @pytest.mark.parametrize(("percent", "count"), [(0, 256), (100, 1)])
    def test_thresholds_at_the_ends(self, percent: float, count: int) -> None:
        labels, predicted = np.full(256, 1, np.uint8), np.full(256, 2, np.uint8)
        confidence = np.arange(256, dtype=np.uint8)
        done = regions.accept(labels, predicted, confidence, percent, CLASSES.index_lut)
        assert (done == 2).sum() == count

    def test_changes_are_counted_by_class_and_region(self) -> None:
        old, new = raster("11112", "11112"), raster("22113", "11132")
        assert regions.count_changes(old, new) == {(1, 2): 2, (1, 3): 1, (2, 3): 1}
        assert regions.count_regions(old, new) == 3
        assert regions.count_changes(old, old) == {}
        assert regions.count_regions(old, old) == 0
