"""An image under simulated clouds, as the editor previews it: seeded, one piece, not kept."""

import io
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from sqlalchemy import update
from starlette.applications import Starlette

from app import access
from app.routes import routes
from core import catalogue
from core.clouds.preview import usual_height
from core.clouds.simulator import Sky
from core.records import Modality
from core.settings import load_settings
from core.store.engine import open_store
from core.store.tables import AcquisitionRow
from models.clouds import simulate_all
from tests.app.client import Client, Reply
from tests.scene import Scene, make_scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Return a scene whose training tile has a clear image and whose validation tile has none."""
    folder = tmp_path_factory.mktemp("sky")
    store = open_store(load_settings(workspace=folder / "workspace"))
    found = make_scene(store, folder / "data", height=700, width=600)
    clear = update(AcquisitionRow).where(AcquisitionRow.id == found.acquisitions["train"])
    with store.write() as session:
        session.execute(clear.values(thin=0.0, thick=0.0, shadow=0.0))
    yield found
    store.close()


@pytest.fixture(scope="module")
def client(scene: Scene) -> Client:
    app = Starlette(routes=routes(scene.store, load_settings()))
    return Client(app, access.mint(scene.store, scene.ada, scene.project_id, "view"))


def block(
    client: Client, scene: Scene, query: str, at: str = "0/0/0", tile: str = "train"
) -> Reply:
    layer = scene.layers[tile, "optical"]
    return client.get(f"/tile/{scene.tiles[tile]}/image/{layer}/{at}?{query}")


def pixels(reply: Reply) -> npt.NDArray[np.uint8]:
    assert reply.status == 200, reply.body[:300]
    return np.array(Image.open(io.BytesIO(reply.body)))


def test_blocks_are_those_of_the_clouds_that_would_be_made(client: Client, scene: Scene) -> None:
    tile = catalogue.tile(scene.store, scene.tiles["train"])
    before = len(catalogue.acquisitions(scene.store, tile.id))
    query = "stretch=none&clouds=50&seed=7"
    shown = pixels(block(client, scene, query))
    lower = pixels(block(client, scene, query, "0/0/1"))
    assert len(catalogue.acquisitions(scene.store, tile.id)) == before
    sky = Sky(0.5, seed=7, height_m=usual_height(tile.grid))
    assert not simulate_all(scene.store, [tile], [0.5], sky).left_out
    (made,) = [a for a in catalogue.acquisitions(scene.store, tile.id) if a.simulated]
    (layer,) = [
        one
        for one in catalogue.layers(scene.store, tile.id, modality=Modality.OPTICAL)
        if one.acquisition_id == made.id
    ]
    for found, at in ((shown, "0/0/0"), (lower, "0/0/1")):
        path = f"/tile/{tile.id}/image/{layer.id}/{at}?stretch=none"
        wanted = pixels(client.get(path))
        solid = found[..., 3] == 255 if found.shape[-1] == 4 else np.ones(found.shape[:2], bool)
        apart = np.abs(found[solid][:, :3].astype(int) - wanted[solid][:, :3])
        assert apart.mean() < 3  # the lower block has no gaps and comes as JPEG


def test_a_sky_is_its_seed_and_cover_and_the_browser_may_keep_it(
    client: Client, scene: Scene
) -> None:
    first, again = (block(client, scene, "clouds=50&seed=1") for _ in range(2))
    assert first.body == again.body
    others = ["clouds=50&seed=2", "clouds=75&seed=1", "clouds=0&seed=1", ""]
    replies = [block(client, scene, query) for query in others]
    assert len({reply.headers["etag"] for reply in (first, *replies)}) == 5
    none, plain = (pixels(reply) for reply in replies[2:])
    assert np.array_equal(none, plain)
    assert first.headers["x-stretch-range"] == replies[3].headers["x-stretch-range"]


def test_from_afar_it_is_the_same_picture_made_small(client: Client, scene: Scene) -> None:
    near = pixels(block(client, scene, "stretch=none&clouds=50&seed=3"))[:, :, :3]
    far = pixels(block(client, scene, "stretch=none&clouds=50&seed=3", "1/0/0"))
    assert far.shape[:2] == (350, 300)
    small = near[:512, :512].reshape(256, 2, 256, 2, 3).mean((1, 3))
    apart = np.abs(small - far[:256, :256, :3])
    assert np.median(apart) < 12


@pytest.mark.parametrize(
    "query",
    ["clouds=101", "clouds=x", "clouds=50&seed=-1", "clouds=50&expr=red", "clouds=50&minus=1"],
)
def test_what_is_no_sky_is_refused(client: Client, scene: Scene, query: str) -> None:
    assert block(client, scene, query).status in (400, 404)


def test_cloudy_images_and_other_sensors_take_no_clouds(client: Client, scene: Scene) -> None:
    cloudy = block(client, scene, "clouds=50", tile="val")
    assert cloudy.status == 400 and "a clear optical image" in cloudy.json()["error"]
    radar = scene.layers["train", "sar"]
    reply = client.get(f"/tile/{scene.tiles['train']}/image/{radar}/0/0/0?clouds=50")
    assert reply.status == 400
