"""What is saved: strokes, their effects, conflicts, undo, and what each answer tells."""

import base64
from typing import Any

import numpy as np
import pytest

from core import catalogue, history
from core.grid import Window
from core.memory import forget
from core.predictions import save_prediction
from core.records import TileState
from tests.app.client import Client
from tests.app.routes.conftest import edits, stroke, writes
from tests.scene import Scene


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


@writes
def test_a_page_sees_what_a_route_saved(ada: Client, scene: Scene) -> None:
    ada.post(f"/tile/{scene.tile}/edits", stroke())
    assert catalogue.tile(scene.store, scene.tile).version == 1
    forget(scene.store)
    assert history.current(scene.store, scene.tile).version == 1
