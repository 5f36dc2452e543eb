"""Maps whose buildings vote: the same rows, later, and a model of its own."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from core import catalogue, scores, trained
from core.classes import BRIGHT
from core.damage import buildings
from core.errors import ModelFileError
from core.found import FoundDataset, FoundLayer, FoundTile
from core.ingest import import_dataset
from core.object_vote import ObjectVote, object_vote
from core.predictions import predictions, read_prediction
from core.raster import write_geotiff
from core.records import Grid, Modality, Project, Split, Unit
from core.settings import Settings
from core.store.engine import Store
from models.model_files import LoadedModel, load, save_files
from models.networks import build
from models.post import voting
from models.predict import ensure_prediction, predict_array
from models.registry import load_model, save_model, with_vote
from models.zoo import NETWORKS
from tests.models.conftest import run_task

Bytes = npt.NDArray[np.uint8]
Handed = list[tuple[Bytes, Bytes, Bytes | None]]


def test_without_a_vote_rows_go_straight_on() -> None:
    handed: Handed = []
    with voting(None, BRIGHT.codes, lambda *rows: handed.append(rows)) as add:
        add(np.ones((2, 3), np.uint8), np.zeros((2, 3), np.uint8), None)
        assert len(handed) == 1


def test_a_building_across_rows_votes_as_one() -> None:
    codes = np.ones((12, 10), np.uint8)
    codes[9:] = 3
    confidence = np.arange(120, dtype=np.uint8).reshape(12, 10)
    handed: Handed = []
    with voting(ObjectVote(), BRIGHT.codes, lambda *rows: handed.append(rows)) as add:
        for start in (0, 5, 10):
            part = slice(start, start + 5)
            add(codes[part], confidence[part], confidence[None, part])
        assert handed == []
    assert [len(rows[0]) for rows in handed] == [5, 5, 2]
    assert (np.concatenate([rows[0] for rows in handed]) == 3).all()
    assert np.array_equal(np.concatenate([rows[1] for rows in handed]), confidence)
    assert all(p is not None and np.array_equal(p[0], c) for _, c, p in handed)


def test_an_error_hands_nothing_on() -> None:
    handed: Handed = []
    rows = (np.ones((9, 9), np.uint8), np.ones((9, 9), np.uint8), None)
    with (
        pytest.raises(ZeroDivisionError),
        voting(ObjectVote(), BRIGHT.codes, lambda *found: handed.append(found)) as add,
    ):
        add(*rows)
        raise ZeroDivisionError
    assert handed == []


def noisy(seed: int = 3) -> dict[str, Bytes]:
    drawn = np.random.default_rng(seed)
    return {
        "optical": drawn.integers(0, 255, (3, 64, 64), np.uint8),
        "sar": drawn.integers(0, 255, (1, 64, 64), np.uint8),
    }


def untrained() -> LoadedModel:
    torch.manual_seed(5)
    network: Any = build("two_branch", {"optical": 3, "sar": 1}, 4, {"widths": (4, 8)})
    torch.nn.init.normal_(network.decoder.head.weight, std=9)  # a map of all classes, in patches
    torch.nn.init.zeros_(network.decoder.head.bias)
    for modality, count in network.spec.bands.items():
        network.set_normalisation(modality, torch.full((count,), 99), torch.full((count,), 50))
    return LoadedModel(network.eval(), BRIGHT.codes, {})


def test_the_card_of_a_model_says_whether_its_maps_vote() -> None:
    plain = untrained()
    vote = ObjectVote("majority", min_px=4)
    voting_model = dataclasses.replace(plain, card={"post": vote.card()})
    codes, confidence = predict_array(plain, noisy())
    voted, same = predict_array(voting_model, noisy())
    assert not np.array_equal(voted, codes)
    assert np.array_equal(voted, object_vote(codes, (1, 2, 3), vote))
    assert np.array_equal(confidence, same)


def test_changeos_votes_by_majority_unless_its_card_says_otherwise(tmp_path: Path) -> None:
    torch.manual_seed(0)
    options = NETWORKS["changeos"].smallest
    network = build("changeos", {"optical": 3, "sar": 1}, 4, options)
    save_files(tmp_path / "a.safetensors", network, BRIGHT.codes, {})
    save_files(tmp_path / "b.safetensors", network, BRIGHT.codes, {"post": {}})
    assert load(tmp_path / "a.safetensors").vote == ObjectVote("majority")
    assert load(tmp_path / "b.safetensors").vote is None
    save_files(tmp_path / "c.safetensors", network, BRIGHT.codes, {"post": {"name": "run me"}})
    with pytest.raises(ModelFileError, match="object vote"):
        load(tmp_path / "c.safetensors")


@pytest.fixture
def town(store: Store, settings: Settings, tmp_path: Path) -> Project:
    """Return a damage project of one tile of noise."""
    grid = Grid(64, 64, (1.0, 0.0, 500_000.0, 0.0, -1.0, 4_000_000.0), "EPSG:32654")
    layers = []
    pictures = {**noisy(), "label": np.ones((1, 64, 64), np.uint8)}
    for name, picture in pictures.items():
        write_geotiff(tmp_path / f"{name}.tif", picture, grid)
        sources = tuple((tmp_path / f"{name}.tif", band + 1) for band in range(len(picture)))
        bands = tuple(f"b{band}" for band in range(len(picture)))
        layer = FoundLayer(Modality(name), sources, bands, name=name)
        if name == "label":
            layer = dataclasses.replace(layer, unit=Unit.CODE)
        elif name == "optical":
            layer = dataclasses.replace(layer, acquisition="before")
        layers.append(layer)
    tile = FoundTile("town", "here", Split.TRAIN, tuple(layers))
    found = FoundDataset("test", "town", "made here", tmp_path, "damage", BRIGHT, "plain", (tile,))
    return import_dataset(store, found, "town", roots=settings.allowed_roots)


def test_a_model_that_votes_is_a_model_of_its_own(
    store: Store, settings: Settings, town: Project
) -> None:
    plain = save_model(store, town.id, untrained().network, BRIGHT.codes, "plain", {})
    vote = ObjectVote("majority", min_px=4)
    record = with_vote(store, plain, vote)
    assert (record.parent_id, record.name) == (plain.id, "plain, vote by majority")
    assert load_model(record).vote == vote and load_model(plain).vote is None
    assert load_model(with_vote(store, record, None)).vote is None
    tile = catalogue.tiles(store, town.id)[0]
    date = catalogue.acquisitions(store, tile.id)[0]
    once, voted = (ensure_prediction(store, settings, tile, m, date) for m in (plain, record))
    codes, confidence = read_prediction(store, once)
    found, same = read_prediction(store, voted)
    assert np.array_equal(found, object_vote(codes, (1, 2, 3), vote))
    assert np.array_equal(same, confidence) and not np.array_equal(found, codes)


def test_a_job_makes_and_scores_a_copy_that_votes(
    store: Store, settings: Settings, town: Project
) -> None:
    plain = save_model(store, town.id, untrained().network, BRIGHT.codes, "plain", {})
    vote = ObjectVote("majority", min_px=4)
    done = run_task(store, settings, town, "vote", model_id=plain.id, post=vote.card())
    made = trained.model(store, done["model_id"])
    assert load_model(made).vote == vote and made.parent_id == plain.id
    assert scores.evaluations(store, town.id, model_id=made.id)


def test_a_model_without_background_cannot_vote(store: Store, town: Project) -> None:
    network = build("unet", {"sar": 1}, 3, {"widths": (4, 8)})
    record = save_model(store, town.id, network, (1, 2, 3), "no ground", {})
    with pytest.raises(ModelFileError, match="no background"):
        with_vote(store, record, ObjectVote())


def test_an_export_of_buildings_makes_the_maps_that_it_lacks(
    store: Store, settings: Settings, town: Project
) -> None:
    record = save_model(store, town.id, untrained().network, BRIGHT.codes, "plain", {})
    options = {"source": str(record.id), "file": "geojson"}
    work = {"name": "Sent", "format": "buildings", "options": options}
    done = run_task(store, settings, town, "export", **work)
    (made,) = predictions(store, model_id=record.id)
    codes, _ = read_prediction(store, made)
    sent = json.loads(
        (store.workspace / "exports" / done["name"] / "buildings.geojson").read_text()
    )
    assert len(sent["features"]) == buildings(codes, BRIGHT)[1] > 0
