"""Tools, effects and restrictions in a browser: pixels on screen, saved bytes, undo, reload."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from core import history
from core.predictions import save_prediction
from core.store.tables import LayerRow
from tests.editor.conftest import Bench, Desk
from tests.scene import CLASSES, VOID

pytestmark = pytest.mark.browser


@pytest.fixture
def desk(bench: Bench) -> Desk:
    """Return an open tile on which a map predicts water, with a corner that it leaves open."""
    store, scene = bench.harness.store, bench.scene
    codes = np.full((scene.grid.height, scene.grid.width), 6, np.uint8)
    codes[50:, 40:] = VOID
    with store.write() as session:
        row = LayerRow(
            tile_id=scene.tile,
            modality="model",
            name="Elsewhere",
            sources=[["elsewhere.tif", 1]],
            bands=["class"],
            unit="code",
        )
        session.add(row)
        session.flush()
        number = row.id
    save_prediction(store, scene.tile, f"layer/{number}", codes, codes)
    desk = bench.open()
    desk.wait_for("(e) => e.scene.at(1, 1).prediction !== undefined")
    return desk


def now(desk: Desk) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and provenance on the server, after checking that the browser shows them."""
    assert desk.shown() == desk.saved()
    found = history.current(desk.store, desk.tile)
    return found.labels, found.provenance


def saved_at(desk: Desk, version: int) -> tuple[np.ndarray, np.ndarray]:
    """Wait until a version is saved, and return labels and provenance."""
    desk.expect_state(f"saved, version {version}")
    return now(desk)


def last(desk: Desk) -> Any:
    """Return the newest row of the log."""
    return history.timeline(desk.store, desk.tile)[-1]


def colour_at(desk: Desk, row: int, col: int) -> list[int]:
    """Return red, green, blue, alpha of the label as it is drawn, at a tile pixel."""
    desk.settle()
    found: list[int] = desk.editor(
        """(e, [row, col]) => {
          const {canvas} = e.view.panes.find(({layers}) => layers.some((l) => l === e.preview)),
            {scale, x, y} = e.view.transform, ratio = canvas.width / canvas.clientWidth;
          const at = [(col + 0.5) * scale + x, (row + 0.5) * scale + y]
            .map((v) => Math.floor(v * ratio));
          return Array.from(canvas.getContext('2d').getImageData(...at, 1, 1).data);
        }""",
        [row, col],
    )
    return found


def rgb(code: int) -> list[int]:
    """Return the colour of a class, opaque."""
    return [*bytes.fromhex(CLASSES.entry(code).colour[1:]), 255]


