"""Own strokes over the server's labels, in Node: any interleaving ends in what the server holds."""

from pathlib import Path
from typing import Any

from tests.editor.node import call

PLAY = (Path(__file__).parent / "overlay_play.js").read_text()
SEEDS = list(range(1, 41))


def test_any_order_of_strokes_and_answers_ends_alike() -> None:
    play = f"({PLAY})(labels, overlay, runs, seed)"
    script = f"(labels, overlay, runs, seeds) => seeds.map((seed) => {play})"
    found: Any = call(["labels.js", "overlay.js", "runs.js"], script, SEEDS)
    assert [one["same"] for one in found] == [True] * len(SEEDS)
    assert {one["left"] for one in found} == {0}
    assert sum(one["edits"] for one in found) > 50 * len(SEEDS)
    assert sum(one["shown"] for one in found) > len(SEEDS)  # answers that found nothing to change


def test_steps_come_from_runs_up_and_down() -> None:
    found: Any = call(
        "history.js",
        """({History}) => {
          const history = new History();
          history.load({clients: ['a', 'b'], undo: [[0, 1, 3], [1, 7, 7]], redo: [[0, 9, 8]]});
          const names = (items) => items.map(({client_id, seq}) => `${client_id}${seq}`);
          return [names(history.undoable), names(history.redoable)];
        }""",
    )
    assert found == [["a1", "a2", "a3", "b7"], ["a9", "a8"]]


def test_pixels_of_old_strokes_are_forgotten_and_their_names_kept() -> None:
    found: Any = call(
        "history.js",
        """({History}) => {
          const history = new History();
          for (let seq = 0; seq < 40; seq++) history.push('a', seq, {pixels: 1e6, runs: [0, 1e6]});
          const kept = history.undoable.filter(({change}) => change).map(({seq}) => seq);
          return [history.undoable.length, kept.length, kept.at(-1)];
        }""",
    )
    assert found == [40, 7, 39]


def test_keeping_both_leaves_their_pixels_and_sends_the_values_of_the_rest() -> None:
    found: Any = call(
        "conflict.js",
        """({keepBoth}) => {
          const mask = (data) => ({y0: 0, x0: 1, h: 1, w: 2, data: Uint8Array.from(data)});
          const values = Buffer.from([5, 6, 7, 8]).toString('base64');
          const body = {box: [0, 0, 1, 4], mask: [0, 4], values};
          const some = keepBoth({body, wish: null}, [mask([0, 1])]);
          const covered = {...body, box: [0, 1, 1, 2], mask: [0, 2], values: null};
          const none = keepBoth({body: covered, wish: null}, [mask([1, 1])]);
          return [some.body.mask, [...Buffer.from(some.body.values, 'base64')], none];
        }""",
    )
    assert found == [[0, 2, 1, 1], [5, 6, 8], None]


def test_who_did_what_and_when_in_words() -> None:
    found: Any = call(
        "conflict.js",
        """({ago, overlapWords}) => {
          const now = Date.parse('2026-01-01T12:00:00Z');
          const at = (s) => new Date(now - 1000 * s).toISOString();
          const theirs = [{person: 'Ben', tool: 'fill_all', to_class: 1, saved_at: at(40)}];
          return [[1, 40, 600, 9000, 400000].map((s) => ago(at(s), now)),
            overlapWords({entry: {body: {to_class: 2}}, reply: {overlap_px: 1234, theirs},
              here: true, className: (code) => `class ${code}`, now})];
        }""",
    )
    assert found[0] == [" just now", " 40 s ago", " 10 min ago", " 3 h ago", " 5 days ago"]
    assert found[1] == (
        "Ben painted class 1 (fill all) 40 s ago: 1,234 px of it lie under your stroke (class 2). "
        "Yours is blue, theirs is orange. Which one stays?"
    )
