"""Panes: what each shows, read from its pixels; layouts, comparing, nudging, scale and the log."""

import json

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from core.nudge import nudges
from core.store.tables import EditRow
from tests.editor.conftest import Bench
from tests.editor.many_bands import SURE, UNSURE, enrich
from tests.editor.wall import LEFT, RIGHT, Wall, near

pytestmark = pytest.mark.browser

DISAGREES = [230, 0, 172]


@pytest.fixture
def wall(bench: Bench) -> Wall:
    ids = enrich(bench.scene)
    return Wall(bench.open(), ids)


def test_each_band_of_sar_is_shown_in_decibels(wall: Wall) -> None:
    wall.choose(0, "SAR s1, VV")
    wall.choose(1, "SAR s1, VH")
    assert near(wall.colour(0, LEFT), [0, 0, 0]) and near(wall.colour(0, RIGHT), [255] * 3)
    assert near(wall.colour(1, LEFT), [255] * 3) and near(wall.colour(1, RIGHT), [0, 0, 0])
    expect(wall.caption(0)).to_contain_text("SAR VV")
    expect(wall.desk.page.locator('[data-slot="0"] .range')).to_have_text("-25 to 0 dB")


def test_bands_and_indices_are_worked_out(wall: Wall) -> None:
    wall.desk.editor("(e, id) => e.display.choose({acquisition: id})", _date(wall, "2024-10-01"))
    wall.choose(0, "NDVI")
    low, high = wall.colour(0, RIGHT)[0], wall.colour(0, LEFT)[0]
    assert high == 255  # (0.3 - 0) / (0.3 + 0)
    assert low == pytest.approx(255 * 0.75, abs=3)  # (0.3 - 0.1) / (0.3 + 0.1) on -1 to 1
    expect(wall.caption(0)).to_contain_text("NDVI")


def test_three_bands_make_a_false_colour(wall: Wall) -> None:
    wall.desk.editor("(e, id) => e.display.choose({acquisition: id})", _date(wall, "2024-10-01"))
    wall.desk.editor(
        """(e) => e.display.setView(0, {
          id: 'bands:optical:s2', base: {modality: 'optical', name: 's2'}, overlays: [],
          rendering: {bands: [4, 3, 1], stretch: 'none'}, blend: null, model: null})"""
    )
    red, green, blue = wall.colour(0, RIGHT)
    assert red > green > blue
    expect(wall.caption(0)).to_contain_text("nir, red, blue")


def test_maps_are_shown_as_what_they_are(wall: Wall) -> None:
    for slot, label in enumerate(("Confidence", "Label and prediction disagree")):
        wall.choose(slot, label)
    wall.desk.editor("(e) => e.display.changeViews([1], () => ({blend: 1}))")
    assert near(wall.colour(0, LEFT), [UNSURE] * 3)
    assert near(wall.colour(0, RIGHT), [SURE] * 3)
    label, model = wall.desk.editor(
        "(e, [r, c]) => [e.scene.labels.at(r, c).label, e.scene.at(r, c).prediction]", list(LEFT)
    )
    differs = near(wall.colour(1, LEFT), DISAGREES, 45)
    assert differs == (label != model)
    # Painting what the model says takes the mark away, without a reload.
    wall.desk.editor("(e, code) => e.run('class-code', code)", model)
    wall.over(1, LEFT)
    wall.desk.page.mouse.down()
    wall.desk.page.mouse.up()
    assert not near(wall.colour(1, LEFT), DISAGREES, 45)


def test_a_view_goes_below_maps_with_an_opacity_of_its_own(wall: Wall) -> None:
    alone = wall.colour(2, LEFT)
    wall.desk.editor("(e) => e.display.changeViews([2], () => ({blend: 1}))")
    opaque = wall.colour(2, LEFT)
    wall.desk.editor("(e) => e.display.changeViews([2], () => ({blend: 0}))")
    clear = wall.colour(2, LEFT)
    assert near([round((a + b) / 2) for a, b in zip(opaque, clear, strict=True)], alone)
    assert clear == wall.colour(0, LEFT)


def test_a_filter_is_named_in_the_caption(wall: Wall) -> None:
    wall.option(1, "filter", "lee")
    expect(wall.caption(1)).to_contain_text("Lee filter, for display only")
    wall.desk.press("Shift+G")
    expect(wall.caption(1)).to_contain_text("refined Lee filter")
    wall.desk.press("Shift+G")
    expect(wall.caption(1)).not_to_contain_text("filter")


def test_what_is_wrong_with_an_expression_is_said_in_words(wall: Wall) -> None:
    page = wall.desk.page
    wall.choose(1, "SAR s1, as stored")
    wall.caption(1).click()
    field = page.locator(".expression")
    field.fill("VV - VX")
    note = page.locator(".expression-note.wrong")
    expect(note).to_contain_text("VX")
    expect(note).to_contain_text("VV, VH")
    field.fill("VH - VV")
    expect(page.locator(".expression-note")).to_have_text("Shown.")
    field.press("Enter")
    page.keyboard.press("Escape")
    expect(wall.caption(1)).to_contain_text("VH - VV")
    assert page.evaluate("window.commands") == []  # Enter in a field is not "done"
    assert wall.colour(1, LEFT)[0] > wall.colour(1, RIGHT)[0]


