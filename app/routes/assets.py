"""Public files: the editor's modules and vendored libraries. They need no token."""

from collections.abc import Mapping
from os import PathLike, stat_result
from pathlib import Path, PurePath

from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

APP = Path(__file__).resolve().parents[1]
FOLDERS: Mapping[str, Path] = {
    "/assets/editor": APP / "editor" / "static",
    "/assets/patches": APP / "patches" / "static",
    "/assets/vendor": APP / "vendor",
}
# Named here because the system's table differs between machines, and browsers refuse modules
# of the wrong type. Nothing else is served.
TYPES: Mapping[str, str] = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".map": "application/json",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}
FOREVER = "public, max-age=31536000, immutable"


class Assets(StaticFiles):
    """Files of one folder, kept for ever under `?v=HASH` and asked for again without it."""

    def file_response(
        self,
        full_path: str | PathLike[str],
        stat_result: stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return the file with its type, or 404 for files of other kinds."""
        media_type = TYPES.get(PurePath(full_path).suffix)
        if media_type is None:
            return Response("Not found", 404)
        response = super().file_response(full_path, stat_result, scope, status_code)
        named = scope.get("query_string", b"").startswith(b"v=")
        response.headers["Cache-Control"] = FOREVER if named else "no-cache"
        response.headers["Content-Type"] = media_type
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def asset_routes() -> list[BaseRoute]:
    """Return the routes of the public files."""
    return [
        Mount(path, Assets(directory=folder, check_dir=False)) for path, folder in FOLDERS.items()
    ]
