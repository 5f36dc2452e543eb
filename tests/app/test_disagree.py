"""Where models disagree: most first, without a score, on tiles that have no clean reference."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.compare.disagree import by_cover, first_pair
from app.compare.strip import DIFFERENT, NOTHING, SAME, difference_picture
from core import catalogue, jobs
from core.predictions import save_prediction
from core.records import ModelRecord, Project, Split
from core.scores import model_source
from core.store.engine import Store
from core.trained import add_model, models
from tests.models.conftest import CLASSES, SIZE, make_project, make_tile

__all__ = ["make_project"]  # a fixture

SCRIPT = "from app.pages import compare\ncompare.main()\n"


@pytest.fixture
def project(make_project: Any, tmp_path: Path) -> Project:
    """Return two tiles whose labels nobody has checked: there is no reference."""
    tiles = tuple(make_tile(tmp_path, f"p{n}", Split.TRAIN, n, truth=False) for n in range(2))
    made: Project = make_project(tiles)
    return made


def add(store: Store, project: Project, name: str, **bands: int) -> ModelRecord:
    card = {"network": "unet", "bands": bands, "sha256": "0"}
    return add_model(store, project.id, name, store.workspace / "models" / f"{name}.x", card)


def draw(store: Store, model: ModelRecord, tile: int, top_rows: int, date: int | None) -> None:
    """Give a model a map of Low in the upper rows and of Mid below."""
    codes = np.full((SIZE, SIZE), 2, np.uint8)
    codes[:top_rows] = 1
    source = model_source(model.id, date)
    sure = np.full_like(codes, 200)
    save_prediction(store, tile, source, codes, sure, model_id=model.id, acquisition_id=date)


@pytest.fixture
def mapped(store: Store, project: Project) -> list[ModelRecord]:
    """Return two models: they differ in a quarter of the first tile, and in half of the second."""
    optical, sar = add(store, project, "Eye", optical=3), add(store, project, "Ear", sar=1)
    for tile, rows in zip(catalogue.tiles(store, project.id), (12, 24), strict=True):
        clear = catalogue.acquisitions(store, tile.id)[0]
        draw(store, optical, tile.id, rows, clear.id)
        draw(store, sar, tile.id, 0, None)
    return [optical, sar]


def opened(page: AppTest, project: Project) -> AppTest:
    page.query_params["project"] = str(project.id)
    page.query_params["view"] = "disagree"
    page.run()
    assert not page.exception
    return page


def test_tiles_come_with_most_disagreement_first(
    page: AppTest, project: Project, mapped: list[ModelRecord]
) -> None:
    found = opened(page, project)
    assert found.subheader[0].value == (
        "Ear and Eye give different classes to 38 % of the pixels (2 tiles, 2 images)"
    )
    assert "No score" in found.caption[0].value
    frame = found.dataframe[0].value
    assert list(frame["tile"]) == ["p1", "p0"]
    assert list(frame["differs, %"]) == [50, 25]
    assert list(frame["pixels"]) == [SIZE * SIZE // 2, SIZE * SIZE // 4]
    first = frame["open"][0]
    assert f"&model=m{mapped[1].id}&against=m{mapped[1].id}%2Cm{mapped[0].id}" in first
    assert not any("mIoU" in str(name) for name in frame.columns)
    assert len(found.get("plotly_chart")) == 1
    assert len(found.get("image")) == 6


def test_one_model_alone_leads_to_training(page: AppTest, store: Store, project: Project) -> None:
    assert "there is none yet" in opened(page, project).info[0].value
    add(store, project, "Eye", optical=3)
    page.run()
    assert "there is one" in page.info[0].value and page.button[0].label == "Go to Train"


def test_missing_maps_are_drawn_on_request(
    page: AppTest, store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "ensure_runner", lambda _settings: None)
    eye, ear = add(store, project, "Eye", optical=3), add(store, project, "Ear", sar=1)
    found = opened(page, project)
    assert "No image has been mapped by Ear and Eye alike" in found.info[0].value
    next(b for b in found.button if b.label == "Draw the maps").click().run()
    assert not found.exception
    asked = [(job.kind, job.payload["model_id"]) for job in jobs.queue(store)]
    assert asked == [("predict", ear.id), ("predict", eye.id)]
    assert not any(b.label == "Draw the maps" for b in found.button)


def test_a_map_that_cannot_be_read_is_left_out(
    page: AppTest, store: Store, project: Project, mapped: list[ModelRecord]
) -> None:
    from core.predictions import predictions

    first = next(p for p in predictions(store, model_id=mapped[0].id))
    first.path.write_bytes(b"no picture")
    found = opened(page, project)
    assert "A map could not be read and is left out" in found.warning[0].value
    assert len(found.dataframe[0].value) == 1


def test_first_pair_sees_different_things(
    store: Store, project: Project, mapped: list[ModelRecord]
) -> None:
    late = add(store, project, "Late ear", sar=1)
    known = models(store, project.id)
    assert first_pair(known, None) == [late.id, mapped[0].id]
    assert first_pair(known, known[0]) == [mapped[0].id, late.id]
    assert first_pair(known[:1], None) == [mapped[0].id]


def test_picture_of_differences() -> None:
    maps = [np.array([[1, 2, 0]], np.uint8), np.array([[1, 5, 0]], np.uint8)]
    picture = difference_picture(maps, CLASSES)
    assert [tuple(int(v) for v in px) for px in picture[0]] == [SAME, DIFFERENT, NOTHING]


def test_without_cover_there_are_no_levels() -> None:
    assert by_cover([], (0.0, 1.0)) == []