def test_layout_and_views_are_remembered(wall: Wall) -> None:
    page = wall.desk.page
    page.locator('[data-layout="2x3"].command').click()
    wall.choose(5, "SAR s1, VH")
    page.reload()
    wall.desk.wait_painted()
    assert page.locator(".pane:visible").count() == 6
    expect(wall.caption(5)).to_contain_text("SAR VH")
    assert near(wall.colour(5, LEFT), [255] * 3)


@pytest.mark.parametrize(
    "kept",
    [
        {"version": 0, "kinds": {"land_cover": {"layout": "1"}}},
        {
            "version": 1,
            "kinds": {"land_cover": {"layout": "9x9", "panes": {"2x2": [1, None, "x"]}}},
        },
        {"version": 1, "kinds": {"land_cover": {"panes": {"2x2": [{"id": "a", "base": 7}]}}}},
        "nonsense",
    ],
)
def test_old_settings_give_way(wall: Wall, kept: object) -> None:
    page = wall.desk.page
    page.evaluate(
        "(v) => localStorage.setItem('cloudbrush.editor', v)", json.dumps({"views": kept})
    )
    page.reload()
    wall.desk.wait_painted()
    titles = page.locator(".pane:visible .title").all_text_contents()
    assert titles == ["Optical", "SAR", "Label", "Prediction"]


@pytest.mark.parametrize(
    ("layout", "panes"),
    [("1", 1), ("2c", 2), ("2r", 2), ("3c", 3), ("1+2", 3), ("2x2", 4), ("1+4", 5), ("2x3", 6)],
)
def test_every_layout_shows_its_panes(wall: Wall, layout: str, panes: int) -> None:
    wall.layout(layout)
    boxes = [pane.bounding_box() for pane in wall.desk.page.locator(".pane:visible").all()]
    assert len(boxes) == panes
    area = wall.desk.page.locator(".panes").bounding_box()
    assert area is not None
    covered = sum(box["width"] * box["height"] for box in boxes if box)
    assert covered > 0.97 * area["width"] * area["height"]
    wall.desk.press("z")
    wall.settle()
    assert wall.desk.editor("(e) => e.view.shown.every((p) => p.canvas.width > 0)")


def test_a_small_pane_shows_and_paints_the_same_ground(wall: Wall) -> None:
    wall.layout("1+2")
    wall.desk.press("+", "+", "+")
    wall.choose(2, "Label")
    middle = (48, 40)
    assert wall.colour(0, middle) == wall.colour(2, middle)
    code = next(c for c in (3, 4) if wall.desk.label(*middle) != c)
    wall.desk.editor("(e, code) => { e.run('class-code', code); e.setDiameter(1); }", code)
    wall.over(2, middle)
    wall.desk.page.mouse.down()
    wall.desk.page.mouse.up()
    assert wall.desk.label(*middle) == code
    assert wall.colour(0, middle) == wall.colour(2, middle)


def test_a_swipe_shows_two_views_in_one_pane(wall: Wall) -> None:
    wall.choose(0, "SAR s1, VV")
    wall.choose(1, "SAR s1, VH")
    page = wall.desk.page
    wall.over(0)
    wall.desk.press(",")
    line = page.locator(".swipe")
    # VV is black at the left of its line, VH is black at the right of it.
    assert near(wall.colour(0, LEFT), [0, 0, 0]) and near(wall.colour(0, RIGHT), [0, 0, 0])
    assert (line.locator(".left").text_content(), line.locator(".right").text_content()) == (
        "SAR VV",
        "SAR VH",
    )
    line.focus()
    line.press("Home")
    assert near(wall.colour(0, LEFT), [255] * 3)
    line.press("End")
    assert near(wall.colour(0, RIGHT), [255] * 3)
    assert line.get_attribute("aria-valuenow") == "100"
    box = line.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(*wall.place(0, (60, 0)))
    page.mouse.up()
    assert near(wall.colour(0, LEFT), [255] * 3)
    assert wall.desk.editor("(e) => e.scene.labels.version") == 0  # dragging it paints nothing
    wall.desk.press("Escape")
    expect(line).to_have_count(0)
    assert near(wall.colour(0, LEFT), [0, 0, 0])


def test_a_flicker_lasts_as_long_as_its_key(wall: Wall) -> None:
    wall.choose(0, "SAR s1, VV")
    wall.choose(1, "SAR s1, VH")
    wall.over(0)
    wall.desk.page.keyboard.down(".")
    assert near(wall.colour(0, LEFT), [255] * 3)
    expect(wall.caption(0)).to_contain_text("SAR VH")
    wall.desk.page.keyboard.up(".")
    assert near(wall.colour(0, LEFT), [0, 0, 0])
    expect(wall.caption(0)).to_contain_text("SAR VV")


