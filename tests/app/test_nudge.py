"""Nudges: kept with the layer for everybody, never with labels, and refused when they are odd."""

import json
from pathlib import Path

import pytest
from starlette.applications import Starlette

from app import access
from app.routes.nudge import nudge_routes
from core import catalogue, history
from core.nudge import nudges
from core.store.engine import Store
from tests.app.client import Client
from tests.scene import Scene, make_scene


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> Scene:
    return make_scene(store, tmp_path / "scene")


@pytest.fixture
def ada(scene: Scene) -> Client:
    token = access.mint(scene.store, scene.ada, scene.project_id, "edit")
    return Client(Starlette(routes=nudge_routes(scene.store)), token)


def url(scene: Scene, kind: str = "sar", tile: str = "train") -> str:
    return f"/tile/{scene.tile}/nudge/{scene.layers[tile, kind]}"


def test_a_nudge_is_kept_and_labels_stay(scene: Scene, ada: Client) -> None:
    before = history.current(scene.store, scene.tile)
    assert ada.post(url(scene), {"y": -1.5, "x": 10.0}).json() == {"y": -1.5, "x": 10.0}
    assert nudges(scene.store, scene.tile) == {scene.layers["train", "sar"]: (-1.5, 10.0)}
    now = history.current(scene.store, scene.tile)
    assert now.version == before.version
    assert (now.labels == before.labels).all()


def test_nought_takes_a_nudge_back(scene: Scene, ada: Client) -> None:
    ada.post(url(scene), {"y": 2.0, "x": 0.0})
    ada.post(url(scene), {"y": 0.0, "x": 0.0})
    assert nudges(scene.store, scene.tile) == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"y": NaN, "x": 0}',
        b'{"y": 1e999, "x": 0}',
        json.dumps({"y": 0.25, "x": 0.0}).encode(),
        json.dumps({"y": 201.0, "x": 0.0}).encode(),
        json.dumps({"y": "1", "x": 0.0}).encode(),
        json.dumps({"y": 1.0, "x": 0.0, "label": 1}).encode(),
    ],
)
def test_odd_nudges_are_refused(scene: Scene, ada: Client, body: bytes) -> None:
    reply = ada.post(url(scene), body)
    assert reply.status == 400
    assert "nudge" in reply.json()["error"]
    assert nudges(scene.store, scene.tile) == {}


def test_a_long_body_is_refused(scene: Scene, ada: Client) -> None:
    assert ada.post(url(scene), b" " * 5000).status == 413


@pytest.mark.parametrize(("kind", "tile"), [("truth", "train"), ("label", "train"), ("sar", "val")])
def test_only_images_of_this_tile_are_nudged(
    scene: Scene, ada: Client, kind: str, tile: str
) -> None:
    assert ada.post(url(scene, kind, tile), {"y": 1.0, "x": 1.0}).status == 404


def test_a_token_for_viewing_nudges_nothing(scene: Scene, ada: Client) -> None:
    viewer = access.mint(scene.store, scene.ada, scene.project_id, "view")
    body = {"y": 1.0, "x": 1.0}
    assert Client(ada.app, viewer).post(url(scene), body).status == 403
    assert Client(ada.app).post(url(scene), body).status == 401
    assert Client(ada.app, viewer).post(f"{url(scene)}?token={ada.token}", body).status == 403
    assert catalogue.layer(scene.store, scene.layers["train", "sar"]) is not None
    assert nudges(scene.store, scene.tile) == {}
