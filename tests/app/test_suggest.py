"""Routes of suggestions: what they give, what they refuse."""

import base64
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette

from app import access
from core import history
from core.classes import Provenance
from core.grid import Window
from core.patch import decode_runs
from core.store.engine import Store
from tests.app.client import Client
from tests.mislabelled import WATER, lake, pixels
from tests.scene import Scene, make_scene


@pytest.fixture
def scene(store: Store, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr("tests.scene._pixels", pixels)
    return make_scene(store, tmp_path / "data", height=96, width=96)


def paint(ada: Client, scene: Scene, seq: int, box: list[int], **wish: Any) -> None:
    stroke = {"client_id": "tab", "seq": seq, "base_version": 0, "tool": "brush", "to_class": 6,
              "box": box, "mask": [0, box[2] * box[3]]} | wish  # fmt: skip
    assert ada.post(f"/tile/{scene.tile}/edits", stroke).status == 200


def test_few_strokes_give_nothing_and_the_answer_says_so(ada: Client, scene: Scene) -> None:
    found = ada.post(f"/tile/{scene.tile}/suggest", {"client_id": "tab"}).json()
    assert (found["status"], found["pixels"], found["check"]) == ("few", 0, None)
    assert "masks" not in found


def test_the_rest_of_an_error_is_suggested_and_sent_back_as_a_stroke(
    ada: Client, scene: Scene
) -> None:
    assert ada.post(f"/tile/{scene.tile}/suggest/prepare", {}).json() == {"ready": True}
    for seq, at in enumerate(([28, 28], [44, 49], [52, 32]), 1):
        paint(ada, scene, seq, [*at, 6, 6])
    for seq, at in enumerate(([70, 70], [70, 10], [10, 70]), 4):
        paint(ada, scene, seq, [*at, 6, 6], tool="verify", to_class=None)
    found = ada.post(f"/tile/{scene.tile}/suggest", {"client_id": "tab"}).json()
    assert found["status"] == "ready"
    assert found["check"] == {"right": 6, "present": 3, "of": 6, "confirmations": 3}
    (part,) = found["masks"]
    assert part["to"] == WATER
    box = Window(*part["box"])
    mask = decode_runs(np.array(part["mask"]), box)
    water = lake(scene.grid)[box.slices]
    assert (mask & water).sum() > 0.9 * mask.sum()
    assert found["pixels"] == mask.sum() > 0.5 * lake(scene.grid).sum()
    stroke = {"client_id": "tab", "seq": 20, "base_version": found["version"],
              "tool": "suggestion", "effect": "values", "box": part["box"], "mask": part["mask"],
              "values": base64.b64encode(bytes([WATER]) * int(mask.sum())).decode()}  # fmt: skip
    assert ada.post(f"/tile/{scene.tile}/edits", stroke).json()["status"] == "saved"
    now = history.current(scene.store, scene.tile, box)
    assert (now.labels[mask] == WATER).all()
    assert (now.provenance[mask] == Provenance.MODEL).all()
    # What was accepted is no stroke by hand: it is not learnt from.
    again = ada.post(f"/tile/{scene.tile}/suggest", {"client_id": "tab"}).json()
    assert again["check"] is None or again["check"]["of"] == 6


@pytest.mark.parametrize("route", ["suggest", "suggest/prepare"])
def test_tokens_tiles_and_bodies_are_checked(
    app: Starlette, ada: Client, scene: Scene, tmp_path: Any, route: str
) -> None:
    other = make_scene(scene.store, tmp_path / "other", seed=2)
    wish = {"client_id": "tab"} if route == "suggest" else {}
    viewer = Client(app, access.mint(scene.store, scene.ada, scene.project_id, "view"))
    assert viewer.post(f"/tile/{scene.tile}/{route}", wish).status == 403
    assert ada.post(f"/tile/{other.tile}/{route}", wish).status == 403
    assert ada.post(f"/tile/{scene.tiles['val']}/{route}", wish).status == 403
    assert ada.post(f"/tile/{scene.tile}/{route}", wish | {"prediction": 99}).status == 404
    wrong = wish | {"acquisition": other.acquisitions["train"]}
    assert ada.post(f"/tile/{scene.tile}/{route}", wrong).status == 404
    assert ada.post(f"/tile/{scene.tile}/{route}", wish | {"acquisition": -1}).status == 422
    assert ada.post(f"/tile/{scene.tile}/{route}", wish | {"acquisition": "x"}).status == 422
    assert ada.post(f"/tile/{scene.tile}/{route}", b"[").status == 400
