"""The damage demo as a project: whole houses of the wrong class, and the loop on two branches."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from core import catalogue, history, metrics, scores, trained
from core.classes import BRIGHT
from core.damage import building_matrix, stored_matrix
from core.predictions import find_prediction
from core.presets import preset
from core.records import Project, Split
from core.settings import Settings, load_settings
from core.store.engine import Store, open_store
from data.demo.damage import COLUMNS, EVENTS, ROWS, TILE_PX, VALIDATION
from data.readers import bright
from models.damage_demo import (
    LABELLER,
    STARTING_MODEL,
    build_damage,
    draw_events,
    pseudo_labels,
    whole_houses,
)
from models.model_files import load
from models.validation_set import read_truth
from tests.models.conftest import paint, run_task

SMALL = {"tile_px": 128, "rows": 1, "columns": 3, "validation": 1}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Settings, Project]]:
    settings = load_settings(workspace=tmp_path_factory.mktemp("damage"))
    store = open_store(settings)
    yield store, settings, build_damage(store, settings, **SMALL)
    store.close()


def test_every_tile_has_images_pseudo_label_and_truth(
    built: tuple[Store, Settings, Project],
) -> None:
    store, _, project = built
    tiles = catalogue.tiles(store, project.id)
    assert (project.kind, project.preset, project.reader) == ("damage", "dfc25_t2", "bright")
    assert len(tiles) == 9
    assert sum(tile.split is Split.VAL for tile in tiles) == 3
    assert {tile.region for tile in tiles} == {event.name for event in EVENTS}
    for tile in tiles:
        layers = sorted(layer.modality.value for layer in catalogue.layers(store, tile.id))
        assert layers == ["label", "optical", "sar", "truth"]
        assert [a.name for a in catalogue.acquisitions(store, tile.id)] == ["pre-event"]


def test_labels_of_validation_tiles_are_pseudo_labels_too(
    built: tuple[Store, Settings, Project],
) -> None:
    store, _, project = built
    held = [t for t in catalogue.tiles(store, project.id) if t.split is Split.VAL]
    pairs = [(history.original(store, t.id), read_truth(store, project, t)) for t in held]
    assert any(truth is not None and (label != truth).any() for label, truth in pairs)


def test_the_starting_model_is_promoted_scored_by_building_and_shown(
    built: tuple[Store, Settings, Project],
) -> None:
    store, _, project = built
    record = trained.promoted(store, project.id)
    assert record is not None and record.network == "two_branch"
    tiles = {tile.id: tile for tile in catalogue.tiles(store, project.id)}
    found = scores.evaluations(store, project.id, reference="truth", model_id=record.id)
    assert {tiles[e.tile_id].split for e in found} == {Split.VAL}
    assert len(found) == 3
    every = scores.evaluations(store, project.id, reference="truth")
    assert sum(len(e.details or {}) for e in every) >= len(every) == 3 + 2 * len(tiles)
    for evaluation in every:
        truth = read_truth(store, project, tiles[evaluation.tile_id])
        houses = stored_matrix(evaluation.details)
        assert truth is not None and houses is not None
        assert houses[1:].sum() == building_matrix(truth, truth, BRIGHT).sum()
    editable = next(tile for tile in tiles.values() if tile.editable)
    date = catalogue.acquisitions(store, editable.id)[0]
    source = scores.model_source(record.id, date.id)
    assert find_prediction(store, editable.id, source) is not None


def test_the_files_alone_are_bright_to_its_reader(built: tuple[Store, Settings, Project]) -> None:
    _, _, project = built
    found = bright.READER.find(project.root)
    assert not [f for f in found.findings if f.level != "info"]
    assert sum(tile.split is Split.VAL for tile in found.tiles) == 3


def test_the_same_seed_gives_the_same_files(
    built: tuple[Store, Settings, Project], settings: Settings, store: Store
) -> None:
    again = build_damage(store, settings, **SMALL)
    assert _hashes(again.root) == _hashes(built[2].root)


def _hashes(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


@pytest.mark.soak
def test_pseudo_labels_are_wrong_as_published_maps_are_and_by_the_house() -> None:
    tiles = draw_events(7, tile_px=TILE_PX, rows=ROWS, columns=COLUMNS, validation=VALIDATION)
    labels = pseudo_labels(tiles)
    size = len(BRIGHT.codes) + 1
    pixels, houses = np.zeros((size, size), np.int64), np.zeros((size, size), np.int64)
    for tile in tiles:
        pixels += metrics.confusion(tile.truth, labels[tile.id], BRIGHT.index_lut)
        houses += building_matrix(tile.truth, labels[tile.id], BRIGHT)
    iou = metrics.iou(pixels)
    assert 0.6 < float(preset("dfc25_t2").mean_iou(pixels, BRIGHT)) < 0.75
    assert iou.argmin() == 2 and iou[2] < 0.5  # "damaged" is the hardest class of BRIGHT too
    wrong = houses[1:4, 1:4].sum() - np.trace(houses[1:4, 1:4])
    assert 0.05 < wrong / houses[1:4].sum() < 0.3
    assert houses[1:4, 0].sum() > 0  # and some houses are missed


def test_a_whole_house_has_one_class_and_slivers_are_gone() -> None:
    codes = np.zeros((40, 40), np.uint8)
    codes[5:20, 5:20] = 1
    codes[5:10, 5:20] = 3
    codes[30, 5:30] = 2
    found = whole_houses(codes)
    assert set(np.unique(found)) == {0, 1}
    assert found[5:20, 5:20].mean() > 0.9


@pytest.mark.parametrize("path", [LABELLER, STARTING_MODEL], ids=["labeller", "start"])
def test_shipped_networks_are_small_and_name_their_origin(path: Path) -> None:
    assert path.stat().st_size < 3_000_000
    card = load(path).card
    assert card["network"] == "two_branch"
    assert card["trained_on"] and card["config"]["steps"] > 0


def test_the_loop_runs_from_corrected_houses_to_scores_by_building(
    store: Store, settings: Settings
) -> None:
    project = build_damage(store, settings, **SMALL)
    before = trained.promoted(store, project.id)
    assert before is not None
    for tile in catalogue.tiles(store, project.id):
        if tile.editable:
            _correct(store, project, tile.id)
    result = run_task(store, settings, project, "train", steps=4, batch=2, crop_px=64)
    model = trained.model(store, result["model_id"])
    assert (model.network, model.parent_id) == ("two_branch", before.id)
    assert result["corrected_px"] > 0
    found = scores.evaluations(store, project.id, reference="truth", model_id=model.id)
    assert len(found) == 3
    assert all(stored_matrix(evaluation.details) is not None for evaluation in found)
    now = [
        e
        for e in scores.evaluations(store, project.id, reference="truth")
        if e.source == scores.LABEL_NOW and catalogue.tile(store, e.tile_id).editable
    ]
    assert all(_is_diagonal(e.matrix) for e in now) and now


def _correct(store: Store, project: Project, tile_id: int) -> None:
    """Paint the truth of a tile, one class after the other."""
    tile = catalogue.tile(store, tile_id)
    truth = read_truth(store, project, tile)
    assert truth is not None
    for seq, code in enumerate(BRIGHT.codes, 1):
        wrong = (history.current(store, tile_id).labels != truth) & (truth == code)
        if wrong.any():
            paint(store, tile, wrong, code, seq)


def _is_diagonal(matrix: npt.NDArray[np.int64]) -> bool:
    return bool(matrix.sum() == np.trace(matrix))
