"""The demo on disk: one seed, one set of files; tiles that match; truth that fits the pictures."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.classes import OPEN_EARTH_MAP_SAR
from core.raster import describe, read
from data.demo.landcover import SKIES, VALIDATION, Size, build_files, draw_region
from data.demo.palette import AGRICULTURE, BUILDING, ROAD, TREE, WATER
from data.demo.regions import ELSEWHERE, REGIONS
from data.demo.sar import LOOKS, estimate_looks, to_amplitude_power
from data.readers.cloudbrush_folder import CloudbrushFolderReader
from tests.data.demo.conftest import SEED, SMALL


def digest(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


@pytest.mark.soak
def test_one_seed_gives_the_same_files_with_one_worker_or_two(
    small_demo: Path, tmp_path: Path
) -> None:
    build_files(tmp_path, SEED, SMALL, workers=2)
    assert digest(tmp_path) == digest(small_demo)


def test_another_seed_gives_other_pictures(small_demo: Path, tmp_path: Path) -> None:
    build_files(tmp_path, SEED + 1, Size(1, 1, 1, 128))
    name = f"truth/{REGIONS[0].name}_01.tif"
    assert (tmp_path / name).read_bytes() != (small_demo / name).read_bytes()


def test_every_file_of_the_manifest_is_there_but_labels(
    small_demo: Path, manifest: dict[str, Any]
) -> None:
    for tile in manifest["tiles"]:
        assert len(tile["acquisitions"]) == 1 + len(SKIES)
        named = [tile["sar"], tile["truth"]]
        named += [seen[kind] for seen in tile["acquisitions"] for kind in ("optical", "cloud")]
        assert all((small_demo / name).is_file() for name in named)
        assert not (small_demo / tile["label"]).exists()


def test_tiles_of_a_region_share_a_border_and_a_utm_zone(small_demo: Path) -> None:
    first, second = (
        describe(small_demo / "truth" / f"{REGIONS[0].name}_{number:02d}.tif").grid
        for number in (1, 2)
    )
    assert first.crs == second.crs == REGIONS[0].crs
    right_edge = first.transform[2] + first.width * first.transform[0]
    assert right_edge == pytest.approx(second.transform[2])


def test_neighbouring_tiles_continue_each_other(small_demo: Path) -> None:
    def clear(number: int) -> np.ndarray[Any, np.dtype[Any]]:
        entry = json.loads((small_demo / "manifest.json").read_text())["tiles"][number]
        covers = [
            (int(read(((small_demo / seen["cloud"], 1),), None).values.sum()), seen["optical"])
            for seen in entry["acquisitions"]
        ]
        path = small_demo / min(covers)[1]
        return read(tuple((path, band) for band in (1, 2, 3)), None).values.astype(float)

    left, right = clear(0), clear(1)
    seam = np.abs(left[:, :, -1] - right[:, :, 0]).mean()
    inside = np.abs(np.diff(left, axis=2)).mean()
    assert seam < 2.5 * inside


def test_regions_lie_in_different_utm_zones_and_two_tiles_of_each_are_validation() -> None:
    assert len({region.crs for region in REGIONS}) == len(REGIONS) == 4
    assert len(VALIDATION) == 2
    assert Size() == Size(4, 2, 4, 512)


def test_the_pseudo_labeller_learns_elsewhere() -> None:
    assert not {region.seed for region in ELSEWHERE} & {region.seed for region in REGIONS}
    assert not {region.place.palette for region in ELSEWHERE} & {r.place.palette for r in REGIONS}


def test_a_region_has_the_brightness_that_radar_gives_its_classes() -> None:
    found = draw_region(REGIONS[0], SEED, (384, 384), skies=())
    bright = {
        code: float(np.median(found.amplitude[found.truth == code])) for code in (WATER, ROAD, TREE)
    }
    assert bright[WATER] < bright[ROAD] < bright[TREE]
    roofs = found.amplitude[found.truth == BUILDING]
    assert np.percentile(roofs, 95) > 1.5 * bright[ROAD]


def test_the_number_of_looks_on_a_flat_field_is_the_set_one() -> None:
    found = draw_region(REGIONS[1], 7, (512, 512), skies=())
    flat = (found.truth == WATER) | (found.truth == ROAD)
    looks = estimate_looks(to_amplitude_power(found.amplitude), flat, window=8)
    assert (found.truth == AGRICULTURE).mean() > 0.2
    assert looks == pytest.approx(LOOKS, rel=0.1)


def test_truth_holds_only_classes_of_the_table() -> None:
    found = draw_region(REGIONS[3], SEED, (256, 384), skies=())
    assert set(np.unique(found.truth)) <= set(OPEN_EARTH_MAP_SAR.codes)


def test_the_clear_date_has_no_cloud_and_is_not_always_the_first() -> None:
    first = []
    for region in REGIONS:
        found = draw_region(region, 7, (64, 64))
        assert found.dates[0].levels.max() == 0
        first.append(found.dates[0].date == min(seen.date for seen in found.dates))
    assert not all(first)


def test_the_reader_knows_its_own_folder_and_takes_files_that_are_there(small_demo: Path) -> None:
    reader = CloudbrushFolderReader()
    assert reader.recognise(small_demo)
    found = reader.find(small_demo)
    assert [tile.region for tile in found.tiles] == [r.name for r in REGIONS[:2] for _ in range(2)]
    assert len(found.findings) == len(found.tiles)
    assert all("label" in finding.where for finding in found.findings)
