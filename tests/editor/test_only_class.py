"""Only the chosen class of the label, read from the panes."""

import pytest
from playwright.sync_api import expect

from tests.editor.conftest import Bench, Desk

pytestmark = pytest.mark.browser

# How many pixels of each class are drawn, of those of a layer: a device pixel for each tile pixel.
COUNTS = """async (e, outlines) => {
  const {contoursOf} = await import('/assets/editor/contours.js');
  const {labels, label} = e.scene, layer = outlines ? contoursOf(label) : label;
  const canvas = new OffscreenCanvas(labels.width, labels.height);
  const context = canvas.getContext('2d'), counts = {};
  layer.opacity = 0.999;
  layer.draw(context, {scale: 1, x: 0, y: 0, ratio: 1,
    visible: {y0: 0, x0: 0, h: labels.height, w: labels.width}});
  const {data} = context.getImageData(0, 0, labels.width, labels.height);
  for (let i = 0; i < labels.height * labels.width; i++) {
    if (!data[4 * i + 3]) continue;
    const {label: code} = labels.at(Math.floor(i / labels.width), i % labels.width);
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}"""


def counts(desk: Desk, *, outlines: bool = False) -> dict[int, int]:
    """Return how many pixels are drawn of each class."""
    found = desk.editor(COUNTS, outlines)
    return {int(code): number for code, number in found.items()}


def shares(desk: Desk) -> dict[int, int]:
    """Return how many pixels of each class there are."""
    found = desk.editor("(e) => Array.from(e.scene.labels.counts)")
    return {code: number for code, number in enumerate(found) if number}


def test_only_the_chosen_class_is_drawn_and_follows_the_choice(bench: Bench) -> None:
    desk = bench.open()
    assert counts(desk) == shares(desk)
    desk.press("3", "Shift+X")
    expect(desk.page.locator(".banner")).to_contain_text("only the chosen class")
    expect(desk.page.locator('[data-command="only-class"]').first).to_have_attribute(
        "aria-pressed", "true"
    )
    assert counts(desk) == {3: shares(desk)[3]}
    assert set(counts(desk, outlines=True)) == {3}
    desk.press("5")
    assert counts(desk) == {5: shares(desk)[5]}
    desk.editor("(e) => e.setDiameter(15)")
    desk.stroke((40, 20), (40, 50))
    assert counts(desk) == {5: shares(desk)[5]}
    desk.press("0")
    assert set(counts(desk)) <= {0}
    desk.press("Shift+X")
    assert counts(desk) == shares(desk)


def test_it_holds_on_the_next_tile(bench: Bench) -> None:
    desk = bench.open()
    desk.press("3", "Shift+X")
    second = bench.scene.tiles["second"]
    desk.page.evaluate("(tile) => window.show(tile)", second)
    Desk(desk.page, desk.store, second).wait_painted()
    assert counts(desk) == {3: shares(desk)[3]}


def test_a_class_that_is_drawn_clear_is_seen_alone(town: Bench) -> None:
    desk = town.open()
    assert 0 not in counts(desk)
    desk.press("1", "Shift+X")
    assert counts(desk) == {0: shares(desk)[0]}
