"""Pages of tiles by filter and order say what a walk over all tiles says."""

from pathlib import Path

import pytest
from sqlalchemy import update

from core import browse, catalogue
from core.browse import Area, Neighbours, Wish
from core.records import Modality, TileState
from core.store.engine import Store
from core.store.tables import TileRow
from core.tally import refresh
from tests.core.test_catalogue import add_project
from tests.scene import Scene, make_scene


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> Scene:
    return make_scene(store, tmp_path / "scene")


def names(store: Store, project_id: int, wish: Wish) -> list[str]:
    ids = browse.page(store, project_id, wish, None, offset=0, limit=99)
    found = [tile.name for tile in catalogue.tiles_by_id(store, ids)]
    assert len(found) == browse.count(store, project_id, wish)
    return found


def test_pages_follow_each_other(store: Store) -> None:
    project = add_project(store)
    add_project(store, "Other")
    pages = [
        browse.page(store, project, Wish(), None, offset=start, limit=2) for start in (0, 2, 4)
    ]
    assert [len(page) for page in pages] == [2, 1, 0]
    every = [tile.id for tile in catalogue.tiles(store, project)]
    assert [tile_id for page in pages for tile_id in page] == every


def test_filters(scene: Scene, store: Store) -> None:
    project = scene.project_id
    refresh(store, catalogue.project(store, project))
    catalogue.set_tile_state(store, scene.tile, TileState.DONE)
    catalogue.reserve_tiles(store, [scene.tiles["second"]])
    assert names(store, project, Wish(split="val")) == ["val"]
    assert names(store, project, Wish(split="train")) == ["blank", "second", "train"]
    assert names(store, project, Wish(split="reserved")) == ["second"]
    assert names(store, project, Wish(state=TileState.DONE)) == ["train"]
    assert names(store, project, Wish(code=5)) == ["second", "train", "val"]
    assert names(store, project, Wish(region="south")) == []
    assert len(names(store, project, Wish(cover=(0.2, 0.5)))) == 4  # all have 20 %
    assert names(store, project, Wish(cover=(0.5, 1.0))) == []
    assert browse.regions(store, project) == ["north"]


def test_orders_by_the_date_in_view(store: Store) -> None:
    project = add_project(store)
    first = catalogue.tiles(store, project)[0]
    from core.store.tables import AcquisitionRow

    with store.write() as session:
        session.add(AcquisitionRow(tile_id=first.id, name="x", thin=0.0, thick=0.9, shadow=0.0))
    order = names(store, project, Wish(order="cloudiest first", date="cloudiest"))
    assert order == ["t0", "t1", "t2"]
    order = names(store, project, Wish(order="clearest first", date="cloudiest"))
    assert order == ["t1", "t2", "t0"]


def test_progress_counts_what_tiles_say(scene: Scene, store: Store) -> None:
    catalogue.set_tile_state(store, scene.tile, TileState.DONE)
    catalogue.set_tile_state(store, scene.tiles["second"], TileState.DONE)
    catalogue.set_tile_state(store, scene.tiles["second"], TileState.OPENED)
    with store.write() as session:
        of = TileRow.id == scene.tiles["blank"]
        session.execute(update(TileRow).where(of).values(problem="torn", scanned_at=None))
    found = browse.progress(store, scene.project_id)
    assert (found.tiles, found.work, found.done) == (4, 2, 1)
    assert (found.unscanned, found.problems, found.placed) == (1, 1, 0)
    assert found.covered and not found.compared
    assert names(store, scene.project_id, Wish(problem=True)) == ["blank"]


def test_areas(store: Store) -> None:
    project = add_project(store)
    with store.write() as session:
        for number, tile in enumerate(catalogue.tiles(store, project)):
            where = TileRow.id == tile.id
            session.execute(update(TileRow).where(where).values(lon=10.0 + number, lat=50.0))
    assert names(store, project, Wish(area=Area((10.5, 49.0), (12.5, 51.0)))) == ["t1", "t2"]
    assert names(store, project, Wish(area=Area("t0", "t1", "north"))) == ["t0", "t1"]
    assert names(store, project, Wish(area=Area("t0", "t1", "south"))) == []
    places = browse.places(store, project, Wish(), None)
    assert [(place.name, place.lon, place.held) for place in places] == [
        ("t0", 10.0, False),
        ("t1", 11.0, False),
        ("t2", 12.0, True),
    ]
    assert [place.cover for place in places] == [0.0, 0.0, 0.0]


def test_neighbours_go_by_name_among_tiles_of_a_kind(scene: Scene, store: Store) -> None:
    by_name = {name: catalogue.tile(store, tile_id) for name, tile_id in scene.tiles.items()}
    found = browse.neighbours(store, by_name["second"])
    assert found == Neighbours(scene.tiles["blank"], scene.tiles["train"], 2, 3)
    assert browse.neighbours(store, by_name["val"]) == Neighbours(None, None, 1, 1)
    assert browse.first_waiting(store, scene.project_id) == scene.tiles["blank"]
    catalogue.set_tile_state(store, scene.tiles["blank"], TileState.SKIPPED)
    assert browse.first_waiting(store, scene.project_id) == scene.tiles["second"]
    assert browse.middle_tile(store, scene.project_id, Modality.LABEL) == scene.tiles["train"]
    assert browse.edited(store, scene.project_id) == []
