"""Scores of one damage network after one short run, one event of the damage demo held out.

The benchmark of models calls `run`; its tables are in `docs/benchmarks.md`. As in BRIGHT's
zero-shot protocol, a network learns from all tiles of the other events and is scored on all tiles
of the one held out. Labels are the truth where networks are compared, and the demo's pseudo-labels
where a recipe for wrong labels is.
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from core import metrics
from core.classes import BRIGHT
from core.damage import building_matrix
from core.object_vote import ObjectVote, object_vote, severity_of
from data.demo.damage import COLUMNS, ROWS, TILE_PX, VALIDATION
from models.damage_demo import SEED, draw_events, pseudo_labels
from models.model_files import LoadedModel
from models.networks import SegmentationNetwork
from models.predict import predict_array
from models.recipes import run as run_recipe
from models.sample import Sample
from models.train import TrainConfig
from models.zoo.losses import LossTerm
from tests.bench._budget import steps_in, with_steps

BANDS = {"optical": 3, "sar": 1}
VOTES: dict[str, ObjectVote | None] = {
    "pixels": None,
    "threshold": ObjectVote("threshold"),
    "majority": ObjectVote("majority"),
}
"""How a map is finished: as it is, by the winner's rule, and by the most pixels."""

RATES: dict[str, float] = {"damage_former": 1e-3}
"""Highest learning rates of networks that do not learn at the one for all."""

Matrix = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Labels = Literal["truth", "pseudo"]


@dataclass(frozen=True, eq=False)
class Town:
    """One tile of an event: uint8 `before` [3, H, W], `after` [1, H, W], codes [H, W]."""

    name: str
    event: str
    before: Bytes
    after: Bytes
    truth: Bytes
    pseudo: Bytes


@dataclass(frozen=True)
class Scores:
    """Scores of one way to finish a map; lists are of background, intact, damaged, destroyed.

    `damage_f1` is BRIGHT's harmonic mean. `building_f1` counts buildings, of the three classes,
    missed and falsely found ones too; `building_mean_f1` is its mean, `buildings_right` the share
    of the reference's buildings that are found with their class.
    """

    iou: list[float]
    miou: float
    localisation_f1: float
    damage_f1: float
    building_f1: list[float]
    building_mean_f1: float
    building_localisation_f1: float
    buildings_right: float


@dataclass(frozen=True)
class Result:
    """What one run gives: scores by way of finishing, `matrices` of the tiles as pixels alone."""

    scores: dict[str, Scores]
    steps: int
    parameters: int
    cpu_seconds: float
    matrices: dict[str, tuple[Matrix, Matrix]]


def run(
    network: str,
    options: Mapping[str, Any],
    held_out_event: str,
    seed: int,
    seconds: float = 40,
    *,
    steps: int | None = None,
    labels: Labels = "truth",
    recipe: str = "plain",
    recipe_settings: Mapping[str, Any] | None = None,
) -> Result:
    """Return the scores of a network trained for `seconds` of processor time, or for `steps`.

    A recipe gets as many steps as the same time buys, those of all its networks counted. The
    number of steps is settled beforehand from the processor time of a few, so that neighbours on
    the machine do not matter much and the rate falls to zero at the end. The losses are those that
    BRIGHT publishes; its learning rate is for large pretrained networks, ours for small new ones.
    """
    torch.set_num_threads(1)
    tiles = demo()
    learnt = [sample(tile, labels) for tile in tiles if tile.event != held_out_event]
    config = TrainConfig(
        classes=len(BRIGHT.codes),
        bands=BANDS,
        network=network,
        options=dict(options),
        losses=(LossTerm("ce"), LossTerm("lovasz", 0.75)),
        building_losses=(LossTerm("ce"), LossTerm("lovasz", 0.5)),
        batch=4,
        crop_px=128,
        learning_rate=RATES.get(network, 3e-3),
        weight_decay=5e-3,
        class_balance=0.0,
        seed=seed,
    )
    count = steps or steps_in(seconds, config, learnt[::6], recipe, recipe_settings)
    began = time.process_time()
    trained = run_recipe(recipe, with_steps(config, count), learnt, settings=recipe_settings)
    spent = time.process_time() - began
    held = [tile for tile in tiles if tile.event == held_out_event]
    size = sum(p.numel() for p in trained.network.parameters())
    scores, matrices = _scored(trained.network, held)
    return Result(scores, count, size, spent, matrices)


