"""The dialog that changes keys: what it gives, refuses, names and keeps."""

import pytest
from playwright.sync_api import Locator, expect

from tests.editor.conftest import Bench, Desk

pytestmark = pytest.mark.browser


def row(desk: Desk, command: str) -> Locator:
    return desk.page.locator(f'[data-remap="{command}"]')


def note(desk: Desk) -> Locator:
    return desk.page.locator(".remap-note")


def change(desk: Desk, command: str, *keys: str) -> None:
    """Open the dialog where it is closed, choose the first key of a command and press others."""
    if not desk.page.locator(".remap").is_visible():
        desk.press("F4")
    row(desk, command).locator(".key").first.click()
    desk.press(*keys)


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return bench.open()


def test_a_new_key_works_at_once_and_shows_everywhere(desk: Desk) -> None:
    change(desk, "fill", "y")
    expect(note(desk)).to_have_text("Y is Fill now.")
    expect(row(desk, "fill").locator(".key").first).to_have_text("Y")
    desk.press("Escape", "y")
    assert desk.editor("(e) => e.settings.tool") == "fill"
    button = desk.page.locator('.tools [data-command="fill"]')
    assert (button.get_attribute("title") or "").startswith("Fill (Y)\n")
    desk.press("b", "f")
    assert desk.editor("(e) => e.settings.tool") == "brush"
    desk.press("?")
    expect(desk.page.locator('.sheet [data-help="fill"] kbd')).to_have_text("Y")


def test_keys_are_kept_over_a_reload(desk: Desk) -> None:
    change(desk, "class-3", "F10")
    desk.press("Escape")
    desk.page.reload()
    desk.wait_painted()
    desk.press("F10")
    assert desk.editor("(e) => e.classCode") == 3
    expect(desk.page.locator('.classes [data-command="class-3"] kbd')).to_have_text("F10")


def test_a_key_in_use_is_named_and_can_be_taken_over(desk: Desk) -> None:
    change(desk, "fill", "b")
    expect(note(desk)).to_contain_text("B is Brush. Press another key, or")
    desk.page.get_by_role("button", name="Take it over").click()
    expect(note(desk)).to_have_text("B is Fill now; Brush has no key.")
    expect(row(desk, "brush").locator(".key")).to_have_count(1)  # only the button that adds one
    desk.press("Escape", "b")
    assert desk.editor("(e) => e.settings.tool") == "fill"


def test_a_key_in_use_can_be_left(desk: Desk) -> None:
    change(desk, "fill", "b")
    desk.page.get_by_role("button", name="Leave it").click()
    expect(row(desk, "fill").locator(".key").first).to_have_text("F")
    desk.press("Escape", "b")
    assert desk.editor("(e) => e.settings.tool") == "brush"


@pytest.mark.parametrize(
    ("key", "why"),
    [("c", "C and R belong to the page"), ("r", "C and R belong"), ("Alt+k", "Alt belongs")],
)
def test_keys_that_stay_free_are_refused_with_the_reason(desk: Desk, key: str, why: str) -> None:
    change(desk, "fill", key)
    expect(note(desk)).to_contain_text(why)
    desk.press("y")
    expect(note(desk)).to_have_text("Y is Fill now.")


def test_escape_leaves_the_key_and_then_the_dialog(desk: Desk) -> None:
    change(desk, "fill", "Escape")
    assert desk.page.locator(".remap").is_visible()
    expect(row(desk, "fill").locator(".key").first).to_have_text("F")
    desk.press("Escape")
    assert desk.page.locator(".remap").is_hidden()


def test_a_second_key_can_be_added_and_one_removed(desk: Desk) -> None:
    desk.press("F4")
    row(desk, "fill").locator(".key", has_text="+").click()
    desk.press("Shift+U")
    expect(row(desk, "fill").locator(".key")).to_have_text(["F", "Shift+U", "+"])
    row(desk, "fill").locator(".key").first.click()
    desk.page.get_by_role("button", name="Remove F").click()
    expect(row(desk, "fill").locator(".key")).to_have_text(["Shift+U", "+"])


def test_one_command_or_all_get_their_usual_keys_back(desk: Desk) -> None:
    change(desk, "fill", "y")
    change(desk, "pick", "F10")
    row(desk, "fill").get_by_role("button", name="Fill: reset").click()
    expect(row(desk, "fill").locator(".key").first).to_have_text("F")
    expect(row(desk, "pick").locator(".key").first).to_have_text("F10")
    desk.page.get_by_role("button", name="Reset all keys").click()
    expect(row(desk, "pick").locator(".key").first).to_have_text("I")
    assert desk.page.get_by_role("button", name="Reset all keys").is_disabled()


def test_search_finds_commands_by_name_class_and_key(desk: Desk) -> None:
    desk.press("F4")
    shown = desk.page.locator(".remap-row")
    for words, found in (("verify tile", "verify-tile"), ("water", "class-6"), ("ctrl+y", "redo")):
        desk.page.get_by_label("Search the commands").last.fill(words)
        assert shown.first.get_attribute("data-remap") == found


def test_escape_itself_stays(desk: Desk) -> None:
    desk.press("F4")
    assert row(desk, "cancel").locator(".key").is_disabled()


@pytest.mark.parametrize("kept", ["{", "7", '{"fill": "Y"}', '{"gone": ["Y"]}'])
def test_broken_content_leaves_the_usual_keys(desk: Desk, kept: str) -> None:
    desk.page.evaluate("(kept) => localStorage.setItem('cloudbrush.keys', kept)", kept)
    desk.page.evaluate("localStorage.setItem('cloudbrush.editor', '[1')")
    desk.page.reload()
    desk.wait_painted()
    desk.press("f")
    assert desk.editor("(e) => e.settings.tool") == "fill"


def test_another_tab_follows(desk: Desk) -> None:
    page = desk.page.context.new_page()
    page.goto(desk.page.url)
    other = Desk(page, desk.store, desk.tile)
    other.wait_painted()
    change(desk, "fill", "y")
    expect(page.locator('.tools [data-command="fill"]')).to_have_attribute(
        "title", "Fill (Y)\nGive one connected region of a class the chosen class."
    )


def test_the_sheet_runs_commands_and_is_searched(desk: Desk) -> None:
    desk.press("?")
    page = desk.page
    page.get_by_label("Search the commands").first.fill("connected chosen")
    rows = page.locator(".sheet .key-row:visible")
    names = [line.get_attribute("data-help") for line in rows.all()]
    assert "fill" in names and "brush" not in names
    page.locator('.sheet [data-help="fill"]').click()
    assert page.locator(".sheet").is_hidden()
    assert desk.editor("(e) => e.settings.tool") == "fill"


def test_the_key_that_opened_the_sheet_closes_it(desk: Desk) -> None:
    desk.press("?")
    desk.press("?")
    assert desk.page.locator(".sheet").is_hidden()
    desk.press("?")
    desk.page.get_by_role("button", name="Change keys").last.click()
    assert desk.page.locator(".sheet").is_hidden() and desk.page.locator(".remap").is_visible()
