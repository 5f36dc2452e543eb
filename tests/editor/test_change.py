"""What a stroke changes, by runs of pixels: parts of it, comparison, fills in whole runs."""

from typing import Any

from tests.editor.node import call


def test_a_fill_in_whole_runs_changes_what_painting_the_same_mask_does() -> None:
    found: Any = call(
        ["labels.js", "runs.js"],
        """({Labels, BLOCK}, {encodeRuns}) => {
          const h = 40, w = BLOCK + 30;
          const make = () => {
            const labels = new Labels(h, w);
            for (const [bx, side] of [[0, BLOCK], [1, 30]])
              labels.setBlock(0, bx, {labels: new Uint8Array(h * side).fill(3),
                provenance: Uint8Array.from({length: h * side}, (_, i) => i % 3)});
            return labels;
          };
          // Two rows of holes, and a run that goes on in the next row of its box.
          const box = {y0: 5, x0: BLOCK - 20, h: 20, w: 50};
          const data = Uint8Array.from({length: box.h * box.w},
            (_, i) => (i % 7 && i !== 300 ? 1 : 0));
          const wish = {tool: 'fill', effect: 'class', toClass: 6};
          const told = (labels, mask) => {
            const {runs, old, new: next, ...rest} = labels.apply(wish, mask);
            return {...rest, runs: [...runs], old: [[...old.labels], [...old.provenance]],
              next: [[...next.labels], [...next.provenance]],
              raster: [...labels.raster()], counts: [...labels.counts]};
          };
          const by = told(make(), {...box, data, value: 3, lengths: encodeRuns(data)});
          const plain = told(make(), {...box, data});
          const same = JSON.stringify(by) === JSON.stringify(plain);
          return [same, by.pixels, by.fromClasses, by.runs.length];
        }""",
    )
    assert found[0] is True
    assert found[1] > 800
    assert found[2] == [3]
    assert found[3] > 200


def test_a_part_of_a_change_keeps_the_bytes_of_its_pixels() -> None:
    found: Any = call(
        "change.js",
        """({partOf, maskOf}) => {
          const side = (from) => ({labels: Uint8Array.of(from, from + 1, from + 2, from + 3),
            provenance: Uint8Array.of(from + 4, from + 5, from + 6, from + 7)});
          const change = {y0: 2, x0: 3, h: 2, w: 3, runs: Int32Array.of(1, 4, 5, 6), pixels: 4,
            old: side(10), new: side(20), effect: 'class'};
          const {runs, pixels, old, new: next} = partOf(change, Uint8Array.of(1, 1, 0, 1));
          return [[...runs], pixels, [...old.labels], [...next.provenance],
            [...maskOf(change).data]];
        }""",
    )
    assert found == [[1, 3, 5, 6], 3, [10, 11, 13], [24, 25, 27], [0, 1, 1, 1, 0, 1]]


def test_the_same_pixels_are_known_in_boxes_of_other_sizes() -> None:
    found: Any = call(
        ["change.js", "runs.js"],
        """({samePixels}, {runsOf}) => {
          const change = (y0, x0, h, w, bits) => ({y0, x0, h, w,
            pixels: bits.filter(Boolean).length,
            runs: Int32Array.from(runsOf(Uint8Array.from(bits)))});
          const tight = change(1, 1, 2, 2, [1, 1, 1, 0]);
          const wide = change(0, 0, 3, 3, [0, 0, 0, 0, 1, 1, 0, 1, 0]);
          const moved = change(0, 0, 3, 3, [0, 0, 0, 1, 1, 0, 1, 0, 0]);
          const fewer = change(1, 1, 2, 2, [1, 1, 0, 0]);
          return [samePixels(tight, wide), samePixels(wide, tight), samePixels(tight, tight),
            samePixels(tight, moved), samePixels(tight, fewer)];
        }""",
    )
    assert found == [True, True, True, False, False]


def test_keeping_both_cuts_a_waiting_stroke_down_on_the_screen_too() -> None:
    found: Any = call(
        "conflict.js",
        """({keepBoth}) => {
          const side = (from) => ({labels: Uint8Array.of(from, from + 1, from + 2),
            provenance: new Uint8Array(3)});
          const wish = {y0: 0, x0: 0, h: 1, w: 4, runs: Int32Array.of(0, 2, 3, 4), pixels: 3,
            old: side(1), new: side(7)};
          const body = {box: [0, 0, 1, 4], mask: [0, 2, 1, 1], values: null};
          const theirs = [{y0: 0, x0: 1, h: 1, w: 2, data: Uint8Array.of(1, 1)}];
          const kept = keepBoth({body, wish}, theirs);
          return [kept.body.mask, [...kept.wish.runs], kept.wish.pixels, [...kept.wish.new.labels]];
        }""",
    )
    assert found == [[0, 1, 2, 1], [0, 1, 3, 4], 2, [7, 9]]


def test_strokes_are_rehearsed_one_at_a_time_while_there_is_nothing_to_do() -> None:
    found: Any = call(
        "rehearsal.js",
        """({rehearse}) => {
          const waiting = [];
          globalThis.requestIdleCallback = (work) => waiting.push(work);
          rehearse();
          let turns = 0;
          for (; waiting.length === 1; turns++) waiting.shift()();
          return [turns, waiting.length];
        }""",
    )
    assert found == [8, 0]
