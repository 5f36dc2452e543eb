"""A project leaves as a folder, is trained there, and the model comes back."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from core import catalogue, trained
from core.errors import CloudbrushError
from core.records import Project
from core.settings import Settings
from core.store.engine import Store
from models import project_folder
from models.own_files import add_own
from models.project_folder import write_project
from models.registry import load_model
from models.request import request_of
from models.train_distributed import read_run, run_folder
from tests.models.conftest import tiles_by_name


def test_a_project_is_trained_in_a_folder_and_the_model_comes_back(
    store: Store,
    settings: Settings,
    project: Project,
    quick_recipe: dict[str, Any],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "run"
    write_project(store, project, request_of(quick_recipe), folder)
    config, samples, watched = read_run(folder)
    tiles = tiles_by_name(store, project)
    assert {tiles[sample.name].trainable for sample in samples} == {True}
    assert watched and not any(tiles[sample.name].trainable for sample in watched)
    assert config.steps == quick_recipe["steps"]
    run_folder(folder)
    record = add_own(store, project, folder / "network.safetensors", settings.allowed_roots)
    assert record.name == "run" and load_model(record).codes == project.classes.codes
    with pytest.raises(CloudbrushError, match="a new or an empty folder"):
        write_project(store, project, request_of(quick_recipe), folder)


def test_recipes_and_wrong_codes_are_refused_before_anything_is_trained(
    store: Store, project: Project, quick_recipe: dict[str, Any], tmp_path: Path
) -> None:
    asked = request_of({**quick_recipe, "recipe": "co_teaching"})
    with pytest.raises(CloudbrushError, match="Recipes run on the Train page"):
        write_project(store, project, asked, tmp_path / "no")
    assert not (tmp_path / "no").exists()
    write_project(store, project, request_of(quick_recipe), tmp_path / "run")
    (tmp_path / "run" / "codes.json").write_text("[1, 2]")
    with pytest.raises(CloudbrushError, match="expected 3 codes"):
        run_folder(tmp_path / "run")
    assert not (tmp_path / "run" / "network.safetensors").exists()


def test_the_command_finds_a_project_by_name(
    store: Store,
    project: Project,
    quick_recipe: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    request = tmp_path / "request.json"
    request.write_text(json.dumps(quick_recipe))
    assert catalogue.projects(store) and trained.models(store, project.id) == []
    command = ["project_folder", str(store.workspace), project.name, str(tmp_path / "run")]
    monkeypatch.setattr(sys, "argv", [*command, "--request", str(request)])
    project_folder.main()
    assert len(read_run(tmp_path / "run")[1]) == 3
    monkeypatch.setattr(sys, "argv", [*command[:2], "nowhere", str(tmp_path / "other")])
    with pytest.raises(SystemExit):
        project_folder.main()
    assert "tiny" in capsys.readouterr().err
