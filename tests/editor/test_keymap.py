"""Keys that a person has changed: own keys come first, and broken content does no harm."""

from typing import Any

import pytest

from tests.editor.node import call

MADE = """(m, steps) => {
  const rows = [['brush', 'B'], ['fill', 'F'], ['redo', 'Ctrl+Shift+Z', 'Ctrl+Y'],
    ['cancel', 'Escape']];
  const table = rows.map(([id, ...keys]) => ({id, keys}));
  const keymap = new m.Keymap(table), of = (id) => table.find((entry) => entry.id === id);
  const answers = steps.map(([name, ...args]) => {
    if (name === 'load') return keymap.load(args[0]) ?? null;
    if (name === 'give') return keymap.give(of(args[0]), ...args.slice(1)) ?? null;
    if (name === 'drop') return keymap.drop(of(args[0]), args[1]) ?? null;
    if (name === 'reset') return keymap.reset(of(args[0])).map(({id}) => id);
    if (name === 'resetAll') return keymap.resetAll() ?? null;
  });
  return {answers, own: keymap.own, keys: Object.fromEntries(table.map(({id, keys}) => [id, keys])),
    ran: Object.fromEntries([...keymap.byKey].map(([key, {id}]) => [key, id])),
    changed: table.filter((entry) => keymap.isChanged(entry)).map(({id}) => id)};
}"""

USUAL = {
    "brush": ["B"],
    "fill": ["F"],
    "redo": ["Ctrl+Shift+Z", "Ctrl+Y"],
    "cancel": ["Escape"],
}


def keymap(*steps: list[Any]) -> Any:
    return call("keymap.js", MADE, list(steps))


def test_without_changes_keys_are_the_usual_ones() -> None:
    found = keymap()
    assert found["keys"] == USUAL and found["own"] == {} and found["changed"] == []


def test_a_key_given_to_a_command_is_taken_from_its_holder() -> None:
    found = keymap(["give", "brush", "F", "B"])
    assert found["keys"] == {**USUAL, "brush": ["F"], "fill": []}
    assert found["ran"]["F"] == "brush" and "B" not in found["ran"]
    assert found["changed"] == ["brush", "fill"]


def test_a_key_can_be_added_replaced_and_dropped() -> None:
    found = keymap(["give", "redo", "Shift+Y"], ["give", "redo", "F8", "Ctrl+Y"])
    assert found["keys"]["redo"] == ["Ctrl+Shift+Z", "F8", "Shift+Y"]
    assert keymap(["drop", "brush", "B"])["keys"]["brush"] == []


def test_reset_gives_the_usual_keys_back_and_names_who_loses_them() -> None:
    found = keymap(["give", "brush", "F", "B"], ["reset", "fill"])
    assert found["answers"][-1] == ["brush"]
    assert found["keys"] == {**USUAL, "brush": []}
    assert keymap(["give", "brush", "F", "B"], ["reset", "brush"])["keys"] == USUAL
    assert keymap(["give", "brush", "F", "B"], ["resetAll"])["keys"] == USUAL


def test_own_keys_survive_being_kept_and_loaded() -> None:
    own = keymap(["give", "brush", "F", "B"], ["give", "fill", "Shift+F8"])["own"]
    again = keymap(["load", own])
    assert again["keys"] == {**USUAL, "brush": ["F"], "fill": ["Shift+F8"]}


@pytest.mark.parametrize(
    "kept",
    [
        None,
        7,
        "F",
        [],
        {"brush": "B"},
        {"gone": ["G"]},
        {"brush": None, "fill": 3},
        {"cancel": ["Q"]},
        {"redo": {"0": "B"}},
    ],
)
def test_old_or_broken_content_leaves_the_usual_keys(kept: Any) -> None:
    assert keymap(["load", kept])["keys"] == USUAL


def test_what_can_be_used_of_broken_content_is_used() -> None:
    kept = {"brush": ["C", 4, "", "two words", "Q", "Q"], "fill": ["Q", "G"]}
    found = keymap(["load", kept])
    assert found["keys"]["brush"] == ["Q"] and found["keys"]["fill"] == ["G"]


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("C", "page around"),
        ("R", "page around"),
        ("Escape", "cancels"),
        ("Tab", "between"),
        ("Ctrl+W", "browser keeps Ctrl"),
        ("F5", "browser keeps F5"),
        ("Dead", "which key"),
    ],
)
def test_keys_that_stay_free_are_refused_with_the_reason(key: str, why: str) -> None:
    assert why in call("keymap.js", "(m, key) => new m.Keymap([]).refusal(key)", key)


@pytest.mark.parametrize("key", ["Shift+R", "F9", "Ctrl+Shift+Z", "+", "Shift+Enter", "É"])
def test_other_keys_are_free_to_take(key: str) -> None:
    assert call("keymap.js", "(m, key) => new m.Keymap([]).refusal(key)", key) is None
