"""Gestures of the tools for shapes, and what the labels and the preview then hold."""

from typing import Any

import numpy as np

from core import history
from tests.editor.conftest import Bench, Desk

SHAPE = (96, 80)
SQUARE = [(20.0, 10.0), (20.0, 40.0), (50.0, 40.0), (50.0, 10.0)]
PAINTED = 6
SEGMENT_AT = "(e, [row, col]) => !!e.features.superpixels.at(row, col)"


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


def paths(desk: Desk) -> list[str]:
    found: list[str] = desk.editor("(e) => [...e.preview.paths.keys()]")
    return found


def previews(desk: Desk) -> list[str]:
    found: list[str] = desk.editor("(e) => [...e.preview.shown.keys()]")
    return found


def preview_pixels(desk: Desk, name: str) -> int:
    script = "(e, n) => e.preview.shown.get(n)[0].mask.data.reduce((a, b) => a + b, 0)"
    return int(desk.editor(script, name))


def hold(desk: Desk, at: tuple[float, float], dx: float = 0) -> None:
    """Press on a pixel and drag sideways by pixels of the screen, without letting go."""
    x, y = desk.point(*at)
    desk.page.mouse.move(x, y)
    desk.page.mouse.down()
    if dx:
        desk.page.mouse.move(x + dx, y, steps=3)
