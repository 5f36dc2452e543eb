"""Routes of commands on many pixels: their answers, and what they refuse."""

import json
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette

from app import access
from core import catalogue, history
from core.grid import Window
from core.patch import decode_runs
from core.store.engine import Store
from tests.app.client import Client, Reply
from tests.scene import Scene, make_scene

RECODE = {"kind": "recode", "from_classes": [1, 2, 3], "to_class": 8}
NAME = {"client_id": "tab", "seq": 1, "base_version": 0}


@pytest.fixture
def scene(store: Store, tmp_path: Any) -> Scene:
    return make_scene(store, tmp_path / "data")


def last(reply: Reply) -> Any:
    assert reply.status == 200, reply.body
    return json.loads(reply.body.splitlines()[-1])


def version(scene: Scene, name: str = "train") -> int:
    return catalogue.tile(scene.store, scene.tiles[name]).version


def test_a_preview_shows_what_applying_does(ada: Client, scene: Scene) -> None:
    url = f"/tile/{scene.tile}/bulk"
    found = last(ada.post(f"{url}/preview", RECODE))["preview"]
    expected = scene.label.copy()
    for part in found["masks"]:
        box = Window(*part["box"])
        expected[box.slices][decode_runs(np.array(part["mask"]), box)] = part["to"]
    assert version(scene) == 0
    assert (found["tiles"], found["pixels"]) == (1, int((expected != scene.label).sum()))
    done = last(ada.post(url, RECODE | NAME))["applied"]
    assert (done["status"], done["version"], done["pixels"]) == ("saved", 1, found["pixels"])
    assert np.array_equal(history.current(scene.store, scene.tile).labels, expected)
    again = last(ada.post(url, RECODE | NAME))["applied"]
    assert (again["status"], again["version"], again["pixels"]) == ("duplicate", 1, found["pixels"])


def test_a_project_is_worked_through_with_progress_and_undone_as_one(
    ada: Client, scene: Scene
) -> None:
    reply = ada.post(f"/tile/{scene.tile}/bulk", RECODE | NAME | {"scope": "project"})
    lines = [json.loads(line) for line in reply.body.splitlines()]
    assert [line.get("done") for line in lines[:-1]] == [1, 2, 3]
    assert lines[-1]["applied"]["tiles"] == 2
    assert (version(scene, "second"), version(scene, "val")) == (1, 0)
    second = scene.tiles["second"]
    known = ada.get(f"/tile/{second}/history").json()
    assert (known["clients"], known["undo"]) == (["tab"], [[0, 1, 1]])
    undo = {"client_id": "tab", "seq": 2, "base_version": 1, "tool": "undo"}
    answer = ada.post(
        f"/tile/{second}/edits", undo | {"reverses": {"client_id": "tab", "seq": 1}}
    ).json()
    assert (answer["group"]["tiles"], answer["group"]["skipped"]) == (2, [])
    for name in ("train", "second"):
        now = history.current(scene.store, scene.tiles[name])
        assert np.array_equal(now.labels, scene.labels[name])


def test_a_version_is_brought_back_as_a_new_edit(ada: Client, scene: Scene) -> None:
    ada.post(f"/tile/{scene.tile}/bulk", RECODE | NAME)
    wish = {"version": 0, "client_id": "tab", "seq": 2, "base_version": 1}
    answer = ada.post(f"/tile/{scene.tile}/restore", wish).json()
    assert (answer["status"], answer["version"]) == ("saved", 2)
    assert (answer["patch"]["tool"], answer["patch"]["seq"]) == ("restore", 2)
    assert (answer["undo_depth"], answer["redo_depth"], answer["group"]) == (2, 0, None)
    assert np.array_equal(history.current(scene.store, scene.tile).labels, scene.label)
    assert ada.post(f"/tile/{scene.tile}/restore", wish).json()["status"] == "duplicate"


