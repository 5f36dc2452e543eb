"""The vote of buildings, against maps small enough to count by hand."""

import numpy as np
import numpy.typing as npt
import pytest

from core.classes import BRIGHT
from core.errors import ModelFileError
from core.object_vote import ObjectVote, clean_building_map, object_vote, of_card, severity_of

Codes = npt.NDArray[np.uint8]
SEVERITY = severity_of(BRIGHT.codes)


def house(*counts: int) -> Codes:
    """Return a house of 10 x 10 on bare ground, with so many pixels of 0, 1, 2, 3 inside."""
    codes = np.zeros((14, 14), np.uint8)
    codes[2:12, 2:12] = np.repeat([0, 1, 2, 3], counts).reshape(10, 10)
    return codes


FOOTPRINT = np.zeros((14, 14), np.bool_)
FOOTPRINT[2:12, 2:12] = True


def test_severity_is_the_order_of_the_class_table() -> None:
    assert SEVERITY == (1, 2, 3)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((0, 80, 20, 0), None),  # exactly a fifth is not more than a fifth
        ((0, 79, 21, 0), 2),
        ((0, 79, 10, 11), 3),
        ((0, 78, 11, 11), 2),  # n3 > n2 asks for more, so a tie is damaged
        ((0, 0, 1, 99), 3),
        ((0, 100, 0, 0), None),
    ],
)
def test_more_than_a_fifth_hurt_sets_the_whole_building(
    counts: tuple[int, ...], expected: int | None
) -> None:
    codes = house(*counts)
    found = object_vote(codes, SEVERITY)
    wanted = codes if expected is None else np.where(FOOTPRINT, expected, 0)
    assert np.array_equal(found, wanted)


def test_a_building_map_of_its_own_is_what_a_fifth_is_taken_of() -> None:
    # 21 hurt of 50 seen are enough; of the 100 that the other map shows too, but 15 are not.
    assert (object_vote(house(50, 29, 21, 0), SEVERITY, building=FOOTPRINT)[FOOTPRINT] == 2).all()
    kept = house(50, 35, 15, 0)
    assert np.array_equal(object_vote(kept, SEVERITY, building=FOOTPRINT), kept)
    assert (object_vote(kept, SEVERITY)[kept > 0] == 2).all()


def test_a_building_map_alone_adds_no_building() -> None:
    assert not object_vote(house(100, 0, 0, 0), SEVERITY, building=FOOTPRINT).any()


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((0, 60, 40, 0), 1), ((0, 50, 50, 0), 2), ((0, 30, 30, 40), 3), ((0, 34, 33, 33), 1)],
)
def test_a_majority_decides_and_a_tie_goes_to_the_more_severe(
    counts: tuple[int, ...], expected: int
) -> None:
    found = object_vote(house(*counts), SEVERITY, ObjectVote("majority"))
    assert np.array_equal(found, np.where(FOOTPRINT, expected, 0))


def test_buildings_vote_alone_and_touching_corners_are_two() -> None:
    codes = np.zeros((20, 20), np.uint8)
    codes[0:10, 0:10] = 1
    codes[0:3, 0:10] = 3  # 30 of 100
    codes[10:20, 10:20] = 1
    found = object_vote(codes, SEVERITY)
    assert (found[:10, :10] == 3).all() and (found[10:, 10:] == 1).all()


@pytest.mark.parametrize(("height", "stays"), [(7, False), (8, True)])
def test_fewer_than_fifty_pixels_are_no_building(height: int, stays: bool) -> None:
    codes = np.zeros((12, 12), np.uint8)
    codes[:height, :7] = 1  # 49 or 56
    assert object_vote(codes, SEVERITY).any() == stays
    assert object_vote(codes, SEVERITY, ObjectVote(min_px=0)).any()


def test_void_neither_votes_nor_is_deleted() -> None:
    codes = house(0, 79, 21, 0)
    codes[0] = 255
    found = object_vote(codes, SEVERITY)
    assert (found[0] == 255).all() and (found[FOOTPRINT] == 2).all()


@pytest.mark.parametrize("shape", [(0, 5), (5, 5)])
def test_a_map_without_buildings_comes_back(shape: tuple[int, int]) -> None:
    assert np.array_equal(object_vote(np.zeros(shape, np.uint8), SEVERITY), np.zeros(shape))


def test_what_comes_in_stays_as_it_is() -> None:
    codes = house(0, 50, 50, 0)
    object_vote(codes, SEVERITY)
    assert np.array_equal(codes, house(0, 50, 50, 0))


def test_a_building_map_loses_specks_and_cracks_and_keeps_its_edge() -> None:
    building = np.zeros((30, 30), np.bool_)
    building[0:10, 0:10] = True
    building[0:10, 5] = False  # a crack
    building[20:24, 20:24] = True  # 16 px
    found = clean_building_map(building)
    expected = np.zeros_like(building)
    # The right part has 40 px and goes; so does the speck. The left part of 50 stays.
    expected[0:10, 0:5] = True
    assert np.array_equal(found, expected)
    both = clean_building_map(building, min_px=40)
    expected[0:10, 0:10] = True
    assert np.array_equal(both, expected)


def test_a_card_says_how_and_nothing_else_passes() -> None:
    how = ObjectVote("majority", 0.3, 20)
    assert of_card(how.card()) == how
    assert of_card({"name": "object_vote"}) == ObjectVote()
    assert of_card(None) is None and of_card({}) is None
    for wrong in (
        "object_vote",
        {"name": "other"},
        {"name": "object_vote", "rule": "loudest"},
        {"name": "object_vote", "share": float("nan")},
        {"name": "object_vote", "share": True},
        {"name": "object_vote", "min_px": -1},
        {"name": "object_vote", "min_px": 1e9},
        {"name": "object_vote", "code": "x"},
    ):
        with pytest.raises(ModelFileError):
            of_card(wrong)