def undone_and_reloaded(desk: Desk, version: int, before: tuple[np.ndarray, np.ndarray]) -> None:
    """Undo gives every byte back, redo the result; both are there after a reload."""
    after = now(desk)
    desk.press("Control+z")
    for found, expected in zip(saved_at(desk, version + 1), before, strict=True):
        np.testing.assert_array_equal(found, expected)
    desk.press("Control+y")
    saved_at(desk, version + 2)
    desk.page.reload()
    desk.wait_painted()
    for found, expected in zip(now(desk), after, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_model_brush_takes_the_models_answer_and_nothing_where_there_is_none(
    desk: Desk,
) -> None:
    before = now(desk)
    desk.press("t", "d")
    desk.editor("(e) => e.setDiameter(40)")
    desk.stroke((50, 20), (50, 60))
    labels, provenance = saved_at(desk, 1)
    changed = labels != before[0]
    assert changed.any()
    assert set(labels[changed]) == {6}
    assert set(provenance[changed]) == {3}
    assert not changed[50:, 40:].any()
    assert (last(desk).tool, desk.label(45, 30)) == ("brush", 6)
    assert colour_at(desk, 45, 30) == rgb(6)
    undone_and_reloaded(desk, 1, before)


def test_a_square_brush_paints_squares(desk: Desk) -> None:
    desk.press("Shift+Q", "6")
    desk.editor("(e) => e.setDiameter(9)")
    before = now(desk)[0]
    desk.stroke((40, 40))
    labels = saved_at(desk, 1)[0]
    expected = before.copy()
    expected[36:45, 36:45] = 6
    np.testing.assert_array_equal(labels, expected)


def test_fill_all_changes_every_pixel_of_a_class(desk: Desk) -> None:
    before = now(desk)
    code = int(before[0][30, 30])
    desk.press("Shift+F", "0")
    desk.stroke((30, 30))
    labels, provenance = saved_at(desk, 1)
    np.testing.assert_array_equal(labels, np.where(before[0] == code, VOID, before[0]))
    assert set(provenance[before[0] == code]) == {1}
    assert last(desk).tool == "fill_all"
    undone_and_reloaded(desk, 1, before)


def test_region_commands_act_on_the_region_under_the_cursor(desk: Desk) -> None:
    labels = now(desk)[0]
    at = (20, 20)
    desk.hover(*at)
    desk.press("u")
    marked = saved_at(desk, 1)[1] == 4
    assert marked[at]
    assert set(labels[marked]) == {labels[at]}
    desk.press("w")
    assert (saved_at(desk, 2)[1][marked] == 2).all()
    desk.press("m")
    accepted = saved_at(desk, 3)
    assert (accepted[0][marked] == 6).all() and (accepted[1][marked] == 3).all()
    desk.press("4", "Shift+B")
    set_now = saved_at(desk, 4)
    assert (set_now[0][marked] == 4).all() and (set_now[1][marked] == 1).all()
    desk.press("Control+z", "Control+z", "Control+z", "Control+z")
    np.testing.assert_array_equal(saved_at(desk, 8)[0], labels)
    assert not now(desk)[1].any()


def test_recoding_changes_only_the_classes_it_starts_from(desk: Desk) -> None:
    before = now(desk)
    source = int(before[0][30, 30])
    target = 1 + source % 8
    desk.hover(30, 30)
    desk.press("Shift+I", str(target))
    expect(desk.page.locator(".badges")).to_contain_text("only from")
    desk.editor("(e) => e.setDiameter(120)")
    desk.stroke((40, 40))
    labels = saved_at(desk, 1)[0]
    changed = labels != before[0]
    assert changed.any()
    assert set(before[0][changed]) == {source}
    assert last(desk).restrict == f"from:{source}"
    undone_and_reloaded(desk, 1, before)
    desk.stroke((40, 40))
    expect(desk.page.locator(".banner")).to_contain_text("Nothing was changed: only")
    desk.press("o")
    desk.stroke((40, 40))
    assert last(desk).restrict is None or saved_at(desk, 4)


def test_tools_keep_to_clouds_or_to_clear_ground(desk: Desk) -> None:
    before = now(desk)[0]
    desk.editor("(e) => e.setDiameter(60)")
    desk.press("k", "6")
    desk.stroke((15, 40))
    changed = saved_at(desk, 1)[0] != before
    assert changed[:10].any() and not changed[10:].any(), "the first ten rows are cloudy"
    desk.press("k", "5")
    between = now(desk)[0]
    desk.stroke((15, 40))
    changed = saved_at(desk, 2)[0] != between
    assert changed[10:].any() and not changed[:10].any()
    assert last(desk).restrict == "clear"
    desk.press("k")
    expect(desk.page.locator(".badges")).to_be_hidden()


def test_tools_keep_to_a_drawn_area_until_it_is_forgotten(desk: Desk) -> None:
    before = now(desk)[0]
    desk.press("Shift+A")
    desk.stroke((20, 20), (20, 60), (60, 60), (60, 20), (20, 20))
    assert desk.editor("(e) => [e.settings.tool, e.hand.area.h, e.hand.area.w]") == [
        "brush",
        40,
        40,
    ]
    desk.press("6")
    desk.editor("(e) => e.setDiameter(200)")
    desk.stroke((40, 40))
    changed = saved_at(desk, 1)[0] != before
    inside = np.zeros_like(changed)
    inside[20:60, 20:60] = True
    rows, columns = np.nonzero(changed)
    assert not changed[~inside].any()
    assert np.ptp(rows) > 35 and np.ptp(columns) > 35
    desk.editor("(e) => e.setDiameter(3)")
    desk.stroke((80, 10))
    expect(desk.page.locator(".banner")).to_contain_text("outside the drawn area")
    desk.press("Shift+A")
    desk.stroke((80, 10))
    saved_at(desk, 2)
    desk.press("f", "Shift+A")
    desk.stroke((70, 5), (70, 20), (90, 20), (90, 5))
    assert desk.editor("(e) => [e.settings.tool, e.hand.area.h]") == ["fill", 20]
    desk.page.locator('[data-badge="area"]').click()
    desk.press("Shift+A", "Escape")
    assert desk.editor("(e) => [e.settings.tool, e.hand.area]") == ["fill", None]


def test_verified_pixels_can_be_kept(desk: Desk) -> None:
    desk.hover(30, 30)
    desk.press("w")
    labels, provenance = saved_at(desk, 1)
    desk.editor("(e) => e.setDiameter(200)")
    desk.press("Shift+V", "6")
    desk.stroke((40, 40))
    after, behind = saved_at(desk, 2)
    np.testing.assert_array_equal(after[provenance == 2], labels[provenance == 2])
    assert (behind[provenance == 2] == 2).all()
    assert (after[provenance != 2] == 6).mean() > 0.9
    assert last(desk).restrict == "unverified"


def test_effects_work_with_shapes_as_with_the_brush(desk: Desk) -> None:
    before = now(desk)
    desk.press("6")
    desk.editor("(e) => e.setDiameter(200)")
    desk.stroke((40, 40))
    saved_at(desk, 1)
    desk.press("f", "e")
    desk.stroke((40, 40))
    labels, provenance = saved_at(desk, 2)
    np.testing.assert_array_equal(labels, before[0])
    assert not provenance.any()
    assert desk.editor("(e) => [e.settings.tool, e.settings.effect]") == ["fill", "revert"]
    desk.press("b")
    assert desk.editor("(e) => [e.settings.tool, e.settings.effect]") == ["brush", "class"]


def test_a_stroke_that_waits_is_laid_on_again_with_its_effect(bench: Bench, desk: Desk) -> None:
    before = now(desk)
    bench.harness.stop()
    desk.press("t")
    desk.editor("(e) => e.setDiameter(30)")
    desk.stroke((30, 30), (30, 50))
    desk.hover(70, 10)
    desk.press("u")
    desk.wait_for("(e) => e.outbox.entries.length === 2")
    shown = desk.shown()
    bench.harness.start()
    desk.page.reload()
    desk.wait_painted()
    labels, provenance = saved_at(desk, 2)
    assert desk.shown() == shown
    assert set(provenance[labels != before[0]]) == {3}
    assert (provenance == 4).any()


def test_alt_and_drag_sets_the_size_of_the_brush_and_paints_nothing(desk: Desk) -> None:
    before = desk.shown()
    sizes = [desk.editor("(e) => e.settings.diameter")]
    for step in (80, -160):
        desk.hover(40, 40)
        x, y = desk.point(40, 40)
        desk.page.keyboard.down("Alt")
        desk.page.mouse.down()
        desk.page.mouse.move(x + step, y, steps=4)
        desk.page.mouse.up()
        desk.page.keyboard.up("Alt")
        sizes.append(desk.editor("(e) => e.settings.diameter"))
    assert sizes[2] < sizes[0] < sizes[1]
    assert desk.shown() == before == desk.saved()


def test_pen_pressure_scales_the_brush_only_when_asked(desk: Desk) -> None:
    size = "(e, pressure) => e.hand.diameter({pressure})"
    desk.editor("(e) => e.setDiameter(40)")
    assert desk.editor(size, 0.25) == 40
    desk.press("Shift+S")
    assert [desk.editor(size, p) for p in (0.25, 1, 0.001, None)] == [10, 40, 4, 40]


def test_touch_paints_with_one_finger_and_moves_with_two(desk: Desk) -> None:
    send = """(e, events) => {
      const pane = e.view.panes[0].element, box = pane.getBoundingClientRect();
      for (const [type, id, x, y] of events)
        pane.dispatchEvent(new PointerEvent(type, {pointerId: id, pointerType: 'touch', button: 0,
          clientX: box.left + x, clientY: box.top + y, bubbles: true, isPrimary: id === 1}));
      return [e.view.transform.scale, e.scene.labels.stroke !== null];
    }"""
    before = now(desk)
    scale = desk.editor("(e) => e.view.transform.scale")
    desk.press("6")
    zoomed, painting = desk.editor(
        send,
        [
            ["pointerdown", 1, 200, 150],
            ["pointermove", 1, 205, 150],
            ["pointerdown", 2, 260, 150],
            ["pointermove", 2, 320, 150],
            ["pointerup", 2, 320, 150],
            ["pointermove", 1, 150, 150],
            ["pointerup", 1, 150, 150],
        ],
    )
    assert not painting
    assert zoomed == pytest.approx(scale * 115 / 55, rel=0.01)
    np.testing.assert_array_equal(now(desk)[0], before[0])
    desk.editor(
        send,
        [
            ["pointerdown", 3, 200, 150],
            ["pointermove", 3, 240, 150],
            ["pointerup", 3, 240, 150],
        ],
    )
    assert 6 in saved_at(desk, 1)[0][now(desk)[0] != before[0]]


def test_random_restricted_strokes_hash_equal_in_browser_and_server(desk: Desk) -> None:
    count = desk.editor(
        """async (e) => {
          let state = 7, made = 0;
          const random = (n) => (state = (state * 1103515245 + 12345) % 2147483648) % n;
          const pick = (...list) => list[random(list.length)];
          for (let i = 0; i < 60; i++) {
            e.change({where: pick('anywhere', 'anywhere', 'cloudy', 'clear'),
              unverified: random(2) === 0, recode: {on: random(3) === 0, from: [1, 2, 3, 4, 6]}});
            const h = 1 + random(40), w = 1 + random(40);
            const data = Uint8Array.from({length: h * w}, () => random(2));
            const mask = {y0: random(96 - h), x0: random(80 - w), h, w, data};
            const effect = pick('class', 'class', 'revert', 'model', 'verify', 'unsure');
            if (await e.hand.apply('polygon', mask, {effect, toClass: random(9)})) made++;
            if (random(4) === 0) e.run(pick('undo', 'undo', 'redo'));
          }
          return made;
        }"""
    )
    assert count > 12
    desk.expect_sent()
    now(desk)


@pytest.mark.parametrize("broken", [False, True])
def test_a_large_region_is_found_by_the_worker_or_without_one(desk: Desk, broken: bool) -> None:
    same, worked = desk.editor(
        """async (e, broken) => {
          const {Labels, BLOCK} = await import('/assets/editor/labels.js');
          const {classAt, regionAt} = await import('/assets/editor/tools/fill.js');
          const {classOf, regionOf} = await import('/assets/editor/regions.js');
          const side = 2 * BLOCK, labels = new Labels(side, side), at = {y: 700.5, x: 3.5};
          let state = 5;
          const random = () => (state = (state * 1103515245 + 12345) % 2147483648) >> 16;
          for (const [by, bx] of [[0, 0], [0, 1], [1, 0], [1, 1]])
            labels.setBlock(by, bx, {provenance: new Uint8Array(BLOCK * BLOCK),
              labels: Uint8Array.from({length: BLOCK * BLOCK}, () => 1 + (random() % 5 > 2))});
          if (broken) e.worker.run = async () => { throw new Error('no worker'); };
          const values = labels.window({y0: 0, x0: 0, h: side, w: side});
          const equal = (a, b) => a.value === b.value && a.y0 === b.y0 && a.x0 === b.x0 &&
            a.w === b.w && a.data.every((bit, i) => bit === b.data[i]) &&
            a.lengths.length === b.lengths.length;
          const region = await regionAt(labels, at, e.worker);
          const all = await classAt(labels, at, e.worker);
          return [equal(region, regionOf(values, side, side, 700, 3)) &&
            equal(all, classOf(values, side, side, 700, 3)), e.worker.worker !== null];
        }""",
        broken,
    )
    assert (same, worked) == (True, not broken)
