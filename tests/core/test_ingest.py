"""The check before an import, and the import itself: all of it or nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import catalogue
from core.check import Checked, check
from core.classes import BRIGHT
from core.clouds import cover as cloud
from core.errors import DatasetError
from core.found import Finding, FoundLayer, FoundTile
from core.history import original
from core.ingest import import_dataset
from core.raster import read_layer
from core.records import Modality, Split, Unit
from core.store.engine import Store
from tests.rasters import dataset, grid_of, image, make_tile, noise, save, unplaced


def errors(checked: Checked) -> list[Finding]:
    return [finding for finding in checked.findings if finding.level == "error"]


def only_error(checked: Checked) -> str:
    (finding,) = errors(checked)
    return finding.message


def swap(tile: FoundTile, layer: FoundLayer) -> FoundTile:
    """Return the tile with its layer of that modality replaced."""
    kept = tuple(la for la in tile.layers if la.modality is not layer.modality)
    return replace(tile, layers=(*kept, layer))


def test_a_good_tile_has_no_finding(tmp_path: Path) -> None:
    checked = check(dataset(tmp_path, make_tile(tmp_path)), roots=[tmp_path])
    assert checked.findings == ()
    assert sum(checked.codes.values()) == 48 * 40


def test_import_writes_what_was_found(tmp_path: Path, store: Store) -> None:
    labels = noise(3, 48, 40, low=0, high=8)
    found = dataset(tmp_path, make_tile(tmp_path, label=labels), make_tile(tmp_path, "b", seed=5))
    project = import_dataset(store, found, "  My   set ", roots=[tmp_path])
    assert project.name == "My set"
    assert project.classes.entries == found.classes.entries
    first, second = catalogue.tiles(store, project.id)
    assert (first.name, second.name) == ("a", "b")
    assert first.grid == grid_of()
    assert first.lonlat is not None
    kinds = {layer.modality: layer for layer in catalogue.layers(store, first.id)}
    assert set(kinds) == {Modality.OPTICAL, Modality.SAR, Modality.LABEL}
    (acquisition,) = catalogue.acquisitions(store, first.id)
    assert (acquisition.name, acquisition.cover) == ("clear", None)
    assert kinds[Modality.OPTICAL].acquisition_id == acquisition.id
    assert np.array_equal(original(store, first.id), labels)


def test_a_bad_tile_is_left_out_and_the_others_stay(tmp_path: Path, store: Store) -> None:
    bad = make_tile(tmp_path, "bad")
    (tmp_path / "bad_sar.tif").write_bytes(b"not a raster")
    found = dataset(tmp_path, bad, make_tile(tmp_path, "good"))
    project = import_dataset(store, found, "Half", roots=[tmp_path])
    assert [tile.name for tile in catalogue.tiles(store, project.id)] == ["good"]


def test_nothing_to_import_leaves_the_database_as_it_was(tmp_path: Path, store: Store) -> None:
    bad = make_tile(tmp_path, "bad")
    (tmp_path / "bad_label.tif").unlink()
    with pytest.raises(DatasetError, match=r"bad_label\.tif.*No such file"):
        import_dataset(store, dataset(tmp_path, bad), "None", roots=[tmp_path])
    assert catalogue.projects(store) == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_name_must_be_one(tmp_path: Path, store: Store, name: str) -> None:
    with pytest.raises(DatasetError, match="project name"):
        import_dataset(store, dataset(tmp_path, make_tile(tmp_path)), name, roots=[tmp_path])


def test_a_taken_name_is_refused(tmp_path: Path, store: Store) -> None:
    found = dataset(tmp_path, make_tile(tmp_path))
    import_dataset(store, found, "Twice", roots=[tmp_path])
    with pytest.raises(DatasetError, match="which another project has"):
        import_dataset(store, found, "Twice", roots=[tmp_path])


def test_unknown_codes_are_named_with_their_pixels(tmp_path: Path) -> None:
    labels = np.ones((48, 40), np.uint8)
    labels[0, :7], labels[1, :3] = 42, 99
    checked = check(dataset(tmp_path, make_tile(tmp_path, label=labels)), roots=[tmp_path])
    assert "unknown codes 42 (7 px), 99 (3 px)" in only_error(checked)
    assert "a_label.tif" in only_error(checked)


def test_codes_that_are_mapped_are_known(tmp_path: Path, store: Store) -> None:
    labels = np.full((48, 40), 42, np.uint8)
    tile = make_tile(tmp_path, label=labels)
    tile = swap(tile, image(Modality.LABEL, tmp_path / "a_label.tif", code_map={42: 3}))
    project = import_dataset(store, dataset(tmp_path, tile), "Mapped", roots=[tmp_path])
    (row,) = catalogue.tiles(store, project.id)
    assert (original(store, row.id) == 3).all()


def test_fractions_of_a_code_are_unknown(tmp_path: Path) -> None:
    tile = make_tile(tmp_path)
    save(tmp_path / "a_label.tif", np.full((48, 40), 1.5, np.float32), grid_of())
    assert "1.5 (1,920 px)" in only_error(check(dataset(tmp_path, tile), roots=[tmp_path]))


def test_the_nodata_value_of_a_label_is_void_unless_it_is_a_class(
    tmp_path: Path, store: Store
) -> None:
    labels = noise(1, 48, 40, low=0, high=3)
    grid = grid_of()
    label = save(tmp_path / "l.tif", np.where(labels == 3, 77, labels), grid, nodata=77)
    zero = save(tmp_path / "z.tif", labels, grid, nodata=0)
    tiles = [
        swap(make_tile(tmp_path, name), image(Modality.LABEL, path))
        for name, path in (("a", label), ("b", zero))
    ]
    found = dataset(tmp_path, *tiles, classes=BRIGHT)
    project = import_dataset(store, found, "Void", roots=[tmp_path])
    a, b = catalogue.tiles(store, project.id)
    assert np.array_equal(original(store, a.id), np.where(labels == 3, 255, labels))
    assert np.array_equal(original(store, b.id), labels)


def test_layers_within_a_pixel_are_accepted_and_their_offset_reported(
    tmp_path: Path, store: Store
) -> None:
    moved = save(tmp_path / "m.tif", noise(1, 48, 40), grid_of(east=500_000.5))
    tile = swap(make_tile(tmp_path), image(Modality.SAR, moved))
    found = dataset(tmp_path, tile)
    (finding,) = check(found, roots=[tmp_path]).findings
    assert (finding.level, finding.where) == ("warning", str(moved))
    assert "0.50 pixels off" in finding.message
    project = import_dataset(store, found, "Moved", roots=[tmp_path])
    (row,) = catalogue.tiles(store, project.id)
    (layer,) = catalogue.layers(store, row.id, modality=Modality.SAR)
    assert layer.offset_px == pytest.approx(0.5)
    assert read_layer(layer, row.grid).values.shape == (1, 48, 40)


def test_layers_of_other_ground_are_refused(tmp_path: Path) -> None:
    far = save(tmp_path / "far.tif", noise(1, 48, 40), grid_of(east=500_002))
    tile = swap(make_tile(tmp_path), image(Modality.SAR, far))
    message = only_error(check(dataset(tmp_path, tile), roots=[tmp_path]))
    assert "far.tif, bounds" in message
    assert "at most 1 pixel" in message


def test_the_label_sets_the_grid(tmp_path: Path, store: Store) -> None:
    coarse = save(tmp_path / "sar.tif", noise(1, 24, 20), grid_of(24, 20, pixel=2))
    tile = swap(make_tile(tmp_path), image(Modality.SAR, coarse))
    found = dataset(tmp_path, tile)
    (finding,) = check(found, roots=[tmp_path]).findings
    assert "24 x 20 pixels on the ground of 48 x 40" in finding.message
    project = import_dataset(store, found, "Coarse", roots=[tmp_path])
    assert catalogue.tiles(store, project.id)[0].grid == grid_of()


def test_a_label_without_position_takes_that_of_the_image(tmp_path: Path) -> None:
    tile = make_tile(tmp_path)
    save(tmp_path / "a_label.tif", np.ones((48, 40), np.uint8), unplaced())
    checked = check(dataset(tmp_path, tile), roots=[tmp_path])
    assert checked.tiles[0].grid == grid_of()
    assert errors(checked) == []


def test_tiles_without_position_are_counted(tmp_path: Path) -> None:
    checked = check(dataset(tmp_path, make_tile(tmp_path, grid=unplaced())), roots=[tmp_path])
    (finding,) = checked.findings
    assert "1 of 1 tiles have no position" in finding.message
    assert checked.tiles[0].region == "here"


def test_an_unknown_region_is_a_cell_of_one_degree(tmp_path: Path) -> None:
    tile = replace(make_tile(tmp_path, grid=grid_of(east=520_000)), region="")
    assert check(dataset(tmp_path, tile), roots=[tmp_path]).tiles[0].region == "36N 141E"
    nowhere = replace(make_tile(tmp_path, "n", grid=unplaced()), region="")
    assert check(dataset(tmp_path, nowhere), roots=[tmp_path]).tiles[0].region == "all"


def test_a_tile_without_an_image_misses_its_partner(tmp_path: Path) -> None:
    tile = make_tile(tmp_path)
    alone = replace(tile, layers=tile.layers[2:])
    message = only_error(check(dataset(tmp_path, alone), roots=[tmp_path]))
    assert "found label; expected an optical or a SAR image as partner" in message


def test_wrong_band_counts_are_refused(tmp_path: Path) -> None:
    thin = swap(make_tile(tmp_path), image(Modality.OPTICAL, tmp_path / "a_sar.tif", 3))
    assert "found 1 bands; expected at least 3 bands" in only_error(
        check(dataset(tmp_path, thin), roots=[tmp_path])
    )
    colourful = swap(make_tile(tmp_path), image(Modality.LABEL, tmp_path / "a_rgb.tif"))
    assert "found 3 bands; expected 1 band for label" in only_error(
        check(dataset(tmp_path, colourful), roots=[tmp_path])
    )


def test_an_image_of_nodata_is_refused(tmp_path: Path) -> None:
    empty = save(tmp_path / "e.tif", np.zeros((48, 40), np.uint8), grid_of(), nodata=0)
    tile = swap(make_tile(tmp_path), image(Modality.SAR, empty))
    assert "no valid pixel" in only_error(check(dataset(tmp_path, tile), roots=[tmp_path]))


def test_a_huge_tile_is_refused_from_its_header(tmp_path: Path) -> None:
    import rasterio

    path = tmp_path / "huge.tif"
    profile = {"driver": "GTiff", "count": 1, "height": 50_000, "width": 50_000, "dtype": "uint8"}
    with rasterio.open(path, "w", tiled=True, sparse_ok=True, compress="deflate", **profile):
        pass
    tile = FoundTile("huge", "", Split.TRAIN, (image(Modality.SAR, path),))
    message = only_error(check(dataset(tmp_path, tile), roots=[tmp_path]))
    assert "50000 x 50000 pixels" in message
    assert "Cut the scene into tiles" in message


def test_files_outside_the_roots_are_refused(tmp_path: Path) -> None:
    found = dataset(tmp_path, make_tile(tmp_path / "outside"))
    assert "outside the folders" in only_error(check(found, roots=[tmp_path / "inside"]))


def test_a_name_that_two_tiles_have_is_kept_once(tmp_path: Path, store: Store) -> None:
    tile = make_tile(tmp_path)
    found = dataset(tmp_path, tile, tile)
    assert "two tiles have this name" in only_error(check(found, roots=[tmp_path]))
    project = import_dataset(store, found, "Twins", roots=[tmp_path])
    assert len(catalogue.tiles(store, project.id)) == 1


def test_unlabelled_tiles_are_imported_and_said_to_be_so(tmp_path: Path, store: Store) -> None:
    tile = make_tile(tmp_path)
    found = dataset(tmp_path, replace(tile, layers=tile.layers[:2]))
    (finding,) = check(found, roots=[tmp_path]).findings
    assert "starts unlabelled" in finding.message
    project = import_dataset(store, found, "Bare", roots=[tmp_path])
    (row,) = catalogue.tiles(store, project.id)
    assert (original(store, row.id) == 0).all()


def test_values_that_are_not_8_bit_lose_the_unit(tmp_path: Path) -> None:
    path = save(tmp_path / "f.tif", noise(1, 48, 40).astype(np.float32), grid_of())
    tile = swap(make_tile(tmp_path), image(Modality.SAR, path))
    checked = check(dataset(tmp_path, tile), roots=[tmp_path])
    assert "taken as number" in checked.findings[0].message
    units = {layer.found.modality: layer.found.unit for layer in checked.tiles[0].layers}
    assert units[Modality.SAR] is Unit.NUMBER


def test_cloud_masks_give_each_acquisition_its_cover(tmp_path: Path, store: Store) -> None:
    levels = np.zeros((48, 40), np.uint8)
    levels[:12], levels[12:18], levels[18:21], levels[21:24] = (
        cloud.THICK,
        cloud.THIN,
        cloud.SHADOW,
        cloud.NONE,
    )
    mask = save(tmp_path / "mask.tif", levels, grid_of())
    tile = make_tile(tmp_path)
    path = tmp_path / "a_rgb.tif"
    tile = replace(
        tile,
        layers=(
            *tile.layers[1:],
            image(Modality.OPTICAL, path, 3, acquisition="clear", date="2024-05-01"),
            image(Modality.OPTICAL, path, 3, acquisition="cloudy", date="2024-05-08"),
            image(Modality.CLOUD, mask, acquisition="cloudy"),
        ),
    )
    project = import_dataset(store, dataset(tmp_path, tile), "Clouds", roots=[tmp_path])
    (row,) = catalogue.tiles(store, project.id)
    cloudy, clear = catalogue.acquisitions(store, row.id)
    assert (cloudy.name, cloudy.date) == ("cloudy", "2024-05-08")
    assert cloudy.thick == pytest.approx(12 / 45)
    assert cloudy.cover == pytest.approx(21 / 45)
    assert clear.cover is None
    (layer,) = catalogue.layers(store, row.id, modality=Modality.CLOUD)
    assert layer.acquisition_id == cloudy.id
    assert np.array_equal(read_layer(layer, row.grid).values[0], levels)


def test_progress_counts_every_tile(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = dataset(tmp_path, *(make_tile(tmp_path, name) for name in "abc"))
    check(found, roots=[tmp_path], progress=lambda done, count, _: seen.append((done, count)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_originals_are_not_touched(tmp_path: Path, store: Store) -> None:
    found = dataset(tmp_path, make_tile(tmp_path))
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.tif")}
    import_dataset(store, found, "Read only", roots=[tmp_path])
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.tif*")} == before
