"""Answers on their way to the browser: packed once, by us, or not at all."""

from app.routes.packing import LEAST_BYTES
from tests.app.client import Client
from tests.app.routes.conftest import stroke, writes
from tests.scene import Scene

PLAIN = {"Accept-Encoding": "identity"}


def test_labels_are_packed_for_browsers_that_take_it(ada: Client, scene: Scene) -> None:
    url = f"/tile/{scene.tile}/labels/0/0"
    plain, packed = ada.get(url, PLAIN), ada.get(url)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]
    assert int(packed.headers["content-length"]) < len(plain.body)
    assert packed.body == plain.body
    assert packed.headers["x-version"] == plain.headers["x-version"]


def test_pictures_and_short_answers_are_left_alone(ada: Client, scene: Scene) -> None:
    sar, optical = scene.layers["train", "sar"], scene.layers["train", "optical"]
    for url in (f"image/{sar}/0/0/0", f"image/{optical}/0/1/1", "labels/9/9", "history?client=x"):
        assert "content-encoding" not in ada.get(f"/tile/{scene.tile}/{url}").headers


@writes
def test_long_answers_to_strokes_are_packed(ada: Client, scene: Scene) -> None:
    ada.post(f"/tile/{scene.tile}/edits", stroke())
    undo = {"client_id": "a", "seq": 2, "base_version": 1, "tool": "undo"}
    reply = ada.post(f"/tile/{scene.tile}/edits", undo)
    assert reply.headers["content-encoding"] == "gzip"
    assert len(reply.body) >= LEAST_BYTES
    assert b'"status":"saved"' in reply.body
