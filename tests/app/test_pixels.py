"""Routes of pixel values, superpixels and objects: what they give and what they refuse."""

import io
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette

from app import access
from app.routes import routes
from core import catalogue, superpixels
from core.settings import load_settings
from core.store.engine import open_store
from tests.app.client import Client, Reply
from tests.scene import Scene, make_scene
from tests.town import make_town

SIZE = (600, 700)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("pixels")
    store = open_store(load_settings(workspace=folder / "workspace"))
    yield make_scene(store, folder / "data", height=SIZE[0], width=SIZE[1])
    store.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("town")
    store = open_store(load_settings(workspace=folder / "workspace"))
    yield make_town(store, folder / "data")
    store.close()


def client(scene: Scene, token: str | None = None) -> Client:
    app = Starlette(routes=routes(scene.store, load_settings()))
    own = access.mint(scene.store, scene.ada, scene.project_id, "view")
    return Client(app, own if token is None else token)


def until_made(ada: Client, url: str) -> Reply:
    for _ in range(600):
        reply = ada.get(url)
        if reply.status != 202:
            return reply
        time.sleep(0.05)
    raise AssertionError("never made")


class TestPixels:
    def test_a_block_holds_the_values_as_they_are_shown(self, scene: Scene) -> None:
        layer = scene.layers["train", "optical"]
        reply = client(scene).get(f"/tile/{scene.tile}/pixels/{layer}/0/0")
        assert reply.status == 200
        found = np.frombuffer(reply.body, np.uint8).reshape(4, 512, 512)
        assert not found[:, :4, :4].any()
        assert (found[3, 4:] == 255).all()
        assert np.unique(found[:3]).size > 200

    def test_the_last_block_is_smaller(self, scene: Scene) -> None:
        reply = client(scene).get(f"/tile/{scene.tile}/pixels/{scene.layers['train', 'sar']}/1/1")
        assert len(reply.body) == 2 * (SIZE[0] - 512) * (SIZE[1] - 512)

    def test_the_picture_of_the_pane_has_the_same_values(self, scene: Scene) -> None:
        layer, ada = scene.layers["train", "sar"], client(scene)
        for stretch in ("auto", "percentile", "none"):
            raw = ada.get(f"/tile/{scene.tile}/pixels/{layer}/0/1?stretch={stretch}").body
            shown = ada.get(f"/tile/{scene.tile}/image/{layer}/0/1/0?stretch={stretch}").body
            picture = np.asarray(Image.open(io.BytesIO(shown)))
            np.testing.assert_array_equal(
                np.frombuffer(raw, np.uint8).reshape(2, 512, SIZE[1] - 512)[0], picture
            )

    def test_a_browser_that_has_it_is_told_so(self, scene: Scene) -> None:
        url = f"/tile/{scene.tile}/pixels/{scene.layers['train', 'sar']}/0/0"
        ada = client(scene)
        tag = ada.get(url).headers["etag"]
        assert ada.get(url, {"If-None-Match": tag}).status == 304
        assert ada.get(url + "?stretch=none", {"If-None-Match": tag}).status == 200

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("pixels/TRUTH/0/0", 404),
            ("pixels/LABEL/0/0", 404),
            ("pixels/OTHER/0/0", 404),
            ("pixels/999999/0/0", 404),
            ("pixels/SAR/2/0", 404),
            ("pixels/SAR/0/999999999", 404),
            ("pixels/SAR/-1/0", 404),
            ("pixels/SAR/0/0.5", 404),
            ("pixels/SAR/0/1e3", 404),
            ("pixels/%C2%B2/0/0", 404),
            ("pixels/SAR/0/0?stretch=loud", 400),
            ("pixels/SAR/0/0?stretch=" + "x" * 5000, 400),
            ("superpixels/1/0", 404),
            ("superpixels/0/99999999999", 404),
            ("superpixels/0/-1", 404),
            ("superpixels/../..", 404),
            ("objects", 404),
        ],
    )
    def test_what_is_not_there_is_refused(self, scene: Scene, path: str, status: int) -> None:
        for name, kind in (("TRUTH", "truth"), ("LABEL", "label"), ("SAR", "sar")):
            path = path.replace(name, str(scene.layers["train", kind]))
        path = path.replace("OTHER", str(scene.layers["second", "optical"]))
        reply = client(scene).get(f"/tile/{scene.tile}/{path}")
        assert reply.status == status
        if b"{" in reply.body:
            assert reply.json()["error"]

    @pytest.mark.parametrize("path", ["pixels/1/0/0", "superpixels/0/0", "objects"])
    def test_no_token_and_a_forged_one(self, scene: Scene, path: str) -> None:
        url = f"/tile/{scene.tile}/{path}"
        for token in ("", "forged"):
            assert client(scene, token=token).get(url).status == 401

    @pytest.mark.parametrize("path", ["pixels/1/0/0", "superpixels/0/0", "objects"])
    def test_a_token_of_another_project(self, scene: Scene, town: Scene, path: str) -> None:
        token = access.mint(scene.store, scene.ada, scene.project_id + 1, "view")
        assert client(scene, token=token).get(f"/tile/{scene.tile}/{path}").status == 403


