"""Classes as outlines: read from the canvas, also after painting and over the edges of blocks."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import expect

from tests.editor.conftest import Bench, Desk
from tests.editor.node import call
from tests.scene import VOID

pytestmark = pytest.mark.browser

# Draws a layer alone, a device pixel for each tile pixel.
DRAW = """async (e) => {
  const {contoursOf} = await import('/assets/editor/contours.js');
  const {labels} = e.scene, canvas = new OffscreenCanvas(labels.width, labels.height);
  const context = canvas.getContext('2d'), layer = contoursOf(e.scene.label);
  layer.opacity = 1;
  layer.draw(context, {scale: 1, x: 0, y: 0, ratio: 1,
    visible: {y0: 0, x0: 0, h: labels.height, w: labels.width}});
  const {data} = context.getImageData(0, 0, labels.width, labels.height);
  return [Array.from(labels.raster().slice(0, labels.width * labels.height)), Array.from(data)];
}"""


def drawn(desk: Desk) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return the labels of now and the outlines [H, W, 4] drawn of them."""
    height, width = desk.editor("(e) => [e.scene.tile.height, e.scene.tile.width]")
    labels, pixels = desk.editor(DRAW)
    return (
        np.array(labels, np.uint8).reshape(height, width),
        np.array(pixels, np.uint8).reshape(height, width, 4),
    )


def edges(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Return the pixels with a neighbour of another class."""
    found = np.zeros(labels.shape, np.bool_)
    down, across = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    found[1:] |= down
    found[:-1] |= down
    found[:, 1:] |= across
    found[:, :-1] |= across
    return found


def colours(desk: Desk, labels: Any) -> Any:
    """Return the colour of the class of each pixel."""
    table = np.zeros((256, 3), np.uint8)
    for entry in desk.editor("(e) => e.manifest.classes.filter(({isVoid}) => !isVoid)"):
        table[entry["code"]] = [int(entry["colour"][i : i + 2], 16) for i in (1, 3, 5)]
    return table[labels]


def check(desk: Desk) -> None:
    labels, pixels = drawn(desk)
    wanted = edges(labels)
    assert np.array_equal(pixels[..., 3] > 0, wanted)
    seen = wanted & (labels != VOID)
    assert np.array_equal(pixels[seen][:, :3], colours(desk, labels)[seen])


def test_outlines_follow_what_is_painted_and_undone(bench: Bench) -> None:
    desk = bench.open()
    check(desk)
    desk.press("3")
    desk.editor("(e) => e.setDiameter(9)")
    desk.stroke((30, 20), (60, 50))
    check(desk)
    desk.press("Control+z")
    desk.expect_state("saved, version 2")
    check(desk)


def test_outlines_go_over_the_edges_of_blocks() -> None:
    script = """async ({contoursOf}, {ClassLayer}) => {
      const drawn = [];
      globalThis.ImageData = class {
        constructor(w, h) { this.data = new Uint8ClampedArray(4 * w * h); }
      };
      globalThis.OffscreenCanvas = class {
        getContext() { return {putImageData: () => {}}; }
      };
      const block = (code) => ({h: 512, w: 512, labels: new Uint8Array(512 * 512).fill(code)});
      const blocks = {'0/0': block(1), '0/1': block(2)};
      const source = {get: (z, by, bx) => blocks[`${by}/${bx}`]};
      const palette = {colours: Uint32Array.from([0, 11, 22]), voidCode: 0, voidPattern: [7, 8]};
      const layer = contoursOf(new ClassLayer({palette, source}));
      layer.put = (canvas, x0, y0, w, h) => {
        for (let col = 0; col < w; col++)
          if (layer.pixels[col]) drawn.push([x0 + col, layer.pixels[col]]);
      };
      layer.canvasOf({block: blocks['0/0'], z: 0, by: 0, bx: 0});
      layer.canvasOf({block: blocks['0/1'], z: 0, by: 0, bx: 1});
      return drawn;
    }"""
    assert call(["contours.js", "layers.js"], script) == [[511, 11], [0, 22]]


def pixel(desk: Desk, row: float, col: float) -> list[int]:
    """Return the colour of a place of the label pane."""
    desk.settle()
    found: list[int] = desk.editor(
        """(e, [row, col]) => {
          const {canvas, context} = e.view.pane('label'), {scale, x, y} = e.view.transform;
          const at = (place, from) => Math.round(((place + 0.5) * scale + from) * e.view.ratio);
          return [...context.getImageData(at(col, x), at(row, y), 1, 1).data].slice(0, 3);
        }""",
        [row, col],
    )
    return found


def test_the_key_and_the_menu_draw_outlines_in_a_pane_and_keep_them(bench: Bench) -> None:
    desk = bench.open()
    desk.press("0", "d")
    desk.editor("(e) => { e.setDiameter(31); e.display.setOpacity(1); }")
    desk.press("4")
    desk.stroke((40, 40))
    filled = pixel(desk, 40, 40)
    desk.press("Shift+E")
    expect(desk.page.locator(".banner")).to_contain_text("outlines")
    assert pixel(desk, 40, 40) != filled  # the image shows inside
    desk.page.reload()
    desk.wait_painted()
    assert pixel(desk, 40, 40) != filled
    desk.page.locator('[data-slot="2"] .caption').click()
    desk.page.locator('.view-menu [data-option="contours"]').select_option("fill")
    desk.page.keyboard.press("Escape")
    assert pixel(desk, 40, 40) == filled


def test_a_stroke_is_drawn_with_the_rim_that_it_changes(bench: Bench) -> None:
    desk = bench.open()
    desk.editor("(e) => { e.setDiameter(25); e.display.setOpacity(1); }")
    desk.press("4")
    desk.stroke((40, 40))
    desk.press("Shift+E", "5")
    desk.editor("(e) => e.setDiameter(3)")
    code = "(e) => e.manifest.classes.find((entry) => entry.code === 4).colour"
    wanted = [int(desk.editor(code)[i : i + 2], 16) for i in (1, 3, 5)]
    assert pixel(desk, 42, 40) != wanted
    desk.stroke((40, 40))
    assert pixel(desk, 42, 40) == wanted
