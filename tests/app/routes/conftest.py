"""A scene on its routes, and the strokes that tests of routes send."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import func, select
from starlette.applications import Starlette

from app import access
from core.settings import load_settings
from core.store.engine import open_store
from core.store.tables import EditRow
from tests.app.client import Client, Reply
from tests.scene import Scene, make_scene

SIZE = (600, 700)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Return a scene for tests that save nothing, made once."""
    folder = tmp_path_factory.mktemp("calm")
    store = open_store(load_settings(workspace=folder / "workspace"))
    yield make_scene(store, folder / "data", height=SIZE[0], width=SIZE[1])
    store.close()


@pytest.fixture
def scene(request: pytest.FixtureRequest) -> Scene:
    """Return the calm scene, or one of its own for a test marked by the fixture `store`."""
    if "store" not in request.fixturenames:
        return request.getfixturevalue("calm")  # type: ignore[no-any-return]
    folder = request.getfixturevalue("tmp_path") / "data"
    return make_scene(request.getfixturevalue("store"), folder, height=SIZE[0], width=SIZE[1])


@pytest.fixture
def ben(app: Starlette, scene: Scene) -> Client:
    return Client(app, access.mint(scene.store, scene.ben, scene.project_id, "edit"))


writes = pytest.mark.usefixtures("store")


def stroke(**values: Any) -> dict[str, Any]:
    return {
        "client_id": "tab",
        "seq": 1,
        "base_version": 0,
        "tool": "brush",
        "from_classes": [],
        "to_class": 8,
        "box": [500, 500, 30, 40],
        "mask": [0, 1200],
        "started_at": 1_790_000_000_000,
        "ended_at": 1_790_000_001_500.5,
        "panes_shown": ["optical", "sar"],
    } | values


def edits(scene: Scene) -> int:
    with scene.store.read() as session:
        return session.scalar(select(func.count()).select_from(EditRow)) or 0


def picture(reply: Reply) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(reply.body)))
