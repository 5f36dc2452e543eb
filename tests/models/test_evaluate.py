"""Scoring tiles of the catalogue: by windows, apart by who is behind the label, and as it goes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from core import catalogue, metrics, patch_labels, scores
from core.boundary import stored_counts
from core.errors import Cancelled
from core.grid import Window
from core.options import BOUNDARY_PX, set_option
from core.parts import stored_parts
from core.records import Project, Split
from core.store.engine import Store
from models import evaluate as module
from models import measure as windows
from models.evaluate import evaluate_labels
from models.measure import measure
from models.validation_set import read_truth, validation_tiles
from tests.models.conftest import CLASSES, SIZE, MakeProject, make_tile, paint, tiles_by_name

Codes = npt.NDArray[np.uint8]


def labels_of(store: Store, project: Project, source: str) -> dict[str, scores.Evaluation]:
    names = {tile.id: name for name, tile in tiles_by_name(store, project).items()}
    found = scores.evaluations(store, project.id, reference="truth")
    return {names[e.tile_id]: e for e in found if e.source == source}


def test_pixels_of_edited_tiles_are_kept_apart_by_provenance_and_person(
    store: Store, project: Project
) -> None:
    tile = tiles_by_name(store, project)["t1"]
    truth = read_truth(store, project, tile)
    assert truth is not None
    paint(store, tile, truth == 5, 5)
    evaluate_labels(store, project)
    found = labels_of(store, project, "label/now")
    parts = stored_parts(found["t1"].details, found["t1"].matrix, edited=True)
    ada = catalogue.ensure_person(store, "Ada").id
    assert set(parts) == {(0, 0), (1, ada)}
    assert np.array_equal(sum(parts.values()), found["t1"].matrix)
    changed = parts[1, ada]
    assert changed.sum() == changed[2, 2] == (truth == 5).sum()
    assert found["t0"].details is not None and "parts" not in found["t0"].details


def test_labels_are_scored_again_only_when_something_changed(
    store: Store, project: Project
) -> None:
    assert evaluate_labels(store, project) == 2 * 5
    assert evaluate_labels(store, project) == 0
    paint(store, tiles_by_name(store, project)["t1"], np.eye(SIZE, dtype=np.bool_), 1)
    assert evaluate_labels(store, project) == 2
    set_option(store, project.id, BOUNDARY_PX, 2)
    changed = catalogue.project(store, project.id)
    assert evaluate_labels(store, changed) == 2 * 5
    (found,) = (e for n, e in labels_of(store, project, "label/0").items() if n == "v7")
    counts = stored_counts(found.details, 2)
    assert counts is not None and counts[1].sum() > 0


def test_windows_give_what_the_whole_tile_gives(
    store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_option(store, project.id, BOUNDARY_PX, 3)
    project = catalogue.project(store, project.id)
    rng = np.random.default_rng(1)
    maps = np.kron(rng.integers(0, 6, (2, 12, 12), dtype=np.uint8), np.ones((1, 4, 4), np.uint8))
    provenance = rng.integers(0, 3, (SIZE, SIZE), dtype=np.uint8)
    grid = tiles_by_name(store, project)["t0"].grid
    asked: list[Window] = []

    def reader(array: Codes) -> windows.Read:
        def read(window: Window) -> Codes:
            asked.append(window)
            return array[window.slices]

        return read

    def behind(window: Window) -> tuple[Codes, npt.NDArray[np.int32]]:
        here = provenance[window.slices]
        return here, here.astype(np.int32)

    whole = measure(project, grid, reader(maps[0]), reader(maps[1]), behind)
    assert len(asked) == 2
    monkeypatch.setattr(windows, "WINDOW_PX", 17)
    apart = measure(project, grid, reader(maps[0]), reader(maps[1]), behind)
    assert max(w.h for w in asked[2:]) <= 17 + 2 * 3
    assert np.array_equal(whole.matrix, apart.matrix) and whole.details == apart.details
    expected = metrics.confusion(maps[0], maps[1], CLASSES.index_lut)
    assert np.array_equal(whole.matrix, expected)


def test_a_patch_counts_once_by_the_class_of_most_of_its_pixels(
    store: Store, project: Project
) -> None:
    grid = tiles_by_name(store, project)["t0"].grid
    patch = replace(project, kind=patch_labels.ONE)
    label, found = np.full((SIZE, SIZE), 5, np.uint8), np.full((SIZE, SIZE), 2, np.uint8)
    found[:5] = 1
    matrix = measure(patch, grid, lambda w: label[w.slices], lambda w: found[w.slices]).matrix
    assert matrix.sum() == matrix[2, 1] == 1


def test_a_stopped_job_keeps_what_was_scored(
    store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEEP_EVERY", 2)
    told: list[float] = []
    with pytest.raises(Cancelled):
        evaluate_labels(
            store,
            project,
            report=lambda share, _: told.append(share),
            cancelled=lambda: len(told) > 3,
        )
    assert 4 <= len(scores.evaluations(store, project.id)) < 10
    assert told == sorted(told)


def test_test_tiles_are_scored_only_when_asked_for(
    store: Store, make_project: MakeProject, tmp_path: Path
) -> None:
    splits = (Split.TRAIN, Split.VAL, Split.TEST)
    project = make_project(tuple(make_tile(tmp_path, str(s), s, n) for n, s in enumerate(splits)))
    assert [h.tile.name for h in validation_tiles(store, project)] == ["val"]
    asked = validation_tiles(store, project, test=True)
    assert sorted(h.tile.name for h in asked) == ["test", "val"]
    window = Window(3, 4, 5, 6)
    for held in asked:
        assert np.array_equal(held.read(window), held.labels[window.slices])
