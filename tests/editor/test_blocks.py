"""Blocks of class maps, without a page: which are wanted, what stands in for them, what is kept."""

from typing import Any

import pytest

from core.grid import Window
from core.pyramid import level_block
from core.records import Grid
from tests.editor.node import call

MODULES = ("blocks.js", "loader.js")

# A store of a tile whose blocks come at once and hold their own place.
STORE = """async ({BlockStore}, {Loader}, [tile, level, script]) => {
  const loader = new Loader(() => {}), asked = [];
  const view = {level, box: null, large: true};
  const store = new BlockStore({name: 'x', tile, loader, view, fetch: async (z, by, bx) => {
    asked.push([z, by, bx]);
    const side = 512 * 2 ** z, size = (from, all) => Math.ceil(Math.min(side, all - from) / 2 ** z);
    return {h: size(by * side, tile.height), w: size(bx * side, tile.width)};
  }});
  const settled = async () => { while (!loader.settled) await new Promise((r) => setTimeout(r)); };
  return (0, eval)(script)({store, view, asked, settled, loader});
}"""


def ask(script: str, *, height: int = 5000, width: int = 7000, level: int = 0) -> Any:
    """Return what a script makes of a store."""
    return call(MODULES, STORE, [{"height": height, "width": width}, level, script])


@pytest.mark.parametrize(
    ("box", "level"),
    [
        ((0, 0, 1000, 1000), 0),
        ((100, 100, 2047, 3000), 1),
        ((0, 0, 5000, 7000), 2),
        ((0, 0, 0, 0), 0),
    ],
)
def test_the_finest_level_of_few_blocks_is_shown(box: tuple[int, ...], level: int) -> None:
    script = """({levelFor}, _, [y0, x0, h, w]) =>
        levelFor({y0, x0, h, w}, {height: 5000, width: 7000})"""
    assert call(MODULES, script, box) == level


@pytest.mark.parametrize(("z", "by", "bx"), [(0, 9, 13), (1, 4, 6), (3, 1, 1), (4, 0, 0)])
def test_blocks_lie_where_the_server_has_them(z: int, by: int, bx: int) -> None:
    grid = Grid(5000, 7000, (1, 0, 0, 0, -1, 0), None)
    script = "({boxOfBlock}, _, [z, by, bx]) => boxOfBlock({height: 5000, width: 7000}, z, by, bx)"
    found = call(MODULES, script, [z, by, bx])
    assert (
        Window(found["y0"], found["x0"], found["h"], found["w"])
        == level_block(grid, z, by, bx).window
    )


def test_a_coarser_block_stands_in_for_one_on_its_way() -> None:
    pieces = ask(
        """async ({store, view, settled}) => {
          view.level = 3;
          store.pieces({y0: 0, x0: 0, h: 5000, w: 7000});
          await settled();
          view.level = 0;
          return store.pieces({y0: 4100, x0: 600, h: 10, w: 10});
        }"""
    )
    (piece,) = pieces
    assert (piece["z"], piece["by"], piece["bx"]) == (3, 1, 0)
    assert piece["box"] == {"y0": 4096, "x0": 512, "h": 512, "w": 512}
    left, top, across, down = piece["from"]
    assert (left, across) == (64, 64)
    assert top == 0
    assert down == pytest.approx(512 * 113 / 904)  # 904 rows of the tile in 113 of the block


def test_each_block_is_asked_for_once_and_a_stale_one_again() -> None:
    asked = ask(
        """async ({store, asked, settled}) => {
          for (let i = 0; i < 5; i++) store.want(0, 1, 1);
          await settled();
          store.want(0, 1, 1);
          store.get(0, 1, 1).stale = true;
          const kept = store.want(0, 1, 1) !== undefined;
          await settled();
          return [asked, kept, store.get(0, 1, 1).stale ?? false];
        }"""
    )
    assert asked == [[[0, 1, 1], [0, 1, 1]], True, False]


