"""Layers that a pane can show: renderings of images, nudges, confidence and disagreement."""

import json
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from core.predictions import save_prediction
from tests.editor.conftest import Bench, Desk

# Draws one layer alone, a device pixel for each tile pixel, once it has come.
DRAW = """async (e, [make, nudge]) => {
  const {height, width} = e.scene.tile, canvas = new OffscreenCanvas(width, height);
  const layer = new Function('scene', `return ${make}`)(e.scene), context = canvas.getContext('2d');
  if (nudge) e.scene.nudge(layer.layer.id, nudge);
  const frame = {scale: 1, x: 0, y: 0, ratio: 1, visible: {y0: 0, x0: 0, h: height, w: width}};
  layer.draw(context, frame);
  for (let i = 0; i < 200 && !e.scene.settled; i++) await new Promise((r) => setTimeout(r, 20));
  context.clearRect(0, 0, width, height);
  layer.draw(context, frame);
  const {data} = context.getImageData(0, 0, width, height);
  return [Array.from(data), layer.legend ?? null, layer.range ?? ''];
}"""


def drawn(desk: Desk, make: str, nudge: dict[str, float] | None = None) -> tuple[Any, Any, str]:
    """Return the pixels [H, W, 4] of a layer, its legend and its range."""
    pixels, legend, words = desk.editor(DRAW, [make, nudge])
    height, width = desk.editor("(e) => [e.scene.tile.height, e.scene.tile.width]")
    return np.array(pixels, np.uint8).reshape(height, width, 4), legend, words


def image(bench: Bench, kind: str, rendering: dict[str, Any] | None = None) -> str:
    """Return the script that takes an image layer in a rendering."""
    return f"scene.image({bench.scene.layers['train', kind]}, {json.dumps(rendering)})"


def test_renderings_of_one_layer_are_drawn_side_by_side(bench: Bench) -> None:
    desk = bench.open()
    plain, _, _ = drawn(desk, image(bench, "sar", {"stretch": "percentile"}))
    smooth, _, _ = drawn(desk, image(bench, "sar", {"stretch": "percentile", "filter": "lee"}))
    index, _, words = drawn(
        desk, image(bench, "optical", {"expr": "(red - green) / (red + green)"})
    )
    assert smooth[..., 0].std() < plain[..., 0].std()
    assert words.endswith("expression")
    assert index[2, 2].tolist() == [0, 0, 0, 0]  # no data stays a gap
    assert np.array_equal(index[20:, 20:, 0], index[20:, 20:, 2])
    same = desk.editor(
        """(e, id) => e.scene.image(id, {filter: 'lee'}) ===
          e.scene.image(id, {filter: 'lee', expr: null})""",
        bench.scene.layers["train", "sar"],
    )
    assert same


def test_a_difference_has_a_legend(bench: Bench) -> None:
    desk = bench.open()
    sar = bench.scene.layers["train", "sar"]
    pixels, legend, words = drawn(desk, image(bench, "sar", {"minus": sar}))
    assert pixels[..., :3].min() > 240
    assert [entry["text"] for entry in legend] == ["-1", "0", "1"]
    assert "difference" in words


def test_a_nudge_moves_the_picture_and_nothing_else(bench: Bench) -> None:
    desk = bench.open()
    before = desk.shown()
    make = image(bench, "sar")
    plain, _, _ = drawn(desk, make)
    moved, _, _ = drawn(desk, make, {"y": 3, "x": -2})
    assert np.array_equal(moved[3:, :-2], plain[:-3, 2:])
    assert not moved[:3].any()
    assert desk.shown() == before


def predict(bench: Bench) -> int:
    """Save a prediction that differs from the label in its upper half; returns its id."""
    codes = bench.scene.label.copy()
    codes[:48] = codes[:48] % 8 + 1
    confidence = np.zeros_like(codes)
    confidence[:, 40:] = 255
    store = bench.scene.store
    return save_prediction(store, bench.scene.tile, "layer/99", codes, confidence).id


def test_confidence_is_a_grey_ramp(bench: Bench) -> None:
    number, desk = predict(bench), bench.open()
    pixels, legend, _ = drawn(desk, f"scene.confidenceOf({number})")
    assert pixels[10, 10].tolist() == [0, 0, 0, 255]
    assert pixels[10, 60].tolist() == [255, 255, 255, 255]
    assert [entry["text"] for entry in legend] == ["not sure", "sure"]


def test_disagreement_follows_what_is_painted(bench: Bench) -> None:
    number, desk = predict(bench), bench.open()
    pixels, legend, _ = drawn(desk, f"scene.disagreementOf({number})")
    assert (pixels[:48, :, 3] > 200).all()
    assert not pixels[48:, :, 3].any()
    assert len(legend) == 1
    desk.press("4")
    desk.editor("(e) => e.setDiameter(1)")
    desk.stroke((70, 40))
    pixels, _, _ = drawn(desk, f"scene.disagreementOf({number})")
    differs = bench.scene.label[70, 40] != 4
    assert bool(pixels[70, 40, 3]) is bool(differs)
    desk.press("0")
    desk.stroke((10, 40))
    pixels, _, _ = drawn(desk, f"scene.disagreementOf({number})")
    assert pixels[10, 40, 3] == 0  # no class differs from nothing


@pytest.mark.parametrize(("text", "ok"), [("red - green", True), ("red +", False)])
def test_an_expression_is_checked_where_it_is_typed(bench: Bench, text: str, ok: bool) -> None:
    desk = bench.open()
    layer = bench.scene.layers["train", "optical"]
    path = f"/tile/{desk.tile}/expression?layer={layer}&expr={quote(text)}"
    assert desk.editor("(e, path) => e.server.json(path)", path)["ok"] is ok
