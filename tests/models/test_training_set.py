from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from core import catalogue
from core.classes import Provenance
from core.errors import CloudbrushError, LeakError
from core.raster import write_geotiff
from core.records import Modality, Project, Split, TileState
from core.store.engine import Store
from core.store.tables import TileRow
from core.stroke import Effect
from models import training_set as module
from models.leaks import check_no_leak, shared_ground
from models.sample import IGNORE
from models.training_set import (
    PROVENANCE_WEIGHTS,
    Choice,
    read_image,
    training_set,
)
from models.validation_set import validation_tiles
from tests.models.conftest import MakeProject, make_tile, paint, tiles_by_name


def top_left(rows: int, columns: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    mask = np.zeros((48, 48), np.bool_)
    mask[:rows, :columns] = True
    return mask


def test_labels_of_now_and_weights_by_provenance(store: Store, project: Project) -> None:
    tile = tiles_by_name(store, project)["t1"]
    before = training_set(store, project, Choice())
    paint(store, tile, top_left(4, 4), 5)
    after = training_set(store, project, Choice())
    (old,), (new,) = ([s for s in found.samples if s.name == "t1"] for found in (before, after))
    assert (old.label[:4, :4] == IGNORE).all()
    assert (new.label[:4, :4] == 2).all()  # code 5 is the third class
    assert (new.weight[:4, :4] == PROVENANCE_WEIGHTS[Provenance.CHANGED]).all()
    assert (new.weight[4:] == 1).all()
    assert after.versions == {**before.versions, tile.id: 1}
    assert (before.corrected_px, after.corrected_px) == (0, 16)
    assert (old.by_people, new.by_people) == (0.0, 16 / 48**2)
    assert before.sha256 != after.sha256


def test_the_control_sees_labels_as_they_came(store: Store, project: Project) -> None:
    control = replace(Choice(), corrected=False)
    before = training_set(store, project, control)
    paint(store, tiles_by_name(store, project)["t1"], top_left(9, 9), 5)
    after = training_set(store, project, control)
    assert before.sha256 == after.sha256
    assert set(after.versions.values()) == {0} and after.corrected_px == 0
    assert {s.by_people for s in after.samples} == {0.0}


def test_a_tile_that_fails_its_scan_is_left_out(store: Store, project: Project) -> None:
    tile = tiles_by_name(store, project)["t1"]
    (layer,) = catalogue.layers(store, tile.id, modality=Modality.LABEL)
    labels = np.full((48, 48), 201, np.uint8)
    write_geotiff(layer.sources[0][0], labels, tile.grid)
    with store.write() as session:
        changes = {"scanned_at": None, "label_sha256": None}
        session.execute(update(TileRow).where(TileRow.id == tile.id).values(**changes))
    found = training_set(store, project, Choice())
    assert "unknown codes 201 (2,304 px)" in found.left_out["t1"]
    assert "t1" not in {sample.name for sample in found.samples}
    assert not catalogue.tile(store, tile.id).editable


def test_unsure_pixels_and_chosen_weights(store: Store, project: Project) -> None:
    paint(store, tiles_by_name(store, project)["t0"], top_left(9, 9), 5)
    ignored = {**PROVENANCE_WEIGHTS, Provenance.CHANGED: 0.0}
    without = training_set(store, project, replace(Choice(), weights=ignored))
    assert {s.by_people for s in without.samples} == {0.0}
    weights = {**PROVENANCE_WEIGHTS, Provenance.CHANGED: 7.0, Provenance.PSEUDO: 0.0}
    found = training_set(store, project, replace(Choice(), weights=weights))
    assert [s.name for s in found.samples] == ["t0"]
    assert set(np.unique(found.samples[0].weight)) == {0.0, 7.0}
    assert found.left_out["t1"] == "has no labelled pixel that counts"


def test_all_dates_are_alternatives_up_to_a_cover(store: Store, project: Project) -> None:
    found = training_set(store, project, Choice())
    assert found.bands == {"optical": 3, "sar": 1}
    assert {len(s.inputs["optical"]) for s in found.samples} == {2}
    clear = training_set(store, project, replace(Choice(), max_cover=0.2))
    assert {len(s.inputs["optical"]) for s in clear.samples} == {1}
    for every, clearest in zip(found.samples, clear.samples, strict=True):
        assert np.array_equal(every.inputs["optical"][0], clearest.inputs["optical"][0])
    sar = training_set(store, project, replace(Choice(), modalities=("sar",)))
    assert sar.bands == {"sar": 1}


def test_regions_limit_the_tiles(store: Store, project: Project) -> None:
    found = training_set(store, project, replace(Choice(), regions=("east",)))
    assert [s.name for s in found.samples] == ["t1"]
    with pytest.raises(CloudbrushError, match="no tile to learn from"):
        training_set(store, project, replace(Choice(), regions=("north",)))


def test_validation_tiles_are_never_trained_on(store: Store, project: Project) -> None:
    tiles = tiles_by_name(store, project)
    assert {s.name for s in training_set(store, project, Choice()).samples} == {"t0", "t1", "t2"}
    with pytest.raises(LeakError, match="v7"):
        training_set(store, project, replace(Choice(), tile_ids=(tiles["t0"].id, tiles["v7"].id)))
    with pytest.raises(LeakError, match="v8"):
        check_no_leak(store, project.id, {tiles["v8"].id: 0})


def test_frozen_tiles_leave_the_training_set(store: Store, project: Project) -> None:
    tile = tiles_by_name(store, project)["t1"]
    catalogue.freeze_tiles(store, [tile.id])
    assert {s.name for s in training_set(store, project, Choice()).samples} == {"t0", "t2"}
    with pytest.raises(LeakError, match="t1"):
        training_set(store, project, replace(Choice(), tile_ids=(tile.id,)))


def test_tiles_on_validation_ground_are_left_out(
    store: Store, make_project: MakeProject, tmp_path: Path
) -> None:
    project = make_project(
        (
            make_tile(tmp_path, "apart", Split.TRAIN, 1, x=1000.0),
            make_tile(tmp_path, "over", Split.TRAIN, 2, x=40.0),
            make_tile(tmp_path, "beside", Split.TRAIN, 3, x=-48.0),
            make_tile(tmp_path, "held", Split.VAL, 4, x=0.0),
        )
    )
    found = training_set(store, project, Choice())
    assert [s.name for s in found.samples] == ["apart", "beside"]
    assert found.left_out == {"over": "shares ground with validation tile held"}
    tiles = tiles_by_name(store, project)
    with pytest.raises(LeakError, match="held"):
        check_no_leak(store, project.id, {tiles["over"].id: 0})


def test_ground_is_compared_in_one_coordinate_system(store: Store, project: Project) -> None:
    tiles = tiles_by_name(store, project)
    other = replace(tiles["t1"].grid, transform=tiles["v7"].grid.transform)
    assert shared_ground([replace(tiles["t1"], grid=other)], [tiles["v7"]])
    for crs in (None, "EPSG:32655"):
        moved = replace(tiles["t1"], grid=replace(other, crs=crs))
        assert not shared_ground([moved], [tiles["v7"]])


def test_validation_is_truth_then_frozen_then_pseudo(
    store: Store, project: Project, make_project: MakeProject, tmp_path: Path
) -> None:
    held = validation_tiles(store, project)
    assert [(h.tile.name, h.reference) for h in held] == [("v7", "truth"), ("v8", "truth")]
    assert 5 in held[0].labels and 0 not in held[0].labels

    folder = tmp_path / "second"
    second = make_project(
        tuple(make_tile(folder, f"p{n}", Split.TRAIN, n, truth=False) for n in range(3)), "second"
    )
    assert {h.reference for h in validation_tiles(store, second)} == {"pseudo"}
    assert len(validation_tiles(store, second)) == 3
    tile = tiles_by_name(store, second)["p2"]
    paint(store, tile, top_left(10, 10), 5)
    catalogue.freeze_tiles(store, [tile.id])
    (frozen,) = validation_tiles(store, second)
    assert frozen.reference == "frozen" and (frozen.labels[:10, :10] == 5).all()


def test_what_a_person_was_unsure_of_is_not_scored(store: Store, project: Project) -> None:
    tile = tiles_by_name(store, project)["t1"]
    paint(store, tile, top_left(4, 6), None, effect=Effect.UNSURE)
    catalogue.freeze_tiles(store, [tile.id])
    (frozen,) = [h for h in validation_tiles(store, project) if h.reference == "frozen"]
    assert (frozen.labels[:4, :6] == project.classes.void_code).all()
    assert (frozen.labels != project.classes.void_code).sum() > 24


def test_large_tiles_are_learnt_from_in_pieces(
    store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PIECE_PX", 20)
    monkeypatch.setattr(module, "PIECES_PER_TILE", 4)
    found = training_set(store, project, Choice())
    assert len(found.samples) == 3 * 4 and len(found.versions) == 3
    assert {s.label.shape for s in found.samples} <= {(20, 20), (20, 8), (8, 20), (8, 8)}
    again = training_set(store, project, Choice())
    assert [s.name for s in found.samples] == [s.name for s in again.samples]
    other = training_set(store, project, Choice(seed=1))
    assert [s.name for s in found.samples] != [s.name for s in other.samples]


def test_missing_pixels_become_nan(store: Store, project: Project, tmp_path: Path) -> None:
    tile = tiles_by_name(store, project)["t0"]
    (layer,) = catalogue.layers(store, tile.id, modality=Modality.SAR)
    values = np.full((1, 48, 48), 3.0, np.float32)
    values[0, :5] = -99
    path = tmp_path / "gaps.tif"
    write_geotiff(path, values, tile.grid, nodata=-99)
    image = read_image(replace(layer, sources=((path, 1),)), tile.grid)
    assert np.isnan(image[0, :5]).all() and (image[0, 5:] == 3).all()


def test_corrected_only_takes_every_valid_pixel_of_done_or_verified_tiles(
    store: Store, project: Project
) -> None:
    only = replace(Choice(), use="corrected")
    with pytest.raises(CloudbrushError, match="neither done nor verified"):
        training_set(store, project, only)
    tiles = tiles_by_name(store, project)
    paint(store, tiles["t0"], top_left(4, 4), 5)  # some pixels make no verified tile
    with pytest.raises(CloudbrushError, match="neither done nor verified"):
        training_set(store, project, only)
    person = catalogue.ensure_person(store, "Ada").id
    catalogue.set_tile_state(store, tiles["t0"].id, TileState.DONE, person)
    (done,) = training_set(store, project, only).samples
    assert done.name == "t0" and set(np.unique(done.weight)) == {1.0}
    assert done.checked is not None and done.checked.all()
    paint(store, tiles["t1"], top_left(48, 48), 5)
    found = training_set(store, project, only)
    assert sorted(sample.name for sample in found.samples) == ["t0", "t1"]
    came = training_set(store, project, replace(only, corrected=False))
    assert sorted(sample.name for sample in came.samples) == ["t0", "t1"]
    assert came.sha256 != found.sha256


def test_mixed_counts_all_labels_alike_and_says_what_people_checked(
    store: Store, project: Project
) -> None:
    paint(store, tiles_by_name(store, project)["t1"], top_left(4, 4), 5)
    found = training_set(store, project, replace(Choice(), use="mixed"))
    (sample,) = (s for s in found.samples if s.name == "t1")
    assert set(np.unique(sample.weight)) == {1.0} and sample.by_people == 0.0
    assert sample.checked is not None and sample.checked.sum() == 16
    (weighted,) = (s for s in training_set(store, project, Choice()).samples if s.name == "t1")
    assert weighted.checked is not None and np.array_equal(weighted.checked, sample.checked)
