"""A small scene whose store does not wait for the disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from tests.scene import Scene, make_scene
from tests.strokes import fast_store


@pytest.fixture
def scene(settings: Settings, tmp_path: Path) -> Iterator[Scene]:
    store = fast_store(settings)
    yield make_scene(store, tmp_path / "data")
    store.close()
