"""How much of a network's bare speed is left when a scene is predicted.

Bare: the network alone, again and again on one window that lies in memory, as many at once and in
the same precision. Whole: reading from compressed GeoTIFFs, predicting, blending, and writing the
map. Rounds of both take turns, so that a busy machine slows both; the share is the median over
rounds of bare time over whole time, per window processed.

`memory_20000` is what a process needs more at its peak for a scene of 20,000 px a side than before
it began, with a network of one layer, and `memory_10000` the same for half of the side.

Steps of training and windows are also held against a plain loop, see `tests.bench._peer`.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.grid import Window
from core.raster import read
from core.raster_write import RowFile, write_geotiff
from core.records import Grid
from models.blend import Rows
from models.networks import NetworkSpec, SegmentationNetwork, build
from models.scene import PLAIN, How, predict_scene
from models.train import mixed_precision_helps, pick_device
from models.windows import lay_out
from tests.bench import _peer
from tests.bench._figures import figure, ratio

BANDS = {"optical": 3, "sar": 1}
CLASSES = 9
SIDE = 2816
ROUNDS = 5
NETWORKS = ("unet", "two_branch")
MEMORY_SIDES = (10_000, 20_000)

Figures = dict[str, dict[str, Any]]
Reader = Callable[[int, int, int, int], Mapping[str, Any]]


def run() -> Figures:
    """Return shares of bare speed, seconds of windows and steps, and memory by side."""
    found: Figures = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = _scene(folder, SIDE)
        for network in NETWORKS:
            found |= _share(network, paths, folder)
    for side in MEMORY_SIDES:
        command = [sys.executable, "-m", "tests.bench.models_speed", str(side)]
        env = {**os.environ, "GDAL_CACHEMAX": "128"}  # as jobs have it
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
        found[f"memory_{side}"] = figure(float(done.stdout.split()[-1]), "MB", 1)
    return found | _peer.figures(pick_device())


def _share(name: str, paths: Mapping[str, Path], folder: Path) -> Figures:
    """Measure one network on a scene, plainly and with the probabilities of all classes."""
    device = pick_device()
    torch.manual_seed(0)
    network = build(name, BANDS, CLASSES).on(device).eval()
    layout = lay_out(SIDE, SIDE, PLAIN.window_px, PLAIN.overlap_px, network.stride)
    grid, reader = _grid(SIDE), _reader(paths, SIDE)
    bare: list[float] = []
    whole: list[float] = []
    every: list[float] = []
    for _ in range(ROUNDS):
        bare.append(_bare(network, (layout.y.size, layout.x.size), device))
        for times, how in ((whole, PLAIN), (every, How(probabilities=True))):
            began = time.perf_counter()
            _predict(network, reader, grid, folder, how, device)
            times.append((time.perf_counter() - began) / len(layout))
    return {
        f"share_of_bare_{name}": figure(100 * ratio(bare, whole), "%", ROUNDS),
        f"share_of_bare_{name}_probabilities": figure(100 * ratio(bare, every), "%", ROUNDS),
        f"window_{name}": figure(median(whole), "s", ROUNDS),
        f"window_{name}_bare": figure(median(bare), "s", ROUNDS),
    }


@torch.inference_mode()
def _bare(network: SegmentationNetwork, size: tuple[int, int], device: str) -> float:
    """Return the seconds of one window through the network alone."""
    count = 8 if device == "cuda" else 1
    inputs = {
        m: torch.rand(count, n, *size, device=device).to(memory_format=torch.channels_last)
        for m, n in BANDS.items()
    }
    half = mixed_precision_helps(device)

    def forward() -> None:
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half):
            network(inputs)
        if device == "cuda":
            torch.cuda.synchronize()

    forward()
    began = time.perf_counter()
    rounds = 5
    for _ in range(rounds):
        forward()
    return (time.perf_counter() - began) / (rounds * count)


def _predict(
    network: SegmentationNetwork, reader: Reader, grid: Grid, folder: Path, how: How, device: str
) -> None:
    """Predict a scene into a file, as `models.predict` does."""
    with RowFile(folder, grid, 2) as first, RowFile(folder, grid, CLASSES) as second:

        def keep(rows: Rows) -> None:
            first.add(np.stack([rows.index, rows.confidence]))
            if rows.probabilities is not None:
                second.add(rows.probabilities)

        predict_scene(network, reader, grid.height, grid.width, keep, how=how, device=device)
        first.finish(folder / "map.tif", class_overviews=True)
        if how.probabilities:
            second.finish(folder / "probabilities.tif")


def _scene(folder: Path, side: int) -> dict[str, Path]:
    """Write an optical and a SAR image that compress as such images do: smooth, with noise."""
    rng = np.random.default_rng(0)
    coarse = rng.normal(110, 30, (4, side // 32 + 1, side // 32 + 1))
    smooth = coarse.repeat(32, 1).repeat(32, 2)[:, :side, :side]
    noisy = (smooth + rng.normal(0, 6, smooth.shape)).clip(1, 255).astype(np.uint8)
    paths = {"optical": folder / "optical.tif", "sar": folder / "sar.tif"}
    write_geotiff(paths["optical"], noisy[:3], _grid(side))
    write_geotiff(paths["sar"], noisy[3], _grid(side))
    return paths


def _reader(paths: Mapping[str, Path], side: int) -> Reader:
    grid = _grid(side)

    def window(y0: int, x0: int, height: int, width: int) -> Mapping[str, Any]:
        box = Window(y0, x0, height, width)
        return {
            m: read([(p, b + 1) for b in range(BANDS[m])], grid, box).values
            for m, p in paths.items()
        }

    return window


def _grid(side: int) -> Grid:
    return Grid(side, side, (1.0, 0.0, 500_000.0, 0.0, -1.0, 4_000_000.0), "EPSG:32654")


class _OneLayer(SegmentationNetwork):
    """The least that is a network, so that a scene of 400 million pixels takes minutes."""

    def __init__(self) -> None:
        super().__init__(NetworkSpec("one layer", {"sar": 1}, CLASSES, {}), stride=8)
        self.layer = nn.Conv2d(1, CLASSES, 1)

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        logits: Tensor = self.layer(inputs[0])
        return logits


def _memory(side: int) -> float:
    """Return the megabytes that predicting a scene adds to this process at its peak."""
    torch.manual_seed(0)
    row = np.random.default_rng(0).integers(0, 255, (1, 1, side), np.uint8)

    def reader(y0: int, x0: int, height: int, width: int) -> Mapping[str, Any]:
        return {"sar": np.broadcast_to(row[:, :, x0 : x0 + width], (1, height, width))}

    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = _peak_mb()
    with tempfile.TemporaryDirectory() as name:
        _predict(_OneLayer(), reader, _grid(side), Path(name), PLAIN, "cpu")
    return _peak_mb() - before


def _peak_mb() -> float:
    """Return the most memory that this process has held, in megabytes (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    print(_memory(int(sys.argv[1])))
