"""Home: projects with their next step; rename, archive, bring back, delete; the empty state."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.next_step import next_step
from app.strip import largest_error
from core import catalogue
from core.records import Job, JobState, ModelRecord, Tile, TileState
from core.store.engine import Store
from core.trained import models
from tests.app.scored import make_scored
from tests.scene import Scene, make_scene

SCRIPT = "from app.pages import home\nhome.main()\n"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> Scene:
    made = make_scene(store, tmp_path / "scene")
    catalogue.rename_project(store, made.project_id, "<b>Ground</b>")
    return made


def html(page: AppTest) -> str:
    return " ".join(str(block.proto.body) for block in page.get("html"))


def test_empty_state_offers_a_folder_and_the_demo(page: AppTest) -> None:
    page.run()
    assert "No project yet" in page.info[0].value
    assert [button.label for button in page.button] == ["Open a folder", "Build the demo"]


def test_card_tells_tiles_classes_and_model(page: AppTest, store: Store) -> None:
    make_scored(store)
    text = html(page.run())
    assert not page.exception
    assert "6 tiles, 0 of 0 editable ones done" in text
    assert "8 classes" in text
    assert re.search(r"New: mIoU 0\.\d\d against truth, 6 tiles", text)


def test_names_are_shown_as_text(page: AppTest, scene: Scene) -> None:
    text = html(page.run())
    assert "&lt;b&gt;Ground&lt;/b&gt;" in text and "<b>Ground" not in text


def test_first_step_is_to_correct(page: AppTest, scene: Scene) -> None:
    page.run()
    assert page.button(key=f"next_{scene.project_id}").label == "Correct the first tile"


def test_project_is_renamed(page: AppTest, scene: Scene, store: Store) -> None:
    page.run()
    page.text_input(key=f"name_{scene.project_id}").set_value("Better").run()
    page.button(key=f"rename_{scene.project_id}").click().run()
    assert catalogue.project(store, scene.project_id).name == "Better"


def test_name_that_is_taken_is_refused(page: AppTest, scene: Scene, store: Store) -> None:
    made = make_scored(store)
    page.run()
    page.text_input(key=f"name_{made.project_id}").set_value("<b>Ground</b>").run()
    page.button(key=f"rename_{made.project_id}").click().run()
    assert "expected a new name" in page.error[0].value


def test_archived_project_can_be_brought_back(page: AppTest, scene: Scene, store: Store) -> None:
    page.run()
    page.button(key=f"archive_{scene.project_id}").click().run()
    assert catalogue.projects(store) == []
    page.button(key=f"restore_{scene.project_id}").click().run()
    assert len(catalogue.projects(store)) == 1


def test_project_is_deleted_only_after_confirmation(
    page: AppTest, scene: Scene, store: Store
) -> None:
    page.run()
    assert page.button(key=f"delete_{scene.project_id}").disabled
    page.checkbox(key=f"sure_{scene.project_id}").set_value(True).run()
    page.button(key=f"delete_{scene.project_id}").click().run()
    assert not page.exception
    assert catalogue.projects(store) == []
    assert any(scene.folder.iterdir())


@pytest.fixture
def tiles(scene: Scene, store: Store) -> list[Tile]:
    return catalogue.tiles(store, scene.project_id)


@pytest.fixture
def two_models(store: Store) -> list[ModelRecord]:
    found = models(store, make_scored(store).project_id)[:2]
    return [replace(model, created_at=NOW) for model in found]


def test_running_job_comes_first(tiles: list[Tile]) -> None:
    job = Job(1, "train", 1, 1, JobState.RUNNING, {}, 0.5, "")
    assert next_step(tiles, [], [job], NOW).page == "train"


def test_newer_corrections_ask_for_retraining(
    tiles: list[Tile], two_models: list[ModelRecord]
) -> None:
    corrected = [replace(tile, version=3) for tile in tiles if tile.editable][:2]
    step = next_step(corrected, two_models, [], NOW + timedelta(hours=1))
    assert step.words == "Retrain (2 corrected)"


def test_newer_model_asks_for_a_comparison(
    tiles: list[Tile], two_models: list[ModelRecord]
) -> None:
    assert next_step(tiles, two_models, [], NOW - timedelta(hours=1)).page == "compare"


def test_finished_tiles_ask_for_an_export(tiles: list[Tile], two_models: list[ModelRecord]) -> None:
    done = [replace(tile, state=TileState.DONE) for tile in tiles]
    assert next_step(done, two_models, [], NOW - timedelta(hours=1)).page == "export"


def test_project_without_editable_tiles_is_looked_at() -> None:
    assert next_step([], [], [], None).page == "explore"


def test_circle_is_around_the_largest_error() -> None:
    truth = np.zeros((100, 200), np.uint8)
    labels = truth.copy()
    labels[10:16, 10:16] = 1
    labels[60:80, 140:180] = 2
    mark = largest_error(labels, truth)
    assert mark is not None
    assert mark.x == pytest.approx(0.8, abs=0.01) and mark.y == pytest.approx(0.7, abs=0.01)
    assert largest_error(truth, truth) is None
