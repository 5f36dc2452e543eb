"""The land-cover demo: pseudo-labels, project and starting models, and commands that remake them.

python -m models.demo pseudo-labeller    train the pseudo-labeller
python -m models.demo starting-models    train the starting models on its pseudo-labels
python -m models.demo measure            print the quality of labels and models by cloud level
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np

from core import catalogue, jobs, metrics, scores, trained
from core.aligned import align
from core.clouds.cover import DEFAULT_EDGES, level_names
from core.found import FoundDataset
from core.ingest import free_name, import_dataset
from core.presets import preset
from core.raster import describe
from core.records import Modality, Project
from core.settings import Settings, load_settings
from core.store.engine import Store, open_store
from data.demo.landcover import Size, build_files, write_classes
from data.readers.cloudbrush_folder import CloudbrushFolderReader
from models.demo_networks import (
    PSEUDO_LABELLER,
    STARTING_MODELS,
    clear_acquisition,
    read_bands,
    train_pseudo_labeller,
    train_starting_models,
)
from models.evaluate import evaluate_labels, evaluate_model
from models.model_files import load
from models.predict import predict_array, predict_tiles
from models.registry import add_model_files
from models.validation_set import validation_tiles

PROJECT_NAME = "Demo: land cover"
SEED = 7
PROMOTED = "optical+sar"
TITLES = {
    "optical": "Starting model, optical",
    "sar": "Starting model, SAR",
    "optical+sar": "Starting model, optical and SAR",
}


def build_land_cover(
    store: Store,
    settings: Settings,
    seed: int = SEED,
    *,
    size: Size | None = None,
    workers: int = 2,
    scoring: Literal["queued", "now"] = "queued",
) -> Project:
    """Build the demo below the workspace, import it and add its starting models.

    The same seed and size give the same files on one machine. Maps of the promoted model and the
    scores of all models are left to jobs, which the app starts with, or made at once. Raises
    `CloudbrushError` when the project exists.
    """
    name = free_name(store, PROJECT_NAME)  # before files of an older one are written over
    root = store.folder("demo", "land-cover")
    found = build_labelled(root, seed, size, workers=workers)
    project = import_dataset(store, found, name, roots=settings.allowed_roots)
    records = {
        name: add_model_files(store, project.id, path, TITLES[name])
        for name, path in STARTING_MODELS.items()
    }
    promoted = records[PROMOTED]
    trained.promote(store, project.id, promoted.id)
    if scoring == "queued":
        payload = {"model_id": promoted.id, "every_date": False}
        jobs.add(store, "predict", payload, project_id=project.id)
        jobs.add(store, "evaluate", {}, project_id=project.id)
        return project
    tiles = catalogue.tiles(store, project.id)
    predict_tiles(store, settings, promoted, tiles, every_date=False)
    held = validation_tiles(store, project)
    for record in records.values():
        evaluate_model(store, settings, project, record, held)
    evaluate_labels(store, project)
    return project


def build_labelled(
    root: Path, seed: int = SEED, size: Size | None = None, *, workers: int = 1
) -> FoundDataset:
    """Write images, truth and pseudo-labels below `root`; return what their reader finds."""
    build_files(root, seed, size, workers=workers)
    write_pseudo_labels(root)
    return CloudbrushFolderReader().find(root)


def write_pseudo_labels(root: Path) -> None:
    """Label every tile with what the pseudo-labeller sees in its clearest optical image."""
    labeller = load(PSEUDO_LABELLER)
    for tile in CloudbrushFolderReader().find(root).tiles:
        optical = read_bands(tile, Modality.OPTICAL, clear_acquisition(tile))
        codes, _ = predict_array(labeller, {"optical": optical})
        truth = next(la for la in tile.layers if la.modality is Modality.TRUTH)
        grid = describe(truth.sources[0][0]).grid
        write_classes(root / "label" / f"{tile.name}.tif", codes, grid)


def remake_starting_models() -> None:
    """Train the starting models on a fresh build of the demo."""
    with TemporaryDirectory() as folder:
        train_starting_models(build_labelled(Path(folder), workers=2))


def measure() -> None:
    """Build the demo aside and print its scores against truth."""
    with TemporaryDirectory() as folder:
        settings = load_settings(workspace=Path(folder))
        store = open_store(settings)
        print_scores(store, build_land_cover(store, settings, scoring="now"))
        store.close()


def print_scores(store: Store, project: Project) -> None:
    """Print IoU of the pseudo-labels by class, and mean IoU of the models by cloud level."""
    found = scores.evaluations(store, project.id, reference="truth")
    rule = preset(project.preset)
    labels = [e.matrix for e in found if e.source == scores.PSEUDO_LABEL]
    total = np.sum(labels, axis=0)
    print(f"pseudo-labels, {len(labels)} tiles: mIoU {rule.mean_iou(total, project.classes):.4f}")
    for entry, value in zip(project.classes.entries, metrics.iou(total), strict=True):
        print(f"  {entry.name:18s} {value:.4f}")
    covers = {
        date.id: date.cover
        for dates in catalogue.project_acquisitions(store, project.id).values()
        for date in dates
    }
    records = trained.models(store, project.id)
    maps = {f"m{record.id}": record.name for record in records}
    scored = align(found, [*maps, scores.PSEUDO_LABEL], covers)
    levels = scored.levels(DEFAULT_EDGES)
    for number, name in enumerate(level_names(DEFAULT_EDGES)):
        rows = scored.where(levels == number)
        print(f"{name}: {rows.tiles} tiles")
        for source, title in {**maps, scores.PSEUDO_LABEL: "Pseudo-labels"}.items():
            value = rule.mean_iou(rows.total(source), project.classes)
            print(f"  {title:34s} {value:.4f}")


COMMANDS = {
    "pseudo-labeller": train_pseudo_labeller,
    "starting-models": remake_starting_models,
    "measure": measure,
}


def main(arguments: list[str]) -> None:
    """Run one of the commands named in the module's description."""
    parser = argparse.ArgumentParser("python -m models.demo", description="Remake the demo.")
    parser.add_argument("command", choices=COMMANDS)
    COMMANDS[parser.parse_args(arguments).command]()


if __name__ == "__main__":
    main(sys.argv[1:])
