"""Routes: what they give, what they refuse, and that truth never leaves."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from itsdangerous import TimestampSigner
from PIL import Image
from sqlalchemy import func, select
from starlette.applications import Starlette

from app import access
from app.routes import routes
from app.routes.bodies import MAX_BODY_BYTES
from core import catalogue, history
from core.grid import Window
from core.memory import forget
from core.predictions import save_prediction
from core.records import TileState
from core.settings import load_settings
from core.store.engine import open_store
from core.store.tables import EditRow
from tests.app.client import Client, Reply
from tests.scene import CLASSES, Scene, make_scene

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
def app(scene: Scene) -> Starlette:
    return Starlette(routes=routes(scene.store, load_settings()))


@pytest.fixture
def ada(app: Starlette, scene: Scene) -> Client:
    return Client(app, access.mint(scene.store, scene.ada, scene.project_id, "edit"))


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


@writes
class TestEdits:
    def test_a_stroke_is_saved_and_told_byte_for_byte(self, ada: Client, scene: Scene) -> None:
        mask = np.zeros((30, 40), np.bool_)
        mask[3:9, 4:22] = True
        reply = ada.post(f"/tile/{scene.tile}/edits", stroke(mask=[124, *[18, 22] * 5, 18, 858]))
        content = reply.json()
        assert (reply.status, content["status"], content["version"]) == (200, "saved", 1)
        expected = scene.label.copy()
        expected[500:530, 500:540][mask] = 8
        found = history.current(scene.store, scene.tile).labels
        assert np.array_equal(found, expected)
        (patch,) = ada.get(f"/tile/{scene.tile}/changes?since=0").json()["patches"]
        y0, x0, h, w = patch["box"]
        runs = patch["mask"]
        told = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(h, w)
        assert np.array_equal(told, (expected != scene.label)[y0 : y0 + h, x0 : x0 + w])
        assert set(base64.b64decode(patch["values"])) == {8}
        assert set(base64.b64decode(patch["provenance"])) == {1}
        assert content["patch"] == patch, "the stroke covered pixels that it did not change"

    def test_what_the_browser_shows_already_is_not_sent_back(
        self, ada: Client, ben: Client, scene: Scene
    ) -> None:
        url, code = f"/tile/{scene.tile}/edits", int(scene.label[0, 0])
        whole = {"box": [0, 0, 8, 8], "mask": [0, 64]}
        mine = ada.post(url, stroke(**whole, to_class=code % 8 + 1)).json()
        assert (mine["status"], mine["patch"]) == ("saved", None)
        again = ada.post(url, stroke(**whole, to_class=code % 8 + 1)).json()
        assert (again["status"], again["patch"]) == ("duplicate", None)
        late = ben.post(url, stroke(client_id="other", seq=1, box=[40, 40, 8, 8], mask=[0, 64]))
        assert late.json()["patch"] is not None, "others changed something meanwhile"

    def test_effects_change_class_and_provenance(self, ada: Client, scene: Scene) -> None:
        url, spot = f"/tile/{scene.tile}/edits", {"box": [0, 0, 1, 2], "mask": [0, 2]}
        steps: list[tuple[dict[str, Any], list[int], list[int]]] = [
            ({"tool": "fill_all", "effect": "class", "to_class": 0}, [0, 0], [1, 1]),
            ({"tool": "region", "effect": "unsure", "to_class": None}, [0, 0], [4, 4]),
            ({"tool": "region", "effect": "verify", "to_class": None}, [0, 0], [2, 2]),
            ({"tool": "brush", "effect": "values", "values": "CAU="}, [8, 5], [1, 1]),
            ({"tool": "suggestion", "values": "BQg="}, [5, 8], [3, 3]),
            ({"tool": "lasso", "effect": "revert"}, list(scene.label[0, :2]), [0, 0]),
        ]
        for seq, (wish, labels, behind) in enumerate(steps, 1):
            reply = ada.post(url, stroke(seq=seq, base_version=seq - 1, **spot, **wish))
            assert (reply.status, reply.json()["status"]) == (200, "saved"), reply.body
            found = history.current(scene.store, scene.tile, Window(0, 0, 1, 2))
            assert (found.labels.tolist(), found.provenance.tolist()) == ([labels], [behind])

    def test_the_model_effect_takes_the_classes_on_disk(self, ada: Client, scene: Scene) -> None:
        codes = np.full((scene.grid.height, scene.grid.width), 7, np.uint8)
        codes[0, 1] = 0  # void: the model has no answer
        made = save_prediction(scene.store, scene.tile, "m1", codes, codes)
        wish = stroke(
            box=[0, 0, 2, 3], mask=[0, 6], effect="model", to_class=None, prediction=made.id
        )
        content = ada.post(f"/tile/{scene.tile}/edits", wish).json()
        assert set(base64.b64decode(content["patch"]["values"])) == {7}
        found = history.current(scene.store, scene.tile, Window(0, 0, 2, 3))
        expected = np.full((2, 3), 7)
        expected[0, 1] = scene.label[0, 1]
        assert np.array_equal(found.labels, expected)
        assert (found.provenance[expected != scene.label[:2, :3]] == 3).all()

    def test_a_prediction_that_is_away_or_elsewhere_is_refused(
        self, ada: Client, scene: Scene
    ) -> None:
        codes = np.full((scene.grid.height, scene.grid.width), 7, np.uint8)
        other = save_prediction(scene.store, scene.tiles["second"], "m1", codes, codes)
        mine = save_prediction(scene.store, scene.tile, "m1", codes, codes)
        mine.path.unlink()
        for number, status in ((other.id, 404), (mine.id, 404), (10**6, 404), (None, 422)):
            wish = stroke(effect="model", to_class=None, prediction=number)
            reply = ada.post(f"/tile/{scene.tile}/edits", wish)
            assert (reply.status, "prediction" in reply.json()["error"]) == (status, True)
        assert edits(scene) == 0

    def test_restrictions_hold_on_the_labels_of_now(
        self, ada: Client, ben: Client, scene: Scene
    ) -> None:
        url, spot = f"/tile/{scene.tile}/edits", {"box": [0, 0, 1, 4], "mask": [0, 4]}
        ada.post(url, stroke(**spot, tool="brush", effect="values", values="AQIDBA=="))
        verify = stroke(client_id="other", base_version=1, box=[8, 0, 1, 1], mask=[0, 1])
        ben.post(url, verify | {"tool": "region", "effect": "verify"})
        restrict = "cloudy,area,from:1+3,unverified"
        wish = stroke(seq=2, base_version=1, **spot, restrict=restrict)
        content = ada.post(url, wish).json()
        assert content["patch"]["mask"] == [0, 1, 1, 1]
        edit = history.timeline(scene.store, scene.tile)[-1]
        assert (edit.restrict, edit.pixels) == (restrict, 2)
        over = stroke(seq=3, base_version=3, box=[8, 0, 1, 1], mask=[0, 1], restrict="unverified")
        assert ada.post(url, over).json()["status"] == "unchanged"

    def test_times_and_panes_are_kept(self, ada: Client, scene: Scene) -> None:
        ada.post(f"/tile/{scene.tile}/edits", stroke())
        (edit,) = history.timeline(scene.store, scene.tile)
        assert edit.panes_shown == ("optical", "sar")
        assert edit.seconds == pytest.approx(1.5005)

    def test_a_resend_is_a_duplicate(self, ada: Client, scene: Scene) -> None:
        first = ada.post(f"/tile/{scene.tile}/edits", stroke()).json()
        again = ada.post(f"/tile/{scene.tile}/edits", stroke()).json()
        assert again == first | {"status": "duplicate"}

    def test_nothing_to_change_is_said(self, ada: Client, scene: Scene) -> None:
        code = int(scene.label[0, 0])
        wish = stroke(box=[0, 0, 8, 8], mask=[0, 64], to_class=code)
        content = ada.post(f"/tile/{scene.tile}/edits", wish).json()
        assert (content["status"], content["version"], content["patch"]) == ("unchanged", 0, None)

    def test_an_overlap_is_a_conflict_until_forced(
        self, ada: Client, ben: Client, scene: Scene
    ) -> None:
        url = f"/tile/{scene.tile}/edits"
        ada.post(url, stroke(to_class=0))
        wish = stroke(client_id="other", to_class=8)
        reply = ben.post(url, wish)
        content = reply.json()
        assert (reply.status, content["status"], content["version"]) == (409, "conflict", 1)
        assert content["overlap_px"] == 1200
        assert content["theirs"][0]["person"] == "Ada"
        forced = ben.post(url, wish | {"force": True}).json()
        assert (forced["status"], len(forced["others"])) == ("saved", 1)

    def test_disjoint_strokes_merge(self, ada: Client, ben: Client, scene: Scene) -> None:
        url = f"/tile/{scene.tile}/edits"
        ada.post(url, stroke(to_class=0))
        wish = stroke(client_id="other", box=[0, 0, 30, 40], to_class=0)
        content = ben.post(url, wish).json()
        assert (content["status"], content["version"]) == ("saved", 2)
        assert [edit["client_id"] for edit in content["others"]] == ["tab"]

    def test_undo_redo_and_the_stacks(self, ada: Client, scene: Scene) -> None:
        url = f"/tile/{scene.tile}"
        ada.post(f"{url}/edits", stroke(to_class=0))
        wish = {"client_id": "tab", "base_version": 0}
        undone = ada.post(f"{url}/edits", wish | {"seq": 2, "tool": "undo"}).json()
        assert (undone["undo_depth"], undone["redo_depth"], undone["left_px"]) == (0, 1, 0)
        content = ada.get(f"{url}/history?client=tab").json()
        assert content == {
            "version": 2,
            "undo": [],
            "redo": [[0, 1, 1]],
            "clients": ["tab"],
            "undo_depth": 0,
            "redo_depth": 1,
            "last_seq": 2,
        }
        named = {"seq": 3, "tool": "redo", "reverses": {"client_id": "tab", "seq": 1}}
        assert ada.post(f"{url}/edits", wish | named).json()["status"] == "saved"
        assert ada.get(f"{url}/history").json()["undo"] == [[0, 1, 1]]

    def test_stacks_are_each_persons_own(self, ada: Client, ben: Client, scene: Scene) -> None:
        ada.post(f"/tile/{scene.tile}/edits", stroke())
        assert ben.get(f"/tile/{scene.tile}/history").json()["undo_depth"] == 0

    def test_changes_since_a_version(self, ada: Client, scene: Scene) -> None:
        for seq in range(3):
            ada.post(f"/tile/{scene.tile}/edits", stroke(seq=seq, to_class=seq))
        content = ada.get(f"/tile/{scene.tile}/changes?since=1").json()
        assert [patch["version"] for patch in content["patches"]] == [2, 3]
        assert (content["version"], content["complete"]) == (3, True)

    @pytest.mark.parametrize("name", ["val"])
    def test_validation_tiles_take_no_strokes(self, ada: Client, scene: Scene, name: str) -> None:
        reply = ada.post(f"/tile/{scene.tiles[name]}/edits", stroke())
        assert (reply.status, reply.json()["reason"]) == (403, "not editable")
        assert edits(scene) == 0

    def test_a_lost_label_file_asks_to_try_again(self, ada: Client, scene: Scene) -> None:
        (scene.folder / "train_label.tif").rename(scene.folder / "away.tif")
        reply = ada.post(f"/tile/{scene.tile}/edits", stroke())
        assert reply.status == 503
        assert "train_label.tif" in reply.json()["error"]
        (scene.folder / "away.tif").rename(scene.folder / "train_label.tif")
        assert ada.post(f"/tile/{scene.tile}/edits", stroke()).json()["status"] == "saved"

    def test_done_is_a_state_and_changes_no_label(self, ada: Client, scene: Scene) -> None:
        reply = ada.post(f"/tile/{scene.tile}/state", {"state": "done"})
        assert (reply.status, reply.json()) == (200, {"state": "done"})
        tile = catalogue.tile(scene.store, scene.tile)
        assert (tile.state, tile.version) == (TileState.DONE, 0)
        assert not history.current(scene.store, scene.tile).provenance.any()


BAD_BODIES: dict[str, tuple[int, str, Any]] = {
    "no JSON": (400, "JSON", b"{"),
    "no text": (400, "JSON", b"\xff\xfe\x00"),
    "empty": (400, "JSON", b""),
    "no object": (422, "field body", b"[1]"),
    "deep": (400, "JSON", b'{"mask":' + b"[" * 100_000),
    "NaN": (422, "field started_at", json.dumps(stroke(started_at=float("nan")))),
    "huge number": (422, "field mask.0", stroke(mask=[2**200, 1])),
    "endless number": (400, "JSON", b'{"seq": ' + b"9" * 5000 + b"}"),
    "huge seq": (422, "field seq", stroke(seq=2**53)),
    "infinite time": (422, "field started_at", json.dumps(stroke(started_at=float("inf")))),
    "late time": (422, "field ended_at", stroke(ended_at=1e300)),
    "unknown field": (422, "field admin", stroke(admin=True)),
    "no client": (422, "field client_id", stroke(client_id=None)),
    "odd client": (422, "field client_id", stroke(client_id="<script>")),
    "long client": (422, "field client_id", stroke(client_id="x" * 65)),
    "unknown tool": (422, "field tool", stroke(tool="erase")),
    "import": (422, "field tool", stroke(tool="import")),
    "unknown class": (422, "field to_class", stroke(to_class=99)),
    "class as text": (422, "field to_class", stroke(to_class="8")),
    "no class": (422, "field to_class", stroke(to_class=None)),
    "class 256": (422, "field to_class", stroke(to_class=256)),
    "unknown source": (422, "field from_classes", stroke(from_classes=[99])),
    "box outside": (422, "field box", stroke(box=[580, 500, 30, 40])),
    "negative box": (422, "field box.0", stroke(box=[-1, 0, 30, 40])),
    "empty box": (422, "field box", stroke(box=[0, 0, 0, 40], mask=[0])),
    "box of three": (422, "field box", stroke(box=[0, 0, 30])),
    "box of halves": (422, "field box.3", stroke(box=[0, 0, 30, 40.5])),
    "no box": (422, "fields box and mask", stroke(box=None)),
    "no mask": (422, "fields box and mask", stroke(mask=None)),
    "short mask": (422, "field mask", stroke(mask=[0, 1199])),
    "long mask": (422, "field mask", stroke(mask=[0, 1201])),
    "negative run": (422, "field mask.0", stroke(mask=[-1, 1201])),
    "mask of text": (422, "field mask.0", stroke(mask=["x"] * 200_000)),
    "mask of lists": (422, "field mask.0", stroke(mask=[[1200]])),
    "base of the future": (422, "field base_version", stroke(base_version=5)),
    "long reason": (422, "field reason", stroke(reason="x" * 201)),
    "many panes": (422, "field panes_shown", stroke(panes_shown=["x"] * 33)),
    "force as text": (422, "field force", stroke(force="yes")),
    "unknown effect": (422, "field effect", stroke(effect="erase")),
    "effect of an undo": (422, "field effect", stroke(tool="undo", effect="class")),
    "no values": (422, "field values", stroke(effect="values")),
    "few values": (422, "field values", stroke(effect="values", values="CAg=")),
    "unknown values": (
        422,
        "field values",
        stroke(effect="values", box=[0, 0, 1, 1], mask=[0, 1], values="Yw=="),
    ),
    "values of other letters": (422, "field values", stroke(effect="values", values="§")),
    "half a prediction": (422, "field prediction", stroke(prediction=0.5)),
    "odd group": (422, "field group_id", stroke(group_id="a b")),
    "odd restriction": (422, "field restrict", stroke(restrict="cloudy,night")),
    "restriction twice": (422, "field restrict", stroke(restrict="cloudy,clear")),
    "unknown class in a restriction": (422, "field restrict", stroke(restrict="from:99")),
    "long restriction": (422, "field restrict", stroke(restrict="a" * 201)),
    "odd reverses": (422, "field reverses.seq", stroke(reverses={"client_id": "a", "seq": -1})),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_stroke_is_refused_by_its_field(ada: Client, scene: Scene, name: str) -> None:
    status, field, body = BAD_BODIES[name]
    content = body.encode() if isinstance(body, str) else body
    reply = ada.post(f"/tile/{scene.tile}/edits", content)
    assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
    assert field in reply.json()["error"]
    assert len(reply.body) < 1000
    assert edits(scene) == 0


@pytest.mark.parametrize("announced", [True, False])
def test_an_oversized_body_is_refused(ada: Client, scene: Scene, announced: bool) -> None:
    headers = {} if announced else {"content-length": ""}
    reply = ada.post(f"/tile/{scene.tile}/edits", b"x" * (MAX_BODY_BYTES + 1), headers)
    assert reply.status == 413
    assert "8 MiB" in reply.json()["error"]


@pytest.mark.parametrize("state", ["new", "frozen", "", 1, None])
def test_an_unknown_state_is_refused(ada: Client, scene: Scene, state: Any) -> None:
    reply = ada.post(f"/tile/{scene.tile}/state", {"state": state})
    assert (reply.status, "field state" in reply.json()["error"]) == (422, True)


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


class TestReading:
    @writes
    def test_label_blocks_join_to_the_tile(self, ada: Client, scene: Scene) -> None:
        ada.post(f"/tile/{scene.tile}/edits", stroke())
        now = history.current(scene.store, scene.tile)
        found = np.zeros((2, *SIZE), np.uint8)
        for by in range(2):
            for bx in range(2):
                reply = ada.get(f"/tile/{scene.tile}/labels/{by}/{bx}")
                part = found[:, by * 512 : by * 512 + 512, bx * 512 : bx * 512 + 512]
                part[:] = np.frombuffer(reply.body, np.uint8).reshape(part.shape)
                assert reply.headers["x-version"] == "1"
        assert np.array_equal(found, [now.labels, now.provenance])

    @writes
    def test_an_old_version_is_served(self, ada: Client, scene: Scene) -> None:
        ada.post(f"/tile/{scene.tile}/edits", stroke())
        reply = ada.get(f"/tile/{scene.tile}/labels/1/1?version=0")
        codes = np.frombuffer(reply.body, np.uint8)[: 88 * 188].reshape(88, 188)
        assert np.array_equal(codes, scene.label[512:, 512:])

    @pytest.mark.parametrize(
        "url",
        [
            "labels/2/0",
            "labels/0/2",
            "labels/0/0?version=7",
            "labels/-1/0",
            "image/{optical}/0/2/0",
            "image/{optical}/13/0/0",
            "image/{optical}/1/1/0",
            "image/999/0/0/0",
            "values/999?row=0&col=0",
            "cloud/999/0/0",
            "cloud/{acquisition}/5/5",
            "prediction/999/0/0",
            "thumbnail/nothing",
            "thumbnail/..%2f..%2fetc",
            "nothing",
        ],
    )
    def test_what_is_not_there_is_not_found(self, ada: Client, scene: Scene, url: str) -> None:
        names = {
            "optical": scene.layers["train", "optical"],
            "acquisition": scene.acquisitions["train"],
        }
        assert ada.get(f"/tile/{scene.tile}/{url.format(**names)}").status == 404

    @pytest.mark.parametrize(
        "query", ["stretch=odd", "bands=9", "bands=0", "bands=1,2,3,4", "bands=x", "bands="]
    )
    def test_a_bad_query_is_named(self, ada: Client, scene: Scene, query: str) -> None:
        optical = scene.layers["train", "optical"]
        reply = ada.get(f"/tile/{scene.tile}/image/{optical}/0/0/0?{query}")
        assert reply.status == 400
        assert query.split("=")[0] in reply.json()["error"]

    def test_gaps_are_transparent_and_full_blocks_are_jpeg(self, ada: Client, scene: Scene) -> None:
        url = f"/tile/{scene.tile}/image/{scene.layers['train', 'optical']}/0"
        holed = ada.get(f"{url}/0/0")
        assert holed.headers["content-type"] == "image/png"
        alpha = picture(holed)[..., 3]
        assert not alpha[:4, :4].any()
        assert alpha[4:].all()
        full = ada.get(f"{url}/1/1")
        assert full.headers["content-type"] == "image/jpeg"
        assert picture(full).shape == (88, 188, 3)

    def test_bx_is_the_column(self, ada: Client, scene: Scene) -> None:
        url = f"/tile/{scene.tile}/image/{scene.layers['train', 'sar']}/0"
        assert picture(ada.get(f"{url}/1/0")).shape == (512, 188)

    def test_levels_are_coarser_by_two(self, ada: Client, scene: Scene) -> None:
        url = f"/tile/{scene.tile}/image/{scene.layers['train', 'sar']}"
        assert picture(ada.get(f"{url}/1/0/0")).shape == (300, 350)
        assert picture(ada.get(f"{url}/3/0/0")).shape == (75, 88)

    def test_the_range_is_told_with_its_unit(self, ada: Client, scene: Scene) -> None:
        url = f"/tile/{scene.tile}/image/{scene.layers['train', 'sar']}/0/0/0"
        for stretch in ("auto", "percentile", "fixed", "none"):
            text = ada.get(f"{url}?stretch={stretch}").headers["x-stretch-range"]
            numbers, unit = text.split(" ", 1)
            low, high = (float(number) for number in numbers.split(","))
            assert low < high
            assert unit == "relative 8-bit"

    def test_a_browser_that_holds_an_image_is_told_so(self, ada: Client, scene: Scene) -> None:
        layer = scene.layers["train", "sar"]
        url = f"/tile/{scene.tile}/image/{layer}/0/0/0"
        tag = ada.get(url).headers["etag"]
        again = ada.get(url, {"If-None-Match": tag})
        assert (again.status, again.body) == (304, b"")
        assert "x-stretch-range" in again.headers
        assert ada.get(f"{url}?stretch=none", {"If-None-Match": tag}).status == 200

    def test_values_under_the_cursor(self, ada: Client, scene: Scene) -> None:
        layer = scene.layers["train", "sar"]
        content = ada.get(f"/tile/{scene.tile}/values/{layer}?row=599&col=699").json()
        assert content["unit"] == "relative 8-bit"
        assert content["bands"] == ["sar"]
        assert 1 <= content["values"][0] <= 255
        assert content["indices"] == []
        gap = scene.layers["train", "optical"]
        content = ada.get(f"/tile/{scene.tile}/values/{gap}?row=0&col=0").json()
        assert (content["valid"], content["values"]) == (False, [])

    def test_an_expression_is_worked_out_under_the_cursor(self, ada: Client, scene: Scene) -> None:
        layer = scene.layers["train", "optical"]
        at = f"/tile/{scene.tile}/values/{layer}?row=300&col=300"
        content = ada.get(f"{at}&expr=red-green&expr=(red-green)/(red%2Bgreen)").json()
        red, green, _blue = content["values"]
        assert [one["value"] for one in content["indices"]] == pytest.approx(
            [red - green, (red - green) / (red + green)], abs=1e-4
        )
        gap = ada.get(f"/tile/{scene.tile}/values/{layer}?row=0&col=0&expr=red").json()
        assert gap["indices"] == [{"name": "red", "value": None}]
        assert ada.get(f"{at}&expr=nir").status == 400

    @pytest.mark.parametrize("query", ["", "row=1", "row=600&col=0", "row=-1&col=0", "row=x&col=1"])
    def test_a_pixel_outside_is_refused(self, ada: Client, scene: Scene, query: str) -> None:
        layer = scene.layers["train", "sar"]
        assert ada.get(f"/tile/{scene.tile}/values/{layer}?{query}").status == 400

    def test_cloud_levels(self, ada: Client, scene: Scene) -> None:
        reply = ada.get(f"/tile/{scene.tile}/cloud/{scene.acquisitions['train']}/0/1")
        levels = np.frombuffer(reply.body, np.uint8).reshape(512, 188)
        assert (levels[:10] == 2).all()
        assert not levels[10:].any()

    @writes
    def test_a_prediction_has_classes_and_confidence(self, ada: Client, scene: Scene) -> None:
        confidence = np.full_like(scene.label, 200)
        made = save_prediction(scene.store, scene.tile, "layer/1", scene.label, confidence)
        reply = ada.get(f"/tile/{scene.tile}/prediction/{made.id}/1/1")
        found = np.frombuffer(reply.body, np.uint8).reshape(2, 88, 188)
        assert np.array_equal(found[0], scene.label[512:, 512:])
        assert (found[1] == 200).all()
        again = {"If-None-Match": reply.headers["etag"]}
        assert ada.get(f"/tile/{scene.tile}/prediction/{made.id}/1/1", again).status == 304
        assert ada.get(f"/tile/{scene.tiles['val']}/prediction/{made.id}/0/0").status == 404


class TestThumbnails:
    @pytest.mark.parametrize("kind", ["optical", "sar", "label", "cloud"])
    def test_they_fit_the_size_and_keep_the_shape(
        self, ada: Client, scene: Scene, kind: str
    ) -> None:
        reply = ada.get(f"/tile/{scene.tile}/thumbnail/{kind}?size=70")
        assert picture(reply).shape[:2] == (60, 70)

    def test_a_layer_may_be_named(self, ada: Client, scene: Scene) -> None:
        layer = scene.layers["train", "sar"]
        reply = ada.get(f"/tile/{scene.tile}/thumbnail/{layer}")
        assert reply.body == ada.get(f"/tile/{scene.tile}/thumbnail/sar").body

    @writes
    def test_the_label_follows_edits(self, ada: Client, scene: Scene) -> None:
        url = f"/tile/{scene.tile}/thumbnail/label?size=512"
        before = ada.get(url)
        ada.post(f"/tile/{scene.tile}/edits", stroke(box=[0, 0, 600, 700], mask=[0, 420_000]))
        after = ada.get(url, {"If-None-Match": before.headers["etag"]})
        assert after.status == 200
        assert (picture(after) == CLASSES.rgb_lut[8]).all()

    @writes
    def test_deleting_them_changes_nothing(self, ada: Client, scene: Scene) -> None:
        url = f"/tile/{scene.tile}/thumbnail/optical"
        before = ada.get(url).body
        kept = list(scene.store.folder("thumbnails").iterdir())
        assert len(kept) == 1
        kept[0].unlink()
        assert ada.get(url).body == before

    @pytest.mark.parametrize("size", ["31", "513", "x", "-1", "9" * 99])
    def test_a_bad_size_is_refused(self, ada: Client, scene: Scene, size: str) -> None:
        assert ada.get(f"/tile/{scene.tile}/thumbnail/sar?size={size}").status == 400


class TestAssets:
    def test_modules_come_with_their_type_and_without_a_token(self, app: Starlette) -> None:
        reply = Client(app).get("/assets/editor/view.js")
        assert (reply.status, reply.headers["content-type"]) == (200, "text/javascript")
        assert reply.headers["cache-control"] == "no-cache"
        assert Client(app).get("/assets/vendor/leaflet/leaflet.css").status == 200

    def test_a_named_version_is_kept_for_ever(self, app: Starlette) -> None:
        reply = Client(app).get("/assets/editor/view.js?v=abc")
        assert "immutable" in reply.headers["cache-control"]

    def test_an_unchanged_module_is_not_sent_again(self, app: Starlette) -> None:
        tag = Client(app).get("/assets/editor/view.js").headers["etag"]
        reply = Client(app).get("/assets/editor/view.js", {"If-None-Match": tag})
        assert (reply.status, reply.body) == (304, b"")

    @pytest.mark.parametrize(
        "path",
        [
            "editor/../__init__.py",
            "editor/../../core/errors.py",
            "editor/..%2f__init__.py",
            "editor/%2e%2e/__init__.py",
            "editor//etc/passwd",
            "editor/....//__init__.py",
            "editor/..\\__init__.py",
            "vendor/../main.py",
            "vendor/leaflet",
            "editor/",
            "editor/nothing.js",
            "main.py",
        ],
    )
    def test_nothing_outside_the_folders_is_served(self, app: Starlette, path: str) -> None:
        assert Client(app).get(f"/assets/{path}").status == 404

    def test_files_cannot_be_written(self, app: Starlette) -> None:
        assert Client(app).post("/assets/editor/view.js", b"x").status == 405


@writes
def test_a_page_sees_what_a_route_saved(ada: Client, scene: Scene) -> None:
    ada.post(f"/tile/{scene.tile}/edits", stroke())
    assert catalogue.tile(scene.store, scene.tile).version == 1
    forget(scene.store)
    assert history.current(scene.store, scene.tile).version == 1
