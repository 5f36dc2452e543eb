"""Projects, tiles and people, on a real migrated database."""

import sqlite3

import numpy as np
import pytest
from sqlalchemy import inspect

from core import catalogue, trained
from core.errors import CloudbrushError, NotFound
from core.predictions import save_prediction
from core.records import Split, TileState
from core.store.engine import Store
from core.store.tables import (
    AcquisitionRow,
    Base,
    ClassEntryRow,
    PersonRow,
    ProjectRow,
    TileRow,
)
from tests.conftest import DATABASE_URL


def add_project(store: Store, name: str = "Fields") -> int:
    with store.write() as session:
        project = ProjectRow(
            name=name, kind="land_cover", reader="test", root="/", preset="plain", class_table="t"
        )
        session.add(project)
        session.flush()
        for code in (1, 2):
            session.add(
                ClassEntryRow(
                    project_id=project.id,
                    position=code,
                    code=code,
                    name=f"class {code}",
                    colour="#102030",
                )
            )
        for index, split in enumerate(("train", "train", "val")):
            tile = TileRow(
                project_id=project.id,
                name=f"t{index}",
                region="north",
                split=split,
                height=64,
                width=64,
                transform=[1, 0, 0, 0, -1, 0],
            )
            session.add(tile)
            session.flush()
            for cover in (0.5, 0.0):
                session.add(
                    AcquisitionRow(
                        tile_id=tile.id, name=f"a{cover}", thin=0.0, thick=cover, shadow=0.0
                    )
                )
        return project.id


def test_migrations_make_exactly_the_tables(store: Store) -> None:
    found = inspect(store.engine)
    for table in Base.metadata.sorted_tables:
        columns = {column["name"] for column in found.get_columns(table.name)}
        assert columns == {column.name for column in table.columns}, table.name


sqlite_only = pytest.mark.skipif(bool(DATABASE_URL), reason="says how SQLite behaves")


@sqlite_only
def test_sqlite_is_durable_and_checks_references(store: Store) -> None:
    with store.read() as session:
        connection = session.connection()
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragma == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 15000,
    }


def test_a_failed_write_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write() as session:
        session.add(
            ProjectRow(name="x", kind="k", reader="r", root="/", preset="p", class_table="t")
        )
        session.flush()
        raise RuntimeError
    assert catalogue.projects(store) == []


def test_people_are_added_once(store: Store) -> None:
    ada = catalogue.ensure_person(store, "  Ada   Lovelace ")
    assert catalogue.ensure_person(store, "Ada Lovelace") == ada
    assert catalogue.people(store) == [ada]
    with pytest.raises(CloudbrushError, match="your name"):
        catalogue.ensure_person(store, "   ")


def test_rename_archive_delete(store: Store) -> None:
    first, second = add_project(store), add_project(store, "Towns")
    with pytest.raises(CloudbrushError, match="twice"):
        catalogue.rename_project(store, second, "Fields")
    catalogue.rename_project(store, second, "Cities")
    assert [p.name for p in catalogue.projects(store)] == ["Fields", "Cities"]
    catalogue.archive_project(store, first)
    assert [p.name for p in catalogue.projects(store)] == ["Cities"]
    assert len(catalogue.projects(store, archived=True)) == 2
    catalogue.archive_project(store, first, archived=False)
    tile = catalogue.tiles(store, first)[0]
    catalogue.delete_project(store, first)
    with pytest.raises(NotFound):
        catalogue.tile(store, tile.id)


def test_delete_takes_the_files_that_only_this_project_names(store: Store) -> None:
    first, second = add_project(store), add_project(store, "Towns")
    card = {"network": "unet", "bands": {"sar": 1}, "sha256": "0" * 64}
    folder = store.folder("models")
    for project, names in ((first, ("mine", "shared")), (second, ("shared",))):
        for name in names:
            (folder / f"{name}.safetensors").touch()
            (folder / f"{name}.json").touch()
            trained.add_model(store, project, name, folder / f"{name}.safetensors", card)
    tile_of = {project: catalogue.tiles(store, project)[0] for project in (first, second)}
    maps = {
        project: save_prediction(
            store, tile.id, "m1", *(np.ones((2, tile.grid.height, tile.grid.width), np.uint8))
        ).path
        for project, tile in tile_of.items()
    }
    findings = store.folder("imports") / f"project-{first}.jsonl"
    original = store.folder("demo") / "image.tif"
    findings.touch()
    original.touch()
    segments = {
        project: store.folder("superpixels", f"project-{project}", "chunk") / "0_0.z"
        for project in (first, second)
    }
    for path in segments.values():
        path.touch()
    catalogue.delete_project(store, first)
    assert not segments[first].parents[1].exists() and segments[second].exists()
    assert sorted(path.name for path in folder.iterdir()) == ["shared.json", "shared.safetensors"]
    assert not maps[first].exists() and maps[second].exists()
    assert not findings.exists() and original.exists()


def test_tiles_carry_state_and_editability(store: Store) -> None:
    project = add_project(store)
    tile, _other, val = catalogue.tiles(store, project)
    assert (tile.state, tile.version, tile.editable) == (TileState.NEW, 0, True)
    assert not val.editable and val.split is Split.VAL
    catalogue.set_tile_state(store, tile.id, TileState.OPENED)
    catalogue.set_tile_state(store, tile.id, TileState.DONE)
    assert catalogue.tile(store, tile.id).state is TileState.DONE


def test_reserved_tiles_are_corrected_frozen_and_given_back(store: Store) -> None:
    tile, _other, val = catalogue.tiles(store, add_project(store))
    catalogue.reserve_tiles(store, [tile.id])
    reserved = catalogue.tile(store, tile.id)
    assert (reserved.editable, reserved.trainable, reserved.frozen) == (True, False, False)
    catalogue.freeze_tiles(store, [tile.id])
    frozen = catalogue.tile(store, tile.id)
    assert (frozen.editable, frozen.trainable, frozen.frozen) == (False, False, True)
    catalogue.give_back_tiles(store, [tile.id])
    assert catalogue.tile(store, tile.id) == tile
    with pytest.raises(CloudbrushError, match="val split"):
        catalogue.freeze_tiles(store, [val.id])


def test_acquisitions_come_clearest_first(store: Store) -> None:
    project = add_project(store)
    tile = catalogue.tiles(store, project)[0]
    assert [a.cover for a in catalogue.acquisitions(store, tile.id)] == [0.0, 0.5]
    by_tile = catalogue.project_acquisitions(store, project)
    assert by_tile[tile.id] == catalogue.acquisitions(store, tile.id)


@sqlite_only
def test_a_reader_sees_one_snapshot_and_a_writer_holds_the_lock(store: Store) -> None:
    with store.read() as reading:
        before = reading.query(PersonRow).count()
        catalogue.ensure_person(store, "Ada")
        assert reading.query(PersonRow).count() == before
    with store.write() as writing:
        writing.connection()
        other = sqlite3.connect(store.workspace / "cloudbrush.db", timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()
    assert len(catalogue.people(store)) == 1


def test_the_splits_of_a_project_are_known_without_its_tiles(store: Store) -> None:
    assert catalogue.splits(store, add_project(store)) == {Split.TRAIN, Split.VAL}
    assert catalogue.splits(store, 99) == set()