@cache
def demo() -> tuple[Town, ...]:
    """Return the tiles of the demo's three events; kept as arrays in a temporary folder."""
    path = Path(tempfile.gettempdir()) / f"cloudbrush-damage-demo-{SEED}-{TILE_PX}-labelled.npz"
    if not path.exists():
        _draw(path)
    with np.load(path, allow_pickle=False) as kept:
        names = kept["names"].tolist()
        planes = (kept[plane] for plane in ("before", "after", "truth", "pseudo"))
        arrays = zip(names, *planes, strict=True)
        return tuple(Town(name, name.rpartition("_")[0], *each) for name, *each in arrays)


def _draw(path: Path) -> None:
    drawn = draw_events(SEED, tile_px=TILE_PX, rows=ROWS, columns=COLUMNS, validation=VALIDATION)
    labels = pseudo_labels(drawn)
    temporary = path.with_suffix(".part.npz")
    np.savez(
        temporary,
        names=np.array([tile.id for tile in drawn]),
        before=np.stack([tile.before.transpose(2, 0, 1) for tile in drawn]),
        after=np.stack([tile.after[None] for tile in drawn]),
        truth=np.stack([tile.truth for tile in drawn]),
        pseudo=np.stack([labels[tile.id] for tile in drawn]),
    )
    temporary.replace(path)


def sample(tile: Town, labels: Labels = "truth") -> Sample:
    """Return what training reads of a tile."""
    codes = tile.truth if labels == "truth" else tile.pseudo
    weight = np.ones(codes.shape, np.float32)
    inputs = {"optical": [tile.before], "sar": [tile.after]}
    return Sample(inputs, BRIGHT.index_lut[codes], weight, tile.name)


def _scored(
    network: SegmentationNetwork, tiles: Sequence[Town]
) -> tuple[dict[str, Scores], dict[str, tuple[Matrix, Matrix]]]:
    size = len(BRIGHT.codes) + 1
    total = {way: np.zeros((2, size, size), np.int64) for way in VOTES}
    by_tile: dict[str, tuple[Matrix, Matrix]] = {}
    model = LoadedModel(network, BRIGHT.codes, {})
    for tile in tiles:
        codes, _ = predict_array(model, {"optical": tile.before, "sar": tile.after})
        for way, vote in VOTES.items():
            finished = object_vote(codes, severity_of(BRIGHT.codes), vote) if vote else codes
            pixels = metrics.confusion(tile.truth, finished, BRIGHT.index_lut)
            houses = building_matrix(tile.truth, finished, BRIGHT)
            total[way] += np.stack([pixels, houses])
            if vote is None:
                by_tile[tile.name] = pixels, houses
    return {way: scores_of(*matrices) for way, matrices in total.items()}, by_tile


def scores_of(pixels: Matrix, houses: Matrix) -> Scores:
    """Return the scores of a pixel and a building matrix, int64 [K + 1, K + 1] each."""
    iou = metrics.iou(pixels)
    by_class = metrics.f1(houses)[1:]
    buildings = houses[1:-1].sum()
    return Scores(
        [float(value) for value in iou],
        float(metrics.mean(iou)),
        float(metrics.localisation(pixels)["f1"]),
        float(metrics.harmonic_mean(metrics.damage_f1(pixels))),
        [float(value) for value in by_class],
        float(metrics.mean(by_class)),
        float(metrics.localisation(houses)["f1"]),
        float(np.trace(houses[1:-1, 1:-1]) / max(buildings, 1)),
    )
