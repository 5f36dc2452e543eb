"""Tiny tiles on which a tiny network learns in a second, as arrays and as a project."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from core import catalogue, history, jobs
from core.classes import ClassEntry, ClassTable
from core.found import FoundDataset, FoundLayer, FoundTile
from core.grid import whole
from core.ingest import import_dataset
from core.jobs import JobContext
from core.patch import encode_runs
from core.raster import write_geotiff
from core.records import Grid, JobState, Modality, Project, Split, Tile, Unit
from core.settings import Settings
from core.store.engine import Store
from core.stroke import Effect, Stroke, Tool
from models.sample import IGNORE, Bands, Sample
from models.train import TrainConfig
from models.tta import mean_probabilities

torch.set_num_threads(1)  # networks this small lose time on a second core

BANDS = {"optical": 3, "sar": 1}
CLASSES = ClassTable(
    "three",
    (
        ClassEntry(1, "Low", "#111111"),
        ClassEntry(2, "Mid", "#777777"),
        ClassEntry(5, "Top", "#eeeeee"),
    ),
    void=0,
)
SIZE = 48

Bytes = npt.NDArray[np.uint8]


def draw(seed: int, size: int = SIZE) -> tuple[Bytes, Bytes, npt.NDArray[np.float32]]:
    """Return class index, optical and SAR of three classes that brightness gives away."""
    rng = np.random.default_rng(seed)
    index = np.repeat(np.repeat(rng.integers(0, 3, (size // 8, size // 8)), 8, 0), 8, 1)
    optical = (index[None] * 80 + rng.normal(20, 8, (3, size, size))).clip(1, 255)
    sar = (index[None] * 40 + rng.normal(60, 20, (1, size, size))).clip(1, 255)
    return index.astype(np.uint8), optical.astype(np.uint8), sar.astype(np.float32)


def make_sample(seed: int, *, size: int = SIZE, name: str = "") -> Sample:
    """Return a tile with two optical dates and a void corner."""
    label, optical, sar = draw(seed, size)
    label[:2, :2] = IGNORE
    weight = np.ones((size, size), np.float32)
    inputs: dict[str, list[Bands]] = {"optical": [optical, 255 - optical], "sar": [sar]}
    return Sample(inputs, label, weight, name or f"tile {seed}")


@pytest.fixture
def samples() -> list[Sample]:
    return [make_sample(seed) for seed in range(3)]


@pytest.fixture
def config() -> TrainConfig:
    return TrainConfig(
        classes=3,
        bands=BANDS,
        options={"widths": (4, 8)},
        steps=12,
        validate_every=6,
        batch=2,
        crop_px=32,
    )


def make_tile(
    folder: Path, name: str, split: Split, seed: int, *, truth: bool = True, x: float | None = None
) -> FoundTile:
    """Write a tile: a clear and a cloudy date, SAR, a label in which Top was taken for Mid."""
    index, optical, sar = draw(seed)
    east = 500_000.0 + (seed * 1000.0 if x is None else x)
    grid = Grid(SIZE, SIZE, (1.0, 0.0, east, 0.0, -1.0, 4_000_000.0), "EPSG:32654")
    clean = np.asarray(CLASSES.codes, np.uint8)[index]
    label = np.where(clean == 5, 2, clean)
    label[:4, :4] = 0
    cloudy = optical.copy()
    cloudy[:, :, SIZE // 2 :] = 250
    cloud = np.zeros((SIZE, SIZE), np.uint8)
    cloud[:, SIZE // 2 :] = 2
    layers = []

    def add(modality: Modality, stem: str, array: npt.NDArray[Any], **values: Any) -> None:
        path = folder / f"{name}_{stem}.tif"
        write_geotiff(path, array, grid)
        bands = tuple(f"b{i + 1}" for i in range(array.shape[0] if array.ndim == 3 else 1))
        sources = tuple((path, i + 1) for i in range(len(bands)))
        layers.append(FoundLayer(modality, sources, bands, name=stem, **values))

    code = {"unit": Unit.CODE}
    add(Modality.OPTICAL, "clear", optical, acquisition="clear")
    add(Modality.CLOUD, "clear-cloud", np.zeros_like(cloud), acquisition="clear", **code)
    add(Modality.OPTICAL, "cloudy", cloudy, acquisition="cloudy")
    add(Modality.CLOUD, "cloudy-cloud", cloud, acquisition="cloudy", **code)
    add(Modality.SAR, "sar", sar)
    add(Modality.LABEL, "label", label, **code)
    if truth:
        add(Modality.TRUTH, "truth", clean, **code)
    return FoundTile(name, "east" if seed % 2 else "west", split, tuple(layers))


MakeProject = Callable[..., Project]


@pytest.fixture
def make_project(store: Store, settings: Settings, tmp_path: Path) -> MakeProject:
    """Return a function that imports tiles as a project."""

    def make(tiles: tuple[FoundTile, ...], name: str = "tiny") -> Project:
        found = FoundDataset(
            "test", "tiny", "made here", tmp_path, "land_cover", CLASSES, "plain", tiles
        )
        return import_dataset(store, found, name, roots=settings.allowed_roots)

    return make


@pytest.fixture
def project(make_project: MakeProject, tmp_path: Path) -> Project:
    """Return three training and two validation tiles with truth."""
    train = tuple(make_tile(tmp_path, f"t{n}", Split.TRAIN, n) for n in range(3))
    val = tuple(make_tile(tmp_path, f"v{n}", Split.VAL, n) for n in (7, 8))
    return make_project(train + val)


def tiles_by_name(store: Store, project: Project) -> dict[str, Tile]:
    return {tile.name: tile for tile in catalogue.tiles(store, project.id)}


def paint(
    store: Store,
    tile: Tile,
    mask: npt.NDArray[np.bool_],
    code: int | None,
    seq: int = 1,
    effect: Effect = Effect.CLASS,
) -> None:
    """Paint over a mask of the whole tile, as a person would: a class, or another effect."""
    person = catalogue.ensure_person(store, "Ada").id
    version = catalogue.tile(store, tile.id).version
    stroke = Stroke(
        f"tab-{tile.id}",
        seq,
        version,
        Tool.BRUSH,
        whole(tile.grid),
        encode_runs(mask),
        code,
        effect=effect,
    )
    assert history.append(store, tile.id, stroke, person).status == "saved"


@pytest.fixture
def quick_recipe() -> dict[str, Any]:
    """Return a payload that trains in a second, with a tiny network."""
    return {
        "options": {"widths": [4, 8]},
        "steps": 10,
        "batch": 2,
        "crop_px": 32,
        "learning_rate": 1e-2,
    }


def run_task(store: Store, settings: Settings, project: Project, kind: str, **payload: Any) -> Any:
    """Run a task here and now, as the worker would; return its result."""
    from models.tasks import TASKS

    job = jobs.add(store, kind, payload, project_id=project.id)
    attempt = jobs.claim(store)
    assert attempt is not None
    result: dict[str, Any] = {}
    state = JobState.FAILED
    try:
        result = TASKS[kind](JobContext(store, settings, job, attempt))
        state = JobState.DONE
    finally:
        jobs.finish(store, attempt, state, "Ended", result)
    return result


@pytest.fixture
def computed_half(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return, for each window that is predicted from now on, whether it was in bfloat16.

    The processor of the test is one that is fast at it.
    """
    asked: list[bool] = []

    def seen(*args: Any, half: bool, **more: Any) -> Any:
        asked.append(half)
        return mean_probabilities(*args, half=half, **more)

    monkeypatch.setattr("models.scene.mean_probabilities", seen)
    monkeypatch.setattr("models.scene.mixed_precision_helps", lambda _device: True)
    return asked
