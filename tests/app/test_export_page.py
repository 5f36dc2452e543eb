"""The export page: what goes out, and the check mark after reading it back."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.pages import export
from app.pages.export import size_text
from core import catalogue, jobs
from core.export.frame import exports
from core.found import Kind
from core.ingest import import_dataset
from core.records import JobState
from core.settings import Settings
from core.store.engine import Store
from core.worker import run_attempt
from models.tasks import TASKS
from tests.rasters import dataset, make_tile

SCRIPT = "from app.pages import export\nexport.main()\n"


@pytest.fixture
def page(settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Return the page in a fresh workspace, signed in as Ada."""
    from app import session

    monkeypatch.setattr(session, "_served", (settings, store))
    page = AppTest.from_string(SCRIPT, default_timeout=30)
    page.session_state["person_id"] = catalogue.ensure_person(store, "Ada").id
    return page


def test_without_a_project_it_says_what_to_do(page: AppTest) -> None:
    assert "Choose a project" in page.run().info[0].value


def test_an_export_is_written_checked_and_listed(
    page: AppTest, tmp_path: Path, store: Store
) -> None:
    found = dataset(tmp_path, make_tile(tmp_path), make_tile(tmp_path, "b"))
    project = import_dataset(store, found, "P", roots=[tmp_path])
    page.query_params["project"] = str(project.id)
    page.run()
    assert [metric.value for metric in page.metric] == ["2", "0", "0", "7.7 kB"]
    page.text_input(key="export_name").set_value("Mine").run()
    page.button[0].click().run()
    assert not page.exception
    assert page.success[0].value.startswith("Read back and equal: 2 tiles, 0 edits, 6 files")
    assert [folder.name for folder in exports(store)] == ["Mine"]
    assert page.caption[-1].value.startswith("GeoTIFF labels of P, 20")
    assert "UTC, by Ada." in page.caption[-1].value
    page.toggle[0].set_value(True).run()
    assert not page.exception
    assert (store.workspace / "exports/Mine.zip").is_file()


@pytest.mark.parametrize("kind", ["land_cover", "patch"])
def test_only_formats_for_the_kind_of_labels_are_offered(
    page: AppTest, tmp_path: Path, store: Store, kind: Kind
) -> None:
    found = replace(dataset(tmp_path, make_tile(tmp_path)), kind=kind)
    project = import_dataset(store, found, "P", roots=[tmp_path])
    page.query_params["project"] = str(project.id)
    page.run()
    assert ("Patch labels" in page.selectbox[0].options) == (kind == "patch")
    assert ("GeoTIFF labels" in page.selectbox[0].options) == (kind == "land_cover")
    assert "Edit log" in page.selectbox[0].options


def test_a_name_that_leaves_the_folder_is_refused(
    page: AppTest, tmp_path: Path, store: Store
) -> None:
    project = import_dataset(store, dataset(tmp_path, make_tile(tmp_path)), "P", roots=[tmp_path])
    page.query_params["project"] = str(project.id)
    page.run()
    page.text_input(key="export_name").set_value("../up").run()
    page.button[0].click().run()
    assert "export name" in page.error[0].value
    assert exports(store) == []


def test_a_long_export_runs_as_a_job_that_outlives_the_page(
    page: AppTest,
    tmp_path: Path,
    settings: Settings,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "ensure_runner", lambda _settings: None)
    monkeypatch.setattr(export, "is_instant", lambda *_order: False)
    project = import_dataset(store, dataset(tmp_path, make_tile(tmp_path)), "P", roots=[tmp_path])
    page.query_params["project"] = str(project.id)
    page.run()
    page.text_input(key="export_name").set_value("Long").run()
    page.button[0].click().run()
    assert not page.exception
    assert exports(store) == []
    assert [button.label for button in page.button] == ["Export", "Cancel Long"]
    attempt = jobs.claim(store, jobs.FILES)
    assert attempt is not None
    run_attempt(store, settings, attempt, TASKS)
    assert jobs.job(store, attempt.job_id).state is JobState.DONE
    page.run()
    assert page.success[0].value.startswith("Read back and equal: 1 tile, 0 edits")
    assert [button.label for button in page.button] == ["Export"]


def test_a_waiting_export_can_be_cancelled(
    page: AppTest, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "ensure_runner", lambda _settings: None)
    monkeypatch.setattr(export, "is_instant", lambda *_order: False)
    project = import_dataset(store, dataset(tmp_path, make_tile(tmp_path)), "P", roots=[tmp_path])
    page.query_params["project"] = str(project.id)
    page.run()
    page.text_input(key="export_name").set_value("Long").run()
    page.button[0].click().run()
    page.button[1].click().run()
    assert "Nothing was kept" in page.warning[0].value
    assert jobs.claim(store, jobs.FILES) is None


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (950, "950 B"), (1_500, "1.5 kB"), (86_059_000, "86 MB")]
)
def test_sizes_have_two_digits_and_a_unit(size: int, text: str) -> None:
    assert size_text(size) == text
