"""Buildings of a damage map, and their confusion."""

import json

import numpy as np
import numpy.typing as npt
import pytest

from core.classes import BRIGHT, ClassEntry, ClassTable
from core.damage import (
    MIN_BUILDING_PX,
    building_classes,
    building_details,
    building_matrix,
    buildings,
    stored_matrix,
)

Labels = npt.NDArray[np.uint8]


def ground(size: int = 24) -> Labels:
    return np.zeros((size, size), np.uint8)


@pytest.fixture
def town() -> Labels:
    """Three houses of 6x6: intact, damaged, destroyed."""
    labels = ground(32)
    labels[2:8, 2:8] = 1
    labels[2:8, 12:18] = 2
    labels[14:20, 2:8] = 3
    return labels


def test_components_are_numbered_in_scan_order(town: Labels) -> None:
    ids, count = buildings(town, BRIGHT)
    assert count == 3
    assert [ids[2, 2], ids[2, 12], ids[14, 2]] == [1, 2, 3]


def test_touching_corners_are_two_buildings() -> None:
    labels = ground()
    labels[2:4, 2:4] = 1
    labels[4:6, 4:6] = 1
    assert buildings(labels, BRIGHT)[1] == 2


def test_a_house_with_two_classes_is_one_building() -> None:
    labels = ground()
    labels[2:6, 2:6] = 1
    labels[2:6, 6:8] = 3
    assert buildings(labels, BRIGHT)[1] == 1


def test_void_is_no_building() -> None:
    labels = ground()
    labels[2:6, 2:6] = BRIGHT.void_code
    assert buildings(labels, BRIGHT)[1] == 0


def test_a_building_has_the_class_of_most_of_its_pixels() -> None:
    labels = ground()
    labels[2:6, 2:6] = 1
    labels[2:6, 5] = 3
    ids, _ = buildings(labels, BRIGHT)
    assert building_classes(ids, labels, BRIGHT).tolist() == [1]


@pytest.mark.parametrize(("left", "right", "expected"), [(1, 2, 2), (3, 2, 3), (3, 1, 3)])
def test_a_tie_goes_to_the_more_severe_class(left: int, right: int, expected: int) -> None:
    labels = ground()
    labels[2:6, 2:4] = left
    labels[2:6, 4:6] = right
    ids, _ = buildings(labels, BRIGHT)
    assert building_classes(ids, labels, BRIGHT).tolist() == [expected]


def test_a_building_without_predicted_damage_class_is_background(town: Labels) -> None:
    ids, _ = buildings(town, BRIGHT)
    assert building_classes(ids, ground(32), BRIGHT).tolist() == [0, 0, 0]


def test_equal_maps_give_a_diagonal(town: Labels) -> None:
    matrix = building_matrix(town, town, BRIGHT)
    assert matrix.dtype == np.int64
    assert matrix.tolist() == np.diag([0, 1, 1, 1, 0]).tolist()


def test_a_wrong_class_counts_once_whatever_its_size(town: Labels) -> None:
    prediction = town.copy()
    prediction[14:20, 2:8] = 2
    matrix = building_matrix(town, prediction, BRIGHT)
    assert (matrix[3, 2], matrix[3, 3], matrix.sum()) == (1, 0, 3)


def test_a_building_is_found_from_half_of_its_pixels(town: Labels) -> None:
    half, less = town.copy(), town.copy()
    half[2:5, 2:8] = 0
    less[2:5, 2:8] = 0
    less[5, 2] = 0
    assert building_matrix(town, half, BRIGHT)[1].tolist() == [0, 1, 0, 0, 0]
    assert building_matrix(town, less, BRIGHT)[1].tolist() == [1, 0, 0, 0, 0]


def test_a_building_predicted_as_void_counts_as_other(town: Labels) -> None:
    prediction = town.copy()
    prediction[2:8, 2:8] = BRIGHT.void_code
    assert building_matrix(town, prediction, BRIGHT)[1].tolist() == [0, 0, 0, 0, 1]


def test_false_alarms_stand_in_the_background_row(town: Labels) -> None:
    prediction = town.copy()
    prediction[24:30, 24:30] = 3
    assert building_matrix(town, prediction, BRIGHT)[0].tolist() == [0, 0, 0, 1, 0]


def test_specks_and_swollen_houses_are_no_false_alarms(town: Labels) -> None:
    prediction = town.copy()
    prediction[30, : MIN_BUILDING_PX - 1] = 1
    prediction[1:9, 1:9] = 1
    assert building_matrix(town, prediction, BRIGHT)[0].sum() == 0


def test_slivers_of_the_reference_are_not_counted(town: Labels) -> None:
    reference = town.copy()
    reference[30, : MIN_BUILDING_PX - 1] = 3
    assert building_matrix(reference, town, BRIGHT)[3].tolist() == [0, 0, 0, 1, 0]
    reference[30, :MIN_BUILDING_PX] = 3
    assert building_matrix(reference, town, BRIGHT)[3].tolist() == [1, 0, 0, 1, 0]


def test_alarms_on_unlabelled_ground_are_not_judged(town: Labels) -> None:
    reference = town.copy()
    reference[22:32, 22:32] = BRIGHT.void_code
    prediction = town.copy()
    prediction[24:30, 24:30] = 1
    assert building_matrix(reference, prediction, BRIGHT)[0].sum() == 0


def test_empty_ground_gives_an_empty_matrix() -> None:
    assert building_matrix(ground(), ground(), BRIGHT).sum() == 0


def test_codes_need_not_be_indices() -> None:
    table = ClassTable(
        "other codes",
        (
            ClassEntry(9, "Destroyed a little", "#777777"),
            ClassEntry(0, "Background", "#000000"),
            ClassEntry(4, "Destroyed", "#ff0000"),
        ),
    )
    labels = ground()
    labels[2:8, 2:8] = 9
    labels[12:18, 2:8] = 4
    ids, _ = buildings(labels, table)
    assert building_classes(ids, labels, table).tolist() == [9, 4]
    matrix = building_matrix(labels, np.where(labels == 4, 0, labels).astype(np.uint8), table)
    assert (matrix[0, 0], matrix[2, 1], matrix.sum()) == (1, 1, 2)


def test_details_are_plain_json_and_come_back(town: Labels) -> None:
    details = json.loads(json.dumps(building_details(town, town, BRIGHT)))
    back = stored_matrix(details)
    assert back is not None
    assert np.array_equal(back, building_matrix(town, town, BRIGHT))
    assert stored_matrix(None) is None
    assert stored_matrix({}) is None
