"""Height above ground as a second input of a network, on GAMUS in its own layout."""

from pathlib import Path

import numpy as np
import torch

from core import catalogue
from core.ingest import import_dataset
from core.records import Modality
from core.store.engine import Store
from data.readers.gamus import READER
from models.networks import build
from models.training_set import Choice, read_inputs, training_set
from tests.fixtures import gamus


def test_a_network_learns_from_optical_and_height(tmp_path: Path, store: Store) -> None:
    found = READER.find(gamus.make(tmp_path / "gamus"))
    project = import_dataset(store, found, "heights", roots=[tmp_path])
    assert catalogue.inputs(store, catalogue.tiles(store, project.id)) == ("optical", "height")
    made = training_set(store, project, Choice(modalities=("optical", "height")))
    assert made.bands == {"optical": 3, "height": 1}
    assert len(made.samples) == len(gamus.TILES["train"])
    tile = next(t for t in catalogue.tiles(store, project.id) if t.name == "DC_04_23")
    inputs = read_inputs(store, tile, ("optical", "height"), None)
    (layer,) = catalogue.layers(store, tile.id, modality=Modality.HEIGHT)
    assert layer.bands == ("above ground",)
    assert inputs["height"].shape == (1, gamus.SIZE, gamus.SIZE)
    assert 20 < float(np.nanmax(inputs["height"])) <= 40, "metres, as they are stored"
    network = build("two_branch", made.bands, len(project.classes.entries))
    tensors = {name: torch.from_numpy(v.astype(np.float32))[None] for name, v in inputs.items()}
    assert network(tensors).shape == (1, 7, gamus.SIZE, gamus.SIZE)
