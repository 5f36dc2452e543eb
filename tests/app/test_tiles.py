"""The route of images: renderings, what they refuse, and what an expression is told."""

import io
from collections.abc import Iterator
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from starlette.applications import Starlette

from app import access
from app.routes import routes
from core.settings import load_settings
from core.store.engine import open_store
from tests.app.client import Client, Reply
from tests.scene import Scene, make_scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Return a scene that no test here changes."""
    folder = tmp_path_factory.mktemp("tiles")
    store = open_store(load_settings(workspace=folder / "workspace"))
    yield make_scene(store, folder / "data", height=700, width=600)
    store.close()


@pytest.fixture(scope="module")
def client(scene: Scene) -> Client:
    app = Starlette(routes=routes(scene.store, load_settings()))
    return Client(app, access.mint(scene.store, scene.ada, scene.project_id, "view"))


def image_of(client: Client, scene: Scene, kind: str, query: str, block: str = "0/0/0") -> Reply:
    layer = scene.layers["train", kind]
    return client.get(f"/tile/{scene.tile}/image/{layer}/{block}?{query}")


def pixels(reply: Reply) -> npt.NDArray[np.uint8]:
    assert reply.status == 200, reply.body[:300]
    return np.array(Image.open(io.BytesIO(reply.body)))


def test_an_expression_is_drawn_with_its_range(client: Client, scene: Scene) -> None:
    query = "expr=" + quote("(red - green) / (red + green)")
    reply = image_of(client, scene, "optical", query)
    assert pixels(reply).shape == (512, 512, 4)  # a corner of the image holds nothing
    assert reply.headers["x-stretch-range"].endswith(" expression")
    low, high = (float(n) for n in reply.headers["x-stretch-range"].split()[0].split(","))
    assert -1 < low < 0 < high < 1
    again = image_of(client, scene, "optical", query + "&x=1")
    tagged = client.get(
        f"/tile/{scene.tile}/image/{scene.layers['train', 'optical']}/0/0/0?{query}",
        {"If-None-Match": reply.headers["etag"]},
    )
    assert (again.headers["etag"], tagged.status) == (reply.headers["etag"], 304)
    assert tagged.headers["x-stretch-range"] == reply.headers["x-stretch-range"]


@pytest.mark.parametrize("kind", ["lee", "refined_lee"])
def test_a_filter_smooths_what_is_shown(client: Client, scene: Scene, kind: str) -> None:
    plain = pixels(image_of(client, scene, "sar", "stretch=percentile"))
    found = pixels(image_of(client, scene, "sar", f"stretch=percentile&filter={kind}"))
    assert found[..., 0].std() < 0.8 * plain.std()


def test_a_difference_with_itself_is_white(client: Client, scene: Scene) -> None:
    layer = scene.layers["train", "sar"]
    reply = image_of(client, scene, "sar", f"minus={layer}")
    assert pixels(reply).min() > 240
    assert "difference" in reply.headers["x-stretch-range"]


def test_renderings_have_tags_of_their_own(client: Client, scene: Scene) -> None:
    layer = scene.layers["train", "sar"]
    queries = ["", "filter=lee", "filter=refined_lee", "expr=sar", "bands=1", f"minus={layer}"]
    tags = {image_of(client, scene, "sar", query).headers["etag"] for query in queries}
    assert len(tags) == len(queries)


@pytest.mark.parametrize(
    "query",
    [
        "expr=",
        "expr=nosuchband",
        "expr=" + "(" * 300,
        "expr=" + "9" * 500,
        "expr=1e999",
        "expr=" + quote("__import__('os').system('x')"),
        "expr=red%00",
        "expr=red&bands=1",
        "filter=median",
        "filter=",
        "filter=lee",
        "stretch=fixed;drop",
        "bands=0",
        "bands=9",
        "bands=1,2,3,1",
        "bands=99999999999999999999",
        "minus=abc",
        "minus=-1",
        "minus=" + "9" * 40,
        "minus=999999",
    ],
)
def test_hostile_queries_are_refused_in_words(client: Client, scene: Scene, query: str) -> None:
    reply = image_of(client, scene, "optical", query)
    assert reply.status in (400, 404)
    assert len(reply.json()["error"]) < 500


@pytest.mark.parametrize("kind", ["truth", "label", "cloud"])
def test_class_rasters_take_no_part_in_a_difference(
    client: Client, scene: Scene, kind: str
) -> None:
    layer = scene.layers["train", kind]
    assert image_of(client, scene, "sar", f"minus={layer}").status == 404


def test_layers_of_another_tile_take_no_part_in_a_difference(client: Client, scene: Scene) -> None:
    assert image_of(client, scene, "sar", f"minus={scene.layers['val', 'sar']}").status == 404


def ask(client: Client, scene: Scene, kind: str, text: str) -> Reply:
    layer = scene.layers["train", kind]
    return client.get(f"/tile/{scene.tile}/expression?layer={layer}&expr={quote(text)}")


def test_an_expression_is_checked_in_words(client: Client, scene: Scene) -> None:
    good = ask(client, scene, "optical", "red - blue").json()
    assert (good["ok"], good["label"], good["error"]) == (True, "red - blue", None)
    assert good["bands"] == ["red", "green", "blue"]
    bad = ask(client, scene, "optical", "red - nir").json()
    assert (bad["ok"], bad["at"]) == (False, 6)
    assert "red, green, blue" in bad["error"]
    empty = ask(client, scene, "optical", "").json()
    assert (empty["ok"], empty["label"], empty["presets"]) == (True, None, [])


def test_expressions_are_about_images_of_the_tile(client: Client, scene: Scene) -> None:
    assert ask(client, scene, "truth", "truth").status == 404
    assert client.get(f"/tile/{scene.tile}/expression?expr=1").status == 400
    assert client.get(f"/tile/{scene.tile}/expression?layer=x&expr=1").status == 400


def test_labels_from_afar_are_of_now(client: Client, scene: Scene) -> None:
    reply = client.get(f"/tile/{scene.tile}/labels/overview/1/0/0")
    assert (reply.status, reply.headers["x-version"]) == (200, "0")
    codes = np.frombuffer(reply.body, np.uint8).reshape(2, 350, 300)
    assert not codes[1].any()
    assert np.isin(codes[0], np.unique(scene.label)).all()


def test_clouds_from_afar(client: Client, scene: Scene) -> None:
    path = f"/tile/{scene.tile}/cloud/{scene.acquisitions['train']}/overview/1/0/0"
    reply = client.get(path)
    levels = np.frombuffer(reply.body, np.uint8).reshape(350, 300)
    assert (levels[:4] == 2).all()
    assert not levels[6:].any()
    assert client.get(path, {"If-None-Match": reply.headers["etag"]}).status == 304


@pytest.mark.parametrize(
    "path",
    [
        "labels/overview/1/9/0",
        "labels/overview/99/0/0",
        "labels/overview/-1/0/0",
        "labels/overview/x/0/0",
        "prediction/77/overview/1/0/0",
        "cloud/77/overview/1/0/0",
    ],
)
def test_coarse_blocks_that_do_not_exist(client: Client, scene: Scene, path: str) -> None:
    assert client.get(f"/tile/{scene.tile}/{path}").status == 404


def test_coarse_blocks_need_a_token(scene: Scene, client: Client) -> None:
    assert Client(client.app).get(f"/tile/{scene.tile}/labels/overview/1/0/0").status == 401
