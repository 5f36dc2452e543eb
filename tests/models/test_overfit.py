"""Every network of the table can learn: its smallest variant overfits four demo tiles.

The quick ones run in `make test`, all of them in `make soak`.
"""

import contextlib
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from core.classes import BRIGHT, OPEN_EARTH_MAP_SAR, ClassTable
from core.errors import Cancelled
from data.demo.damage import EVENTS, draw_event
from data.demo.landcover import draw_region
from data.demo.regions import REGIONS
from models.sample import IGNORE, Sample
from models.train import Progress, TrainConfig, train
from models.zoo import NETWORKS, Task
from models.zoo.own import NETWORKS as OWN

TILE_PX, DRAWN_PX, TILES, SEED = 64, 128, 4, 1
WANTED = 0.9
RARE = 0.01
"""A class with a smaller share of the four tiles is void: it would weigh as much as any other."""

Bytes = npt.NDArray[np.uint8]

STEPS, RATE = 400, 4e-3
OTHERWISE = {"unet_scse": (800, 4e-3), "farseg": (400, 3e-3)}
"""Steps and rate: EfficientNet drops layers at random, and its batch norms take hundreds of steps
to settle; FarSeg decides at a quarter of the resolution and is slow at edges."""


@cache
def demo_tiles(task: Task) -> tuple[Sample, ...]:
    """Return four tiles of the demo, 64 px each: optical with three bands, SAR with one."""
    pictures: list[tuple[Bytes, Bytes, Bytes]] = []
    if task == "damage":
        for tile in draw_event(EVENTS[0], SEED, tile_px=DRAWN_PX, rows=2, columns=2, validation=0):
            pictures.append((tile.before.transpose(2, 0, 1), tile.after[None], tile.truth))
    else:
        for region in REGIONS[:TILES]:
            drawn = draw_region(region, SEED, (DRAWN_PX, DRAWN_PX), skies=())
            optical = drawn.dates[0].picture.transpose(2, 0, 1)
            pictures.append((optical, drawn.amplitude[None], drawn.truth))
    return _samples(pictures, BRIGHT if task == "damage" else OPEN_EARTH_MAP_SAR)


def _samples(pictures: list[tuple[Bytes, Bytes, Bytes]], table: ClassTable) -> tuple[Sample, ...]:
    middle = slice((DRAWN_PX - TILE_PX) // 2, (DRAWN_PX + TILE_PX) // 2)
    labels = np.stack([table.index_lut[truth[middle, middle]] for *_, truth in pictures])
    share = np.bincount(labels.ravel(), minlength=256) / labels.size
    labels[share[labels] < RARE] = IGNORE
    weight = np.ones((TILE_PX, TILE_PX), np.float32)
    return tuple(
        Sample(
            {"optical": [optical[:, middle, middle]], "sar": [sar[:, middle, middle]]},
            label,
            weight,
            f"tile {number}",
        )
        for number, ((optical, sar, _), label) in enumerate(zip(pictures, labels, strict=True))
    )


def best_score(name: str, options: dict[str, Any]) -> float:
    """Return the best mIoU that a network reaches on the four tiles that it learns from."""
    task = NETWORKS[name].tasks[0]
    samples = demo_tiles(task)
    reached = [0.0]

    def watch(progress: Progress) -> None:
        reached.append(progress.val_miou or 0.0)

    steps, rate = OTHERWISE.get(name, (STEPS, RATE))
    config = TrainConfig(
        classes=len((BRIGHT if task == "damage" else OPEN_EARTH_MAP_SAR).codes),
        bands={"optical": 3, "sar": 1},
        network=name,
        options=options,
        steps=steps,
        validate_every=20,
        batch=TILES,
        crop_px=TILE_PX,
        learning_rate=rate,
        class_balance=0.5,
        flip=False,
        mixed_precision=False,
    )
    with contextlib.suppress(Cancelled):
        train(config, samples, samples, report=watch, cancelled=lambda: max(reached) >= WANTED)
    return max(reached)


@pytest.mark.parametrize(
    "name",
    [name if name in OWN else pytest.param(name, marks=pytest.mark.soak) for name in NETWORKS],
)
def test_the_smallest_variant_overfits_four_demo_tiles(name: str) -> None:
    torch.set_num_threads(1)
    assert best_score(name, dict(NETWORKS[name].smallest)) >= WANTED


@pytest.mark.parametrize("task", ["land cover", "damage"])
def test_the_four_tiles_are_worth_learning(task: Task) -> None:
    """Several classes in each task, none of them only a few pixels."""
    labels = np.stack([sample.label for sample in demo_tiles(task)])
    present, counts = np.unique(labels[labels != IGNORE], return_counts=True)
    assert len(present) >= (3 if task == "damage" else 5)
    assert counts.min() >= RARE * labels.size
