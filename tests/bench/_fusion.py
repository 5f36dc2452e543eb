"""Scores by cloud level of one network after one short run on the larger demo.

The benchmark of models calls `run`; tables are in `docs/benchmarks.md`.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from core.clouds.cover import level_names, level_of
from core.metrics import confusion, iou, mean
from models.networks import SegmentationNetwork
from models.recipes import run as run_recipe
from models.train import TrainConfig, mixed_precision_helps
from tests.bench._budget import steps_in, with_steps
from tests.bench._larger_demo import (
    BANDS,
    CLASSES,
    DemoTile,
    Labels,
    for_choosing,
    larger_demo,
    samples,
)

EDGES = (0.0, 0.01, 0.2, 0.4, 0.6, 0.8, 0.99, 1.0)
"""Cover of a tile; the first level is the clear date, the last a closed deck."""

BOTH = ("optical", "sar")
Matrix = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scores:
    """`miou` and `per_class` by cloud level; `missing` is the mIoU with optical left out.

    `average` is the mean over levels, each counting alike. `matrices` int64 by (tile, date).
    """

    miou: dict[str, float]
    per_class: dict[str, list[float]]
    average: float
    missing: float
    steps: int
    cpu_seconds: float
    matrices: dict[tuple[str, int], Matrix]


def run(
    network: str,
    options: Mapping[str, Any],
    seed: int,
    seconds: float = 60,
    *,
    modalities: Sequence[str] = BOTH,
    labels: Labels = "mixed",
    no_optical: int = 0,
    dates: Sequence[int] | None = None,
    settings: Mapping[str, Any] | None = None,
    recipe: str = "plain",
    recipe_settings: Mapping[str, Any] | None = None,
    steps: int | None = None,
    choosing: bool = False,
) -> Scores:
    """Return the scores of a network trained for `seconds` of one core's time, or for `steps`.

    The number of steps is settled beforehand from the processor time of a few, so that neighbours
    on the machine do not matter much and the rate falls to zero at the end. Validation tiles are
    scored against the truth, every tile at all six dates. `dates` are those learnt from (None:
    all), `settings` further ones of the run. A recipe gets as many steps as the same time buys,
    counting those of all networks that it trains. `choosing` scores tiles that the other tables
    learn from, so that a design can be chosen by them, and leaves the usual validation out.
    """
    torch.set_num_threads(1)
    tiles = for_choosing(larger_demo()) if choosing else larger_demo()
    learnt = samples(tiles, labels, dates=dates, no_optical=no_optical)
    config = TrainConfig(
        classes=CLASSES,
        bands={m: BANDS[m] for m in modalities},
        network=network,
        options=dict(options),
        steps=1,
        batch=4,
        crop_px=128,
        seed=seed,
        **(settings or {}),
    )
    count = steps or steps_in(seconds, config, learnt[::10], recipe, recipe_settings)
    began = time.process_time()
    trained = run_recipe(recipe, with_steps(config, count), learnt, settings=recipe_settings)
    spent = time.process_time() - began
    return _scores(trained.network, [t for t in tiles if t.validation], count, spent)


def _scores(
    network: SegmentationNetwork, tiles: Sequence[DemoTile], steps: int, spent: float
) -> Scores:
    names = level_names(EDGES)
    matrices: dict[tuple[str, int], Matrix] = {}
    levels: dict[str, Matrix] = {}
    absent = np.zeros((CLASSES + 1, CLASSES + 1), np.int64)
    uses_optical = "optical" in network.spec.bands
    for tile in tiles:
        blind = confusion(tile.truth, _map(network, {"sar": tile.sar}), CLASSES)
        absent += blind
        for date, cover in enumerate(tile.covers):
            matrix = blind
            if uses_optical:
                seen = {"sar": tile.sar, "optical": tile.optical[date]}
                matrix = confusion(tile.truth, _map(network, seen), CLASSES)
            matrices[tile.name, date] = matrix
            level = level_of(cover, EDGES)
            assert level is not None
            levels[names[level]] = levels.get(names[level], np.zeros_like(matrix)) + matrix
    per_class = {name: iou(levels[name]) for name in names if name in levels}
    miou = {name: float(mean(values)) for name, values in per_class.items()}
    return Scores(
        miou,
        {name: [float(v) for v in values] for name, values in per_class.items()},
        float(np.mean(list(miou.values()))),
        float(mean(iou(absent))),
        steps,
        spent,
        matrices,
    )


@torch.inference_mode()
def _map(
    network: SegmentationNetwork, pictures: Mapping[str, npt.NDArray[np.uint8]]
) -> npt.NDArray[np.uint8]:
    """Return class indices uint8 [H, W]; pictures that the network does not read are left out."""
    inputs = {
        name: torch.from_numpy(values[None].astype(np.float32))
        for name, values in pictures.items()
        if name in network.spec.bands
    }
    if not inputs:
        count, (height, width) = network.spec.bands["optical"], pictures["sar"].shape[1:]
        inputs = {"optical": torch.full((1, count, height, width), torch.nan)}
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed_precision_helps("cpu")):
        index: npt.NDArray[np.uint8] = network(inputs)[0].argmax(0).numpy().astype(np.uint8)
    return index
