"""Class patterns: told apart without any colour, and drawn on the pixels of their class alone."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.editor.conftest import Bench, Desk
from tests.editor.node import call

COUNT = 19
SIDE = 16


@pytest.fixture(scope="module")
def bitmaps() -> npt.NDArray[np.uint8]:
    script = "(m, count) => Array.from({length: count}, (_, place) => m.bitmap(place))"
    found = call("class_patterns.js", script, COUNT)
    return np.array(found, np.uint8).reshape(COUNT, SIDE, SIDE)


def test_nineteen_patterns_differ_wherever_they_begin(bitmaps: npt.NDArray[np.uint8]) -> None:
    inked = bitmaps == 1
    for one in range(COUNT):
        for other in range(one):
            apart = min(
                float((inked[one] ^ np.roll(inked[other], (dy, dx), (0, 1))).mean())
                for dy in range(SIDE)
                for dx in range(SIDE)
            )
            assert apart >= 0.07, (one, other, apart)


def test_patterns_leave_most_of_the_colour_and_show_plainly(
    bitmaps: npt.NDArray[np.uint8],
) -> None:
    share = (bitmaps == 1).mean(axis=(1, 2))
    assert share.min() >= 0.05 and share.max() <= 0.5


def test_patterns_join_at_their_edges(bitmaps: npt.NDArray[np.uint8]) -> None:
    """Ink that is moved by one pixel has its edge there, also around the border."""
    inked = bitmaps == 1
    moved = np.roll(inked, (1, 1), (1, 2)) & ~inked
    assert ((bitmaps == 2) == moved).all()


def test_each_class_gets_its_pattern_and_void_and_background_none() -> None:
    script = """(m) => {
      const classes = [{code: 3, colour: '#000000'}, {code: 7, colour: '#ffffff'},
        {code: 0, colour: '#101010', isClear: true}, {code: 255, colour: '', isVoid: true}];
      const patterns = new m.ClassPatterns(classes), pixels = new Uint32Array(32 * 16);
      const codes = Uint8Array.from([3, 7, 0, 255]);
      patterns.fill(pixels, {left: 0, top: 0, w: 32, h: 16}, {h: 1, w: 4, codes}, [0, 0, 32, 16]);
      return {pixels, first: m.bitmap(0), second: m.bitmap(1)};
    }"""
    found: dict[str, Any] = call("class_patterns.js", script)
    pixels = np.array(found["pixels"], np.uint32).reshape(16, 32)
    first, second = (np.array(found[name]).reshape(16, 16) for name in ("first", "second"))
    assert ((pixels[:, :8] > 0) == (first[:, :8] > 0)).all()
    assert ((pixels[:, 8:16] > 0) == (second[:, 8:16] > 0)).all()
    assert not pixels[:, 16:].any()
    light, dark = pixels[:, :8][first[:, :8] == 1], pixels[:, 8:16][second[:, 8:16] == 1]
    assert (light & 0xFF).min() > 200  # on black
    assert (dark & 0xFF).max() < 50  # on white


@pytest.mark.browser
def test_patterns_are_drawn_by_key_kept_and_follow_a_stroke(bench: Bench) -> None:
    desk = bench.open()
    desk.press("1", "d")
    desk.stroke((20, 20), (20, 60))
    desk.expect_state("saved, version 1")
    desk.page.mouse.move(0, 0)
    assert inks(desk, 20, 40) == 1
    desk.press("Shift+D")
    assert inks(desk, 20, 40) == 2
    assert desk.page.locator(".classes .patterned").count() == 8
    desk.press("5")
    desk.stroke((60, 20), (60, 60))
    desk.expect_state("saved, version 2")
    assert inks(desk, 60, 40) == 2
    desk.page.reload()
    desk.wait_painted()
    assert inks(desk, 20, 40) == 2
    desk.press("Shift+D")
    assert inks(desk, 20, 40) == 1


def inks(desk: Desk, row: int, col: int) -> int:
    """Return of how many kinds the screen pixels around a tile pixel are: plain, or with marks."""
    found = desk.editor(
        """async (e, [row, col]) => {
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          const {scale, x, y} = e.view.transform, {context} = e.view.panes
            .find(({element}) => element.dataset.pane === 'label');
          const at = [x + (col - 4) * scale, y + (row - 4) * scale, 8 * scale, 8 * scale];
          const {data} = context.getImageData(...at.map(Math.round));
          const grey = new Set();
          for (let i = 0; i < data.length; i += 4) grey.add(data[i] + data[i + 1] + data[i + 2]);
          return grey.size;
        }""",
        [row, col],
    )
    return 1 if found == 1 else 2
