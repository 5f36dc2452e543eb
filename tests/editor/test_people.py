"""Two people on one tile, each in a browser of their own: what each sees of the other."""

import pytest
from playwright.sync_api import expect

from core import history
from tests.editor.conftest import Bench, Desk
from tests.editor.test_access import violations

pytestmark = pytest.mark.browser

SOON_MS = 2_000
AT_MOST_MS = 5_000
SETTLED = "({outbox}) => outbox.entries.length === 0 && outbox.kind === 'saved'"


def shows(desk: Desk, row: int, col: int, code: int) -> float:
    """Return when a pixel has a class in the browser, without a reload, by the page's clock."""
    script = "(e, [row, col, code]) => e.scene.labels.at(row, col).label === code && Date.now()"
    return float(desk.wait_for(script, [row, col, code], AT_MOST_MS))


def notes_releases(desk: Desk) -> None:
    """Have the page remember when the pointer was let go of last."""
    desk.page.evaluate("addEventListener('pointerup', () => (window.at = Date.now()), true)")


def released(desk: Desk) -> float:
    """Return that time, by the same clock in every page of this machine."""
    return float(desk.page.evaluate("window.at"))


def settled(*desks: Desk) -> None:
    """Wait until every stroke is acknowledged and everybody has everybody's."""
    for desk in desks:
        desk.wait_for(SETTLED)
    version = history.current(desks[0].store, desks[0].tile).version
    for desk in desks:
        desk.expect_state(f"saved, version {version}")


def test_each_sees_who_else_is_here_and_when_they_leave(bench: Bench) -> None:
    ada, ben = bench.open(), bench.open(person="Ben")
    expect(ada.page.locator(".person")).to_have_text("B")
    expect(ada.page.locator(".person")).to_have_attribute("title", "Ben has this tile open")
    expect(ben.page.locator(".person")).to_have_text("A")
    ben.page.evaluate(f"show({bench.scene.tiles['second']})")
    expect(ada.page.locator(".person")).to_have_count(0)
    expect(ben.page.locator(".person")).to_have_count(0)


def test_somebody_who_vanishes_is_gone_in_a_few_seconds(bench: Bench) -> None:
    ada, ben = bench.open(), bench.open(person="Ben")
    expect(ada.page.locator(".person")).to_have_count(1)
    ben.page.context.close()
    expect(ada.page.locator(".person")).to_have_count(0, timeout=10_000)


def test_strokes_of_others_appear_without_a_reload_and_merge_silently(bench: Bench) -> None:
    ada, ben = bench.open(), bench.open(person="Ben")
    for desk in (ada, ben):
        notes_releases(desk)
    ben.press("7")
    ben.stroke((10, 20), (10, 60))
    assert shows(ada, 10, 40, 7) - released(ben) <= SOON_MS
    expect(ada.page.locator(".person")).to_have_attribute(
        "title", "Ben has this tile open and is painting"
    )
    ada.press("6")
    ada.stroke((60, 20), (60, 60))
    assert shows(ben, 60, 40, 6) - released(ada) <= SOON_MS
    settled(ada, ben)
    expect(ada.page.locator(".dialog")).to_be_hidden()
    assert ada.shown() == ben.shown() == ada.saved()


def test_a_stroke_being_painted_is_not_disturbed(bench: Bench) -> None:
    ada, ben = bench.open(), bench.open(person="Ben")
    ada.press("6")
    mouse = ada.page.mouse
    mouse.move(*ada.point(60, 20))
    mouse.down()
    mouse.move(*ada.point(60, 40), steps=4)
    ben.press("7")
    ben.stroke((10, 20), (10, 60))
    ben.expect_state("saved, version 1")
    ada.page.wait_for_timeout(1_500)
    assert ada.label(10, 40) != 7, "the patch waits for the stroke"
    mouse.move(*ada.point(60, 60), steps=4)
    mouse.up()
    shows(ada, 10, 40, 7)
    settled(ada, ben)
    assert ada.label(60, 58) == 6
    assert ada.shown() == ben.shown() == ada.saved()


