"""Superpixels: ids that follow the image, kept per chunk, made once and never in anybody's way."""

import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from core import catalogue
from core.errors import CloudbrushError, GridMismatch, NotFound, RasterError
from core.grid import Window
from core.records import Modality, Tile
from core.store.engine import Store
from core.superpixels import (
    ABANDONED_S,
    SEGMENT_PX,
    Maker,
    chunk_image,
    make_chunk,
    pack,
    read_chunk,
    segment_layers,
    segments,
    superpixels,
    unpack,
)
from tests.scene import Scene, make_scene

SIZE = (96, 80)


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> Scene:
    return make_scene(store, tmp_path / "scene", height=SIZE[0], width=SIZE[1])


@pytest.fixture
def tile(scene: Scene) -> Tile:
    return catalogue.tile(scene.store, scene.tile)


def halves() -> np.ndarray:
    """Return an image of two flat halves with a crooked border."""
    image = np.zeros((60, 80, 3), np.float32)
    image[:30, 37:] = 1
    image[30:, 43:] = 1
    return image


def wait_for(scene: Scene, tile: Tile, maker: Maker) -> bytes:
    """Ask until the chunk is there."""
    for _ in range(600):
        _, content = superpixels(scene.store, tile, 0, 0, maker)
        if content is not None:
            return content
        time.sleep(0.02)
    raise AssertionError("the chunk was never made")


class TestSegments:
    def test_they_follow_the_image(self) -> None:
        image = halves()
        ids = segments(image, np.ones((60, 80), np.bool_))
        for number in range(1, int(ids.max()) + 1):
            assert np.ptp(image[ids == number]) == 0

    def test_ids_rise_in_scan_order_without_gaps(self) -> None:
        generator = np.random.default_rng(1)
        image = ndimage.gaussian_filter(generator.random((70, 90, 2)), (3, 3, 0))
        valid = generator.random((70, 90)) > 0.02
        ids = segments(image.astype(np.float32), valid)
        numbers, first = np.unique(ids[ids > 0], return_index=True)
        np.testing.assert_array_equal(numbers, np.arange(1, len(numbers) + 1))
        assert (np.diff(first) > 0).all()
        np.testing.assert_array_equal(ids == 0, ~valid)

    def test_they_are_about_as_large_as_they_should_be(self) -> None:
        ids = segments(np.zeros((200, 200, 1), np.float32), np.ones((200, 200), np.bool_))
        assert SEGMENT_PX / 2 < ids.size / ids.max() < SEGMENT_PX * 2

    def test_each_is_connected_where_all_is_valid(self) -> None:
        image = ndimage.gaussian_filter(np.random.default_rng(2).random((64, 64, 3)), (2, 2, 0))
        ids = segments(image.astype(np.float32), np.ones((64, 64), np.bool_))
        for number in range(1, int(ids.max()) + 1):
            assert ndimage.label(ids == number)[1] == 1

    def test_the_same_image_gives_the_same_ids(self) -> None:
        image, valid = halves(), np.ones((60, 80), np.bool_)
        np.testing.assert_array_equal(segments(image, valid), segments(image, valid))

    def test_nothing_valid_gives_nothing(self) -> None:
        assert not segments(halves(), np.zeros((60, 80), np.bool_)).any()

    def test_one_pixel(self) -> None:
        assert segments(np.zeros((1, 1, 1), np.float32), np.ones((1, 1), np.bool_)) == 1


class TestLayers:
    def test_optical_and_sar_are_seen_and_truth_is_not(self, scene: Scene, tile: Tile) -> None:
        kinds = [layer.modality for layer in segment_layers(scene.store, tile)]
        assert kinds == [Modality.OPTICAL, Modality.SAR]

    def test_all_channels_are_shown_in_unit_range(self, scene: Scene, tile: Tile) -> None:
        layers = segment_layers(scene.store, tile)
        image, valid = chunk_image(layers, tile.grid, Window(0, 0, *SIZE))
        assert image.shape == (*SIZE, 4)
        assert image.min() >= 0
        assert image.max() <= 1
        # The optical image has a gap of 4 x 4 px, under which the SAR is valid.
        assert valid.all()

    def test_both_polarisations_count(self, scene: Scene, tile: Tile) -> None:
        optical, sar = segment_layers(scene.store, tile)
        both = replace(sar, sources=sar.sources * 2, bands=("VV", "VH"))
        image, _ = chunk_image((optical, both), tile.grid, Window(0, 0, *SIZE))
        assert image.shape == (*SIZE, 5)
        np.testing.assert_array_equal(image[..., 3], image[..., 4])

    def test_a_tile_without_images_has_none(self, scene: Scene, tile: Tile) -> None:
        with pytest.raises(NotFound, match="optical or a SAR"):
            segment_layers(scene.store, replace(tile, id=10**6))