def test_restoring_over_strokes_that_were_not_seen_asks(
    app: Starlette, ada: Client, scene: Scene
) -> None:
    ben = Client(app, access.mint(scene.store, scene.ben, scene.project_id, "edit"))
    ben.post(f"/tile/{scene.tile}/bulk", RECODE | NAME | {"client_id": "ben"})
    wish = {"version": 0, "client_id": "tab", "seq": 1, "base_version": 0}
    refused = ada.post(f"/tile/{scene.tile}/restore", wish)
    assert (refused.status, refused.json()["status"]) == (409, "conflict")
    assert refused.json()["theirs"][0]["person"] == "Ben"
    assert ada.post(f"/tile/{scene.tile}/restore", wish | {"force": True}).status == 200


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"kind": "delete"}, 422, "kind"),
        ({"kind": None}, 422, "kind"),
        ({"scope": "world"}, 422, "scope"),
        ({"to_class": 99}, 422, "to_class"),
        ({"to_class": "8"}, 422, "to_class"),
        ({"from_classes": []}, 422, "from_classes"),
        ({"from_classes": [1] * 300}, 422, "from_classes"),
        ({"kind": "islands"}, 422, "size_px"),
        ({"kind": "islands", "size_px": -1}, 422, "size_px"),
        ({"kind": "holes", "size_px": 2**60}, 422, "size_px"),
        ({"kind": "accept", "model": "m1", "percent": float("nan")}, 422, "percent"),
        ({"kind": "accept", "percent": 50.0}, 422, "model"),
        ({"kind": "accept", "percent": 50.0, "model": "m1; drop table"}, 404, "prediction"),
        ({"kind": "accept", "percent": 50.0, "prediction": 12345}, 404, "prediction"),
        ({"restrict": "everywhere"}, 422, "restrict"),
        ({"restrict": "area"}, 422, "area"),
        ({"restrict": "area", "area": {"box": [0, 0, 90, 90], "mask": [8100]}}, 422, "box"),
        ({"restrict": "area", "area": {"box": [0, 0, 2, 2], "mask": [9]}}, 422, "mask"),
        ({"restrict": "area", "scope": "project",
          "area": {"box": [0, 0, 2, 2], "mask": [4]}}, 422, "area"),
        ({"client_id": "a~1"}, 422, "client_id"),
        ({"client_id": "x" * 64}, 422, "client_id"),
        ({"seq": -1}, 422, "seq"),
        ({"base_version": 7}, 422, "base_version"),
        ({"person": 2}, 422, "person"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_name(
    ada: Client, scene: Scene, change: dict[str, Any], status: int, word: str
) -> None:
    reply = ada.post(f"/tile/{scene.tile}/bulk", RECODE | NAME | change)
    assert (reply.status, word in reply.json()["error"]) == (status, True), reply.body
    assert version(scene) == 0


@pytest.mark.parametrize("route", ["bulk", "bulk/preview", "restore"])
def test_tokens_and_tiles_are_checked(
    app: Starlette, ada: Client, scene: Scene, tmp_path: Any, route: str
) -> None:
    other = make_scene(scene.store, tmp_path / "other", seed=2)
    wish = {"bulk": RECODE | NAME, "bulk/preview": RECODE, "restore": NAME | {"version": 0}}[route]
    viewer = Client(app, access.mint(scene.store, scene.ada, scene.project_id, "view"))
    assert viewer.post(f"/tile/{scene.tile}/{route}", wish).status == 403
    assert Client(app).post(f"/tile/{scene.tile}/{route}", wish).status == 401
    assert ada.post(f"/tile/{other.tile}/{route}", wish).status == 403
    assert ada.post(f"/tile/{scene.tiles['val']}/{route}", wish).status in (200, 403)
    assert ada.post(f"/tile/99999/{route}", wish).status == 404
    assert ada.post(f"/tile/{scene.tile}/{route}?token={ada.token}", wish, {
        "x-cloudbrush-token": "no"}).status == 401  # fmt: skip
    assert ada.post(f"/tile/{scene.tile}/{route}", b"{").status == 400
    for tile in other.tiles.values():
        assert catalogue.tile(scene.store, tile).version == 0
    assert version(scene, "val") == 0


def test_an_undo_never_reaches_tiles_of_another_project(
    app: Starlette, ada: Client, scene: Scene, tmp_path: Any
) -> None:
    other = make_scene(scene.store, tmp_path / "other", seed=2)
    elsewhere = Client(app, access.mint(scene.store, scene.ada, other.project_id, "edit"))
    stroke = {"tool": "brush", "to_class": 8, "box": [0, 0, 9, 9], "mask": [0, 81],
              "base_version": 0, "group_id": "shared"}  # fmt: skip
    assert (
        elsewhere.post(f"/tile/{other.tile}/edits", stroke | {"client_id": "a", "seq": 1}).status
        == 200
    )
    ada.post(f"/tile/{scene.tile}/edits", stroke | {"client_id": "b", "seq": 1})
    undo = {"client_id": "b", "seq": 2, "base_version": 1, "tool": "undo"}
    assert ada.post(f"/tile/{scene.tile}/edits", undo).json()["group"]["tiles"] == 1
    assert catalogue.tile(scene.store, other.tile).version == 1
