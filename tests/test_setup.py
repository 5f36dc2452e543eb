"""The setup script and the make targets do what the README says."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_setup_scripts_parse() -> None:
    for script in (ROOT / "setup.sh", ROOT / ".ci" / "run"):
        subprocess.run(["bash", "-n", script], check=True)


def test_a_second_setup_installs_nothing() -> None:
    if not (ROOT / ".venv" / ".installed-test").exists():
        pytest.skip("not set up by setup.sh, so that there is nothing to find again")
    done = subprocess.run([ROOT / "setup.sh", "test"], capture_output=True, text=True, check=True)
    assert "installing" not in done.stderr


def test_continuous_integration_runs_the_tests() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text()
