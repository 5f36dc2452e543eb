"""Strokes in the browser's arrays and on the server: the same random ones give the same bytes."""

import hashlib
from typing import Any

import numpy as np
import pytest

from core.classes import OPEN_EARTH_MAP_SAR
from core.grid import Window
from core.patch import apply, invert
from core.records import Grid
from core.restrict import parse_restriction
from core.stroke import Effect, Stroke, Tool, change, check_stroke
from tests.editor.node import call

CLASSES = OPEN_EARTH_MAP_SAR
KNOWN = np.array([*CLASSES.codes, CLASSES.void_code], np.uint8)
SHAPE = (40, 560)  # over the edge of a block
STROKES = 60
TEXTS = (None, "from:1+3+8", "unverified", "cloudy", "clear,unverified", "area,from:0+2", "area")

# Paints all strokes, and reports each change as the server would get it; then undoes them all.
PAINT = """({Labels, BLOCK}, {lengthsOf}, {exchange}, given) => {
  const {prediction, cloud, strokes, codes, shape: [h, w]} = given, tile = new Labels(h, w);
  const block = (plane, bx) => {
    const side = Math.min(BLOCK, w - bx * BLOCK);
    return Uint8Array.from({length: h * side}, (_, i) =>
      plane[Math.floor(i / side) * w + bx * BLOCK + i % side]);
  };
  for (let bx = 0; bx < tile.columns; bx++) {
    const original = block(given.labels, bx), provenance = new Uint8Array(original.length);
    tile.setBlock(0, bx, {labels: original.slice(), provenance, original});
  }
  tile.companions = (by, bx) => ({prediction: block(prediction, bx), cloud: block(cloud, bx)});
  tile.known.fill(0);
  for (const code of codes) tile.known[code] = 1;
  const before = Array.from(tile.raster());
  const area = {...strokes.area, data: Uint8Array.from(strokes.area.data)};
  const changes = strokes.list.map(({wish, masks, only, values}) => {
    tile.begin({...wish, only: only && {...only, area: only.area ? area : null}});
    for (const mask of masks) tile.paint({...mask, data: Uint8Array.from(mask.data),
      values: values && Uint8Array.from(values)});
    return tile.finish();
  });
  const raster = Array.from(tile.raster()), counts = Array.from(tile.counts);
  const told = changes.map((change) => change && {
    restrict: change.restrict, from: change.fromClasses, pixels: change.pixels,
    box: [change.y0, change.x0, change.h, change.w],
    runs: lengthsOf(change.runs, change.h * change.w), values: Array.from(change.new.labels)});
  for (const change of changes.toReversed())
    if (change) exchange(tile, change, 'new', 'old', 'undo');
  return {raster, counts, told, undone: Array.from(tile.raster()), before};
}"""


def random_strokes(generator: np.random.Generator) -> dict[str, Any]:
    """Return strokes of every effect and restriction, each of several overlapping masks."""
    height, width = SHAPE
    area = generator.random((20, 300)) < 0.7
    found = []
    for _ in range(STROKES):
        effect = str(generator.choice([e.value for e in Effect]))
        text = TEXTS[int(generator.integers(len(TEXTS)))]
        only = parse_restriction(text)
        y0, x0 = (int(v) for v in generator.integers(0, [height, width]))
        h, w = (
            int(generator.integers(1, height - y0 + 1)),
            int(generator.integers(1, width - x0 + 1)),
        )
        w = min(w, 90)
        masks = [
            {"y0": y0, "x0": x0, "h": h, "w": w, "data": flat(generator.random((h, w)) < share)}
            for share in ((0.5, 0.2) if effect != "values" else (0.6,))
        ]
        found.append(
            {
                "wish": {
                    "tool": "brush",
                    "effect": effect,
                    "toClass": int(generator.choice(KNOWN)),
                    "prediction": 1,
                },
                "masks": masks,
                "values": generator.choice(KNOWN, h * w).tolist() if effect == "values" else None,
                "only": text
                and {
                    "cloud": only.cloud,
                    "area": only.area,
                    "from": only.from_codes and list(only.from_codes),
                    "unverified": only.unverified,
                },
                "text": text,
            }
        )
    return {"list": found, "area": {"y0": 5, "x0": 200, "h": 20, "w": 300, "data": flat(area)}}