class TestSuperpixels:
    def test_they_are_computed_and_then_served(self, scene: Scene) -> None:
        ada, url = client(scene), f"/tile/{scene.tile}/superpixels/0/0"
        first = ada.get(url)
        if first.status == 202:
            assert first.json() == {"state": "computing"}
            assert first.headers["cache-control"] == "no-store"
        reply = until_made(ada, url)
        assert reply.status == 200
        assert reply.headers["content-encoding"] == "deflate"
        ids = np.frombuffer(reply.body, "<u2").reshape(SIZE)
        assert len(np.unique(ids)) == ids.max()
        assert ada.get(url, {"If-None-Match": reply.headers["etag"]}).status == 304

    def test_other_routes_answer_while_they_are_computed(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        go = threading.Event()
        real = superpixels.segments

        def slow(*args: object) -> object:
            go.wait(20)
            return real(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(superpixels, "segments", slow)
        second = scene.tiles["second"]
        ada = client(scene)
        # More requests than the server has threads: none of them may wait.
        for _ in range(50):
            assert ada.get(f"/tile/{second}/superpixels/0/0").status == 202
        assert ada.get(f"/tile/{second}/labels/0/0").status == 200
        go.set()
        assert until_made(ada, f"/tile/{second}/superpixels/0/0").status == 200


class TestObjects:
    def test_all_and_those_of_a_window(self, town: Scene) -> None:
        ada = client(town)
        content = ada.get(f"/tile/{town.tile}/objects").json()
        assert content["version"] == 0
        assert [each["id"] for each in content["objects"]] == [1, 2, 3, 4]
        assert content["objects"][0] == {
            "id": 1,
            "name": "1",
            "box": [4, 6, 10, 14],
            "at": [4, 6],
            "pixels": 140,
            "class": 1,
        }
        some = ada.get(f"/tile/{town.tile}/objects?y0=50&x0=20&h=20&w=20").json()
        assert [each["id"] for each in some["objects"]] == [4]

    @pytest.mark.parametrize(
        "query", ["y0=-1", "y0=96", "h=0", "h=97", "w=x", "x0=1e9", "y0=", "h=99999999999999999999"]
    )
    def test_windows_that_make_no_sense(self, town: Scene, query: str) -> None:
        reply = client(town).get(f"/tile/{town.tile}/objects?{query}")
        assert reply.status == 400
        assert "expected" in reply.json()["error"]

    def test_land_cover_is_told_why_it_has_none(self, scene: Scene) -> None:
        reply = client(scene).get(f"/tile/{scene.tile}/objects")
        assert reply.status == 404
        assert "damage project" in reply.json()["error"]
        assert catalogue.project(scene.store, scene.project_id).kind == "land_cover"