class TestKeeping:
    def test_a_chunk_is_made_in_the_background_and_kept(self, scene: Scene, tile: Tile) -> None:
        maker = Maker()
        path, content = superpixels(scene.store, tile, 0, 0, maker)
        assert content is None
        content = wait_for(scene, tile, maker)
        ids = unpack(content, Window(0, 0, *SIZE))
        assert ids is not None
        assert ids.min() == 1
        assert path.read_bytes() == content

    def test_deleting_the_files_changes_nothing(self, scene: Scene, tile: Tile) -> None:
        maker = Maker()
        before = wait_for(scene, tile, maker)
        superpixels(scene.store, tile, 0, 0, maker)[0].unlink()
        assert wait_for(scene, tile, maker) == before

    @pytest.mark.parametrize("content", [b"", b"nonsense", pack(np.ones((3, 3), np.uint16))])
    def test_a_damaged_file_is_made_again(self, scene: Scene, tile: Tile, content: bytes) -> None:
        maker = Maker()
        good = wait_for(scene, tile, maker)
        path, _ = superpixels(scene.store, tile, 0, 0, maker)
        path.write_bytes(content)
        assert read_chunk(path, Window(0, 0, *SIZE)) is None
        assert wait_for(scene, tile, maker) == good

    def test_another_image_gives_another_file(self, scene: Scene, tile: Tile) -> None:
        path, _ = superpixels(scene.store, tile, 0, 0, Maker())
        optical = scene.folder / "train_optical.tif"
        optical.write_bytes(optical.read_bytes() + b"\0")
        again, _ = superpixels(scene.store, tile, 0, 0, Maker())
        assert again != path

    def test_outside_the_tile(self, scene: Scene, tile: Tile) -> None:
        with pytest.raises(GridMismatch):
            superpixels(scene.store, tile, 1, 0, Maker())

    def test_no_half_file_is_left_and_a_second_process_takes_the_first_ones(
        self, scene: Scene, tile: Tile
    ) -> None:
        window, layers = Window(0, 0, *SIZE), segment_layers(scene.store, tile)
        path = scene.store.folder("superpixels", "two") / "0_0.z"
        made: list[bytes] = []
        threads = [
            threading.Thread(
                target=lambda: made.append(make_chunk(path, layers, tile.grid, window))
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(made)) == 1
        assert sorted(p.name for p in path.parent.iterdir()) == ["0_0.lock", "0_0.z"]

    def test_an_unreadable_image_is_told_once_and_tried_again(
        self, scene: Scene, tile: Tile
    ) -> None:
        optical = scene.folder / "train_optical.tif"
        good = optical.read_bytes()
        optical.write_bytes(b"no picture")
        maker = Maker()
        with pytest.raises(RasterError, match="train_optical"):
            wait_for(scene, tile, maker)
        optical.write_bytes(good)
        assert wait_for(scene, tile, maker)


class TestMaker:
    def test_a_chunk_is_never_made_twice_at_once(self) -> None:
        running, most = [0], [0]
        made: list[str] = []
        go = threading.Event()

        def work(name: str) -> None:
            running[0] += 1
            most[0] = max(most[0], running[0])
            go.wait(5)
            made.append(name)
            running[0] -= 1

        maker = Maker()
        for _ in range(20):
            for name in ("a", "b"):
                maker.ask(Path(name), partial(work, name))
        go.set()
        settle(maker)
        assert most == [1]
        # The first may be asked for once more while it is being waited for, never while it runs.
        assert sorted(set(made)) == ["a", "b"]
        assert len(made) <= 3

    def test_what_was_asked_for_last_comes_first(self) -> None:
        made: list[int] = []
        go = threading.Event()
        maker = Maker()
        maker.ask(Path("first"), partial(go.wait, 5))
        while maker.working is None:
            time.sleep(0.005)
        for i in range(4):
            maker.ask(Path(str(i)), partial(made.append, i))
        go.set()
        settle(maker)
        assert made == [3, 2, 1, 0]

    def test_what_nobody_asks_for_any_more_is_dropped(self) -> None:
        made: list[str] = []
        now = [0.0]
        go = threading.Event()
        maker = Maker(clock=lambda: now[0])
        maker.ask(Path("slow"), partial(go.wait, 5))
        while maker.working is None:
            time.sleep(0.005)
        maker.ask(Path("left"), partial(made.append, "left"))
        now[0] = ABANDONED_S + 1
        maker.ask(Path("wanted"), partial(made.append, "wanted"))
        go.set()
        settle(maker)
        assert made == ["wanted"]

    @pytest.mark.parametrize(
        ("error", "said"), [(MemoryError(), "no memory"), (RuntimeError("SLIC gave up"), "gave up")]
    )
    def test_an_error_does_not_stop_the_next(self, error: Exception, said: str) -> None:
        def breaks() -> None:
            raise error

        made: list[int] = []
        maker = Maker()
        maker.ask(Path("breaks"), breaks)
        settle(maker)
        maker.ask(Path("works"), partial(made.append, 1))
        settle(maker)
        assert made == [1]
        with pytest.raises(CloudbrushError, match=said):
            maker.ask(Path("breaks"), breaks)


def settle(maker: Maker) -> None:
    """Wait until the maker's thread has ended."""
    for _ in range(1000):
        with maker.lock:
            if not maker.alive:
                return
        time.sleep(0.005)
    raise AssertionError("the maker never ended")
