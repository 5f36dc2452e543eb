"""What is read: labels, images, values, clouds, predictions and thumbnails of a tile."""

import numpy as np
import pytest

from core import history
from core.predictions import save_prediction
from tests.app.client import Client
from tests.app.routes.conftest import SIZE, picture, stroke, writes
from tests.scene import CLASSES, Scene


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
