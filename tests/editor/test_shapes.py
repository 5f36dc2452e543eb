"""Every tool for shapes in a real browser: the canvas follows, across blocks and chunks too."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from playwright.sync_api import Browser

from core.settings import Settings
from core.store.engine import Store
from tests.editor.conftest import Bench, Desk, served
from tests.editor.raster_reference import polygon
from tests.editor.shapes import (
    PAINTED,
    SEGMENT_AT,
    choose,
    click,
    corners,
    expected,
    labels,
    painted,
    tools_of,
)
from tests.scene import make_scene

pytestmark = pytest.mark.browser

DAMAGED, DESTROYED = (244, 185, 66), (163, 18, 58)
AT = (10, 57)


def colour_is(desk: Desk, wanted: tuple[int, int, int], at: tuple[int, int] = AT) -> None:
    """Wait until a pixel of the label has a colour on the canvas, without any transparency."""
    x, y = desk.point(*at)
    box = desk.page.locator('[data-pane="label"]').bounding_box()
    assert box is not None
    script = """(e, [x, y]) => {
      const {context} = e.view.pane('label');
      return [...context.getImageData(x * e.view.ratio, y * e.view.ratio, 1, 1).data];
    }"""
    place = [x - box["x"], y - box["y"]]
    desk.soon(lambda: desk.editor(script, place), [*wanted, 255])


@pytest.mark.parametrize("tool", ["polygon", "lasso", "encircle", "wand", "superpixel", "object"])
def test_the_canvas_follows_every_tool_undo_redo_and_reload(town: Bench, tool: str) -> None:
    desk = town.open()
    desk.press("d", "4")
    colour_is(desk, DAMAGED)
    around = [(8.0, 53.0), (8.0, 62.0), (15.0, 62.0), (15.0, 53.0)]
    key = {"polygon": "p", "lasso": "p", "encircle": "q", "wand": "l", "object": "Shift+O"}
    desk.press(key.get(tool, "Shift+L"))
    if tool == "polygon":
        click(desk, *around, around[0])
    elif tool in ("lasso", "encircle"):
        desk.stroke(*around)
    elif tool == "superpixel":
        desk.hover(*AT)
        desk.wait_for(SEGMENT_AT, AT)
        click(desk, AT)
    else:
        click(desk, AT)
    desk.expect_state("saved, version 1")
    desk.hover(90, 70)
    colour_is(desk, DESTROYED)
    assert tools_of(desk) == [tool]
    desk.press("Control+z")
    colour_is(desk, DAMAGED)
    desk.press("Control+Shift+Z")
    desk.expect_state("saved, version 3")
    colour_is(desk, DESTROYED)
    desk.page.reload()
    desk.wait_painted()
    colour_is(desk, DESTROYED)
    assert desk.shown() == desk.saved()


class TestLargeTile:
    """On a tile of several blocks and chunks."""

    SHAPE = (1040, 1100)

    @pytest.fixture
    def large(
        self, store: Store, settings: Settings, tmp_path: Path, browser: Browser
    ) -> Iterator[Bench]:
        height, width = self.SHAPE
        scene = make_scene(store, tmp_path / "large", height=height, width=width)
        with served(scene, settings, browser) as sat:
            yield sat

    def test_values_are_those_of_the_file_across_blocks(self, large: Bench) -> None:
        desk = large.open()
        layer = large.scene.layers["train", "optical"]
        box = {"y0": 500, "x0": 1000, "h": 540, "w": 100}
        found = desk.editor(
            """async (e, [layer, box]) => {
              e.setTool('wand');
              const {images} = e.hand.gesture;
              const read = await images.window(e.scene.tile, layer, "none", box);
              return {channels: read.channels, values: [...read.values], valid: [...read.valid]};
            }""",
            [layer, box],
        )
        with rasterio.open(large.scene.folder / "train_optical.tif") as file:
            expected = file.read()[:, 500:1040, 1000:1100]
        assert found["channels"] == 3
        np.testing.assert_array_equal(np.reshape(found["values"], (3, 540, 100)), expected)
        assert set(found["valid"]) == {255}

    def test_a_drag_over_the_border_of_chunks_is_one_edit(self, large: Bench) -> None:
        desk = large.open()
        desk.press("6", "Shift+L")
        for column in (1000, 1060):
            desk.hover(60, column)
            desk.wait_for(SEGMENT_AT, [60, column])
        desk.stroke((60, 1000), (60, 1060))
        desk.expect_state("saved, version 1")
        changed = np.argwhere(labels(desk) != large.scene.label)
        assert changed[:, 1].min() < 1001
        assert changed[:, 1].max() > 1058
        assert (labels(desk)[60, 1001:1060] == PAINTED).all()
        desk.press("Control+z")
        desk.expect_state("saved, version 2")
        np.testing.assert_array_equal(labels(desk), large.scene.label)

    def test_a_polygon_across_blocks_is_one_edit(self, large: Bench) -> None:
        desk = large.open()
        choose(desk, "p")
        points = [(100.0, 400.0), (300.0, 1090.0), (1030.0, 1000.0), (900.0, 30.0)]
        click(desk, *points, points[0])
        desk.expect_state("saved, version 1")
        # A pixel of the screen is more than one of the tile: the corners are known to within that.
        exact = polygon(corners(points), self.SHAPE)
        wrong = (painted(desk, large) ^ expected(exact, large)).sum()
        assert wrong < 0.01 * exact.sum()