def test_the_newest_wish_comes_first_and_few_are_under_way() -> None:
    order = ask(
        """async ({store, asked, settled, loader}) => {
          for (let bx = 0; bx < 12; bx++) store.want(0, 0, bx);
          const running = loader.running.size;
          await settled();
          return [running, asked.map(([, , bx]) => bx)];
        }"""
    )
    assert order == [4, [0, 1, 2, 3, 11, 10, 9, 8, 7, 6, 5, 4]]


def test_what_was_not_looked_at_for_longest_is_let_go_of() -> None:
    size, first, second = ask(
        """async ({store}) => {
          for (let i = 0; i < 96; i++) store.put(0, i, 0, {h: 1, w: 1});
          store.get(0, 0, 0);
          store.put(0, 96, 0, {h: 1, w: 1});
          return [store.size, store.get(0, 0, 0) !== undefined, store.get(0, 1, 0) !== undefined];
        }""",
        height=60_000,
    )
    assert (size, first, second) == (96, True, False)


def test_a_failed_block_is_not_asked_for_at_once() -> None:
    script = """async (_, {Loader}) => {
      let tries = 0, failures = 0;
      const loader = new Loader((error) => (failures += error ? 1 : 0));
      const work = async () => { tries++; throw new Error('gone'); };
      for (let i = 0; i < 5; i++) {
        loader.want('a', work);
        await new Promise((r) => setTimeout(r, 5));
      }
      return [tries, failures, loader.settled];
    }"""
    assert call(MODULES, script) == [1, 1, True]


def test_coarse_labels_take_the_pixel_in_their_middle() -> None:
    script = """async ({BlockStore, resample}, {Loader}, _) => {
      const {Labels} = await import(LABELS);
      const tile = {height: 600, width: 600}, labels = new Labels(600, 600);
      const store = new BlockStore({name: 'x', tile, loader: new Loader(() => {}),
        view: {level: 1, large: true}, natives: {block: (by, bx) => labels.block(by, bx)}});
      store.put(1, 0, 0, {h: 300, w: 300, labels: new Uint8Array(9e4),
        provenance: new Uint8Array(9e4)});
      const columns = Uint8Array.from({length: 512 * 512}, (_, i) => (i % 512) & 255);
      labels.setBlock(0, 0, {labels: columns, provenance: new Uint8Array(512 * 512).fill(2)});
      resample(store, labels, {y0: 0, x0: 0, h: 20, w: 20});
      const block = store.get(1, 0, 0), inside = Boolean(block.stale);
      const row = Array.from(block.labels.subarray(0, 12));
      labels.onDirty = (box, absent) => resample(store, labels, box, absent);
      const some = {y0: 500, x0: 0, h: 20, w: 540, labels: [7], provenance: [1]};
      labels.write({...some, runs: [5, 6]});
      const around = Boolean(block.stale);
      labels.write({...some, runs: [520, 521]});
      return [row, block.provenance[301], inside, around, block.stale];
    }"""
    from app.routes.assets import FOLDERS

    script = script.replace("LABELS", f"'{(FOLDERS['editor'] / 'labels.js').as_uri()}'")
    assert call(MODULES, script) == [
        [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 0, 0],
        2,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("status", "asked"), [(None, 2), (503, 2), (403, 1)], ids=["network", "server", "refused"]
)
def test_what_was_lost_on_its_way_is_asked_for_again(status: int | None, asked: int) -> None:
    script = """async ({Loader}, status) => {
      globalThis.setTimeout = (work) => queueMicrotask(work);
      const counts = {asked: 0, again: 0}, want = () => loader.want('x', async () => {
        counts.asked += 1;
        const lost = Object.assign(new Error('lost'), {status: status ?? undefined});
        if (counts.asked === 1) throw lost;
      });
      const loader = new Loader(() => {}, () => { counts.again += 1; want(); });
      want();
      want();
      for (let i = 0; i < 20; i++) await null;
      return {...counts, failed: loader.failed.size};
    }"""
    found = call("loader.js", script, status)
    assert found == {"asked": asked, "again": asked - 1, "failed": 0}