def test_the_next_view_comes_in_the_pane_under_the_cursor(wall: Wall) -> None:
    before = wall.desk.editor("(e) => e.display.views.map(({id}) => id)")
    wall.over(1)
    wall.desk.press("F9")
    after = wall.desk.editor("(e) => e.display.views.map(({id}) => id)")
    assert after[1] != before[1]
    assert after[0] == before[0] and after[2:] == before[2:]


def test_a_nudge_moves_the_image_for_everybody_and_never_labels(bench: Bench, wall: Wall) -> None:
    wall.choose(0, "SAR s1, VV")
    edge = (60, 38)  # two pixels left of the border between the halves
    label, shown = wall.desk.shown(), wall.colour(2, edge)
    assert near(wall.colour(0, edge), [0, 0, 0])
    wall.over(0)
    wall.desk.press("F8")
    for key in ("ArrowLeft", "ArrowLeft", "Alt+ArrowLeft", "Shift+ArrowDown"):
        wall.desk.press(key)
    assert near(wall.colour(0, edge), [255] * 3)
    expect(wall.caption(0)).to_contain_text("moved 10 px down and 2.5 px left, for display only")
    assert wall.desk.shown() == label and wall.colour(2, edge) == shown
    wall.desk.press("Escape")
    expect(wall.desk.page.locator(".nudge")).to_have_count(0)
    moved = {wall.ids["s1"]: (10.0, -2.5)}
    wall.desk.soon(lambda: nudges(bench.scene.store, bench.scene.tile), moved)
    other = Wall(bench.open(person="Ben"), wall.ids)
    other.choose(0, "SAR s1, VV")
    assert near(other.colour(0, edge), [255] * 3)


def test_the_scale_bar_has_the_length_it_says(wall: Wall) -> None:
    page = wall.desk.page
    for _ in range(3):
        wall.settle()
        bar = page.locator(".ruler:visible")
        box, text = (
            bar.locator(".length i").bounding_box(),
            bar.locator(".length span").text_content(),
        )
        assert box is not None and text is not None
        scale = wall.desk.editor("(e) => e.view.transform.scale")
        number, unit = text.split()
        metres = float(number) * {"km": 1000, "m": 1, "cm": 0.01}[unit]
        assert box["width"] / scale == pytest.approx(metres, rel=0.02)  # a pixel is 1 m wide
        assert box["width"] <= 121
        wall.desk.press("+", "+")


def test_the_log_names_what_was_on_the_screen(bench: Bench, wall: Wall) -> None:
    wall.choose(0, "SAR s1, VH")
    wall.choose(1, "Confidence")
    wall.desk.stroke((70, 20), (70, 24))
    wall.desk.expect_state("saved, version 1")
    with bench.scene.store.read() as session:
        shown = session.scalar(select(EditRow.panes_shown))
    assert shown is not None
    optical = f"optical/{bench.scene.acquisitions['train']}"
    assert shown[0] == "sar VH"
    assert shown[1] == f"confidence/{wall.ids['prediction']}"
    assert shown[2] == f"label + {optical}"
    assert all(len(name) <= 80 for name in shown)


def test_editing_under_thick_cloud_without_sar_warns_once(wall: Wall) -> None:
    banner = wall.desk.page.locator(".banner")
    wall.desk.stroke((4, 30), (4, 34))
    expect(banner).to_be_hidden()  # SAR is on the screen
    wall.choose(1, "Label")
    wall.desk.stroke((60, 30), (60, 34))
    expect(banner).to_be_hidden()  # no cloud here
    wall.desk.stroke((6, 50), (6, 54))
    expect(banner).to_contain_text("thick cloud")
    wall.desk.editor("(e) => e.panel.hush()")
    wall.desk.stroke((8, 60), (8, 64))
    expect(banner).to_be_hidden()


def test_values_of_every_image_on_the_screen_are_read(wall: Wall) -> None:
    readout = wall.desk.page.locator(".readout")
    wall.choose(0, "SAR s1, as stored")
    wall.over(2, RIGHT)
    expect(readout).to_contain_text("VV 0.0")
    expect(readout).to_contain_text("VH -25.0 dB")


def test_painting_draws_only_panes_with_labels(wall: Wall) -> None:
    wall.settle()
    drawn = wall.desk.editor(
        """async (e) => {
          const seen = {};
          for (const pane of e.view.shown) {
            const clear = pane.context.clearRect.bind(pane.context);
            pane.context.clearRect = (...box) => {
              seen[pane.id] = (seen[pane.id] ?? 0) + 1;
              clear(...box);
            };
          }
          e.view.draw({y0: 60, x0: 20, h: 4, w: 4}, ['label']);
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          return seen;
        }"""
    )
    assert drawn == {"label": 1}


def _date(wall: Wall, name: str) -> int:
    found: int = wall.desk.editor(
        "(e, name) => e.manifest.acquisitions.find((a) => a.name === name).id", name
    )
    return found
