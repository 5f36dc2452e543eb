import numpy as np
import pytest

from core import catalogue
from core.errors import GridMismatch, NotFound
from core.grid import Window
from core.map_files import probabilities_beside
from core.predictions import (
    find_prediction,
    has_probabilities,
    new_prediction,
    prediction,
    predictions,
    read_prediction,
    read_probabilities,
    save_prediction,
)
from core.records import Project
from core.store.engine import Store
from tests.models.conftest import Bytes, tiles_by_name


def maps(seed: int) -> tuple[Bytes, Bytes]:
    rng = np.random.default_rng(seed)
    codes = rng.choice(np.array([1, 2, 5], np.uint8), (48, 48))
    return codes, rng.integers(0, 256, (48, 48), np.uint8)


def test_a_map_comes_back_whole_and_in_windows(store: Store, project: Project) -> None:
    tile = tiles_by_name(store, project)["t0"]
    codes, confidence = maps(1)
    saved = save_prediction(store, tile.id, "layer/1", codes, confidence)
    assert prediction(store, saved.id) == saved
    for window in (None, Window(3, 5, 20, 30)):
        part = np.s_[:, :] if window is None else np.s_[3:23, 5:35]
        found, certainty = read_prediction(store, saved, window)
        assert np.array_equal(found, codes[part]) and np.array_equal(certainty, confidence[part])


def test_a_newer_map_takes_the_place_of_its_source(store: Store, project: Project) -> None:
    tile = tiles_by_name(store, project)["t0"]
    first = save_prediction(store, tile.id, "layer/1", *maps(1))
    second = save_prediction(store, tile.id, "layer/1", *maps(2))
    other = save_prediction(store, tile.id, "layer/2", *maps(2))
    assert first.id == second.id and first.path != second.path
    assert second.path == other.path  # files are named by their content
    assert find_prediction(store, tile.id, "layer/1") == second
    assert [p.id for p in predictions(store, tile_id=tile.id)] == [second.id, other.id]
    assert len(predictions(store, project_id=project.id)) == 2
    assert predictions(store, model_id=1) == []


def test_maps_that_look_alike_keep_files_of_their_own_tiles(store: Store, project: Project) -> None:
    tiles = tiles_by_name(store, project)
    a, b = (save_prediction(store, tiles[n].id, "layer/1", *maps(1)) for n in ("t0", "t1"))
    assert a.path != b.path
    for found in (a, b):
        assert catalogue.tile(store, found.tile_id).grid.transform  # each lies where its tile lies
        assert np.array_equal(read_prediction(store, found)[0], maps(1)[0])


def test_unknown_maps_are_named(store: Store) -> None:
    with pytest.raises(NotFound, match="prediction 4"):
        prediction(store, 4)


def files(store: Store) -> list[str]:
    found = (p for p in store.folder("predictions").rglob("*") if p.is_file())
    return sorted(p.name for p in found)


def test_a_map_by_rows_is_the_map_at_once(store: Store, project: Project) -> None:
    tile = tiles_by_name(store, project)["t0"]
    codes, confidence = maps(1)
    at_once = save_prediction(store, tile.id, "layer/1", codes, confidence)
    with new_prediction(store, tile.id, "layer/1") as made:
        for part in (slice(0, 7), slice(7, 8), slice(8, 48)):
            made.add(codes[part], confidence[part])
    assert made.saved == at_once  # the same content has the same name
    assert np.array_equal(read_prediction(store, made.saved)[0], codes)
    assert not has_probabilities(made.saved)
    with pytest.raises(NotFound, match="ask for probabilities"):
        read_probabilities(store, made.saved)


def test_probabilities_lie_beside_the_map_and_are_read_by_window(
    store: Store, project: Project
) -> None:
    tile = tiles_by_name(store, project)["t0"]
    codes, confidence = maps(1)
    every = np.random.default_rng(0).integers(0, 256, (4, 48, 48), np.uint8)
    with new_prediction(store, tile.id, "layer/1", probabilities=(1, 2, 5, 9)) as made:
        made.add(codes[:20], confidence[:20], every[:, :20])
        made.add(codes[20:], confidence[20:], every[:, 20:])
    assert has_probabilities(made.saved)
    found, values = read_probabilities(store, made.saved, Window(3, 5, 20, 30))
    assert found == (1, 2, 5, 9) and np.array_equal(values, every[:, 3:23, 5:35])
    assert np.array_equal(read_prediction(store, made.saved)[1], confidence)
    catalogue.delete_project(store, project.id)
    assert not made.saved.path.exists() and not probabilities_beside(made.saved.path).exists()


@pytest.mark.parametrize("rows", [0, 30, 49])
def test_no_half_map_is_left(store: Store, project: Project, rows: int) -> None:
    tile = tiles_by_name(store, project)["t0"]
    kept = save_prediction(store, tile.id, "layer/1", *maps(1))
    before = files(store)
    many = np.zeros((rows, 48), np.uint8)
    with (
        pytest.raises((GridMismatch, ValueError)),
        new_prediction(store, tile.id, "layer/1", probabilities=(1, 2)) as made,
    ):
        made.add(many, many, np.zeros((2, rows, 48), np.uint8))
    assert files(store) == before and prediction(store, kept.id) == kept
    with (
        pytest.raises(KeyboardInterrupt),
        new_prediction(store, tile.id, "layer/1") as made,
    ):
        made.add(many[:10], many[:10])
        raise KeyboardInterrupt
    assert files(store) == before
    with pytest.raises(GridMismatch):
        save_prediction(store, tile.id, "layer/1", many[:20], many[:20])
