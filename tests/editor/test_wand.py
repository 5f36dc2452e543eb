"""The magic wand in a real browser: tolerance, specks, images, labels, undo."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect
from scipy import ndimage

from tests.editor.conftest import Bench, Desk
from tests.editor.shapes import (
    SHAPE,
    click,
    hold,
    labels,
    preview_pixels,
    previews,
    tools_of,
    undo_and_reload,
)

pytestmark = pytest.mark.browser


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


def wait_for_wand(desk: Desk) -> None:
    """Wait until the wand shows what it found."""
    desk.wait_for("(e) => e.preview.shown.has('wand')")


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
        desk.soon(lambda: preview_pixels(desk, "wand"), 96 * 80)
        desk.page.mouse.move(x, y, steps=4)
        desk.soon(lambda: preview_pixels(desk, "wand"), 12 * 16)
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
            desk.settle()
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
