"""The page that makes projects: what it recognises, shows, refuses and imports."""

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.import_tables import classes_of, roles_frame, roles_of
from core import catalogue, jobs
from core.errors import ClassTableError, DatasetError
from core.records import JobState, Modality, Unit
from core.settings import Settings
from core.store.engine import Store
from core.worker import run_attempt
from data.importing import unfinished
from data.readers.patterns import Role
from models.tasks import TASKS
from tests.rasters import make_oem, noise, save

SCRIPT = "from app.pages import new_project\nnew_project.main()\n"


@pytest.fixture
def page(settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Return the page in a fresh workspace, signed in as Ada."""
    from app import session

    monkeypatch.setattr(session, "_served", (settings, store))
    page = AppTest.from_string(SCRIPT, default_timeout=30)
    page.session_state["person_id"] = catalogue.ensure_person(store, "Ada").id
    return page.run()


def open_folder(page: AppTest, folder: Path | str) -> AppTest:
    return page.text_input(key="new_path").set_value(str(folder)).run()


def click(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click()
    return page.run()


def texts(page: AppTest) -> str:
    assert not page.exception
    shown = [*page.caption, *page.markdown, *page.error, *page.success]
    return "\n".join(str(element.value) for element in shown)


def test_it_starts_at_the_folders_that_may_be_read(page: AppTest, tmp_path: Path) -> None:
    assert str(tmp_path) in {button.label for button in page.button}
    click(page, str(tmp_path))
    assert page.text_input(key="new_path").value == str(tmp_path)


def test_a_known_layout_is_imported_with_one_button(
    page: AppTest, tmp_path: Path, store: Store
) -> None:
    open_folder(page, make_oem(tmp_path / "set"))
    assert "Recognised by: files such as train/" in texts(page)
    assert "Tiles to import: **3** of 3." in texts(page)
    click(page, "Import")
    assert "set is ready with 3 tiles." in texts(page)
    assert all(field.value == "" for field in page.text_input if field.label == "Folder")
    (project,) = catalogue.projects(store)
    assert str(project.id) in page.query_params["project"]
    assert project.reader == "oem_sar"


def test_findings_hide_nothing_and_can_be_filtered(page: AppTest, tmp_path: Path) -> None:
    make_oem(tmp_path / "set")
    (tmp_path / "set/train/sar_images/TrainArea_001.tif").write_bytes(b"broken")
    open_folder(page, tmp_path / "set")
    assert "Tiles to import: **2** of 3; 1 left out, see the findings." in texts(page)
    findings = page.dataframe[-1].value
    assert "error" in set(findings["level"])
    page.text_input(key="findings text").set_value("TrainArea_001").run()
    assert len(page.dataframe[-1].value) == 1
    assert "expected a readable GeoTIFF" in page.dataframe[-1].value["message"].iloc[0]


def test_other_folders_get_patterns_to_confirm(page: AppTest, tmp_path: Path, store: Store) -> None:
    for name in ("a", "b"):
        save(tmp_path / "set" / f"{name}_rgb.tif", noise(1, 3, 16, 16))
        save(tmp_path / "set" / f"{name}_label.tif", noise(2, 16, 16, low=0, high=3))
    open_folder(page, tmp_path / "set")
    words = "Files by pattern: `{tile}_label.tif` 2, `{tile}_rgb.tif` 2. Without a pattern: 0."
    assert words in texts(page)
    click(page, "Import")
    (project,) = catalogue.projects(store)
    assert project.classes.codes == (0, 1, 2, 3)


def test_a_known_class_table_can_be_taken_instead(
    page: AppTest, tmp_path: Path, store: Store
) -> None:
    save(tmp_path / "set/a_rgb.tif", noise(1, 3, 16, 16))
    save(tmp_path / "set/a_label.tif", noise(2, 16, 16, low=0, high=3))
    open_folder(page, tmp_path / "set")
    next(box for box in page.selectbox if box.label.startswith("Start from")).set_value("BRIGHT")
    click(page.run(), "Import")
    (project,) = catalogue.projects(store)
    assert [entry.name for entry in project.classes.entries][-1] == "Destroyed"


def test_errors_come_first_and_name_files_below_the_folder(page: AppTest, tmp_path: Path) -> None:
    folder = make_oem(tmp_path / "set")
    broken = next((folder / "train/labels").iterdir())
    broken.write_bytes(b"no raster")
    open_folder(page, folder)
    table = next(f.value for f in page.dataframe if "level" in f.value.columns)
    assert table["level"].iloc[0] == "error"
    assert f"train/labels/{broken.name}" in table["message"].iloc[0]
    assert str(tmp_path) not in "".join(table["message"])


def test_looking_again_finds_new_files(page: AppTest, tmp_path: Path) -> None:
    open_folder(page, make_oem(tmp_path / "set"))
    save(tmp_path / "set/train/sar_images/TrainArea_9.tif", noise(1, 32, 24))
    click(page, "Look again")
    assert "Tiles to import: **4** of 4." in texts(page)


@pytest.mark.parametrize(
    "path", ["/etc", "/", "../../../../etc", "\0", "x" * 5000, "~root", "/nowhere/at/all"]
)
def test_hostile_paths_are_refused_in_words(page: AppTest, path: str) -> None:
    open_folder(page, path)
    assert len(page.error) == 1
    assert "expected" in page.error[0].value
    assert not page.exception


def test_a_file_is_not_a_folder(page: AppTest, tmp_path: Path) -> None:
    (tmp_path / "set.zip").write_bytes(b"PK")
    open_folder(page, tmp_path / "set.zip")
    assert "Unpack archives first" in page.error[0].value


def test_an_empty_folder_says_what_is_expected(page: AppTest, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    open_folder(page, tmp_path / "empty")
    assert "no raster" in page.error[0].value


def test_a_taken_name_is_said_and_nothing_is_written(
    page: AppTest, tmp_path: Path, store: Store
) -> None:
    folder = make_oem(tmp_path / "set")
    for _ in range(2):
        click(open_folder(page, folder), "Import")
    assert "which another project has" in page.error[0].value
    assert len(catalogue.projects(store)) == 1


def test_roles_survive_the_table() -> None:
    roles = (
        Role("{tile}_s2.tif", Modality.OPTICAL, Unit.REFLECTANCE, (4, 3, 2), "clear {date}"),
        Role("{tile}_l.tif", Modality.LABEL, codes={-1: 255, 2: 1}),
        Role("{tile}_x.tif", None),
    )
    assert roles_of(roles_frame(roles)) == roles


def test_cells_that_are_wrong_are_named() -> None:
    frame = roles_frame((Role("{tile}.tif", Modality.SAR),))
    with pytest.raises(DatasetError, match="bands"):
        roles_of(frame.assign(bands="one"))
    with pytest.raises(DatasetError, match="code map"):
        roles_of(frame.assign(codes="1:2"))


def test_class_tables_are_checked() -> None:
    frame = pd.DataFrame(
        {"code": [1, 2], "name": ["Water", " Dry  land "], "colour": ["#0000FF", "#ffffff"]}
    )
    table = classes_of(frame, "mine", 0)
    assert [entry.name for entry in table.entries] == ["Water", "Dry land"]
    with pytest.raises(DatasetError, match="colour"):
        classes_of(frame.assign(colour=["#00F", "#ffffff"]), "mine", 0)
    with pytest.raises(ClassTableError, match="each code once"):
        classes_of(frame.assign(code=[1, 1]), "mine", 0)


def test_a_large_folder_is_imported_by_a_job(
    page: AppTest, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.pages.new_project.AUTO_CHECK_TILES", 2)
    monkeypatch.setattr("app.pages.new_project.SAMPLED_TILES", 2)
    monkeypatch.setattr(jobs, "ensure_runner", lambda settings: None)
    open_folder(page, make_oem(tmp_path / "set"))
    assert "**3** tiles, of which 2 were checked here." in texts(page)
    click(page, "Import 3 tiles")
    assert catalogue.projects(store) == []  # hidden until it is complete
    (project,) = unfinished(store)
    (job,) = jobs.jobs(store, project.id, kind="import")
    assert (project.name, job.state) == ("set", JobState.QUEUED)
    assert page.text_input(key="new_path").value == ""
    click(page, "Stop")
    assert "the import was stopped" in texts(page)
    click(page, "Continue")
    assert jobs.queue(store)[0].kind == "import"
    click(page, "Stop")
    click(page, "Discard")
    assert unfinished(store) == []


def test_what_changed_is_seen_and_taken_over(
    page: AppTest,
    tmp_path: Path,
    settings: Settings,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "ensure_runner", lambda settings: None)
    click(open_folder(page, make_oem(tmp_path / "set")), "Import")
    (project,) = catalogue.projects(store)
    click(page, "Look for changes")
    assert "Nothing has changed" in texts(page)
    save(tmp_path / "set/train/sar_images/TrainArea_9.tif", noise(1, 32, 24))
    (tmp_path / "set/val/sar_images/ValArea_001.tif").unlink()
    click(page, "Look for changes")
    assert "**1** new, **0** changed and **1** gone tiles" in texts(page)
    click(page, "Take over")
    attempt = jobs.claim(store, jobs.FILES)
    assert attempt is not None
    run_attempt(store, settings, attempt, TASKS)
    assert "Taken over: 1 new, 0 changed and 1 gone tiles" in page.run().success[0].value
    names = [tile.name for tile in catalogue.tiles(store, project.id)]
    assert names == ["TrainArea_0002", "TrainArea_001", "TrainArea_9"]
