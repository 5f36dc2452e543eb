"""Trained models in the catalogue, and which of them the editor shows.

Models form a tree by their parents. A *promotion* makes a model the one whose predictions people
see; it can be taken back, and then the one before it counts again. Both are append-only.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import CloudbrushError, NotFound
from core.records import ModelRecord
from core.store.engine import Store
from core.store.tables import ModelRow, PromotionRow


@dataclass(frozen=True)
class Promotion:
    """A model was promoted, or (`takes_back`) an earlier promotion was taken back."""

    id: int
    model_id: int | None
    person_id: int | None
    takes_back: int | None
    at: datetime


def add_model(
    store: Store,
    project_id: int,
    name: str,
    weights: Path,
    card: dict[str, Any],
    parent_id: int | None = None,
) -> ModelRecord:
    """Add a model whose files lie below the workspace; `card` as `models.registry` wrote it."""
    with store.write() as session:
        row = ModelRow(
            project_id=project_id,
            parent_id=parent_id,
            name=name,
            network=card["network"],
            bands=card["bands"],
            weights=str(weights.relative_to(store.workspace)),
            sha256=card["sha256"],
            card=card,
        )
        session.add(row)
        session.flush()
        return _model(store, row)


def models(store: Store, project_id: int) -> list[ModelRecord]:
    """Return the models of a project, oldest first."""
    query = select(ModelRow).where(ModelRow.project_id == project_id).order_by(ModelRow.id)
    with store.read() as session:
        return [_model(store, row) for row in session.scalars(query)]


def model(store: Store, model_id: int) -> ModelRecord:
    """Return one model; raises `NotFound`."""
    with store.read() as session:
        row = session.get(ModelRow, model_id)
    if row is None:
        raise NotFound(f"model {model_id}", todo="Choose another one on the Train page.")
    return _model(store, row)


def lineage(store: Store, record: ModelRecord) -> list[ModelRecord]:
    """Return a model and its parents, back to the one that was trained from scratch."""
    line = [record]
    while line[-1].parent_id is not None:
        line.append(model(store, line[-1].parent_id))
    return line


def promote(store: Store, project_id: int, model_id: int, person_id: int | None = None) -> None:
    """Show a model's predictions in the editor. Raises when it belongs to another project."""
    if model(store, model_id).project_id != project_id:
        raise NotFound(f"model {model_id} of project {project_id}")
    with store.write() as session:
        standing = _standing(session, project_id)
        if not standing or standing[-1].model_id != model_id:
            session.add(PromotionRow(project_id=project_id, model_id=model_id, person_id=person_id))


def take_back(store: Store, project_id: int, person_id: int | None = None) -> None:
    """Undo the newest promotion that stands. Raises when there is none."""
    with store.write() as session:
        standing = _standing(session, project_id)
        if not standing:
            raise CloudbrushError("promotion", found="none", expected="a promoted model")
        session.add(
            PromotionRow(project_id=project_id, person_id=person_id, takes_back=standing[-1].id)
        )


def promoted(store: Store, project_id: int) -> ModelRecord | None:
    """Return the model that the editor shows, or None."""
    with store.read() as session:
        standing = _standing(session, project_id)
    return model(store, standing[-1].model_id) if standing and standing[-1].model_id else None


def promotions(store: Store, project_id: int) -> list[Promotion]:
    """Return every promotion and taking back, oldest first."""
    with store.read() as session:
        return [
            Promotion(row.id, row.model_id, row.person_id, row.takes_back, row.at)
            for row in _rows(session, project_id)
        ]


def _rows(session: Session, project_id: int) -> list[PromotionRow]:
    query = select(PromotionRow).where(PromotionRow.project_id == project_id)
    return list(session.scalars(query.order_by(PromotionRow.id)))


def _standing(session: Session, project_id: int) -> list[PromotionRow]:
    rows = _rows(session, project_id)
    gone = {row.takes_back for row in rows}
    return [row for row in rows if row.takes_back is None and row.id not in gone]


def _model(store: Store, row: ModelRow) -> ModelRecord:
    return ModelRecord(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        parent_id=row.parent_id,
        network=row.network,
        bands=row.bands,
        weights_path=store.workspace / row.weights,
        card=row.card,
        created_at=row.created_at,
    )
