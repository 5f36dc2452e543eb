"""One table of commands: each has keys of its own, a button, help and a line in the docs."""

from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from core import catalogue
from core.classes import ClassEntry, ClassTable
from core.settings import Settings
from core.store.engine import Store
from tests.editor.conftest import Bench, Desk
from tests.editor.harness import Harness
from tests.editor.key_table import PAGE, commands, with_table
from tests.scene import make_scene

pytestmark = pytest.mark.browser

NINETEEN = ClassTable(
    "Nineteen",
    tuple(ClassEntry(i, f"Class number {i}", f"#{i * 13:02x}8040") for i in range(1, 20)),
    void=0,
)


@pytest.fixture
def nineteen(
    store: Store,
    settings: Settings,
    tmp_path: Path,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    monkeypatch.setattr("tests.scene.CLASSES", NINETEEN)
    scene = make_scene(store, tmp_path / "scene", height=96, width=80)
    harness = Harness(store, settings, catalogue.people(store)[0]).start()
    return Bench(harness, scene, browser, []).open()


def test_keys_are_unique_and_leave_streamlits_own_alone() -> None:
    keys = Counter(key for entry in commands() for key in entry["keys"])
    assert max(keys.values()) == 1
    assert not {"C", "R"} & set(keys)


def test_every_command_has_a_button_help_and_a_line_on_the_sheet(
    nineteen: Desk,
) -> None:
    page = nineteen.page
    for entry in commands():
        assert page.locator(f'[data-command="{entry["id"]}"]').count(), entry["id"]
        assert entry["help"].endswith(".") and entry["label"]
        if not entry["id"].startswith("class-"):
            assert page.locator(f'[data-help="{entry["id"]}"]').count() == 1


def test_buttons_name_their_key(nineteen: Desk) -> None:
    for entry in commands():
        for button in nineteen.page.locator(f'button[data-command="{entry["id"]}"]').all():
            title = button.get_attribute("title") or ""
            assert entry["keys"][0] in title, (entry["id"], title)


def test_each_of_nineteen_classes_has_a_key(nineteen: Desk) -> None:
    for number in range(1, 20):
        nineteen.press(f"Digit{number}" if number < 10 else f"Shift+Digit{number - 10}")
        assert nineteen.editor("(e) => e.classCode") == number


def test_docs_list_the_commands_there_are() -> None:
    assert PAGE.read_text() == with_table(PAGE.read_text(), commands())


def test_keys_do_nothing_while_a_text_field_has_focus(bench: Bench) -> None:
    desk = bench.open()
    desk.press("b")
    desk.page.locator("#field").focus()
    desk.press("e", "f", "6", "Enter")
    assert desk.page.locator("#field").input_value() == "ef6"
    assert desk.editor("(e) => e.settings.tool") == "brush"
    assert desk.page.evaluate("window.commands") == []


def test_no_key_of_ours_reaches_the_page(bench: Bench) -> None:
    desk = bench.open()
    desk.page.evaluate(
        "window.heard = []; document.addEventListener('keydown', (e) => window.heard.push(e.key))"
    )
    desk.press("b", "r", "c", "Shift+R", "2", "y", "Control+z")
    assert desk.page.evaluate("window.heard") == ["Shift", "y", "Control"]


def test_buttons_do_what_their_keys_do(bench: Bench) -> None:
    desk = bench.open()
    desk.page.locator('.tools [data-command="fill"]').click()
    assert desk.editor("(e) => e.settings.tool") == "fill"
    desk.page.locator('.classes [data-command="class-4"]').click()
    assert desk.editor("(e) => [e.classCode, e.settings.tool]") == [4, "fill"]
    desk.stroke((30, 30))
    desk.expect_state("saved, version 1")
    desk.page.locator('.tools [data-command="undo"]').click()
    desk.expect_state("saved, version 2")
    desk.press("?")
    assert desk.page.locator(".sheet").is_visible()
    desk.page.locator('.sheet [data-command="cancel"]').click()
    assert desk.page.locator(".sheet").is_hidden()
