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
    desk.press("o")
    assert sources.count() == 0


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
