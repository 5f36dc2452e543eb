"""Polygon, lasso, encircle, wand and superpixels in a real browser: labels, undo, what is shown."""

import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from playwright.sync_api import Browser, expect
from scipy import ndimage

from core import catalogue, history, superpixels
from core.settings import Settings
from core.store.engine import Store
from tests.editor.conftest import Bench, Desk, served
from tests.editor.raster_reference import encircle, polygon
from tests.scene import make_scene

pytestmark = pytest.mark.browser

SHAPE = (96, 80)
SQUARE = [(20.0, 10.0), (20.0, 40.0), (50.0, 40.0), (50.0, 10.0)]
PAINTED = 6


def labels(desk: Desk) -> Any:
    return history.current(desk.store, desk.tile).labels


def painted(desk: Desk, bench: Bench) -> Any:
    """Return the pixels that were given the class and had another one."""
    return (labels(desk) == PAINTED) & (bench.scene.label != PAINTED)


def expected(mask: Any, bench: Bench) -> Any:
    return mask & (bench.scene.label != PAINTED)


def click(desk: Desk, *pixels: tuple[float, float], pane: str = "label", **options: Any) -> None:
    for row, col in pixels:
        x, y = desk.point(row, col, pane)
        desk.page.mouse.click(x, y, **options)


