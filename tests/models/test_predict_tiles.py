"""Maps of catalogued models on tiles: made once, by rows, from what a tile has."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core import catalogue
from core.errors import Cancelled, CloudbrushError, ModelFileError
from core.predictions import (
    find_prediction,
    has_probabilities,
    read_prediction,
    read_probabilities,
)
from core.records import Modality, ModelRecord, Project, Split
from core.settings import Settings
from core.store.engine import Store
from models.networks import build
from models.predict import acquisitions_of, ensure_prediction, predict_array, predict_tiles
from models.registry import load_model, save_model, with_views
from models.scene import How
from models.training_set import read_inputs
from tests.models.conftest import (
    BANDS,
    CLASSES,
    MakeProject,
    make_tile,
    run_task,
    tiles_by_name,
)

AddModel = Callable[..., ModelRecord]


@pytest.fixture
def add_model(store: Store, project: Project) -> AddModel:
    """Return a function that keeps an untrained model, whose maps are as good as any here."""

    def add(
        bands: Mapping[str, int] = BANDS, card: Mapping[str, object] | None = None
    ) -> ModelRecord:
        torch.manual_seed(5)
        network = build("unet", bands, 3, {"widths": (4, 8)})
        for modality, count in bands.items():
            network.set_normalisation(modality, torch.full((count,), 99), torch.full((count,), 50))
        return save_model(store, project.id, network, CLASSES.codes, "untrained", card or {})

    return add


def test_probabilities_are_kept_where_asked_for(
    store: Store, settings: Settings, project: Project, add_model: AddModel
) -> None:
    model, tile = add_model(), tiles_by_name(store, project)["t0"]
    date = catalogue.acquisitions(store, tile.id)[0]
    plain = ensure_prediction(store, settings, tile, model, date)
    assert not has_probabilities(plain)
    job = {"model_id": model.id, "tile_ids": [tile.id], "every_date": False}
    run_task(store, settings, project, "predict", **job, probabilities=True)
    kept = find_prediction(store, tile.id, f"m{model.id}/a{date.id}")
    assert kept is not None and kept.id == plain.id and has_probabilities(kept)
    codes, values = read_probabilities(store, kept)
    found, confidence = read_prediction(store, kept)
    assert (values.max(0) == confidence).all()
    sure = np.sort(values, 0)[-1] > np.sort(values, 0)[-2]  # 8 bits may make two classes alike
    assert sure.any() and (np.asarray(codes)[values.argmax(0)] == found)[sure].all()
    run_task(store, settings, project, "predict", **job)
    assert find_prediction(store, tile.id, f"m{model.id}/a{date.id}") == kept


def test_a_model_of_several_views_is_a_model_of_its_own(
    store: Store, settings: Settings, project: Project, add_model: AddModel
) -> None:
    model, tile = add_model(), tiles_by_name(store, project)["t0"]
    flips = with_views(store, model, 4)
    assert flips.parent_id == model.id and flips.name.endswith("4 views")
    assert load_model(flips).views == 4 and load_model(model).views == 1
    date = catalogue.acquisitions(store, tile.id)[0]
    once, mean = (ensure_prediction(store, settings, tile, m, date) for m in (model, flips))
    inputs = read_inputs(store, tile, tuple(model.bands), date)
    by_hand = predict_array(load_model(model), inputs, how=How(views=4))
    assert np.array_equal(read_prediction(store, mean)[1], by_hand[1])
    assert not np.array_equal(read_prediction(store, once)[1], by_hand[1])
    with pytest.raises(ModelFileError):
        with_views(store, model, 5)


def test_a_tile_without_optical_is_predicted_from_its_sar(
    store: Store,
    settings: Settings,
    add_model: AddModel,
    make_project: MakeProject,
    tmp_path: Path,
) -> None:
    """A model that reads optical alone names the tile; one that reads SAR too goes on without."""
    both, alone = add_model(), add_model({"optical": 3})
    whole = make_tile(tmp_path, "dark", Split.TRAIN, 4)
    kept = tuple(x for x in whole.layers if x.modality in (Modality.SAR, Modality.LABEL))
    dark = tiles_by_name(store, make_project((replace(whole, layers=kept),), "dark"))["dark"]
    assert acquisitions_of(store, both, dark) == [None]
    made = ensure_prediction(store, settings, dark, both, None)
    sar = read_inputs(store, dark, ("sar",), None)
    assert np.array_equal(read_prediction(store, made)[1], predict_array(load_model(both), sar)[1])
    with pytest.raises(CloudbrushError, match="tile dark: found no optical image"):
        ensure_prediction(store, settings, dark, alone, None)


def test_a_stopped_prediction_leaves_no_file(
    store: Store, settings: Settings, project: Project, add_model: AddModel
) -> None:
    model, tile = add_model(), tiles_by_name(store, project)["t0"]
    date = catalogue.acquisitions(store, tile.id)[0]
    with pytest.raises(Cancelled):
        ensure_prediction(store, settings, tile, model, date, cancelled=lambda: True)
    assert [p for p in store.folder("predictions").rglob("*") if p.is_file()] == []
    assert find_prediction(store, tile.id, f"m{model.id}/a{date.id}") is None


def test_progress_goes_through_the_tiles_row_by_row(
    store: Store, settings: Settings, project: Project, add_model: AddModel
) -> None:
    told: list[tuple[float, str]] = []
    tiles = list(tiles_by_name(store, project).values())[:2]
    count = predict_tiles(
        store,
        settings,
        add_model(),
        tiles,
        report=lambda share, message: told.append((share, message)),
    )
    assert count == 4  # two dates each
    assert told[:2] == [(0.0, "Predicting t0"), (0.25, "Predicting t0, row 1 of 1")]
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert told[-1] == (1.0, "Predicting t1, row 1 of 1")


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ({}, True),
        ({"config": {"mixed_precision": True}}, True),
        ({"config": {"mixed_precision": False}}, False),
    ],
)
def test_a_map_is_computed_as_its_model_was_trained(
    store: Store,
    settings: Settings,
    project: Project,
    add_model: AddModel,
    computed_half: list[bool],
    card: dict[str, object],
    expected: bool,
) -> None:
    """In bfloat16 where the processor is fast at it, unless the settings of the run said no."""
    model, tile = add_model(card=card), tiles_by_name(store, project)["t0"]
    ensure_prediction(store, settings, tile, model, acquisitions_of(store, model, tile)[0])
    image = np.zeros((1, 8, 8), np.float32)
    predict_array(load_model(model), {"sar": image})
    assert computed_half == [expected] * 2
    predict_array(load_model(model), {"sar": image}, how=How(mixed_precision=False))
    assert computed_half[2:] == [False]
