"""Caches of the edit log that may vanish: keyframes, memory, other processes, blocks."""

import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, event, select

from core import catalogue, history
from core.errors import BadPatch
from core.grid import Window
from core.memory import forget, memory
from core.settings import Settings
from core.store.engine import open_store
from core.store.tables import KeyframeRow
from core.stroke import Tool
from tests.conftest import DATABASE_URL
from tests.scene import VOID, Scene, make_scene
from tests.strokes import back, fast_store, rows, save, state, stroke


class TestCaches:
    def paint(self, scene: Scene, count: int) -> dict[int, tuple[bytes, bytes]]:
        """Paint, and return the state at every version."""
        generator = np.random.default_rng(3)
        states = {0: state(scene)}
        for seq in range(count):
            y0, x0 = int(generator.integers(0, 32)), int(generator.integers(0, 22))
            mask = generator.random((8, 8)) < 0.5
            saved = save(scene, stroke((y0, x0, 8, 8), mask, seq=seq, to_class=seq % 9))
            states[saved.version] = state(scene)
        return states

    def test_deleting_every_keyframe_changes_nothing(self, scene: Scene) -> None:
        self.paint(scene, 60)
        before = state(scene)
        assert rows(scene, KeyframeRow) > 0
        with scene.store.write() as session:
            session.execute(delete(KeyframeRow))
        forget(scene.store)
        assert state(scene) == before

    def test_damaged_keyframes_are_passed_over(self, scene: Scene) -> None:
        self.paint(scene, 60)
        before = state(scene)
        for data in (b"", b"damaged", zlib.compress(b"short")):
            with scene.store.write() as session:
                for row in session.scalars(select(KeyframeRow)):
                    row.data = data
            forget(scene.store)
            assert state(scene) == before

    def test_keyframes_are_used(self, scene: Scene) -> None:
        self.paint(scene, 52)
        with scene.store.write() as session:
            frame = session.scalars(select(KeyframeRow)).one()
            size = scene.grid.height * scene.grid.width
            frame.data = zlib.compress(bytes([7]) * 2 * size)
        forget(scene.store)
        assert (history.at_version(scene.store, scene.tile, 50).labels == 7).all()

    def test_every_version_can_be_read_again(self, scene: Scene) -> None:
        states = self.paint(scene, 55)
        assert max(states) == 55
        forget(scene.store)
        for version in (55, 0, 51, 50, 49, 1):
            found = history.at_version(scene.store, scene.tile, version)
            assert (found.labels.tobytes(), found.provenance.tobytes()) == states[version]

    def test_another_process_is_seen_at_once(self, scene: Scene, settings: Settings) -> None:
        other = open_store(settings)
        here = replace(scene, store=other)
        for seq in range(4):
            writer = here if seq % 2 else scene
            wish = stroke((seq * 5, 0, 4, 4), client=f"t{seq % 2}", seq=seq, to_class=VOID)
            history.append(writer.store, scene.tile, wish, scene.ada)
            assert state(scene) == state(here)
        history.append(other, scene.tile, back(Tool.UNDO, client="t0", seq=9), scene.ada)
        assert len(history.stacks(scene.store, scene.tile, scene.ada).undo) == 3
        other.close()

    def test_a_reopened_store_has_the_same_labels(self, scene: Scene, settings: Settings) -> None:
        self.paint(scene, 20)
        again = open_store(settings)
        assert state(replace(scene, store=again)) == state(scene)
        again.close()

    @pytest.mark.skipif(bool(DATABASE_URL), reason="only SQLite gives an id away again")
    def test_a_tile_id_given_away_again_starts_afresh(self, scene: Scene, tmp_path: Path) -> None:
        self.paint(scene, 3)
        catalogue.delete_project(scene.store, scene.project_id)
        fresh = make_scene(scene.store, tmp_path / "again", seed=9)
        assert fresh.tile == scene.tile
        assert np.array_equal(history.current(scene.store, fresh.tile).labels, fresh.label)

    @pytest.mark.skipif(bool(DATABASE_URL), reason="only SQLite gives an id away again")
    @pytest.mark.parametrize("side", [20, 90])
    def test_strokes_are_checked_against_the_tile_that_has_the_id_now(
        self, scene: Scene, tmp_path: Path, side: int
    ) -> None:
        self.paint(scene, 3)
        catalogue.delete_project(scene.store, scene.project_id)
        fresh = make_scene(scene.store, tmp_path / "again", seed=9, height=side, width=side)
        assert fresh.tile == scene.tile
        with pytest.raises(BadPatch):
            save(fresh, stroke((side - 2, side - 2, 4, 4), seq=70))
        corner = stroke((side - 4, side - 4, 4, 4), seq=71, to_class=5)
        assert save(fresh, corner).version == 1
        expected = fresh.label.copy()
        expected[-4:, -4:] = 5
        assert np.array_equal(history.current(fresh.store, fresh.tile).labels, expected)

    def test_a_stroke_beside_the_last_asks_for_its_tile_once(self, scene: Scene) -> None:
        self.paint(scene, 2)
        asked: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            asked.append(statement)

        event.listen(scene.store.engine, "before_cursor_execute", note)
        save(scene, stroke((3, 3, 4, 4), seq=40, to_class=VOID))
        event.remove(scene.store.engine, "before_cursor_execute", note)
        assert sum("tile.label_sha256" in statement for statement in asked) == 1

    def test_a_caller_may_write_into_what_it_gets(self, scene: Scene) -> None:
        before = state(scene)
        history.current(scene.store, scene.tile).labels[:] = 0
        assert state(scene) == before


class TestBlocks:
    @pytest.fixture
    def wide(self, settings: Settings, tmp_path: Path) -> Iterator[Scene]:
        store = fast_store(settings)
        yield make_scene(store, tmp_path / "wide", height=600, width=1100)
        store.close()

    def test_a_stroke_across_four_blocks_is_whole(self, wide: Scene) -> None:
        generator = np.random.default_rng(2)
        expected = wide.label.copy()
        for seq in range(53):
            y0, x0 = int(generator.integers(400, 560)), int(generator.integers(400, 1000))
            mask = generator.random((40, 90)) < 0.7
            wish = stroke((y0, x0, 40, 90), mask, seq=seq, to_class=seq % 9)
            history.append(wide.store, wide.tile, wish, wide.ada)
            expected[y0 : y0 + 40, x0 : x0 + 90][mask] = seq % 9
        for _ in range(2):
            assert np.array_equal(history.current(wide.store, wide.tile).labels, expected)
            part = Window(300, 500, 290, 540)
            found = history.current(wide.store, wide.tile, part)
            assert np.array_equal(found.labels, expected[part.slices])
            forget(wide.store)

    def test_a_stroke_elsewhere_does_not_read_a_block(self, wide: Scene) -> None:
        history.append(wide.store, wide.tile, stroke((0, 0, 5, 5), seq=1), wide.ada)
        assert {key[2] for key in memory(wide.store).blocks} == {(0, 0)}
