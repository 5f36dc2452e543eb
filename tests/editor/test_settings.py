"""Settings and key names, which need no page: what was kept is used as far as it still fits."""

from typing import Any

import pytest

from tests.editor.node import call

_KEPT = """(m, kept) => {
  globalThis.localStorage = {getItem: () => kept, setItem() {}};
  const settings = new m.Settings();
  return {...settings, words: settings.words()};
}"""


def settings(kept: str | None) -> Any:
    return call("settings.js", _KEPT, kept)


USUAL = settings(None)


@pytest.mark.parametrize("kept", ["", "{", "null", "7", '"brush"', "[1, 2]", "{}"])
def test_broken_content_leaves_what_is_usual(kept: str) -> None:
    assert settings(kept) == USUAL


@pytest.mark.parametrize(
    "kept",
    [
        '{"diameter": "wide"}',
        '{"opacity": null}',
        '{"contrast": "gone"}',
        '{"where": 3}',
        '{"recode": [1]}',
        '{"classPatterns": "yes"}',
        '{"tool": {}}',
    ],
)
def test_a_setting_of_another_kind_is_left_out(kept: str) -> None:
    assert settings(kept) == USUAL


def test_the_rest_of_old_content_is_used() -> None:
    found = settings('{"diameter": 40, "contrast": "none", "opacity": "old", "gone": 1}')
    assert found["diameter"] == 40 and found["words"]["contrast"] == "as stored"
    assert found["opacity"] == USUAL["opacity"]


def test_a_browser_that_keeps_nothing_is_no_reason_to_fail() -> None:
    script = """(m) => {
      const refuse = () => { throw new DOMException('blocked', 'SecurityError'); };
      globalThis.localStorage = {getItem: refuse, setItem: refuse};
      const settings = new m.Settings();
      settings.change({diameter: 9});
      return settings.diameter;
    }"""
    assert call("settings.js", script) == 9


KEYS: list[tuple[dict[str, Any], str]] = [
    ({"key": "b", "code": "KeyB"}, "B"),
    ({"key": "B", "code": "KeyB", "shiftKey": True}, "Shift+B"),
    ({"key": "и", "code": "KeyB"}, "B"),
    ({"key": "z", "code": "KeyY"}, "Z"),
    ({"key": "&", "code": "Digit1"}, "1"),
    ({"key": "!", "code": "Digit1", "shiftKey": True}, "Shift+1"),
    ({"key": "1", "code": "Numpad1"}, "1"),
    ({"key": "?", "code": "Slash", "shiftKey": True}, "?"),
    ({"key": "[", "code": "Digit8", "ctrlKey": True, "altGraph": True}, "["),
    ({"key": "z", "code": "KeyZ", "ctrlKey": True}, "Ctrl+Z"),
    ({"key": "Z", "code": "KeyZ", "metaKey": True, "shiftKey": True}, "Ctrl+Shift+Z"),
    ({"key": " ", "code": "Space"}, "Space"),
    ({"key": "F4", "code": "F4"}, "F4"),
    ({"key": "Enter", "code": "Enter", "shiftKey": True}, "Shift+Enter"),
    ({"key": "Shift", "code": "ShiftLeft", "shiftKey": True}, "Shift+Shift"),
]


@pytest.mark.parametrize(("event", "name"), KEYS, ids=[name for _, name in KEYS])
def test_keys_are_named_by_what_they_write_and_digits_by_place(
    event: dict[str, Any], name: str
) -> None:
    script = """(m, {altGraph, ...event}) =>
      m.keyOf({...event, getModifierState: (name) => name === 'AltGraph' && Boolean(altGraph)})"""
    assert call("commands.js", script, event) == name


def test_every_icon_that_a_command_names_is_drawn() -> None:
    script = """(commands, icons) => commands.describe().map(({icon}) => icon)
      .filter((icon) => icon && !icons.ICONS.includes(icon))"""
    assert call(["commands.js", "icons.js"], script) == []


def test_every_command_of_the_toolbar_has_an_icon_of_its_own() -> None:
    script = """(m) => m.COMMANDS.filter(({toolbar}) => toolbar).map(({icon}) => icon ?? 'none')"""
    icons = call("commands.js", script)
    assert "none" not in icons and len(set(icons)) == len(icons)
