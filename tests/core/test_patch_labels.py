"""Labels of whole patches in the edit log: one class, or a list of cells, with undo and checks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import catalogue, history, patch_labels
from core.check import check
from core.classes import OPEN_EARTH_MAP_SAR, ClassEntry, ClassTable, Provenance
from core.errors import BadPatch, ClassTableError, NotEditable
from core.found import FoundDataset, FoundTile
from core.grid import Window, lonlat_corners
from core.history import EditConflict
from core.ingest import import_dataset
from core.records import Modality, Split, Tile
from core.scan import scan_tile
from core.store.engine import Store
from core.store.tables import TallyRow
from core.stroke import Effect, Stroke, Tool
from tests.rasters import dataset, grid_of, image, noise, save

LISTED = ClassTable("three", tuple(ClassEntry(i, f"c{i}", f"#0000{i}0") for i in range(3)))
NONE = patch_labels.NONE


def one(root: Path, name: str, code: int, split: Split = Split.TRAIN) -> FoundTile:
    sar = image(Modality.SAR, save(root / f"{name}.tif", noise(1, 48, 40), grid_of()))
    return FoundTile(name, "", split, (sar,), (code,))


def listed(root: Path, name: str, *present: int) -> FoundTile:
    return replace(one(root, name, 0), patch_codes=patch_labels.cells_of(present, LISTED))


def stored(store: Store, found: FoundDataset) -> tuple[list[Tile], int]:
    project = import_dataset(store, found, "patches", roots=[found.root])
    return catalogue.tiles(store, project.id), catalogue.ensure_person(store, "Ada").id


def whole(tile: Tile, seq: int, **given: object) -> Stroke:
    """Return the edit of a whole patch."""
    box = Window(0, 0, tile.grid.height, tile.grid.width)
    runs = np.array([0, box.h * box.w])
    values = {"client_id": "tab", "base_version": 0, "tool": Tool.PATCH, "box": box, "runs": runs}
    return Stroke(**(values | {"seq": seq} | given))  # type: ignore[arg-type]


def cell(k: int, seq: int, to_class: int) -> Stroke:
    return Stroke("tab", seq, 0, Tool.PATCH, Window(0, k, 1, 1), np.array([0, 1]), to_class)


def now(store: Store, tile: Tile) -> tuple[patch_labels.PatchCodes, set[int]]:
    found = history.current(store, tile.id)
    count = 1 if tile.grid.height > 1 else tile.grid.width
    return patch_labels.codes_in(found.labels, count), set(found.provenance.ravel().tolist())


def test_one_class_is_corrected_verified_and_undone(tmp_path: Path, store: Store) -> None:
    (tile,), ada = stored(store, dataset(tmp_path, one(tmp_path, "a", 6)))
    assert tile.grid == grid_of()
    assert now(store, tile) == ((6,), {Provenance.PSEUDO})
    verified = whole(tile, 1, effect=Effect.VERIFY)
    history.append(store, tile.id, verified, ada)
    assert now(store, tile) == ((6,), {Provenance.VERIFIED})
    history.append(store, tile.id, whole(tile, 2, to_class=3), ada)
    assert now(store, tile) == ((3,), {Provenance.CHANGED})
    history.append(store, tile.id, Stroke("tab", 3, 2, Tool.UNDO), ada)
    assert now(store, tile) == ((6,), {Provenance.VERIFIED})
    history.append(store, tile.id, Stroke("tab", 4, 3, Tool.REDO), ada)
    history.append(store, tile.id, whole(tile, 5, effect=Effect.REVERT), ada)
    assert now(store, tile) == ((6,), {Provenance.PSEUDO})
    assert np.all(history.original(store, tile.id) == 6)


def test_two_people_on_one_patch_are_asked(tmp_path: Path, store: Store) -> None:
    (tile,), ada = stored(store, dataset(tmp_path, one(tmp_path, "a", 6)))
    grace = catalogue.ensure_person(store, "Grace").id
    history.append(store, tile.id, whole(tile, 1, to_class=3), ada)
    with pytest.raises(EditConflict):
        history.append(store, tile.id, whole(tile, 1, client_id="b", to_class=4), grace)
    history.append(store, tile.id, whole(tile, 1, client_id="b", to_class=4, force=True), grace)
    assert now(store, tile)[0] == (4,)


def test_a_part_of_a_patch_is_refused(tmp_path: Path, store: Store) -> None:
    (tile,), ada = stored(store, dataset(tmp_path, one(tmp_path, "a", 6)))
    part = Stroke("tab", 1, 0, Tool.BRUSH, Window(0, 0, 2, 2), np.array([0, 4]), 3)
    with pytest.raises(BadPatch, match="Patches page"):
        history.append(store, tile.id, part, ada)
    assert now(store, tile) == ((6,), {Provenance.PSEUDO})


def test_a_list_changes_cell_by_cell(tmp_path: Path, store: Store) -> None:
    found = dataset(tmp_path, listed(tmp_path, "a", 0, 2), kind="patch_list", classes=LISTED)
    (tile,), ada = stored(store, found)
    assert (tile.grid.height, tile.grid.width) == (1, 3)
    assert tile.lonlat == pytest.approx(np.array(lonlat_corners(grid_of())), abs=1e-9)
    assert now(store, tile)[0] == (0, NONE, 2)
    history.append(store, tile.id, cell(1, 1, 1), ada)
    history.append(store, tile.id, cell(0, 2, NONE), ada)
    assert now(store, tile)[0] == (NONE, 1, 2)
    history.append(store, tile.id, Stroke("tab", 3, 2, Tool.UNDO), ada)
    assert now(store, tile)[0] == (0, 1, 2)
    with pytest.raises(BadPatch, match="its own class"):
        history.append(store, tile.id, cell(0, 4, 2), ada)


def test_test_patches_stay_as_they_came(tmp_path: Path, store: Store) -> None:
    (tile,), ada = stored(store, dataset(tmp_path, one(tmp_path, "a", 6, Split.TEST)))
    with pytest.raises(NotEditable):
        history.append(store, tile.id, whole(tile, 1, to_class=3), ada)
    assert now(store, tile)[0] == (6,)


@pytest.mark.parametrize("codes", [(99,), (1, 2), ()])
def test_labels_that_fit_no_table_are_found_at_import(
    tmp_path: Path, codes: tuple[int, ...]
) -> None:
    tile = replace(one(tmp_path, "a", 6), patch_codes=codes)
    checked = check(dataset(tmp_path, tile), roots=[tmp_path])
    (error,) = [f for f in checked.findings if f.level == "error"]
    assert "patch codes" in error.message and not checked.tiles


def test_lists_need_codes_without_a_gap() -> None:
    with pytest.raises(ClassTableError, match="without a gap"):
        patch_labels.cells_of([1], OPEN_EARTH_MAP_SAR)
    with pytest.raises(ClassTableError, match="7"):
        patch_labels.cells_of([7], LISTED)


def test_an_edit_reads_no_image_and_a_scan_counts_the_label(tmp_path: Path, store: Store) -> None:
    (tile,), ada = stored(store, dataset(tmp_path, one(tmp_path, "a", 6)))
    (tmp_path / "a.tif").write_bytes(b"cut short")
    history.append(store, tile.id, whole(tile, 1, to_class=3), ada)
    assert now(store, tile)[0] == (3,)
    save(tmp_path / "a.tif", noise(1, 48, 40), grid_of())
    assert scan_tile(store, tile.id) is None
    with store.read() as session:
        row = session.get(TallyRow, tile.id)
        assert row is not None and row.pixels == {"6": 48 * 40}
