"""Public files: the editor's modules and vendored libraries. They need no token.

They are read once and answered from memory: no request reaches the disk, and nothing but what lay
there can be asked for. Below the name of their contents (`/assets/VERSION/editor/…`) they are kept
for ever: modules import each other by relative paths and so stay below that name, and a page that
is opened again asks for none of them. Changed files are served after a restart.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.routes.packing import packed

APP = Path(__file__).resolve().parents[1]
FOLDERS: Mapping[str, Path] = {
    "editor": APP / "editor" / "static",
    "patches": APP / "patches" / "static",
    "vendor": APP / "vendor",
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
VERSION = re.compile("[0-9a-f]{16}")
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file: what it holds, its media type, and the name of its content."""

    content: bytes
    media_type: str
    tag: str


@dataclass(frozen=True)
class Assets:
    """Every file by its path below `/assets`; `version` changes when any of them does."""

    version: str
    files: Mapping[str, Asset]


@cache
def assets() -> Assets:
    """Return the files of `FOLDERS`."""
    files, digest = {}, hashlib.sha256()
    for name, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*")):
            if path.suffix in TYPES and path.is_file():
                place, content = f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes()
                tag = hashlib.sha256(content).hexdigest()[:32]
                files[place] = Asset(content, TYPES[path.suffix], f'"{tag}"')
                digest.update(f"{place}\0{tag}".encode())
    return Assets(digest.hexdigest()[:16], files)


def address(path: str) -> str:
    """Return where a file is served ("editor/main.js"); another one once any file has changed."""
    return f"/assets/{assets().version}/{path}"


def asset_routes() -> list[BaseRoute]:
    """Return the route of the public files."""
    return [Route("/assets/{path:path}", _answer, methods=["GET"])]


async def _answer(request: Request) -> Response:
    here, path = assets(), request.path_params["path"]
    version, _, plain = path.partition("/")
    # A page from before a restart goes on with what there is now.
    asset = here.files.get(plain if VERSION.fullmatch(version) else path)
    if asset is None:
        return Response("Not found", 404)
    headers = {
        "Cache-Control": FOREVER if version == here.version else "no-cache",
        "ETag": asset.tag,
        "X-Content-Type-Options": "nosniff",
    }
    if asset.tag in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    headers["Content-Type"] = asset.media_type  # without a charset: modules are UTF-8 anyway
    return packed(request, Response(asset.content, headers=headers))
