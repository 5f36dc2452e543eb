"""A model leaves as the zip of its card and comes back into another project."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import trained
from core.errors import CloudbrushError, ModelFileError
from core.records import ModelRecord, Project
from core.settings import Settings
from core.store.engine import Store
from models.card import model_card
from models.card_text import zipped
from models.networks import build
from models.own_files import add_own
from models.predict import predict_array
from models.registry import load_model, save_model
from tests.models.conftest import run_task

CODES = (1, 2, 5)


def trained_model(store: Store, project: Project, sar: int = 1) -> ModelRecord:
    network = build("unet", {"sar": sar}, 3, {"widths": (4, 8)})
    learnt = {"versions": {"1": 3}, "corrected_px": 9, "class_px": {}, "sha256": "0"}
    card = {"views": 4, "learnt_from": learnt, "config": {"mixed_precision": False}}
    return save_model(store, project.id, network, CODES, "Mine", card)


@pytest.fixture
def packed(store: Store, project: Project, tmp_path: Path) -> Path:
    """Return the zip of a model's card, as the page gives it."""
    record = trained_model(store, project)
    path = tmp_path / "mine.zip"
    path.write_bytes(zipped(model_card(store, project, record), record.weights_path))
    return path


def test_the_zip_of_a_card_predicts_the_same_elsewhere(
    store: Store, settings: Settings, project: Project, packed: Path
) -> None:
    (first,) = trained.models(store, project.id)
    result = run_task(store, settings, project, "weights", weights="cloudbrush", path=str(packed))
    again = trained.model(store, result["model_id"])
    assert again.name == "Mine" and "Mine was added" in result["says"]
    one, other = load_model(first), load_model(again)
    assert (other.views, other.mixed_precision) == (4, False)
    assert "learnt_from" not in again.card and "mine.zip" in again.card["trained_on"]
    sar = np.random.default_rng(1).normal(100, 20, (1, 40, 40)).astype(np.float32)
    before, after = (predict_array(model, {"sar": sar})[0] for model in (one, other))
    np.testing.assert_array_equal(before, after)


def test_weights_beside_their_card_are_taken_too(
    store: Store, settings: Settings, project: Project
) -> None:
    path = trained_model(store, project).weights_path
    assert add_own(store, project, path, settings.allowed_roots, "Again").name == "Again"


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({}, "no item named 'model.safetensors'"),
        ({"model.safetensors": b"x", "model.json": b"[]"}, "no model card"),
        ({"model.safetensors": b"x", "model.json": b" " * (1 << 21)}, "more than 1,048,576 bytes"),
    ],
)
def test_a_zip_that_is_no_model_is_refused(
    store: Store,
    settings: Settings,
    project: Project,
    tmp_path: Path,
    members: dict[str, bytes],
    says: str,
) -> None:
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ModelFileError, match=says):
        add_own(store, project, path, settings.allowed_roots)
    path.write_bytes(b"PK no zip")
    with pytest.raises(ModelFileError, match="Take it from the card"):
        add_own(store, project, path, settings.allowed_roots)
    assert trained.models(store, project.id) == []


def test_other_bands_and_other_classes_are_refused(
    store: Store, settings: Settings, project: Project
) -> None:
    wide = trained_model(store, project, sar=2)
    with pytest.raises(ModelFileError, match="expected sar of 1 bands"):
        add_own(store, project, wide.weights_path, settings.allowed_roots)
    fits = trained_model(store, project)
    card = fits.weights_path.with_suffix(".json")
    other: dict[str, Any] = json.loads(card.read_text())
    card.write_text(json.dumps({**other, "codes": [1, 2, 3]}))
    with pytest.raises(CloudbrushError, match="same class table"):
        add_own(store, project, fits.weights_path, settings.allowed_roots)
