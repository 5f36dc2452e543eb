"""Contest submissions: every rule is checked on the zip itself, and PIL reads what is in it."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import catalogue, trained
from core.classes import BRIGHT
from core.errors import DatasetError
from core.export.formats import export, format_of
from core.export.frame import Exported, Order
from core.export.submission import TRACKS, check_submission, png
from core.found import FoundTile
from core.ingest import import_dataset
from core.predictions import save_prediction
from core.records import Modality, ModelRecord, Project, Split
from core.scores import model_source
from core.store.engine import Store
from tests.rasters import dataset, image, save

NAMES = {
    "dfc25_t1": ("TestArea_001", "TestArea_0490"),
    "dfc25_t2": ("noto_00000001", "x-y_00000002"),
}
CARD = {"network": "none", "bands": {"sar": 1}, "sha256": "0" * 64}


def made(store: Store, folder: Path, track: str, side: int = 1024) -> tuple[Project, ModelRecord]:
    """Return a project of two SAR tiles of the test part, and a model."""
    tiles = [sar_tile(folder, name, side) for name in NAMES[track]]
    options = {"classes": BRIGHT, "kind": "damage"} if track == "dfc25_t2" else {}
    project = import_dataset(
        store, dataset(folder, *tiles, preset=track, **options), "P", roots=[folder]
    )
    weights = store.workspace / "models/m.safetensors"
    return project, trained.add_model(store, project.id, "net", weights, CARD)


def sar_tile(folder: Path, name: str, side: int) -> FoundTile:
    path = save(folder / f"{name}.tif", np.full((side, side), 7, np.uint8))
    return FoundTile(name, "", Split.TEST, (image(Modality.SAR, path),))


def predict(store: Store, project: Project, model: ModelRecord, code: int = 3) -> dict[str, bytes]:
    maps = {}
    for number, tile in enumerate(catalogue.tiles(store, project.id)):
        codes = np.full((tile.grid.height, tile.grid.width), code, np.uint8)
        codes[:9, : 9 + number] = 1
        save_prediction(store, tile.id, model_source(model.id), codes, codes, model_id=model.id)
        maps[tile.name] = codes.tobytes()
    return maps


def submit(store: Store, project: Project, model: ModelRecord) -> Exported:
    options = {"model": str(model.id), "split": "test"}
    return export(store, project.id, "S", Order("submission", options=options))


@pytest.mark.parametrize(
    ("track", "suffix", "published"), [("dfc25_t1", "", 490), ("dfc25_t2", "_building_damage", 156)]
)
def test_a_submission_holds_every_test_tile_as_the_contest_wants_it(
    store: Store, tmp_path: Path, track: str, suffix: str, published: int
) -> None:
    project, model = made(store, tmp_path, track)
    maps = predict(store, project, model)
    done = submit(store, project, model)
    with zipfile.ZipFile(done.folder / f"test_{track}.zip") as archive:
        assert archive.namelist() == [f"{name}{suffix}.png" for name in sorted(maps)]
        for name, codes in maps.items():
            with Image.open(io.BytesIO(archive.read(f"{name}{suffix}.png"))) as found:
                assert (found.format, found.mode, found.size) == ("PNG", "L", (1024, 1024))
                assert found.tobytes() == codes
    assert done.manifest["zip"] == f"test_{track}.zip"
    *rules, complete = done.manifest["checks"]
    assert [rule["holds"] for rule in rules] == [True] * 7
    assert (complete["holds"], complete["found"]) == (False, "2 maps")
    assert str(published) in complete["rule"]


def test_a_code_that_the_contest_does_not_know_stops_the_submission(
    store: Store, tmp_path: Path
) -> None:
    project, model = made(store, tmp_path, "dfc25_t1")
    predict(store, project, model, code=0)
    with pytest.raises(DatasetError, match=r"TestArea_001.png: \[0\].*codes 1 to 8 only"):
        submit(store, project, model)
    assert list((store.workspace / "exports").iterdir()) == []


def test_a_tile_without_a_map_stops_the_submission(store: Store, tmp_path: Path) -> None:
    project, model = made(store, tmp_path, "dfc25_t1", side=32)
    with pytest.raises(DatasetError, match="a map for every test tile"):
        submit(store, project, model)


PICTURE = png(np.full((1024, 1024), 2, np.uint8))


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({"maps/a.png": PICTURE}, "all files at the root of the zip"),
        ({"a.png": PICTURE, "b.png": PICTURE}, "names as the contest wants them, each once"),
        ({}, "a map for every test tile of the project"),
        ({"a.png": b"GIF89a"}, "PNG"),
        ({"a.png": png(np.full((512, 1024), 2, np.uint8))}, "1024 x 1024 pixels"),
        ({"a.png": png(np.full((1024, 1024), 9, np.uint8))}, "codes 1 to 8 only"),
    ],
)
def test_each_rule_is_named_when_it_breaks(
    tmp_path: Path, files: dict[str, bytes], rule: str
) -> None:
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    checks = check_submission(path, TRACKS["dfc25_t1"], ["a"], Split.TEST)
    assert rule in [check.rule for check in checks if not check.holds]


@pytest.mark.parametrize("mode", ["P", "RGB", "I;16"])
def test_other_kinds_of_png_are_no_submission(tmp_path: Path, mode: str) -> None:
    out, path = io.BytesIO(), tmp_path / "s.zip"
    Image.new(mode, (1024, 1024)).save(out, "PNG")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", out.getvalue())
    checks = check_submission(path, TRACKS["dfc25_t1"], ["a"], Split.TEST)
    assert "one channel of 8 bits" in [check.rule for check in checks if not check.holds]


def test_other_projects_have_no_server_to_submit_to(store: Store, tmp_path: Path) -> None:
    project, _ = made(store, tmp_path, "dfc25_t1", side=32)
    assert format_of("submission").unfit(store, project) is None
    plain = import_dataset(
        store, dataset(tmp_path, sar_tile(tmp_path, "p", 8)), "Plain", roots=[tmp_path]
    )
    assert "rules of DFC2025" in (format_of("submission").unfit(store, plain) or "")
