"""Suggestions on a real tile: one class relabelled on purpose, strokes set as a person might."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from core import catalogue, features
from core.classes import Provenance
from core.features import sources
from core.grid import Window
from core.raster import read
from core.store.engine import Store
from core.suggest import Example, Suggestion, suggest
from core.suggest_log import neighbourhood
from tests.scene import make_scene

Pixels = list[tuple[int, int]]
NEAR_PX, RADIUS, TRIALS = 200, 4, 6


def raster(folder: Path, kind: str) -> np.ndarray:
    path = sorted((folder / "oem-sar" / "train" / kind).iterdir())[0]
    bands = range(1, 4) if kind == "rgb_images" else range(1, 2)
    values = read([(path, band) for band in bands]).values.astype(np.uint8)
    return values if kind == "rgb_images" else values[0]


def strokes(
    truth: np.ndarray, wrong: int, shown: int, confirmations: int, generator: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """Return places to correct and to confirm, near each other and inside their regions."""
    inside = np.argwhere(ndimage.binary_erosion(truth == wrong, iterations=RADIUS))
    right = np.argwhere(ndimage.binary_erosion(truth == shown, iterations=RADIUS))
    start = inside[generator.integers(len(inside))]
    near = inside[np.abs(inside - start).max(axis=1) < NEAR_PX]
    known = right[np.abs(right - start).max(axis=1) < NEAR_PX]
    return drawn(near, 4, generator), drawn(known, confirmations, generator)


def drawn(places: np.ndarray, count: int, generator: np.random.Generator) -> Pixels:
    rows = [places[generator.integers(len(places))] for _ in range(count)]
    return [(int(row), int(column)) for row, column in rows]


def example(at: tuple[int, int], now: np.ndarray, window: Window, old: int, new: int) -> Example:
    rows, columns = np.mgrid[-RADIUS : RADIUS + 1, -RADIUS : RADIUS + 1]
    disc = rows**2 + columns**2 <= RADIUS**2
    y, x = rows[disc] + at[0] - window.y0, columns[disc] + at[1] - window.x0
    kept = (y >= 0) & (x >= 0) & (y < window.h) & (x < window.w)
    y, x = y[kept], x[kept]
    same = now[y, x] == old
    y, x = y[same], x[same]
    return Example(y, x, np.full(len(y), old, np.uint8), np.full(len(y), new, np.uint8))


@pytest.mark.parametrize("confirmations", [0, 3])
@pytest.mark.parametrize(("wrong", "shown"), [(5, 2), (8, 3), (4, 3)])
def test_what_is_shown_mostly_brings_the_label_nearer_to_the_truth(
    real_data: Path,
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wrong: int,
    shown: int,
    confirmations: int,
) -> None:
    truth, sar = raster(real_data, "labels"), raster(real_data, "sar_images")
    optical = np.maximum(raster(real_data, "rgb_images"), 1)
    label = np.where(truth == wrong, shown, truth).astype(np.uint8)
    layers = {"label": label, "optical": optical, "sar": sar, "cloud": np.zeros_like(truth)}
    monkeypatch.setattr("tests.scene._pixels", lambda *_: dict(layers))
    height, width = truth.shape
    scene = make_scene(store, tmp_path / "data", height=height, width=width)
    found = sources(store, catalogue.tile(store, scene.tile), None, None)
    generator, gains = np.random.default_rng(0), []
    for _ in range(TRIALS):
        wishes, sure = strokes(truth, wrong, shown, confirmations, generator)
        boxes = [Window(max(y - 4, 0), max(x - 4, 0), 9, 9) for y, x in wishes + sure]
        window, _ = neighbourhood(boxes, found.tile.grid)
        now, behind = label[window.slices].copy(), np.zeros((window.h, window.w), np.uint8)
        examples = [example(at, now, window, shown, wrong) for at in wishes]
        examples += [example(at, now, window, shown, shown) for at in sure]
        for one in examples:
            now[one.rows, one.columns] = one.new
            settled = Provenance.VERIFIED if one.confirms else Provenance.CHANGED
            behind[one.rows, one.columns] = settled
        values = features.features(store, found, window)
        gains += gain(suggest(values, now, behind, examples), now, truth[window.slices])
    assert gains, "some suggestion is shown"
    # Now and then one hurts: that is why none is taken without a look.
    assert np.mean(gains) > 0
    assert np.median(gains) > 0


def gain(suggestion: Suggestion, now: np.ndarray, truth: np.ndarray) -> list[float]:
    """Return how much nearer to the truth the label comes, if a suggestion is shown."""
    if suggestion.mask is None or suggestion.codes is None:
        return []
    after = np.where(suggestion.mask, suggestion.codes, now)
    return [float(np.mean(after == truth) - np.mean(now == truth))]
