import numpy as np
import pytest

from core.clouds import cover as cloud
from core.errors import CloudbrushError, DatasetError


def test_fractions_count_valid_pixels_only() -> None:
    levels = np.array([0, 0, 1, 2, 2, 3, 255, 255], np.uint8)
    assert cloud.fractions(levels) == pytest.approx((1 / 6, 2 / 6, 1 / 6))


def test_unknown_level_is_named() -> None:
    with pytest.raises(DatasetError, match=r"values \[9\]"):
        cloud.fractions(np.array([0, 9], np.uint8))


def test_a_mask_without_valid_pixels_is_refused() -> None:
    with pytest.raises(DatasetError, match="no valid pixel"):
        cloud.fractions(np.full(4, 255, np.uint8))


@pytest.mark.parametrize(
    ("cover", "level"),
    [(0.0, 0), (0.0499, 0), (0.05, 1), (0.2, 2), (0.8, 4), (1.0, 4), (None, None)],
)
def test_levels_are_half_open_and_the_last_is_closed(
    cover: float | None, level: int | None
) -> None:
    assert cloud.level_of(cover) == level


def test_names_follow_the_edges() -> None:
    assert cloud.level_names((0.0, 0.5, 1.0)) == ["0-50 %", "50-100 %"]


@pytest.mark.parametrize("edges", [(0.0,), (0.1, 1.0), (0.0, 0.5, 0.5, 1.0), (0.0, 2.0)])
def test_edges_must_rise_from_0_to_1(edges: tuple[float, ...]) -> None:
    with pytest.raises(CloudbrushError):
        cloud.check_edges(edges)


def test_every_scene_class_of_sentinel_2_has_a_level() -> None:
    assert set(cloud.SENTINEL2_SCL) == set(range(12))
    assert set(cloud.SENTINEL2_SCL.values()) <= set(cloud.LEVELS)


def test_tables_of_mask_codes_lead_to_levels() -> None:
    for codes in cloud.MASK_CODES.values():
        assert set(codes.values()) <= set(cloud.LEVELS)


def test_a_scene_classification_is_told_from_other_masks() -> None:
    assert cloud.mask_source(dict(cloud.SENTINEL2_SCL)) == cloud.SCENE_SOURCE
    assert cloud.mask_source(None) == cloud.mask_source({1: cloud.THICK}) == cloud.MASK_SOURCE


def test_preset_edges_are_edges_or_said_to_be_unknown() -> None:
    assert cloud.EDGE_PRESETS["CloudLULC-Set"] is None
    for edges in cloud.EDGE_PRESETS.values():
        assert edges is None or cloud.check_edges(edges) == edges