def test_undo_leaves_what_the_other_painted(bench: Bench) -> None:
    ada, ben = bench.open(), bench.open(person="Ben")
    before = ada.label(40, 25)
    ada.press("6")
    ada.stroke((40, 20), (40, 60))
    shows(ben, 40, 40, 6)
    ben.press("7")
    ben.stroke((30, 50), (50, 50))
    shows(ada, 40, 50, 7)
    ada.press("Control+z")
    settled(ada, ben)
    assert (ada.label(40, 25), ada.label(40, 50)) == (before, 7)
    expect(ada.page.locator(".banner")).to_contain_text("somebody else has changed them since")
    assert ada.shown() == ben.shown() == ada.saved()
    ben.press("Control+z")
    settled(ada, ben)
    assert ben.shown() == ada.shown() == ada.saved()


def overlapping(bench: Bench) -> tuple[Desk, Desk]:
    """Let Ben paint a row, and Ada, who has not heard of it, a column across it."""
    ada, ben = bench.open(), bench.open(person="Ben")
    ada.page.route("**/live?*", lambda route: route.abort())
    ben.press("7")
    ben.stroke((40, 20), (40, 60))
    ben.expect_state("saved, version 1")
    ada.press("6")
    ada.stroke((25, 40), (55, 40))
    expect(ada.page.locator(".dialog")).to_contain_text("Ben painted Agriculture land (brush)")
    expect(ada.page.locator(".dialog")).to_contain_text("your stroke (Water)")
    return ada, ben


@pytest.mark.parametrize(
    ("answer", "crossing", "own"),
    [("mine", 6, 6), ("theirs", 7, None), ("both", 7, 6)],
)
def test_overlapping_strokes_show_both_and_ask(
    bench: Bench, answer: str, crossing: int, own: int | None
) -> None:
    original = int(bench.scene.label[27, 40])
    ada, ben = overlapping(bench)
    if answer == "mine":
        assert violations(ada.page) == ""
    ada.page.locator(f'[data-answer="{answer}"]').click()
    ada.page.unroute("**/live?*")
    settled(ada, ben)
    assert (ada.label(40, 40), ada.label(27, 40)) == (crossing, own if own else original)
    assert ada.shown() == ben.shown() == ada.saved()
    ada.press("Control+z")
    settled(ada, ben)
    assert ada.shown() == ben.shown() == ada.saved()
    assert ada.label(27, 40) == original


def test_strokes_painted_while_a_choice_waits_are_kept(bench: Bench) -> None:
    ada, ben = overlapping(bench)
    ada.editor(
        """(e) => {
          e.chooseClass(2);
          for (const row of [5, 75]) {
            e.hand.press({y: row, x: 20}, {shift: false});
            e.hand.drag({y: row, x: 60}, {shift: false});
            e.hand.release(performance.now());
          }
        }"""
    )
    ada.page.locator('[data-answer="theirs"]').click()
    ada.page.unroute("**/live?*")
    settled(ada, ben)
    assert (ada.label(5, 40), ada.label(75, 40), ada.label(40, 40)) == (3, 3, 7)
    assert ada.shown() == ben.shown() == ada.saved()


def test_another_persons_waiting_strokes_are_not_sent_under_this_name(bench: Bench) -> None:
    ben = bench.open(person="Ben")
    ben.page.route("**/edits", lambda route: route.abort())
    ben.press("7")
    ben.stroke((10, 20), (10, 60))
    ben.expect_state("offline, 1 stroke waiting")
    ben.page.unroute("**/edits")
    ben.page.goto(bench.harness.url(bench.scene.tile))  # now Ada sits here
    ben.wait_painted()
    ben.page.wait_for_timeout(1_000)
    assert history.current(bench.harness.store, ben.tile).version == 0
    assert ben.label(10, 40) != 7
    ben.page.goto(bench.harness.url(bench.scene.tile) + "&person=Ben")
    ben.wait_painted()
    ben.expect_state("saved, version 1")
    (edit,) = history.timeline(bench.harness.store, ben.tile)
    assert edit.person == "Ben"
