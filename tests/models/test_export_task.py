"""The export job makes the maps that a submission lacks, and the zip holds just those."""

import io
import zipfile
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core import catalogue, trained
from core.export import submission
from core.predictions import predictions, read_prediction
from core.records import Project, Split
from core.settings import Settings
from core.store.engine import Store
from core.store.tables import ProjectRow
from tests.models.conftest import SIZE, run_task


def test_a_submission_is_predicted_where_maps_are_missing(
    store: Store,
    settings: Settings,
    project: Project,
    quick_recipe: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(submission, "SIDE", SIZE)
    with store.write() as session:
        session.get_one(ProjectRow, project.id).preset = "dfc25_t1"
    result = run_task(store, settings, project, "train", **quick_recipe)
    model = trained.model(store, result["model_id"])
    options = {"model": str(model.id), "split": "val"}
    done = run_task(
        store, settings, project, "export", name="Sent", format="submission", options=options
    )
    tiles = catalogue.tiles(store, project.id, split=Split.VAL)
    with zipfile.ZipFile(store.workspace / "exports" / done["name"] / "val_dfc25_t1.zip") as sent:
        for tile in tiles:
            clearest = catalogue.acquisitions(store, tile.id)[0].id
            (found,) = [
                p
                for p in predictions(store, tile_id=tile.id, model_id=model.id)
                if p.acquisition_id == clearest
            ]
            with Image.open(io.BytesIO(sent.read(f"{tile.name}.png"))) as image:
                assert np.array_equal(np.asarray(image), read_prediction(store, found)[0])
        assert len(sent.namelist()) == len(tiles) == 2
