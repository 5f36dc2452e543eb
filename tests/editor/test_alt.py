"""Alt belongs to the browser; AltGr, which writes brackets on many keyboards, does not."""

from typing import Any

import pytest

from tests.editor.conftest import Bench, Desk

pytestmark = pytest.mark.browser


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return bench.open()


def look(desk: Desk) -> Any:
    """Return what keys with Alt used to change."""
    return desk.editor(
        "(e) => [e.settings.tool, e.settings.opacity, e.view.transform, e.classCode]"
    )


@pytest.mark.parametrize("key", ["Alt+d", "Alt+f", "Alt+Shift+f", "Alt+4", "Alt+ArrowRight"])
def test_keys_with_alt_run_no_command(desk: Desk, key: str) -> None:
    before = look(desk)
    desk.press(key)
    assert look(desk) == before


def test_a_bracket_written_with_altgr_sets_the_brush(desk: Desk) -> None:
    script = """(e, init) => {
      window.dispatchEvent(new KeyboardEvent('keydown', {key: ']', code: 'Digit9', ...init}));
      return e.settings.diameter;
    }"""
    sizes = [desk.editor("(e) => e.settings.diameter")]
    sizes.append(desk.editor(script, {"ctrlKey": True, "altKey": True, "modifierAltGraph": True}))
    sizes.append(desk.editor(script, {"altKey": True}))
    assert sizes[0] < sizes[1] < sizes[2]
