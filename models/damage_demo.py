"""The building-damage demo: pseudo-labels, project, starting model, and how its networks are made.

The *pseudo-labeller* has seen one town after an explosion. On the three events of the demo it
finds most houses, but takes one class for another, whole houses at a time, most where the radar
shows what it has never seen. The *starting model* learns from those labels, as the field does.

    python -m models.damage_demo labeller          train the pseudo-labeller
    python -m models.damage_demo starting-model    train the starting model
    python -m models.damage_demo measure           print the quality of labels and starting model
"""

import argparse
import dataclasses
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core import catalogue, metrics, trained
from core.classes import BRIGHT, LabelArray
from core.damage import building_classes, building_matrix, buildings
from core.found import FoundDataset, FoundLayer, FoundTile
from core.ingest import import_dataset
from core.presets import preset
from core.records import Modality, Project, Split, Unit
from core.settings import Settings
from core.store.engine import Store
from data.demo.damage import (
    COLUMNS,
    ELSEWHERE,
    EVENTS,
    ROWS,
    TILE_PX,
    VALIDATION,
    DamageTile,
    Event,
    draw_event,
    truth_path,
    write_tiles,
)
from data.readers import bright
from models.evaluate import evaluate_labels, evaluate_model
from models.model_files import LoadedModel, load, save_files
from models.predict import predict_array, predict_tiles
from models.registry import add_model_files
from models.sample import Sample
from models.train import Progress, TrainConfig, train
from models.validation_set import validation_tiles

PROJECT_NAME = "Demo: building damage"
MODEL_NAME = "Starting model"
SEED = 7
WEIGHTS = Path(__file__).parent / "weights"
LABELLER = WEIGHTS / "damage-pseudo-labeller.safetensors"
STARTING_MODEL = WEIGHTS / "damage-starting-model.safetensors"

# Half of the network's own widths: enough for three events, and twice as fast on two cores.
CONFIG = TrainConfig(
    classes=len(BRIGHT.codes),
    bands={"optical": 3, "sar": 1},
    network="two_branch",
    options={"widths": (8, 16, 32, 64)},
    batch=6,
    learning_rate=4e-3,
    class_balance=0.5,
)
LABELLER_SEED, LABELLER_STEPS = 101, 180
STARTING_STEPS = 200


def build_damage(
    store: Store,
    settings: Settings,
    seed: int = SEED,
    *,
    tile_px: int = TILE_PX,
    rows: int = ROWS,
    columns: int = COLUMNS,
    validation: int = VALIDATION,
) -> Project:
    """Draw the demo into the workspace, import it, and score its labels and starting model.

    The same seed and sizes give the same files on one machine.
    """
    root = store.folder("demo", "building-damage")
    tiles = draw_events(seed, tile_px=tile_px, rows=rows, columns=columns, validation=validation)
    write_tiles(root, tiles, pseudo_labels(tiles))
    project = import_dataset(store, find_demo(root), PROJECT_NAME, roots=settings.allowed_roots)
    record = add_model_files(store, project.id, STARTING_MODEL, MODEL_NAME)
    trained.promote(store, project.id, record.id)
    evaluate_model(store, settings, project, record, validation_tiles(store, project))
    evaluate_labels(store, project)
    editable = [tile for tile in catalogue.tiles(store, project.id) if tile.editable]
    predict_tiles(store, settings, record, editable)
    return project


def draw_events(
    seed: int, *, tile_px: int, rows: int, columns: int, validation: int
) -> list[DamageTile]:
    """Return the tiles of all events, two events drawn at a time."""

    def draw(event: Event) -> list[DamageTile]:
        return draw_event(
            event, seed, tile_px=tile_px, rows=rows, columns=columns, validation=validation
        )

    with ThreadPoolExecutor(2) as pool:
        return [tile for tiles in pool.map(draw, EVENTS) for tile in tiles]


def pseudo_labels(tiles: Iterable[DamageTile]) -> dict[str, LabelArray]:
    """Return what the pseudo-labeller makes of each tile, uint8 [H, W] codes by tile id."""
    labeller = load(LABELLER)
    return {tile.id: whole_houses(_predict(labeller, tile)) for tile in tiles}


def whole_houses(codes: LabelArray) -> LabelArray:
    """Return a damage map (uint8 [H, W]) without slivers, in which each house has one class.

    Damage mapping is delivered by the house; a label that changes class inside one is not.
    """
    kept = ndimage.binary_opening(codes > 0, iterations=2)
    solid = np.where(kept, codes, 0).astype(np.uint8)
    ids, _ = buildings(solid, BRIGHT)
    by_id = np.concatenate([np.zeros(1, np.uint8), building_classes(ids, solid, BRIGHT)])
    return by_id[ids]


def find_demo(root: Path) -> FoundDataset:
    """Return the demo as the BRIGHT reader finds it, with truth beside every label.

    BRIGHT's validation labels are clean, so its reader takes them as truth; here `target/` is
    pseudo-labels everywhere and the truth lies in a folder of its own.
    """
    found = bright.READER.find(root)
    tiles = tuple(_with_truth(root, tile) for tile in found.tiles)
    return dataclasses.replace(found, tiles=tiles)


