"""Stored evaluations: one confusion matrix per tile, map and reference.

`source` names the map: "m3" (a model without optical input), "m3/a17" (model 3 on acquisition 17),
"label/0" (pseudo-labels as they came) or "label/now" (corrected labels). `reference` is "truth",
"frozen" (corrected and reserved by a person) or "pseudo". Levels, regions and comparisons are sums
of these matrices, see `core.comparison`.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.store.engine import Store
from core.store.tables import EvaluationRow, TileRow, now

Reference = Literal["truth", "frozen", "pseudo"]
REFERENCES: tuple[Reference, ...] = get_args(Reference)

PSEUDO_LABEL = "label/0"
LABEL_NOW = "label/now"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One map against one reference on one tile; `matrix` is int64 [K+1, K+1]."""

    tile_id: int
    source: str
    reference: Reference
    matrix: npt.NDArray[np.int64]
    model_id: int | None = None
    acquisition_id: int | None = None
    details: dict[str, Any] | None = None


def model_source(model_id: int, acquisition_id: int | None = None) -> str:
    """Return the source name of a model's map, on one acquisition where it reads optical."""
    return f"m{model_id}" if acquisition_id is None else f"m{model_id}/a{acquisition_id}"


def save_evaluation(
    store: Store,
    tile_id: int,
    source: str,
    reference: Reference,
    matrix: npt.NDArray[np.int64],
    model_id: int | None = None,
    acquisition_id: int | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Store one matrix (int64 [K+1, K+1]) in place of an older one of the same map."""
    found = Evaluation(tile_id, source, reference, matrix, model_id, acquisition_id, details)
    save_evaluations(store, [found])


def save_evaluations(store: Store, found: Iterable[Evaluation]) -> None:
    """Store many matrices in one transaction, each in place of an older one of the same map."""
    with store.write() as session:
        for evaluation in found:
            _save(session, evaluation)


def evaluations(
    store: Store,
    project_id: int,
    *,
    reference: Reference | None = None,
    model_id: int | None = None,
    tile_id: int | None = None,
) -> list[Evaluation]:
    """Return the evaluations of a project by tile, map and reference, all or those asked for."""
    query = select(EvaluationRow).join(TileRow).where(TileRow.project_id == project_id)
    if reference is not None:
        query = query.where(EvaluationRow.reference == reference)
    if model_id is not None:
        query = query.where(EvaluationRow.model_id == model_id)
    if tile_id is not None:
        query = query.where(EvaluationRow.tile_id == tile_id)
    order = (EvaluationRow.tile_id, EvaluationRow.source, EvaluationRow.reference)
    with store.read() as session:
        return [_evaluation(row) for row in session.scalars(query.order_by(*order))]


def forget_evaluations(
    store: Store, tile_ids: Sequence[int], *, reference: Reference | None = None
) -> None:
    """Drop the evaluations of tiles whose reference has changed; they can be made again."""
    query = delete(EvaluationRow).where(EvaluationRow.tile_id.in_(tile_ids))
    if reference is not None:
        query = query.where(EvaluationRow.reference == reference)
    with store.write() as session:
        session.execute(query)


def encode_matrix(matrix: npt.NDArray[np.int64]) -> bytes:
    """Return a matrix [n, n] as compressed little-endian int64."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"matrix of shape {matrix.shape}, expected [K+1, K+1]")
    return zlib.compress(np.ascontiguousarray(matrix, "<i8").tobytes())


def decode_matrix(data: bytes) -> npt.NDArray[np.int64]:
    """Return the int64 [n, n] that `encode_matrix` packed."""
    flat = np.frombuffer(zlib.decompress(data), "<i8").astype(np.int64)
    size = int(np.sqrt(flat.size))
    return flat.reshape(size, size)


def _save(session: Session, evaluation: Evaluation) -> None:
    query = select(EvaluationRow).where(
        EvaluationRow.tile_id == evaluation.tile_id,
        EvaluationRow.source == evaluation.source,
        EvaluationRow.reference == evaluation.reference,
    )
    row = session.scalar(query)
    if row is None:
        row = EvaluationRow(
            tile_id=evaluation.tile_id,
            source=evaluation.source,
            reference=evaluation.reference,
            model_id=evaluation.model_id,
            acquisition_id=evaluation.acquisition_id,
        )
        session.add(row)
    row.matrix = encode_matrix(evaluation.matrix)
    row.details = evaluation.details
    row.created_at = now()


def _evaluation(row: EvaluationRow) -> Evaluation:
    return Evaluation(
        row.tile_id,
        row.source,
        cast(Reference, row.reference),
        decode_matrix(row.matrix),
        row.model_id,
        row.acquisition_id,
        row.details,
    )
