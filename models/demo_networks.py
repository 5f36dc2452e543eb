"""The small networks that ship with the demo, and how they are trained.

The *pseudo-labeller* sees clear optical images of regions that are not in the demo. The *starting
models* learn from its pseudo-labels on the demo's training tiles, as the field does.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.classes import OPEN_EARTH_MAP_SAR
from core.clouds.cover import fractions
from core.found import FoundDataset, FoundTile
from core.raster import read
from core.records import Modality, Split
from data.demo.landcover import draw_region
from data.demo.regions import ELSEWHERE
from models.model_files import save_files
from models.sample import Sample
from models.train import Progress, TrainConfig, train

WEIGHTS = Path(__file__).parent / "weights"
PSEUDO_LABELLER = WEIGHTS / "land-cover-pseudo-labeller.safetensors"
STARTING_MODELS = {
    "optical": WEIGHTS / "land-cover-optical.safetensors",
    "sar": WEIGHTS / "land-cover-sar.safetensors",
    "optical+sar": WEIGHTS / "land-cover-optical-sar.safetensors",
}

BANDS = {"optical": 3, "sar": 1}
STEPS = {"optical": 220, "sar": 220, "optical+sar": 450}
"""Batches; more where the network must learn when to trust which picture."""

ELSEWHERE_SEED, ELSEWHERE_PX = 5, 1024


def print_progress(progress: Progress) -> None:
    """Print one line per point of the curve."""
    score = "" if progress.val_miou is None else f", mIoU {progress.val_miou:.3f}"
    print(
        f"step {progress.step}/{progress.steps}: loss {progress.loss:.3f}{score}, "
        f"{progress.seconds_left:.0f} s left",
        flush=True,
    )


def train_pseudo_labeller(path: Path = PSEUDO_LABELLER, *, steps: int = 400) -> None:
    """Train the pseudo-labeller on regions elsewhere and write it to `path`."""
    samples = []
    lut = OPEN_EARTH_MAP_SAR.index_lut
    for region in ELSEWHERE:
        pictures = draw_region(region, ELSEWHERE_SEED, (ELSEWHERE_PX, ELSEWHERE_PX), skies=())
        image = pictures.dates[0].picture.transpose(2, 0, 1)
        weight = np.ones(pictures.truth.shape, np.float32)
        samples.append(Sample({"optical": [image]}, lut[pictures.truth], weight, region.name))
    _train_and_save(path, ("optical",), samples, steps, "clear images of regions elsewhere")


def train_starting_models(found: FoundDataset, paths: Mapping[str, Path] = STARTING_MODELS) -> None:
    """Train the starting models on the pseudo-labels of the training tiles and write them.

    The optical one sees clear images only; the one with both draws among all acquisitions.
    """
    tiles = [tile for tile in found.tiles if tile.split is Split.TRAIN]
    for name, path in paths.items():
        modalities = tuple(name.split("+"))
        clear = len(modalities) == 1
        samples = [_sample(tile, modalities, clear_only=clear) for tile in tiles]
        origin = "pseudo-labels of the demo's training tiles"
        _train_and_save(path, modalities, samples, STEPS[name], origin)


def _train_and_save(
    path: Path,
    modalities: Sequence[str],
    samples: Sequence[Sample],
    steps: int,
    origin: str,
) -> None:
    codes = OPEN_EARTH_MAP_SAR.codes
    bands = {modality: BANDS[modality] for modality in modalities}
    config = TrainConfig(len(codes), bands, steps=steps, validate_every=40, batch=6, crop_px=160)
    trained = train(config, samples, report=print_progress)
    card: dict[str, Any] = {
        "name": path.stem,
        "trained_on": origin,
        "steps": steps,
        "crop_px": config.crop_px,
        "batch": config.batch,
        "seed": config.seed,
        "final_loss": round(trained.history[-1].loss, 4),
    }
    save_files(path, trained.network, codes, card)
    print(f"wrote {path} after {trained.seconds:.0f} s")


def read_bands(
    tile: FoundTile, modality: Modality, acquisition: str | None = None
) -> npt.NDArray[Any]:
    """Return the first layer of that modality (and acquisition) of a tile, [C, H, W]."""
    for layer in tile.layers:
        if layer.modality is modality and acquisition in (None, layer.acquisition):
            return read(layer.sources, None).values
    raise LookupError(f"{tile.name} has no {modality.value} layer")


def clear_acquisition(tile: FoundTile) -> str:
    """Return the acquisition of a tile with the least cloud."""
    cover = {
        layer.acquisition or "": sum(fractions(read(layer.sources, None).values[0]))
        for layer in tile.layers
        if layer.modality is Modality.CLOUD
    }
    return min(cover, key=lambda name: cover[name])


def _sample(tile: FoundTile, modalities: Sequence[str], *, clear_only: bool) -> Sample:
    names = {layer.acquisition for layer in tile.layers if layer.modality is Modality.OPTICAL}
    dates = [clear_acquisition(tile)] if clear_only else sorted(name or "" for name in names)
    inputs: dict[str, list[npt.NDArray[Any]]] = {}
    if "optical" in modalities:
        inputs["optical"] = [read_bands(tile, Modality.OPTICAL, name) for name in dates]
    if "sar" in modalities:
        inputs["sar"] = [read_bands(tile, Modality.SAR)]
    label = OPEN_EARTH_MAP_SAR.index_lut[read_bands(tile, Modality.LABEL)[0]]
    return Sample(inputs, label, np.ones(label.shape, np.float32), tile.name)
