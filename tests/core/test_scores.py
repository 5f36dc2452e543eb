"""Stored evaluations: what is saved comes back, and a newer one takes the place of an older one."""

import numpy as np
import pytest
from sqlalchemy import select

from core import scores
from core.store.engine import Store
from core.store.tables import EvaluationRow, ModelRow, ProjectRow, TileRow


@pytest.fixture
def tile_id(store: Store) -> int:
    with store.write() as session:
        project = ProjectRow(
            name="p", kind="land_cover", reader="r", root="/", preset="plain", class_table="t"
        )
        session.add(project)
        session.flush()
        tile = TileRow(
            project_id=project.id,
            name="t1",
            region="north",
            split="val",
            height=4,
            width=4,
            transform=[1, 0, 0, 0, -1, 0],
        )
        session.add(tile)
        session.flush()
        return tile.id


def test_matrix_survives_packing() -> None:
    matrix = np.arange(81, dtype=np.int64).reshape(9, 9) * 10**12
    assert np.array_equal(scores.decode_matrix(scores.encode_matrix(matrix)), matrix)


def test_only_square_matrices_are_packed() -> None:
    with pytest.raises(ValueError, match=r"expected \[K\+1, K\+1\]"):
        scores.encode_matrix(np.zeros((2, 3), np.int64))


def test_saved_evaluation_comes_back(store: Store, tile_id: int) -> None:
    matrix = np.eye(3, dtype=np.int64)
    details = {"buildings": 3}
    scores.save_evaluation(store, tile_id, "label/now", "truth", matrix, details=details)
    (found,) = scores.evaluations(store, 1)
    assert (found.tile_id, found.source, found.reference) == (tile_id, "label/now", "truth")
    assert found.details == details
    assert np.array_equal(found.matrix, matrix)


def test_newer_evaluation_replaces_older(store: Store, tile_id: int) -> None:
    for factor in (1, 2):
        matrix = np.eye(3, dtype=np.int64) * factor
        scores.save_evaluation(store, tile_id, "label/0", "truth", matrix)
    (found,) = scores.evaluations(store, 1)
    assert found.matrix.trace() == 6


def test_references_are_kept_apart(store: Store, tile_id: int) -> None:
    for reference in scores.REFERENCES:
        scores.save_evaluation(store, tile_id, "label/0", reference, np.eye(3, dtype=np.int64))
    assert len(scores.evaluations(store, 1)) == 3
    assert len(scores.evaluations(store, 1, reference="frozen")) == 1
    scores.forget_evaluations(store, [tile_id], reference="frozen")
    assert {e.reference for e in scores.evaluations(store, 1)} == {"truth", "pseudo"}


def test_evaluations_go_with_their_model(store: Store, tile_id: int) -> None:
    with store.write() as session:
        model = ModelRow(
            project_id=1, name="m", network="unet", bands={}, weights="w", sha256="0", card={}
        )
        session.add(model)
        session.flush()
        model_id = model.id
    source = scores.model_source(model_id)
    scores.save_evaluation(store, tile_id, source, "truth", np.eye(3, dtype=np.int64), model_id)
    assert len(scores.evaluations(store, 1, model_id=model_id)) == 1
    with store.write() as session:
        session.delete(session.get(ModelRow, model_id))
    with store.read() as session:
        assert session.scalars(select(EvaluationRow)).all() == []


def test_source_names() -> None:
    assert scores.model_source(3) == "m3"
    assert scores.model_source(3, 17) == "m3/a17"
