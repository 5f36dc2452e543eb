"""The list of all patches with their labels of now agrees with the edit log, whoever wrote it."""

from pathlib import Path
from typing import Any

import pytest

from core import catalogue, history, patch_index
from core.classes import Provenance
from core.errors import NotFound
from core.ingest import import_dataset
from core.patch_index import PatchFilter
from core.patch_labels import NONE, codes_in
from core.records import Split
from core.settings import Settings
from core.store.engine import Store, open_store
from core.stroke import Effect, Stroke, Tool
from tests.core.test_patch_labels import LISTED, cell, listed, one, stored, whole
from tests.rasters import dataset, make_tile


def agrees(store: Store, project_id: int) -> None:
    ids = patch_index.find_patches(store, project_id, PatchFilter())
    for found in patch_index.patches(store, project_id, ids.tolist()):
        now = history.current(store, found.tile_id)
        assert found.codes == codes_in(now.labels, len(found.codes))
        assert set(found.origin) == set(now.provenance.ravel().tolist())
        assert found.version == now.version


def test_filters_follow_the_labels_of_now(tmp_path: Path, store: Store, settings: Settings) -> None:
    parts = [one(tmp_path, "b", 6), one(tmp_path, "a", 3), one(tmp_path, "c", 6, Split.TEST)]
    tiles, ada = stored(store, dataset(tmp_path, *parts))
    a, b, c = tiles
    project = a.project_id

    def found(**wanted: Any) -> Any:
        return patch_index.find_patches(store, project, PatchFilter(**wanted)).tolist()

    assert found() == [a.id, b.id, c.id]
    assert found(code=6) == [b.id, c.id]
    assert found(code=6, split=Split.TRAIN) == [b.id]
    history.append(store, b.id, whole(b, 1, to_class=3), ada)
    assert found(code=6) == [c.id] and found(code=3) == [a.id, b.id]
    assert found(origin=Provenance.CHANGED) == [b.id]
    other = open_store(settings)  # another process, that knows nothing of ours
    history.append(other, a.id, whole(a, 2, effect=Effect.VERIFY), ada)
    history.append(other, b.id, Stroke("tab", 3, 1, Tool.UNDO), ada)
    other.close()
    assert found(code=6) == [b.id, c.id]
    assert patch_index.count_origins(store, project)[Provenance.VERIFIED] == 1
    agrees(store, project)


def test_lists_are_found_by_any_class(tmp_path: Path, store: Store) -> None:
    parts = [listed(tmp_path, "a", 0, 2), listed(tmp_path, "b")]
    (a, b), ada = stored(store, dataset(tmp_path, *parts, kind="patch_list", classes=LISTED))
    empty = patch_index.find_patches(store, a.project_id, PatchFilter(code=NONE))
    assert empty.tolist() == [b.id]
    history.append(store, b.id, cell(1, 1, 1), ada)
    history.append(store, a.id, cell(0, 2, NONE), ada)
    agrees(store, a.project_id)
    (first, second) = patch_index.patches(store, a.project_id, [b.id, a.id])
    assert (first.present, second.present) == ((1,), (2,))


def test_an_edit_that_comes_late_into_the_log_is_seen(tmp_path: Path, store: Store) -> None:
    parts = [one(tmp_path, name, 6) for name in "ab"]
    (a, b), ada = stored(store, dataset(tmp_path, *parts))
    history.append(store, a.id, whole(a, 1, to_class=3), ada)
    agrees(store, a.project_id)
    index = patch_index._memory(store).indexes[a.project_id]
    index.last += 100  # as if the newest number known were larger than that of the next edit
    history.append(store, b.id, whole(b, 2, to_class=4), ada)
    agrees(store, a.project_id)


def test_a_project_of_rasters_has_no_patches(tmp_path: Path, store: Store) -> None:
    project = import_dataset(store, dataset(tmp_path, make_tile(tmp_path)), "r", roots=[tmp_path])
    with pytest.raises(NotFound, match="a raster"):
        patch_index.find_patches(store, project.id, PatchFilter())
    catalogue.delete_project(store, project.id)
    with pytest.raises(NotFound):
        patch_index.find_patches(store, project.id, PatchFilter())