def _with_truth(root: Path, tile: FoundTile) -> FoundTile:
    images = [la for la in tile.layers if la.modality in (Modality.OPTICAL, Modality.SAR)]
    labels = [la for la in tile.layers if la.modality in (Modality.LABEL, Modality.TRUTH)]
    label = dataclasses.replace(labels[0], modality=Modality.LABEL)
    truth = FoundLayer(
        Modality.TRUTH, ((truth_path(root, tile.name), 1),), ("class",), Unit.CODE, name="truth"
    )
    return dataclasses.replace(tile, layers=(*images, label, truth))


def train_labeller(path: Path = LABELLER, *, steps: int = LABELLER_STEPS) -> None:
    """Train the pseudo-labeller on the true labels of a town that is not in the demo."""
    tiles = draw_event(ELSEWHERE, LABELLER_SEED)
    labels = {tile.id: tile.truth for tile in tiles}
    _train_and_save(path, tiles, labels, steps, f"truth of {ELSEWHERE.name}, not in the demo")


def train_starting_model(path: Path = STARTING_MODEL, *, steps: int = STARTING_STEPS) -> None:
    """Train the starting model on the pseudo-labels of the demo's training tiles."""
    tiles = [tile for tile in _demo_tiles() if tile.split is Split.TRAIN]
    labels = pseudo_labels(tiles)
    _train_and_save(path, tiles, labels, steps, "pseudo-labels of the demo's training tiles")


def measure() -> None:
    """Print scores against truth: pseudo-labels on all tiles, starting model on validation."""
    tiles = _demo_tiles()
    labels = pseudo_labels(tiles)
    for event in EVENTS:
        _print_scores(event.name, [t for t in tiles if t.id.startswith(event.name)], labels.get)
    _print_scores("pseudo-labels", tiles, labels.get)
    start = load(STARTING_MODEL)
    held = [tile for tile in tiles if tile.split is Split.VAL]
    _print_scores("pseudo-labels, validation", held, labels.get)
    found = {tile.id: _predict(start, tile) for tile in held}
    _print_scores("starting model, validation", held, found.get)


def _demo_tiles() -> list[DamageTile]:
    return draw_events(SEED, tile_px=TILE_PX, rows=ROWS, columns=COLUMNS, validation=VALIDATION)


def _predict(model: LoadedModel, tile: DamageTile) -> LabelArray:
    codes, _ = predict_array(model, _inputs(tile))
    return codes


def _inputs(tile: DamageTile) -> dict[str, npt.NDArray[np.uint8]]:
    return {"optical": tile.before.transpose(2, 0, 1), "sar": tile.after[np.newaxis]}


def _train_and_save(
    path: Path, tiles: Sequence[DamageTile], labels: dict[str, LabelArray], steps: int, origin: str
) -> None:
    samples = [
        Sample(
            {modality: [image] for modality, image in _inputs(tile).items()},
            BRIGHT.index_lut[labels[tile.id]],
            np.ones(tile.truth.shape, np.float32),
            tile.id,
        )
        for tile in tiles
    ]
    config = dataclasses.replace(CONFIG, steps=steps)
    found = train(config, samples, report=_print_progress)
    card = {
        "name": path.stem,
        "trained_on": origin,
        "config": dataclasses.asdict(config),
        "final_loss": round(found.history[-1].loss, 4),
    }
    save_files(path, found.network, BRIGHT.codes, card)
    print(f"wrote {path} after {found.seconds:.0f} s")


def _print_progress(point: Progress) -> None:
    print(f"step {point.step}/{point.steps}: loss {point.loss:.3f}", flush=True)


def _print_scores(
    name: str, tiles: Sequence[DamageTile], map_of: Callable[[str], LabelArray | None]
) -> None:
    """Print mean IoU, IoU by class and damage F1 of maps, per pixel and by building."""
    size = len(BRIGHT.codes) + 1
    pixels, houses = np.zeros((size, size), np.int64), np.zeros((size, size), np.int64)
    for tile in tiles:
        codes = map_of(tile.id)
        if codes is not None:
            pixels += metrics.confusion(tile.truth, codes, BRIGHT.index_lut)
            houses += building_matrix(tile.truth, codes, BRIGHT)
    mean = float(preset("dfc25_t2").mean_iou(pixels, BRIGHT))
    damage = float(metrics.harmonic_mean(metrics.damage_f1(pixels)))
    print(f"{name}: mIoU {mean:.3f}, IoU {metrics.iou(pixels).round(3)}, damage F1 {damage:.3f}")
    right = np.trace(houses[1:, 1:]) / max(houses[1:].sum(), 1)
    print(f"  buildings: {right:.3f} right\n{houses[:-1, :-1]}")


def main(arguments: list[str]) -> None:
    """Run one of the commands named in the module's description."""
    commands = {
        "labeller": train_labeller,
        "starting-model": train_starting_model,
        "measure": measure,
    }
    parser = argparse.ArgumentParser("python -m models.damage_demo", description=__doc__)
    parser.add_argument("command", choices=commands)
    commands[parser.parse_args(arguments).command]()


if __name__ == "__main__":
    main(sys.argv[1:])