def flat(mask: np.ndarray) -> list[int]:
    """Return a mask as a list of 0 and 1."""
    ones: list[int] = mask.astype(int).ravel().tolist()
    return ones


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_strokes_give_the_same_bytes_in_browser_and_server(seed: int) -> None:
    generator = np.random.default_rng(seed)
    original = np.kron(generator.choice(KNOWN, (5, 70)), np.ones((8, 8), np.uint8))
    prediction = np.kron(generator.choice(np.append(KNOWN, 77), (5, 70)), np.ones((8, 8), np.uint8))
    prediction = prediction.astype(np.uint8)
    cloud = generator.choice(np.array([0, 1, 2, 3, 255], np.uint8), SHAPE)
    strokes = random_strokes(generator)
    planes = {
        "labels": original.ravel().tolist(),
        "prediction": prediction.ravel().tolist(),
        "cloud": cloud.ravel().tolist(),
    }
    argument = planes | {"strokes": strokes, "codes": list(CLASSES.codes), "shape": SHAPE}
    answer = call(["labels.js", "runs.js", "overlay.js"], PAINT, argument)
    labels, provenance = original.copy(), np.zeros(SHAPE, np.uint8)
    done = []
    for wish, told in zip(strokes["list"], answer["told"], strict=True):
        if told is None:
            continue
        assert told["restrict"] == wish["text"]
        patch = server_change(wish, told, labels, provenance, original, prediction)
        box = [patch.box.y0, patch.box.x0, patch.box.h, patch.box.w]
        assert (box, patch.runs.tolist()) == (told["box"], told["runs"])
        assert patch.new_values.tolist() == told["values"]
        assert (sorted(set(patch.old_values)), patch.pixels) == (told["from"], told["pixels"])
        apply(labels, provenance, patch)
        done.append(patch)
    assert len(done) > STROKES / 2
    assert digest(labels, provenance) == hashlib.sha256(bytes(answer["raster"])).hexdigest()
    assert answer["counts"] == np.bincount(labels.ravel(), minlength=256).tolist()
    for patch in reversed(done):
        apply(labels, provenance, invert(patch))
    assert answer["undone"] == answer["before"]
    assert digest(labels, provenance) == hashlib.sha256(bytes(answer["undone"])).hexdigest()


def server_change(
    wish: dict[str, Any],
    told: dict[str, Any],
    labels: np.ndarray,
    provenance: np.ndarray,
    original: np.ndarray,
    prediction: np.ndarray,
) -> Any:
    """Return the patch that the server makes of the request that the browser sends."""
    box = Window(*told["box"])
    part = (slice(box.y0, box.y0 + box.h), slice(box.x0, box.x0 + box.w))
    effect = Effect(wish["wish"]["effect"])
    runs = np.array(told["runs"])
    marked = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(box.h, box.w)
    stroke = Stroke(
        "tab",
        1,
        0,
        Tool.BRUSH,
        box,
        runs,
        effect=effect,
        to_class=wish["wish"]["toClass"],
        values=np.array(told["values"], np.uint8) if effect is Effect.VALUES else None,
        prediction_values=prediction[part][marked] if effect is Effect.MODEL else None,
        restrict=told["restrict"],
    )
    places = check_stroke(stroke, Grid(*SHAPE, (1.0, 0.0, 0.0, 0.0, -1.0, 0.0), None), CLASSES)
    assert places is not None
    at = (places.rows, places.columns)
    return change(stroke, places, labels[at], provenance[at], original[at], CLASSES)


def digest(labels: np.ndarray, provenance: np.ndarray) -> str:
    """Return the hash that the browser's `raster` has as well."""
    return hashlib.sha256(labels.tobytes() + provenance.tobytes()).hexdigest()
