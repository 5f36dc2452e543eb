"""Pixels are read once, before anything builds on a tile, and what cannot be worked on says so."""

import os
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from core import catalogue, changes, history
from core.clouds import cover as cloud
from core.errors import NotEditable, RasterError
from core.found import FoundTile
from core.grid import Window
from core.headers import check_headers
from core.ingest import add_project, write_tiles
from core.memory import forget
from core.original import file_sha256
from core.patch import encode_runs
from core.records import Modality, Tile
from core.scan import ensure_scanned, scan_tile
from core.store.engine import Store
from core.store.tables import TallyRow, TileRow
from core.stroke import Stroke, Tool
from tests.rasters import dataset, image, make_tile, save


def headers_only(store: Store, folder: Path, *tiles: FoundTile) -> list[Tile]:
    """Import tiles as the job does: by their headers."""
    found = dataset(folder, *tiles)
    checked = [check_headers(tile, found.classes, [folder])[0] for tile in tiles]
    with store.write() as session:
        project_id = add_project(session, found, "Headers")
        write_tiles(session, project_id, [tile for tile in checked if tile], found.classes)
    return catalogue.tiles(store, project_id)


def paint(store: Store, tile_id: int, seq: int = 1) -> history.Saved:
    ada = catalogue.ensure_person(store, "Ada").id
    mask = encode_runs(np.ones((4, 4), np.bool_))
    base = catalogue.tile(store, tile_id).version
    wish = Stroke("tab", seq, base, Tool.BRUSH, Window(0, 0, 4, 4), mask, to_class=1 + seq)
    return history.append(store, tile_id, wish, ada)


def with_clouds(folder: Path) -> FoundTile:
    tile = make_tile(folder)
    levels = np.full((48, 40), cloud.CLEAR, np.uint8)
    levels[:12] = cloud.THICK
    path = save(folder / "a_cloud.tif", levels)
    return FoundTile(
        "a", "here", tile.split, (*tile.layers, image(Modality.CLOUD, path, acquisition=None))
    )


def test_headers_leave_pixels_unread(tmp_path: Path, store: Store) -> None:
    (tile,) = headers_only(store, tmp_path, with_clouds(tmp_path))
    assert not tile.scanned and tile.editable
    assert catalogue.acquisitions(store, tile.id)[0].cover is None


def test_the_first_edit_reads_them(tmp_path: Path, store: Store) -> None:
    (tile,) = headers_only(store, tmp_path, with_clouds(tmp_path))
    assert paint(store, tile.id).status == "saved"
    scanned = catalogue.tile(store, tile.id)
    assert scanned.scanned and scanned.problem is None
    assert catalogue.acquisitions(store, tile.id)[0].cover == pytest.approx(12 / 48)
    with store.read() as session:
        sha256 = session.scalar(select(TileRow.label_sha256).where(TileRow.id == tile.id))
        tally = session.get(TallyRow, tile.id)
    stat = (tmp_path / "a_label.tif").stat()
    assert sha256 == file_sha256(tmp_path / "a_label.tif", stat.st_size, stat.st_mtime_ns)
    assert tally is not None and tally.present.startswith(",1,2,")


def test_unknown_codes_refuse_edits(tmp_path: Path, store: Store) -> None:
    labels = np.ones((48, 40), np.uint8)
    labels[0, :5] = 77
    (tile,) = headers_only(store, tmp_path, make_tile(tmp_path, label=labels))
    for attempt in (1, 2):
        with pytest.raises(NotEditable, match=r"unknown codes 77 \(5 px\)"):
            paint(store, tile.id, attempt)
    marked = catalogue.tile(store, tile.id)
    assert not marked.editable and marked.version == 0
    save(tmp_path / "a_label.tif", np.ones((48, 40), np.uint8))  # mended
    assert scan_tile(store, tile.id) is None
    assert paint(store, tile.id, 3).status == "saved"


def test_a_file_cut_short_after_its_header_is_found(tmp_path: Path, store: Store) -> None:
    tile = make_tile(tmp_path)
    path = tmp_path / "a_rgb.tif"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\0" * (len(whole) - len(whole) // 2))
    (found,) = headers_only(store, tmp_path, tile)
    with pytest.raises(NotEditable, match=r"a_rgb\.tif"):
        ensure_scanned(store, found.id)


def test_a_label_that_changes_under_its_edits_is_never_mixed_in(
    tmp_path: Path, store: Store
) -> None:
    (tile,) = headers_only(store, tmp_path, make_tile(tmp_path))
    paint(store, tile.id)
    before = (tmp_path / "a_label.tif").read_bytes()
    assert changes.changed_files(store, [tile.id]) == {}
    save(tmp_path / "a_label.tif", np.full((48, 40), 3, np.uint8))
    (one,) = changes.changed_files(store, [tile.id])[tile.id]
    assert (one.path.name, one.modality, one.what) == ("a_label.tif", "label", "changed")
    forget(store)
    with pytest.raises(RasterError, match="other content"):
        history.current(store, tile.id)
    assert "other content" in (scan_tile(store, tile.id) or "")
    with pytest.raises(NotEditable, match="other content"):
        paint(store, tile.id, 2)
    (tmp_path / "a_label.tif").write_bytes(before)  # put back, with a new time
    assert changes.changed_files(store, [tile.id]) == {}
    assert scan_tile(store, tile.id) is None
    assert paint(store, tile.id, 3).version == 2


def test_a_touched_file_is_the_same_and_a_missing_one_is_gone(tmp_path: Path, store: Store) -> None:
    (tile,) = headers_only(store, tmp_path, make_tile(tmp_path))
    ensure_scanned(store, tile.id)
    os.utime(tmp_path / "a_rgb.tif", (1, 1))
    assert changes.changed_files(store, [tile.id]) == {}
    (tmp_path / "a_sar.tif").unlink()
    files = changes.changed_files(store, [tile.id])
    assert changes.in_words(files, tile.id) == "a_sar.tif is gone"


def test_a_scan_leaves_cover_found_in_another_way(tmp_path: Path, store: Store) -> None:
    from core.store.tables import AcquisitionRow

    (tile,) = headers_only(store, tmp_path, with_clouds(tmp_path))
    with store.write() as session:
        session.execute(
            update(AcquisitionRow).values(
                thin=0.5, thick=0.0, shadow=0.0, cloud_source="network small"
            )
        )
    ensure_scanned(store, tile.id)
    assert catalogue.acquisitions(store, tile.id)[0].cover == 0.5
