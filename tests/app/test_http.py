"""Refusals over a real connection: the browser must get to read them."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from app import access
from app.routes.bodies import MAX_BODY_BYTES
from core.settings import load_settings
from core.store.engine import open_store
from tests.app.edit_server import nursery
from tests.scene import make_scene


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str, str]]:
    """Return port, address of the edits and a token of a running server."""
    folder = tmp_path_factory.mktemp("http")
    settings = load_settings(workspace=folder / "workspace")
    store = open_store(settings)
    scene = make_scene(store, Path(folder) / "data")
    with nursery(settings.workspace) as started:
        started.start()
        token = access.mint(store, scene.ada, scene.project_id, "edit")
        yield started.port, f"/tile/{scene.tile}/edits", token
    store.close()


@pytest.mark.parametrize(
    ("size", "known", "status"),
    [
        (MAX_BODY_BYTES + 1, True, 413),
        (5 * MAX_BODY_BYTES, True, 413),
        (MAX_BODY_BYTES - 9, False, 401),
        (MAX_BODY_BYTES - 9, True, 400),
    ],
)
def test_a_refusal_of_a_large_stroke_arrives(
    server: tuple[int, str, str], size: int, known: bool, status: int
) -> None:
    port, path, token = server
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"X-Cloudbrush-Token": token} if known else {}
    connection.request("POST", path, b"x" * size, headers)
    reply = connection.getresponse()
    assert reply.status == status
    assert "error" in json.loads(reply.read())
    connection.close()
