"""The editor's files: their type, how long they are kept, and nothing else on the disk."""

import pytest
from starlette.applications import Starlette

from app.routes.assets import FOLDERS, address
from tests.app.client import Client


class TestAssets:
    def test_modules_come_with_their_type_and_without_a_token(self, app: Starlette) -> None:
        reply = Client(app).get("/assets/editor/view.js")
        assert (reply.status, reply.headers["content-type"]) == (200, "text/javascript")
        assert reply.headers["cache-control"] == "no-cache"
        assert Client(app).get("/assets/vendor/leaflet/leaflet.css").status == 200

    def test_what_is_named_by_its_contents_is_kept_for_ever(self, app: Starlette) -> None:
        reply = Client(app).get(address("editor/view.js"))
        assert "immutable" in reply.headers["cache-control"]

    def test_a_page_from_before_a_restart_goes_on_with_the_files_of_now(
        self, app: Starlette
    ) -> None:
        reply = Client(app).get("/assets/0123456789abcdef/editor/view.js")
        assert (reply.status, reply.headers["cache-control"]) == (200, "no-cache")

    def test_they_come_packed_where_that_helps(self, app: Starlette) -> None:
        reply = Client(app).get("/assets/editor/view.js")
        assert reply.headers["content-encoding"] == "gzip"
        assert reply.body == (FOLDERS["editor"] / "view.js").read_bytes()
        image = Client(app).get("/assets/vendor/leaflet/images/layers.png")
        assert image.body.startswith(b"\x89PNG")

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