def corners(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return where the clicks fall: `Desk.point` aims at the centres of pixels."""
    return [(y + 0.5, x + 0.5) for y, x in points]


def tools_of(desk: Desk) -> list[str]:
    return [edit.tool for edit in history.timeline(desk.store, desk.tile)]


def undo_and_reload(desk: Desk, bench: Bench, version: int) -> None:
    """Undo the newest edit, then see after a reload what the server has."""
    desk.press("Control+z")
    desk.expect_state(f"saved, version {version + 1}")
    np.testing.assert_array_equal(labels(desk), bench.scene.label)
    assert desk.shown() == desk.saved()
    desk.page.reload()
    desk.wait_painted()
    assert desk.shown() == desk.saved()


def choose(desk: Desk, key: str) -> None:
    desk.press("6", key)


class TestPolygon:
    def test_corners_and_a_double_click_paint_what_lies_inside(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "p")
        click(desk, *SQUARE[:3])
        assert paths(desk) == ["polygon-open"]
        click(desk, SQUARE[3], click_count=2)
        desk.expect_state("saved, version 1")
        assert paths(desk) == []
        np.testing.assert_array_equal(
            painted(desk, bench), expected(polygon(corners(SQUARE), SHAPE), bench)
        )
        assert tools_of(desk) == ["polygon"]
        undo_and_reload(desk, bench, 1)

    @pytest.mark.parametrize("how", ["Enter", "first corner"])
    def test_other_ways_to_close_it(self, bench: Bench, how: str) -> None:
        desk = bench.open()
        choose(desk, "p")
        click(desk, *SQUARE)
        if how == "Enter":
            desk.press("Enter", "Enter")
        else:
            click(desk, SQUARE[0])
        desk.expect_state("saved, version 1")
        assert painted(desk, bench).sum() == expected(polygon(corners(SQUARE), SHAPE), bench).sum()
        # The second Enter did not leave the tile.
        assert desk.editor("(e) => e.manifest.tile.id") == bench.scene.tile

    def test_a_drag_is_a_lasso(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "p")
        desk.stroke((20, 10), (20, 40), (50, 40), (50, 10))
        desk.expect_state("saved, version 1")
        assert tools_of(desk) == ["lasso"]
        mask = painted(desk, bench)
        assert mask[22:49, 12:39].sum() == expected(np.ones(SHAPE, bool), bench)[22:49, 12:39].sum()
        assert not mask[:20].any()
        assert not mask[51:].any()

    def test_backspace_takes_the_last_corner_back(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "p")
        click(desk, *SQUARE, (90, 70))
        desk.press("Backspace", "Enter")
        desk.expect_state("saved, version 1")
        np.testing.assert_array_equal(
            painted(desk, bench), expected(polygon(corners(SQUARE), SHAPE), bench)
        )

    def test_escape_drops_it_and_paints_nothing(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "p")
        before = desk.shown()
        click(desk, *SQUARE)
        desk.press("Escape")
        assert paths(desk) == []
        click(desk, *SQUARE[:3])
        desk.press("b")
        assert paths(desk) == []
        assert desk.shown() == before == desk.saved()

    def test_shapes_are_collected_and_cut_and_applied_as_one_edit(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "p")
        hole = [(30.0, 20.0), (30.0, 30.0), (40.0, 30.0), (40.0, 20.0)]
        other = [(70.0, 50.0), (70.0, 60.0), (80.0, 60.0)]
        for points, key in ((SQUARE, "Shift"), (hole, "Control"), (other, "Shift")):
            desk.page.keyboard.down(key)
            click(desk, *points, points[0])
            desk.page.keyboard.up(key)
        desk.expect_state("saved, version 0")
        assert previews(desk) == ["polygon-collected"]
        assert preview_pixels(desk, "polygon-collected") == int(collected(hole, other).sum())
        desk.press("Enter")
        desk.expect_state("saved, version 1")
        np.testing.assert_array_equal(painted(desk, bench), expected(collected(hole, other), bench))
        assert previews(desk) == []
        undo_and_reload(desk, bench, 1)

    def test_nothing_to_cut_from_is_said(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "p")
        desk.page.keyboard.down("Control")
        click(desk, *SQUARE, SQUARE[0])
        desk.page.keyboard.up("Control")
        expect(desk.page.locator(".banner")).to_contain_text("none yet")
        desk.expect_state("saved, version 0")

    def test_the_effect_in_hand_is_used(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "p")
        click(desk, *SQUARE, SQUARE[0])
        desk.expect_state("saved, version 1")
        desk.editor("(e) => e.setEffect('revert')")
        half = [(20.0, 10.0), (20.0, 25.0), (50.0, 25.0), (50.0, 10.0)]
        click(desk, *half, half[0])
        desk.expect_state("saved, version 2")
        kept = polygon(corners(SQUARE), SHAPE) & ~polygon(corners(half), SHAPE)
        np.testing.assert_array_equal(painted(desk, bench), expected(kept, bench))
        assert tools_of(desk) == ["polygon", "polygon"]
        assert desk.shown() == desk.saved()

    def test_restrictions_hold(self, bench: Bench) -> None:
        desk = bench.open()
        desk.editor("(e) => e.settings.change({recode: {on: true, from: [2, 3]}})")
        choose(desk, "p")
        click(desk, *SQUARE, SQUARE[0])
        desk.expect_state("saved, version 1")
        inside = polygon(corners(SQUARE), SHAPE) & np.isin(bench.scene.label, [2, 3])
        np.testing.assert_array_equal(painted(desk, bench), inside)
        assert desk.shown() == desk.saved()

    def test_a_validation_tile_takes_none(self, bench: Bench) -> None:
        desk = bench.open(bench.scene.tiles["val"])
        desk.expect_state("read-only: validation tile")
        desk.editor("(e) => e.setTool('polygon')")
        click(desk, *SQUARE, SQUARE[0])
        assert desk.shown() == desk.saved()


def collected(hole: Any, other: Any) -> Any:
    square, cut, more = (polygon(corners(points), SHAPE) for points in (SQUARE, hole, other))
    return (square & ~cut) | more


def paths(desk: Desk) -> list[str]:
    found: list[str] = desk.editor("(e) => [...e.preview.paths.keys()]")
    return found


def previews(desk: Desk) -> list[str]:
    found: list[str] = desk.editor("(e) => [...e.preview.shown.keys()]")
    return found


def preview_pixels(desk: Desk, name: str) -> int:
    script = "(e, n) => e.preview.shown.get(n)[0].mask.data.reduce((a, b) => a + b, 0)"
    return int(desk.editor(script, name))


def shown_mask(desk: Desk, name: str) -> Any:
    script = """(e, n) => {
      const {h, w, y0, x0, data} = e.preview.shown.get(n)[0].mask;
      return {box: [y0, x0, h, w], data: Array.from(data)};
    }"""
    found = desk.editor(script, name)
    y0, x0, h, w = found["box"]
    out = np.zeros(SHAPE, np.bool_)
    out[y0 : y0 + h, x0 : x0 + w] = np.reshape(found["data"], (h, w))
    return out


class TestEncircle:
    def test_what_the_line_passes_and_encloses_is_painted(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "q")
        desk.stroke((20, 10), (20, 40), (50, 40), (50, 10))
        desk.expect_state("saved, version 1")
        mask = painted(desk, bench)
        whole = encircle(corners(SQUARE), SHAPE)
        # The way of the mouse is known to within the steps it was moved in.
        assert (mask ^ expected(whole, bench)).sum() <= 60
        assert mask[20, 12:38].sum() == expected(whole, bench)[20, 12:38].sum()
        assert tools_of(desk) == ["encircle"]
        undo_and_reload(desk, bench, 1)

    def test_escape_during_the_drag_paints_nothing(self, bench: Bench) -> None:
        desk = bench.open()
        choose(desk, "q")
        desk.page.mouse.move(*desk.point(20, 10))
        desk.page.mouse.down()
        desk.page.mouse.move(*desk.point(40, 40), steps=4)
        assert paths(desk) == ["encircle"]
        desk.press("Escape")
        desk.page.mouse.up()
        assert paths(desk) == []
        desk.expect_state("saved, version 0")
        assert desk.shown() == desk.saved()


def hold(desk: Desk, at: tuple[float, float], dx: float = 0) -> None:
    """Press on a pixel and drag sideways by pixels of the screen, without letting go."""
    x, y = desk.point(*at)
    desk.page.mouse.move(x, y)
    desk.page.mouse.down()
    if dx:
        desk.page.mouse.move(x + dx, y, steps=3)


def wait_for_wand(desk: Desk) -> None:
    """Wait until the wand shows what it found."""
    desk.page.wait_for_function(
        "document.querySelector('#host').shadowRoot.querySelector('.editor').editor"
        ".preview.shown.has('wand')"
    )


class TestWand:
    """On the town: houses of 200 on ground of 90 in the optical image, two halves in the SAR."""

    def test_it_takes_what_is_connected_and_looks_alike(self, town: Bench) -> None:
        desk = town.open()
        desk.press("l", "4")
        hold(desk, (10, 55))
        wait_for_wand(desk)
        assert preview_pixels(desk, "wand") == 12 * 16
        assert not desk.editor("(e) => e.scene.labels.counts[3] > 16 * 14")
        desk.page.mouse.up()
        desk.expect_state("saved, version 1")
        now = labels(desk)
        assert (now[6:18, 50:66] == 3).all()
        assert (now == 3).sum() == 12 * 16 + 16 * 14
        assert tools_of(desk) == ["wand"]
        assert previews(desk) == []
        undo_and_reload(desk, town, 1)

    def test_a_drag_sets_the_tolerance_and_the_preview_follows(self, town: Bench) -> None:
        desk = town.open()
        desk.press("l", "4")
        hold(desk, (10, 55))
        wait_for_wand(desk)
        x, y = desk.point(10, 55)
        # 3 px of the screen are one step: 110 levels lie between house and ground.
        desk.page.mouse.move(x + 300, y, steps=4)
        desk.page.wait_for_timeout(100)
        assert preview_pixels(desk, "wand") == 96 * 80
        desk.page.mouse.move(x, y, steps=4)
        desk.page.wait_for_timeout(100)
        assert preview_pixels(desk, "wand") == 12 * 16
        desk.press("Escape")
        desk.page.mouse.up()
        desk.expect_state("saved, version 0")
        assert previews(desk) == []
        assert desk.shown() == desk.saved()

    def test_letting_go_early_paints_when_the_values_are_there(self, town: Bench) -> None:
        desk = town.open()
        desk.press("l", "4")
        click(desk, (10, 55))
        desk.expect_state("saved, version 1")
        assert (labels(desk)[6:18, 50:66] == 3).all()

    def test_specks_are_left_out_unless_asked_for(self, town: Bench) -> None:
        desk = town.open()
        desk.press("l", "l", "4")  # SAR
        found = {}
        for tidy in (True, False):
            if not tidy:
                desk.press("Shift+Y")
            hold(desk, (10, 55), dx=-24)
            wait_for_wand(desk)
            desk.page.wait_for_timeout(100)
            found[tidy] = shown_mask(desk, "wand")
            desk.press("Escape")
            desk.page.mouse.up()
            desk.editor("(e) => e.settings.change({wandTolerance: 16})")
        assert (found[False] != found[True]).any()
        pieces, count = ndimage.label(found[True])
        assert count and np.bincount(pieces.ravel())[1:].min() >= 8
        desk.press("Shift+Y")
        assert desk.editor("(e) => e.settings.wandTidy")
        expect(desk.page.locator('[data-section="wand"] [data-command="wand-tidy"]')).to_have_text(
            "left out"
        )

    def test_its_key_goes_through_the_images_and_its_section_says_so(self, town: Bench) -> None:
        desk = town.open()
        section = desk.page.locator('[data-section="wand"]')
        expect(section).to_be_hidden()
        desk.press("l")
        expect(section).to_be_visible()
        shown = section.locator('[data-command="wand"]')
        for name in ("optical", "SAR", "optical and SAR"):
            expect(shown).to_have_text(name)
            desk.press("l")
        expect(shown).to_have_text("optical")
        desk.press("l")
        desk.press("4")
        click(desk, (10, 55))
        desk.expect_state("saved, version 1")
        # Speckle does not stop it, the edge between bright and dark does.
        found = labels(desk) == 3
        assert found[:, 43:].mean() > 0.95
        assert not found[:60, :38].any()
        desk.press("b")
        expect(section).to_be_hidden()


class TestSuperpixels:
    def ids(self, bench: Bench) -> Any:
        tile = catalogue.tile(bench.harness.store, bench.scene.tile)
        for _ in range(200):
            _, content = superpixels.superpixels(bench.harness.store, tile, 0, 0)
            if content is not None:
                return np.frombuffer(zlib.decompress(content), "<u2").reshape(SHAPE)
        raise AssertionError("never made")

    def open(self, town: Bench, *keys: str) -> Desk:
        desk = town.open()
        desk.press(*keys)
        desk.hover(40, 40)
        note = desk.page.locator(".superpixel-note")
        expect(note).to_be_hidden(timeout=15_000)
        desk.page.wait_for_function(
            "document.querySelector('#host').shadowRoot.querySelector('.editor').editor"
            ".features.superpixels.at(40, 40)"
        )
        return desk

    def test_a_click_assigns_the_segment_under_the_cursor(self, town: Bench) -> None:
        desk = self.open(town, "4", "Shift+L")
        ids = self.ids(town)
        assert paths(desk) == ["superpixel"]
        click(desk, (40, 40))
        desk.expect_state("saved, version 1")
        changed = labels(desk) != town.scene.label
        np.testing.assert_array_equal(changed, (ids == ids[40, 40]) & (town.scene.label != 3))
        assert tools_of(desk) == ["superpixel"]
        undo_and_reload(desk, town, 1)

    def test_a_drag_assigns_every_segment_on_its_way_as_one_edit(self, town: Bench) -> None:
        desk = self.open(town, "4", "Shift+L")
        ids = self.ids(town)
        desk.stroke((50, 5), (50, 75))
        desk.expect_state("saved, version 1")
        changed = labels(desk) != town.scene.label
        passed = np.isin(ids, ids[50, 5:76])
        np.testing.assert_array_equal(changed, passed & (town.scene.label != 3))
        undo_and_reload(desk, town, 1)

    def test_escape_in_a_drag_restores_every_pixel(self, town: Bench) -> None:
        desk = self.open(town, "4", "Shift+L")
        before = desk.shown()
        hold(desk, (50, 20), 100)
        assert desk.shown() != before
        desk.press("Escape")
        desk.page.mouse.up()
        assert desk.shown() == before
        desk.expect_state("saved, version 0")

    def test_outlines_are_drawn_in_every_pane(self, town: Bench) -> None:
        desk = self.open(town, "Shift+L")
        # How many pixels of a pane are not as they were at the first look.
        changed = """(e, pane) => {
          const {canvas} = e.view.pane(pane), {width, height} = canvas;
          const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
          const first = ((window.first ??= {})[pane] ??= data);
          let n = 0;
          for (let i = 0; i < data.length; i += 4) if (data[i] !== first[i]) n++;
          return n;
        }"""
        panes = desk.editor("(e) => e.view.shown.map(({id}) => id)")
        assert len(panes) >= 2
        assert not any(desk.editor(changed, pane) for pane in panes)
        desk.press("Shift+J")
        desk.page.wait_for_timeout(200)
        assert all(desk.editor(changed, pane) > 1000 for pane in panes)
        desk.press("Shift+J")
        desk.page.wait_for_timeout(200)
        assert not any(desk.editor(changed, pane) for pane in panes)

    def test_it_says_while_they_are_computed(
        self, town: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        go, real = threading.Event(), superpixels.segments

        def slow(*args: Any) -> Any:
            go.wait(20)
            return real(*args)

        monkeypatch.setattr(superpixels, "segments", slow)
        desk = town.open()
        desk.press("4", "Shift+L")
        desk.hover(40, 40)
        note = desk.page.locator(".superpixel-note")
        expect(note).to_be_visible()
        click(desk, (40, 40))
        expect(desk.page.locator(".banner")).to_contain_text("Computing superpixels")
        # Painting with other tools goes on meanwhile.
        desk.press("b")
        click(desk, (80, 40))
        desk.expect_state("saved, version 1")
        go.set()
        expect(note).to_be_hidden(timeout=15_000)


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
    found: list[int] = []
    for _ in range(100):
        found = desk.editor(script, [x - box["x"], y - box["y"]])
        if found == [*wanted, 255]:
            return
        desk.page.wait_for_timeout(50)
    raise AssertionError(f"{found} at {at}, not {wanted}")


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
        desk.page.wait_for_function(
            "document.querySelector('#host').shadowRoot.querySelector('.editor').editor"
            ".features.superpixels.at(10, 57)"
        )
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
        ready = ".features.superpixels.at(60, {column})"
        for column in (1000, 1060):
            desk.hover(60, column)
            desk.page.wait_for_function(
                "document.querySelector('#host').shadowRoot.querySelector('.editor').editor"
                + ready.format(column=column)
            )
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
