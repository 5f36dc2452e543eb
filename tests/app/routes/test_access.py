"""Who gets an answer: only tokens for the project and purpose, and truth never leaves."""

import json

import numpy as np
import pytest
from itsdangerous import TimestampSigner
from starlette.applications import Starlette

from app import access
from app.routes.bodies import MAX_BODY_BYTES
from tests.app.client import Client, Reply
from tests.app.routes.conftest import edits, stroke
from tests.scene import Scene


class TestAccess:
    @pytest.fixture
    def urls(self, scene: Scene) -> list[tuple[str, str]]:
        tile, optical = scene.tile, scene.layers["train", "optical"]
        reads = (
            f"image/{optical}/0/0/0",
            f"values/{optical}?row=1&col=1",
            "labels/0/0",
            f"cloud/{scene.acquisitions['train']}/0/0",
            "prediction/1/0/0",
            "thumbnail/optical",
            "history",
            "changes?since=0",
        )
        return [("GET", f"/tile/{tile}/{read}") for read in reads] + [
            ("POST", f"/tile/{tile}/edits"),
            ("POST", f"/tile/{tile}/state"),
        ]

    def call(self, app: Starlette, token: str | None, url: tuple[str, str]) -> Reply:
        return Client(app, token).request(*url, json.dumps(stroke()).encode())

    def test_no_token_no_answer(self, app: Starlette, urls: list[tuple[str, str]]) -> None:
        for url in urls:
            reply = self.call(app, None, url)
            assert (reply.status, reply.json()["reason"]) == (401, "missing"), url

    def test_a_forged_token_is_refused(
        self, app: Starlette, scene: Scene, urls: list[tuple[str, str]]
    ) -> None:
        good = access.mint(scene.store, scene.ada, scene.project_id, "edit")
        for url in urls:
            for forged in ("x", "x" + good, good[:-3], good.swapcase()):
                reply = self.call(app, forged, url)
                assert (reply.status, reply.json()["reason"]) == (401, "invalid"), url
        assert edits(scene) == 0

    def test_an_expired_token_is_refused(
        self,
        app: Starlette,
        scene: Scene,
        urls: list[tuple[str, str]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _self: 1_000_000_000)
        token = access.mint(scene.store, scene.ada, scene.project_id, "edit")
        monkeypatch.undo()
        for url in urls:
            reply = self.call(app, token, url)
            assert (reply.status, reply.json()["reason"]) == (401, "expired"), url

    def test_another_project_is_refused(
        self, app: Starlette, scene: Scene, urls: list[tuple[str, str]]
    ) -> None:
        token = access.mint(scene.store, scene.ada, scene.project_id + 1, "edit")
        for url in urls:
            reply = self.call(app, token, url)
            assert (reply.status, reply.json()["reason"]) == (403, "project"), url

    def test_viewing_is_not_editing(
        self, app: Starlette, scene: Scene, urls: list[tuple[str, str]]
    ) -> None:
        token = access.mint(scene.store, scene.ada, scene.project_id, "view")
        for url in urls:
            reply = self.call(app, token, url)
            assert (reply.status == 403) == (url[0] == "POST"), url
        assert edits(scene) == 0

    def test_an_address_may_carry_a_token_for_reading_only(
        self, app: Starlette, scene: Scene
    ) -> None:
        token = access.mint(scene.store, scene.ada, scene.project_id, "edit")
        nobody = Client(app)
        assert nobody.get(f"/tile/{scene.tile}/thumbnail/sar?token={token}").status == 200
        reply = nobody.post(f"/tile/{scene.tile}/edits?token={token}", stroke())
        assert (reply.status, reply.json()["reason"]) == (401, "missing")

    def test_a_stranger_may_not_send_a_large_body(self, app: Starlette, scene: Scene) -> None:
        reply = Client(app).post(f"/tile/{scene.tile}/edits", b"x" * (MAX_BODY_BYTES + 1))
        assert reply.status == 401

    @pytest.mark.parametrize("tile", ["999", "0", "-1", "x", "9" * 30, "9" * 5000, "1.0", "%20"])
    def test_an_unknown_tile_is_not_found(self, ada: Client, tile: str) -> None:
        assert ada.get(f"/tile/{tile}/labels/0/0").status == 404
        assert ada.post(f"/tile/{tile}/edits", stroke()).status == 404


class TestTruth:
    @pytest.mark.parametrize("name", ["train", "val"])
    def test_no_route_serves_it(self, ada: Client, scene: Scene, name: str) -> None:
        tile, truth = scene.tiles[name], scene.layers[name, "truth"]
        for url in (
            f"image/{truth}/0/0/0",
            f"values/{truth}?row=0&col=0",
            f"thumbnail/{truth}",
            "thumbnail/truth",
            "labels/0/0?layer=truth",
        ):
            reply = ada.get(f"/tile/{tile}/{url}")
            shown = np.frombuffer(reply.body, np.uint8)
            assert reply.status == 404 or (shown[: 512 * 512] != 1).any(), url

    def test_class_maps_are_no_images(self, ada: Client, scene: Scene) -> None:
        for kind in ("label", "cloud", "truth"):
            url = f"/tile/{scene.tile}/image/{scene.layers['train', kind]}/0/0/0"
            assert ada.get(url).status == 404

    def test_a_layer_of_another_tile_is_not_found(self, ada: Client, scene: Scene) -> None:
        url = f"/tile/{scene.tile}/image/{scene.layers['val', 'optical']}/0/0/0"
        assert ada.get(url).status == 404
