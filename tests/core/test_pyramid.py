"""Class maps from afar: of now, equal to what the whole would give, and cheap to look at again."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import catalogue, history, pyramid
from core.errors import NotFound
from core.grid import Window
from core.patch import encode_runs
from core.predictions import save_prediction
from core.records import Modality
from core.replay import edits_between
from core.settings import load_settings
from core.store.engine import Store, open_store
from core.stroke import Stroke, Tool
from tests.scene import VOID, Scene, make_scene

SIZE = (1100, 1300)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("pyramid")
    store = open_store(load_settings(workspace=folder / "workspace"))
    yield make_scene(store, folder / "data", height=SIZE[0], width=SIZE[1])
    store.close()


class Painter:
    """Paints boxes with running numbers."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.seq = scene, 0

    def __call__(self, box: Window, to_class: int) -> None:
        self.seq += 1
        stroke = Stroke(
            client_id="pyramid",
            seq=self.seq,
            base_version=0,
            tool=Tool.BRUSH,
            box=box,
            runs=encode_runs(np.ones((box.h, box.w), np.bool_)),
            to_class=to_class,
            force=True,
        )
        history.append(self.scene.store, self.scene.tile, stroke, self.scene.ada)


@pytest.fixture(scope="module")
def paint(scene: Scene) -> Painter:
    return Painter(scene)


def expected(store: Store, tile: int, z: int, by: int, bx: int) -> npt.NDArray[np.uint8]:
    """Return labels and provenance of a coarse block, taken from the whole at native size."""
    now = history.current(store, tile)
    level = pyramid.level_block(catalogue.tile(store, tile).grid, z, by, bx)
    inner = np.ix_(level.rows, level.columns)
    return np.stack([now.labels[inner], now.provenance[inner]])


def seen(store: Store, tile: int, z: int, by: int, bx: int) -> npt.NDArray[np.uint8]:
    found = pyramid.labels(store, tile, z, by, bx)
    return np.stack([found.labels, found.provenance])


@given(
    st.lists(
        st.tuples(
            st.integers(0, SIZE[0] - 1),
            st.integers(0, SIZE[1] - 1),
            st.integers(1, 300),
            st.integers(1, 300),
            st.integers(1, 8),
        ),
        max_size=6,
    )
)
@settings(max_examples=12, deadline=None)
def test_edits_show_where_they_are(
    scene: Scene, paint: Painter, boxes: list[tuple[int, int, int, int, int]]
) -> None:
    for y0, x0, h, w, to_class in boxes:
        paint(Window(y0, x0, min(h, SIZE[0] - y0), min(w, SIZE[1] - x0)), to_class)
    store, tile = scene.store, scene.tile
    for z, by, bx in ((1, 0, 0), (1, 1, 1), (2, 0, 0), (0, 1, 2)):
        found, wanted = seen(store, tile, z, by, bx), expected(store, tile, z, by, bx)
        changed = wanted[1] == 1
        assert np.array_equal(found[1], wanted[1])
        assert np.array_equal(found[0][changed], wanted[0][changed])


def test_what_is_as_it_came_is_the_nearest_pixel(scene: Scene) -> None:
    # Labels come in patches of 8 px: at level 2 all 16 pixels behind one are alike.
    tile = scene.tiles["second"]
    assert np.array_equal(seen(scene.store, tile, 2, 0, 0), expected(scene.store, tile, 2, 0, 0))
    assert np.array_equal(seen(scene.store, tile, 0, 1, 1), expected(scene.store, tile, 0, 1, 1))


def test_a_second_look_reads_only_what_happened_since(
    scene: Scene, paint: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pyramid.labels(scene.store, scene.tile, 2, 0, 0)
    asked: list[int] = []

    def counted(*arguments: Any) -> Any:
        asked.append(arguments[2])
        return edits_between(*arguments)

    monkeypatch.setattr(pyramid, "edits_between", counted)
    monkeypatch.setattr(pyramid, "read_original", None)  # the file is not read again
    assert pyramid.labels(scene.store, scene.tile, 2, 0, 0) is first
    assert asked == []
    paint(Window(40, 40, 64, 64), 3)
    paint(Window(40, 40, 64, 64), 5)
    later = pyramid.labels(scene.store, scene.tile, 2, 0, 0)
    assert asked == [first.version]
    assert later.version > first.version
    assert (later.labels[12, 12], later.provenance[12, 12]) == (5, 1)


def test_a_tile_without_label_is_void(scene: Scene) -> None:
    found = pyramid.labels(scene.store, scene.tiles["blank"], 1, 0, 0)
    assert (found.labels == VOID).all()
    assert not found.provenance.any()


def test_the_whole_tile_made_small(scene: Scene, paint: Painter) -> None:
    paint(Window(0, 0, 200, 200), 4)
    small = pyramid.small_labels(scene.store, scene.tile, (110, 130))
    assert small.shape == (110, 130)
    assert (small[:20, :20] == 4).all()


def test_predictions_and_clouds_from_afar(scene: Scene) -> None:
    grid = catalogue.tile(scene.store, scene.tile).grid
    codes = np.kron(np.arange(6, dtype=np.uint8).reshape(2, 3) + 1, np.ones((550, 434), np.uint8))[
        : SIZE[0], : SIZE[1]
    ]
    found = save_prediction(scene.store, scene.tile, "layer/1", codes, np.full_like(codes, 90))
    far = pyramid.prediction(found, grid, 2, 0, 0)
    assert far.shape == (2, 275, 325)
    assert far[0, 0, 0] == 1
    assert far[0, -1, -1] == 6
    assert (far[1] == 90).all()
    (layer,) = [
        one for one in catalogue.layers(scene.store, scene.tile) if one.modality is Modality.CLOUD
    ]
    assert pyramid.class_layer(layer, grid, 1, 0, 0)[0, 0] == 2


@pytest.mark.parametrize("place", [(-1, 0, 0), (13, 0, 0), (1, 2, 0), (1, 0, 2), (0, -1, 0)])
def test_blocks_that_do_not_exist(scene: Scene, place: tuple[int, int, int]) -> None:
    with pytest.raises(NotFound):
        pyramid.labels(scene.store, scene.tile, *place)
