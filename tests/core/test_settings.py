"""Settings come from environment and flags, and say what is wrong with them."""

from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import load_settings


def test_a_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBRUSH_PORT", "9000")
    assert load_settings().port == 9000
    assert load_settings(port="9001").port == 9001
    assert load_settings(port=None).port == 9000


def test_the_database_lies_in_the_workspace_by_default(tmp_path: Path) -> None:
    assert load_settings(workspace=tmp_path).url == f"sqlite:///{tmp_path}/cloudbrush.db"
    other = load_settings(workspace=tmp_path, database_url="postgresql://host/name")
    assert other.url == "postgresql://host/name"


def test_a_bad_value_names_the_field() -> None:
    with pytest.raises(SettingsError, match=r"setting port: found '99999'"):
        load_settings(port="99999")
    with pytest.raises(SettingsError, match="device"):
        load_settings(device="tpu")


def test_roots_hold_workspace_and_real_data(tmp_path: Path) -> None:
    settings = load_settings(workspace=tmp_path / "w", real_data=tmp_path / "r", data_roots=())
    assert settings.allowed_roots == (tmp_path / "w", tmp_path / "r")
