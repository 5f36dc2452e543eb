"""Models of a project: files of `models.model_files` with their rows in the catalogue."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core import trained
from core.damage import BACKGROUND
from core.errors import ModelFileError
from core.object_vote import ObjectVote
from core.records import ModelRecord
from core.store.engine import Store
from models.model_files import LoadedModel, load, save_files
from models.networks import SegmentationNetwork
from models.zoo.views import VIEWS


def save_model(
    store: Store,
    project_id: int,
    network: SegmentationNetwork,
    codes: tuple[int, ...],
    name: str,
    card: Mapping[str, Any],
    parent_id: int | None = None,
) -> ModelRecord:
    """Keep a network as a model of a project. `card` as in `save_files`."""
    path = store.folder("models") / f"{secrets.token_hex(8)}.safetensors"
    full = save_files(path, network, codes, {**card, "name": name})
    return trained.add_model(store, project_id, name, path, full, parent_id)


def add_model_files(store: Store, project_id: int, weights: Path, name: str) -> ModelRecord:
    """Keep a model that came as files, a shipped one for instance; raises `ModelFileError`."""
    model = load(weights)
    return save_model(store, project_id, model.network, model.codes, name, model.card)


def with_views(store: Store, record: ModelRecord, views: int) -> ModelRecord:
    """Keep a copy of a model whose maps are the mean of so many views, see `models.zoo.views`.

    A model of its own, so that it is scored and compared like any other. Raises `ModelFileError`
    when there are no such views.
    """
    model = load_model(record)
    if views not in VIEWS:
        raise ModelFileError(
            "views", found=str(views), expected=f"one of {', '.join(map(str, VIEWS))}"
        )
    name = f"{record.name}, {views} views"
    card = {**model.card, "views": views}
    return save_model(
        store, record.project_id, model.network, model.codes, name, card, parent_id=record.id
    )


def with_vote(store: Store, record: ModelRecord, vote: ObjectVote | None) -> ModelRecord:
    """Keep a copy of a damage model whose buildings vote, or with None vote no longer.

    A model of its own, so that it is scored and compared like any other. Raises `ModelFileError`
    for a model without background, the class that ground and dropped specks take.
    """
    model = load_model(record)
    if BACKGROUND not in model.codes:
        raise ModelFileError(
            f"model {record.name}", found="no background", expected="a model of building damage"
        )
    name = f"{record.name}, {f'vote by {vote.rule}' if vote else 'no vote'}"
    card = {**model.card, "post": vote.card() if vote else {}}
    return save_model(
        store, record.project_id, model.network, model.codes, name, card, parent_id=record.id
    )


def load_model(record: ModelRecord) -> LoadedModel:
    """Return a model of the catalogue, ready to predict; raises `ModelFileError`."""
    return load(record.weights_path)
