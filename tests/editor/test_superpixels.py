"""Superpixels in a real browser: labels, undo, outlines, what is said meanwhile."""

import threading
import zlib
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from core import catalogue, superpixels
from tests.editor.conftest import Bench, Desk
from tests.editor.shapes import (
    SEGMENT_AT,
    SHAPE,
    click,
    hold,
    labels,
    paths,
    tools_of,
    undo_and_reload,
)

pytestmark = pytest.mark.browser


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
        desk.wait_for(SEGMENT_AT, [40, 40])
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
        desk.soon(lambda: all(desk.editor(changed, pane) > 1000 for pane in panes))
        desk.press("Shift+J")
        desk.soon(lambda: any(desk.editor(changed, pane) for pane in panes), False)

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
