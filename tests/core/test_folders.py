from pathlib import Path

import pytest

from core.errors import DatasetError
from core.folders import open_folder, parent_within, subfolders


@pytest.mark.parametrize("text", ["{}", " {} ", "'{}'", "{}/sub/.."])
def test_a_typed_folder_opens(tmp_path: Path, text: str) -> None:
    (tmp_path / "sub").mkdir()
    assert open_folder(text.format(tmp_path), [tmp_path]) == tmp_path


@pytest.mark.parametrize("text", ["", "  ", "/", "/proc/self", "nowhere", "\0"])
def test_other_text_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DatasetError, match="expected"):
        open_folder(text, [tmp_path])


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone: found No such file"):
        open_folder(str(tmp_path / "gone"), [tmp_path])


def test_hidden_folders_and_files_are_not_offered(tmp_path: Path) -> None:
    for name in ("b", "a", ".git"):
        (tmp_path / name).mkdir()
    (tmp_path / "file.tif").touch()
    assert subfolders(tmp_path) == ["a", "b"]
    assert subfolders(tmp_path / "gone") == []


def test_walking_up_ends_at_the_roots(tmp_path: Path) -> None:
    inner = tmp_path / "a"
    assert parent_within(inner, [tmp_path]) == tmp_path
    assert parent_within(tmp_path, [tmp_path]) is None
