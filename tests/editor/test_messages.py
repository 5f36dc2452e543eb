"""What the editor says: a passing note does not take away a warning that stays."""

import pytest
from playwright.sync_api import Locator, expect

from tests.editor.conftest import Bench, Desk

pytestmark = pytest.mark.browser

WARN = "(e, text) => { window.takeBack = e.panel.say(text, {kind: 'warning', sticky: true}); }"


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return bench.open()


def banner(desk: Desk) -> Locator:
    return desk.page.locator(".banner")


def test_a_warning_comes_back_when_a_passing_note_goes(desk: Desk) -> None:
    desk.editor(WARN, "A brush stroke was refused.")
    desk.editor("(e) => e.panel.say('Panes: two columns.')")
    expect(banner(desk)).to_contain_text("two columns")
    expect(banner(desk)).to_contain_text("refused", timeout=8000)
    assert banner(desk).get_attribute("data-kind") == "warning"
    banner(desk).get_by_label("Dismiss").click()
    expect(banner(desk)).to_be_hidden()


def test_escape_dismisses_the_note_before_the_warning(desk: Desk) -> None:
    desk.editor(WARN, "A brush stroke was refused.")
    desk.editor(WARN, "The server fails on a stroke.")
    desk.editor("(e) => e.panel.say('Panes: two columns.')")
    for text in ("server fails", "refused"):
        desk.press("Escape")
        expect(banner(desk)).to_contain_text(text)
    desk.press("Escape")
    expect(banner(desk)).to_be_hidden()


def test_words_are_taken_back_by_who_said_them(desk: Desk) -> None:
    desk.editor(WARN, "A brush stroke was refused.")
    desk.editor("(e) => e.panel.say('Panes: two columns.')")
    desk.page.evaluate("window.takeBack()")
    expect(banner(desk)).to_contain_text("two columns")
    desk.press("Escape")
    expect(banner(desk)).to_be_hidden()


def test_an_area_that_is_drawn_takes_back_its_own_words_alone(desk: Desk) -> None:
    desk.press("Shift+A")
    expect(banner(desk)).to_contain_text("Draw around")
    desk.editor(WARN, "A brush stroke was refused.")
    desk.stroke((30, 20), (30, 60), (60, 60), (60, 20))
    assert desk.editor("(e) => e.hand.area !== null")
    expect(banner(desk)).to_contain_text("refused")
    expect(banner(desk)).to_be_visible()
