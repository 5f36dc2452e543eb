"""The reader of Cloudbrush's own folders."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import DatasetError
from core.records import Modality, Split
from data.readers.cloudbrush_folder import CloudbrushFolderReader

MANIFEST: dict[str, Any] = {
    "format": "cloudbrush folder",
    "version": 1,
    "title": "Two tiles",
    "kind": "land_cover",
    "classes": "OpenEarthMap-SAR",
    "preset": "dfc25_t1",
    "tiles": [
        {
            "name": "a_01",
            "region": "a",
            "split": "val",
            "acquisitions": [
                {"date": "2025-06-01", "optical": "a.tif", "cloud": "c.tif"},
                {"date": "2025-06-09", "optical": "gone.tif"},
            ],
            "sar": "s.tif",
            "truth": "t.tif",
        }
    ],
}


def write(root: Path, **changes: object) -> Path:
    (root / "manifest.json").write_text(json.dumps({**MANIFEST, **changes}))
    for name in ("a.tif", "c.tif", "s.tif", "t.tif"):
        (root / name).touch()
    return root


def test_layers_come_with_their_acquisition(tmp_path: Path) -> None:
    found = CloudbrushFolderReader().find(write(tmp_path))
    (tile,) = found.tiles
    assert tile.split is Split.VAL
    kinds = [(layer.modality, layer.acquisition) for layer in tile.layers]
    assert kinds == [
        (Modality.OPTICAL, "2025-06-01"),
        (Modality.CLOUD, "2025-06-01"),
        (Modality.SAR, None),
        (Modality.TRUTH, None),
    ]


def test_a_missing_file_is_reported_by_name(tmp_path: Path) -> None:
    found = CloudbrushFolderReader().find(write(tmp_path))
    assert [finding.where for finding in found.findings] == [str(tmp_path / "gone.tif")]


def test_another_manifest_is_not_recognised(tmp_path: Path) -> None:
    reader = CloudbrushFolderReader()
    assert reader.recognise(tmp_path) is None
    (tmp_path / "manifest.json").write_text('{"format": "something else"}')
    assert reader.recognise(tmp_path) is None
    (tmp_path / "manifest.json").write_text("not json")
    assert reader.recognise(tmp_path) is None
    with pytest.raises(DatasetError, match="no manifest"):
        reader.find(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [{"kind": "weather"}, {"classes": "mine"}, {"tiles": [{"name": "x"}]}, {"tiles": 3}],
)
def test_an_incomplete_manifest_is_named(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(DatasetError, match=r"manifest\.json"):
        CloudbrushFolderReader().find(write(tmp_path, **changes))
