"""The editor without a mouse, without colours and read aloud: axe-core, focus and roles."""

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.editor.conftest import Bench, Desk

pytestmark = pytest.mark.browser

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EXCEPTIONS = {
    # Landmarks of the page around the editor are Streamlit's; here the editor stands alone.
    "region",
}

_RUN = """(standards) => axe.run({fromShadowDom: ['#host', '.editor']}, {
  runOnly: {type: 'tag', values: standards}, resultTypes: ['violations'],
}).then(({violations, passes}) => ({passes: passes.length, violations: violations.map((found) => ({
  id: found.id, help: found.help,
  nodes: found.nodes.map((node) => `${node.html.slice(0, 160)} ${node.failureSummary}`)}))}))"""


def violations(page: Page) -> str:
    """Return what axe-core finds wrong in the editor as it is shown, empty when nothing."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate(_RUN, STANDARDS)
    assert found["passes"] > 10, "axe-core did not look into the editor"
    wrong = [each for each in found["violations"] if each["id"] not in EXCEPTIONS]
    return json.dumps(wrong, indent=1) if wrong else ""


def _key(*keys: str) -> Callable[[Desk], None]:
    return lambda desk: desk.press(*keys)


def _say(desk: Desk) -> None:
    desk.editor(
        "(e) => e.panel.say('Something happened.', {kind: 'warning', sticky: true, "
        "action: {label: 'Load again', run() {}}})"
    )


def _ask(desk: Desk) -> None:
    desk.editor(
        "(e) => void e.panel.ask('Two strokes overlap', 'Ben painted 12 of the same pixels.', "
        "[{value: 'mine', label: 'Mine', primary: true}, {value: 'theirs', label: 'Theirs'}])"
    )


def _restrict(desk: Desk) -> None:
    desk.hover(20, 20)
    desk.press("Shift+I", "k", "Shift+V", "t")
    assert desk.page.locator(".badge:visible").count() >= 4


def _timeline(desk: Desk) -> None:
    desk.press("3")
    desk.stroke((20, 20), (20, 40))
    desk.expect_state("saved, version 1")
    desk.press("Shift+H")
    desk.page.locator(".dock :visible").first.wait_for()


OPENED: dict[str, Callable[[Desk], None]] = {
    "as it opens": lambda _desk: None,
    "the key sheet": _key("?"),
    "changing keys": _key("F4"),
    "a message": _say,
    "a choice": _ask,
    "class patterns": _key("Shift+D"),
    "effects and restrictions": _restrict,
    "the menu of a pane": lambda desk: desk.page.locator("button.caption").first.click(),
    "the layouts": _key("F2"),
    "swiping": _key(","),
    "nudging": _key("F8"),
    "commands on many pixels": _key("Shift+M"),
    "the timeline": _timeline,
}


@pytest.mark.parametrize("what", OPENED)
def test_axe_finds_nothing_in(bench: Bench, what: str) -> None:
    desk = bench.open()
    OPENED[what](desk)
    assert violations(desk.page) == ""


def focused(desk: Desk) -> str:
    """Return what names the element with the focus: its command, class or label."""
    return str(
        desk.editor(
            "(e) => { const on = e.element.getRootNode().activeElement;"
            " return on ? on.dataset.command ?? on.ariaLabel ?? on.className : '' }"
        )
    )


def test_tab_goes_through_bar_tools_classes_and_settings(bench: Bench) -> None:
    desk = bench.open()
    desk.page.locator("#field").focus()
    seen = []
    for _ in range(40):
        desk.press("Tab")
        seen.append(focused(desk))
        if seen[-1] == "smaller":
            break
    places = [seen.index(name) for name in ("crumb", "done", "brush", "class-1", "smaller")]
    assert places == sorted(places)
    # A toolbar and a class list are one stop each.
    assert "revert" not in seen and "class-2" not in seen


def test_arrow_keys_move_within_tools_and_classes(bench: Bench) -> None:
    desk = bench.open()
    desk.page.locator('.tools [data-command="brush"]').focus()
    desk.press("ArrowDown", "ArrowDown", "ArrowUp")
    moved = focused(desk)
    assert moved not in ("brush", "") and desk.editor("(e) => e.settings.tool") == "brush"
    desk.page.locator('.classes [data-command="class-1"]').focus()
    desk.press("End")
    assert focused(desk) == "void"
    desk.press("ArrowDown", "ArrowDown", "Space")
    assert desk.editor("(e) => e.classCode") == 2
    assert focused(desk) == "class-2"


def test_enter_and_space_press_the_button_with_the_focus(bench: Bench) -> None:
    desk = bench.open()
    desk.page.locator('.tools [data-command="fill"]').focus()
    desk.press("Enter")
    assert desk.editor("(e) => e.settings.tool") == "fill"
    assert desk.page.evaluate("window.commands") == []
    desk.page.locator('.tools [data-command="brush"]').focus()
    desk.press("Space")
    assert desk.editor("(e) => e.settings.tool") == "brush"


def test_a_click_leaves_the_keys_to_the_commands(bench: Bench) -> None:
    desk = bench.open()
    desk.page.locator('.tools [data-command="fill"]').click()
    assert focused(desk) == ""
    desk.press("Space")
    assert desk.editor("(e) => e.settings.tool") == "fill"


@pytest.mark.parametrize("key", ["?", "F4"])
def test_a_dialog_keeps_the_focus_and_gives_it_back(bench: Bench, key: str) -> None:
    desk = bench.open()
    desk.page.locator('.tools [data-command="fill"]').focus()
    desk.press(key)
    dialog = desk.page.locator('[aria-modal="true"]:visible')
    assert dialog.count() == 1
    for step in ["Tab"] * 5 + ["Shift+Tab"] * 12:
        desk.press(step)
        inside = "(e) => !!e.element.getRootNode().activeElement.closest('[aria-modal=true]')"
        assert desk.editor(inside)
    desk.press("Escape")
    assert dialog.count() == 0
    assert focused(desk) == "fill"


def test_keys_do_not_paint_behind_a_dialog(bench: Bench) -> None:
    desk = bench.open()
    desk.press("F4")
    desk.page.get_by_role("button", name="Close", exact=True).last.focus()
    desk.press("e")
    assert desk.editor("(e) => e.settings.tool") == "brush"
    assert desk.editor("(e) => e.settings.effect ?? 'class'") == "class"


def test_a_choice_waits_for_an_answer(bench: Bench) -> None:
    desk = bench.open()
    _ask(desk)
    desk.press("Escape")
    assert desk.page.get_by_role("alertdialog").is_visible()
    desk.page.wait_for_timeout(600)  # what was pressed for the panes does not answer
    desk.press("Enter")
    assert desk.page.get_by_role("alertdialog").count() == 0


def test_messages_and_tools_are_read_aloud(bench: Bench) -> None:
    desk = bench.open()
    desk.press("f")
    assert desk.page.locator('.unseen[role="status"]').text_content() == "Fill, Bareland"
    desk.editor("(e) => e.panel.say('Saved elsewhere.')")
    assert desk.page.locator('.unseen[role="status"]').text_content() == "Saved elsewhere."
    desk.editor("(e) => e.panel.say('Not saved.', {kind: 'warning'})")
    assert desk.page.locator('.unseen[role="alert"]').text_content() == "Not saved."


def test_tools_say_which_is_in_hand_and_classes_which_is_chosen(bench: Bench) -> None:
    desk = bench.open()
    desk.press("f", "3")
    page = desk.page
    assert page.locator('.tools [data-command="fill"]').get_attribute("aria-pressed") == "true"
    assert page.locator('.tools [data-command="brush"]').get_attribute("aria-pressed") == "false"
    assert page.get_by_role("radio", checked=True).get_attribute("data-command") == "class-3"


SMALL = """(least) => [
    ...document.querySelector('#host').shadowRoot.querySelectorAll('button, select')]
  .filter((item) => item.offsetParent)
  .map((item) => [item.dataset.command ?? item.textContent, item.getBoundingClientRect()])
  .filter(([, {width, height}]) => width < least || height < least)
  .map(([name, {width, height}]) => `${name} ${width} x ${height}`)"""


def test_buttons_are_large_enough_for_the_mouse_and_for_a_finger(bench: Bench) -> None:
    desk = bench.open()
    desk.press("Shift+M")
    assert desk.page.evaluate(SMALL, 24) == []
    touching = bench.browser.new_context(
        viewport={"width": 1280, "height": 800}, has_touch=True, is_mobile=True
    )
    page = touching.new_page()
    page.goto(desk.page.url)
    Desk(page, desk.store, desk.tile).wait_painted()
    assert page.evaluate("matchMedia('(any-pointer: coarse)').matches")
    page.keyboard.press("Shift+M")
    assert page.evaluate(SMALL, 32) == []


def test_nothing_moves_where_motion_is_not_wanted(bench: Bench) -> None:
    desk = bench.open()
    desk.page.emulate_media(reduced_motion="reduce")
    moving = desk.page.evaluate(
        """() => [...document.querySelector('#host').shadowRoot.querySelectorAll('.editor *')]
          .filter((item) => {
            const {animationName, transitionDuration} = getComputedStyle(item);
            return animationName !== 'none' || parseFloat(transitionDuration) > 0.01;
          }).length"""
    )
    assert moving == 0
