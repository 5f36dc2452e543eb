"""Fixtures that every test folder shares."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import MetaData

from core.settings import Settings, load_settings
from core.store.engine import Store, make_engine, open_store
from tests.live import chromium
from tests.server import serving

REAL_DATA = Path(
    os.environ.get(
        "CLOUDBRUSH_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "real-data"
    )
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: no worker then waits for another at the end."""
    weights: Counter[Path] = Counter()
    for item in items:
        weights[item.path] += 30 if item.get_closest_marker("long") else 0
        weights[item.path] += 4 if item.get_closest_marker("browser") else 0
    items.sort(key=lambda item: -weights[item.path])


# Runs the tests on another database than SQLite; it is emptied before each test.
DATABASE_URL = os.environ.get("CLOUDBRUSH_TEST_DATABASE_URL", "")


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Give back `__main__`: a page under test takes its place, and its file may be gone when a
    later test starts processes, which begin by reading it.
    """
    kept = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = kept


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with a fresh workspace in which everything below tmp_path may be read."""
    if DATABASE_URL:
        engine = make_engine(DATABASE_URL)
        found = MetaData()
        found.reflect(engine)
        found.drop_all(engine)
        engine.dispose()
    return load_settings(
        workspace=tmp_path / "workspace", data_roots=(tmp_path,), database_url=DATABASE_URL
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """Return an empty migrated store."""
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Return the address of a server on this machine that serves tmp_path."""
    with serving(tmp_path) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return one Chromium for all tests; each test opens tabs of its own."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real rasters, or skip."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real rasters at {REAL_DATA}; set CLOUDBRUSH_REAL_DATA")
    return REAL_DATA
