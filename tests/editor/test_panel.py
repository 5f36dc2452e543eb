"""The furniture: badges that come off, sections that stay folded, recoding in the class list."""

import pytest
from playwright.sync_api import expect

from tests.editor.conftest import Bench

pytestmark = pytest.mark.browser


def test_restrictions_and_effects_are_badges_and_a_click_takes_them_off(bench: Bench) -> None:
    desk = bench.open()
    badges = desk.page.locator(".badge")
    assert badges.count() == 0
    desk.editor("(e) => e.change({recode: {on: true, from: [2, 6]}})")
    desk.press("k", "Shift+V", "e")
    expect(badges).to_have_text(
        [
            "paints the label as it came",
            "only from Rangeland, Water",
            "only where cloudy",
            "never verified pixels",
        ]
    )
    while badges.count():
        badges.first.click()
    found = desk.editor("({settings: s}) => [s.effect, s.recode, s.where, s.unverified]")
    assert found == ["class", {"on": False, "from": [2, 6]}, "anywhere", False]


def test_recoding_is_chosen_in_the_class_list(bench: Bench) -> None:
    desk = bench.open()
    sources = desk.page.locator(".from:visible")
    assert sources.count() == 0
    desk.hover(20, 20)
    here = desk.label(20, 20)
    desk.press("Shift+I")
    expect(sources).to_have_count(9)
    pressed = desk.page.locator('.from[aria-pressed="true"]')
    expect(pressed).to_have_count(1)
    other = desk.page.get_by_role(
        "button", name="Recode from Water" if here != 6 else "Recode from Tree"
    )
    other.click()
    expect(pressed).to_have_count(2)
    assert set(desk.editor("(e) => e.settings.recode.from")) == {here, 6 if here != 6 else 5}
    expect(desk.page.locator(".banner")).to_contain_text("may change now")
    desk.press("o")
    assert sources.count() == 0
    # Begun anew, it takes only the class that is pointed at.
    desk.hover(20, 20)
    desk.press("Shift+I")
    assert desk.editor("(e) => e.settings.recode.from") == [here]


def test_recoding_from_a_class_of_another_project_is_not_taken_along(bench: Bench) -> None:
    desk = bench.open()
    desk.editor(
        "(e) => e.settings.change({recode: {on: true, from: [2], project: e.manifest.project.id}})"
    )
    desk.page.reload()
    desk.wait_painted()
    badges = desk.page.locator(".badge")
    expect(badges).to_have_text(["only from Rangeland"])
    desk.editor("(e) => e.settings.change({recode: {on: true, from: [2], project: 999}})")
    desk.page.reload()
    desk.wait_painted()
    assert desk.editor("(e) => e.settings.recode") == {"on": False, "from": []}
    expect(desk.page.locator(".badge")).to_have_count(0)


def test_a_question_is_not_answered_by_keys_meant_for_the_panes(bench: Bench) -> None:
    desk = bench.open()
    desk.editor(
        "(e) => void e.panel.ask('Which?', 'One or two.', [{value: 'one', label: 'One'},"
        " {value: 'two', label: 'Two'}]).then((value) => { window.answered = value; })"
    )
    desk.press("Enter", "Space")
    assert desk.page.locator(".dialog").is_visible()
    desk.page.wait_for_timeout(600)
    desk.press("Enter")
    assert desk.page.evaluate("window.answered") == "one"


def test_captions_are_in_nobodys_way(bench: Bench) -> None:
    desk = bench.open()
    page, caption = desk.page, desk.page.locator('[data-pane="label"] .caption')
    desk.editor("(e) => { e.view.place = {y: 30, x: 30, scale: 14}; }")
    box = caption.bounding_box()
    assert box is not None
    x, y = box["x"] + 12, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    assert desk.editor("(e) => e.probe.cursor !== null")
    desk.press("3")
    page.mouse.down()
    page.mouse.move(x + 60, y + 60, steps=5)
    page.mouse.up()
    desk.expect_state("saved, version 1")
    assert page.locator(".view-menu").is_hidden()
    caption.click()
    assert page.locator(".view-menu").is_visible()
    # The menu lies beside the pane that it changes.
    pane = page.locator('[data-pane="label"]').bounding_box()
    menu = page.locator(".view-menu").bounding_box()
    assert pane is not None and menu is not None
    assert menu["x"] >= pane["x"] + pane["width"] or menu["x"] + menu["width"] <= pane["x"]


def test_a_folded_section_stays_folded(bench: Bench) -> None:
    desk = bench.open()
    fold = desk.page.get_by_role("button", name="Brush", exact=True).and_(
        desk.page.locator(".fold")
    )
    expect(fold).to_have_attribute("aria-expanded", "true")
    fold.click()
    expect(fold).to_have_attribute("aria-expanded", "false")
    assert desk.page.get_by_label("Brush size").is_hidden()
    desk.page.reload()
    desk.wait_painted()
    expect(fold).to_have_attribute("aria-expanded", "false")
    fold.click()
    assert desk.page.get_by_label("Brush size").is_visible()


def test_the_slider_is_moved_by_keys_and_keeps_the_focus(bench: Bench) -> None:
    desk = bench.open()
    desk.page.get_by_label("Brush size").focus()
    before = desk.editor("(e) => e.settings.diameter")
    desk.press("ArrowRight", "ArrowRight", "ArrowRight")
    assert desk.editor("(e) => e.settings.diameter") > before
    assert desk.page.get_by_label("Brush size").evaluate("(slider) => slider.matches(':focus')")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1366, 768), (1920, 1080)])
def test_nothing_of_the_toolbar_is_cut_off(bench: Bench, width: int, height: int) -> None:
    desk = bench.open()
    desk.page.set_viewport_size({"width": width, "height": height})
    tools = desk.page.locator(".tools").evaluate("(t) => [t.scrollHeight, t.clientHeight]")
    assert tools[0] <= tools[1]
    bar = desk.page.locator(".bar").evaluate("(t) => [t.scrollWidth, t.clientWidth]")
    assert bar[0] <= bar[1]
    desk.press("?")
    sheet = desk.page.locator(".sheet .scroll").evaluate(
        "(t) => [t.scrollHeight, t.clientHeight, t.scrollWidth, t.clientWidth]"
    )
    assert sheet[0] <= sheet[1] and sheet[2] <= sheet[3]


@pytest.mark.parametrize("width", [1180, 1280, 1440])
def test_a_suggestion_is_whole_in_the_bar(bench: Bench, width: int) -> None:
    desk = bench.open()
    desk.page.set_viewport_size({"width": width, "height": 800})
    desk.editor(
        """(e) => {
          const {element, words} = e.features.suggest, {bar} = e.panel;
          words.textContent = 'Developed space, 4,901 px, 93 % of the strokes held out agree';
          element.hidden = false;
          for (const {select} of [bar.acquisition, bar.model])
            select.options[0].textContent = 'A long name of an image or of a model';
        }"""
    )
    shown = desk.page.locator(".suggestion")
    outer = shown.bounding_box()
    bar = desk.page.locator(".bar").bounding_box()
    choice = desk.page.locator(".bar .choice").first.bounding_box()
    done = desk.page.locator('[data-command="done"]').first.bounding_box()
    assert outer and bar and choice and done
    for name in ("suggest-accept", "suggest-drop"):
        box = shown.locator(f'[data-command="{name}"]').bounding_box()
        assert (
            box
            and box["x"] >= outer["x"]
            and box["x"] + box["width"] <= outer["x"] + outer["width"]
        )
    assert outer["x"] + outer["width"] <= choice["x"]
    assert done["x"] + done["width"] <= bar["x"] + bar["width"]
