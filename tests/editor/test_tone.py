"""Brightness and contrast of an image, read from the pixels of its pane."""

import pytest
from playwright.sync_api import expect

from tests.editor.conftest import Bench
from tests.editor.many_bands import enrich
from tests.editor.node import call
from tests.editor.wall import LEFT, RIGHT, Wall

SLOT = 0


@pytest.fixture
def wall(bench: Bench) -> Wall:
    """Return a wall whose first pane shows red: 0.1 at the left, 0.3 at the right."""
    ids = enrich(bench.scene)
    return Wall(bench.open(), ids)


def slide(wall: Wall, name: str, percent: int) -> None:
    """Move a slider in the menu of the pane."""
    page = wall.desk.page
    page.locator(f'[data-slot="{SLOT}"] .caption').click()
    page.locator(f'.view-menu [data-option="tone-{name}"]').fill(str(percent))
    page.keyboard.press("Escape")


def filters(wall: Wall) -> list[str]:
    """Return the filters through which the panes are drawn."""
    found: list[str] = wall.desk.editor(
        "(e) => e.view.shown.flatMap(({layers}) => layers.map(({filter}) => filter ?? ''))"
    )
    return [one for one in found if one]


@pytest.mark.browser
def test_sliders_change_the_picture_of_one_pane_and_are_kept(wall: Wall) -> None:
    other = wall.colour(2, LEFT)
    before = wall.colour(SLOT, RIGHT)
    assert filters(wall) == []
    slide(wall, "brightness", -50)
    dark = wall.colour(SLOT, RIGHT)
    assert all(abs(a - b / 2) <= 2 for a, b in zip(dark, before, strict=True))
    assert wall.colour(2, LEFT) == other
    expect(wall.caption(SLOT)).to_contain_text("brightness −50 %")
    wall.desk.page.reload()
    wall.desk.wait_painted()
    assert wall.colour(SLOT, RIGHT) == dark
    slide(wall, "brightness", 0)
    assert wall.colour(SLOT, RIGHT) == before
    assert filters(wall) == []


@pytest.mark.browser
def test_another_view_is_shown_as_it_is(wall: Wall) -> None:
    slide(wall, "brightness", -50)
    wall.choose(SLOT, "SAR s1, as stored")
    assert filters(wall) == []


@pytest.mark.browser
def test_contrast_draws_values_away_from_the_middle(wall: Wall) -> None:
    before = wall.colour(SLOT, RIGHT)
    slide(wall, "contrast", 50)
    after = wall.colour(SLOT, RIGHT)
    for old, new in zip(before, after, strict=True):
        assert abs(new - max(0, min(255, 127.5 + 1.5 * (old - 127.5)))) <= 2


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        ({"brightness": 0, "contrast": 0}, None),
        ({"brightness": "x"}, None),
        ({"brightness": 20}, {"brightness": 20, "contrast": 0}),
        ({"brightness": -500, "contrast": 999}, {"brightness": -80, "contrast": 200}),
    ],
)
def test_a_tone_from_storage_keeps_what_is_right_with_it(given: object, kept: object) -> None:
    assert call("views/catalog.js", "({cleanTone}, tone) => cleanTone(tone)", given) == kept
