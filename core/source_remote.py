"""Rasters behind an address, read in pieces through GDAL's virtual files.

Off unless the setting `remote_roots` names addresses. A remote path is a path as GDAL writes it:
`/vsis3/bucket/key.tif` or `/vsicurl/https://host/file.tif` (whose double slash a `Path` makes a
single one). Credentials come from the environment, as GDAL and its kin read them, and are
never part of a path. A server that sends readers elsewhere is refused.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import rasterio

from core.errors import DatasetError, RasterError
from core.source_gdal import GdalRaster

SECONDS = 20
REMEMBER_S = 600
SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jp2")
# Signs that would name another file than the one that was allowed.
_NOT_PLAIN = re.compile(r"[\x00-\x20\x7f\\?#@*]|%(?![0-9A-Fa-f]{2})|%(2[EeFf]|5[Cc]|00|25)")
GDAL_OPTIONS = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # no request for what may lie beside a file
    "CPL_VSIL_CURL_AUTHORIZATION_HEADER_ALLOWED_IF_REDIRECT": "NO",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ",".join(SUFFIXES),
    "GDAL_HTTP_UNSAFESSL": "NO",
    "GDAL_HTTP_TIMEOUT": str(SECONDS),
    "GDAL_HTTP_CONNECTTIMEOUT": str(SECONDS),
    "GDAL_HTTP_MAX_RETRY": "2",
    "GDAL_HTTP_RETRY_DELAY": "1",
}


def remote_path(address: str) -> Path:
    """Return the path of an address `s3://...`, `https://...` or `http://...`.

    Raises `DatasetError` for anything else, and where it could mean another file than it says.
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    plain = not _NOT_PLAIN.search(address) and ".." not in parts.path.split("/")
    if not plain or parts.scheme not in ("s3", "https", "http") or not parts.netloc:
        raise DatasetError(
            address[:200],
            found="no plain address",
            expected="s3://bucket/... or https://host/... without ?, #, @, .. or escaped signs",
            todo="Give credentials in the environment, never in an address.",
        )
    if parts.scheme == "s3":
        return Path("/vsis3", parts.netloc, *parts.path.split("/")[1:])
    return Path("/vsicurl", f"{parts.scheme}:", parts.netloc, *parts.path.split("/")[1:])


def is_remote(path: Path) -> bool:
    """Return whether a path is one of GDAL's for an address."""
    return len(path.parts) > 2 and path.parts[0] == "/" and path.parts[1] in ("vsis3", "vsicurl")


def address_of(path: Path) -> str:
    """Return the address of a remote path."""
    if path.parts[1] == "vsis3":
        return "s3://" + "/".join(path.parts[2:])
    return f"{path.parts[2]}//" + "/".join(path.parts[3:])


def check_remote(path: Path, roots: Sequence[Path]) -> Path:
    """Return the path; raises `DatasetError` when no remote root holds it."""
    same = remote_path(address_of(path))
    if same != path or not any(is_remote(root) and path.is_relative_to(root) for root in roots):
        raise DatasetError(
            address_of(path)[:200],
            found="an address that may not be read",
            expected="one that starts as the setting remote_roots says",
            todo="Ask whoever runs Cloudbrush to add it there, or download the data.",
        )
    return path


def open_remote(path: Path) -> GdalRaster:
    """Open a raster by its address; raises `RasterError`."""
    if path.suffix.lower() not in SUFFIXES:
        raise RasterError(
            address_of(path),
            found=path.suffix or "no suffix",
            expected="one of " + " ".join(SUFFIXES),
        )
    name = "/".join(["", *path.parts[1:]])
    if path.parts[1] == "vsicurl":
        _check_stays(address_of(path), int(monotonic() // REMEMBER_S))
        name = "/vsicurl/" + address_of(path)
    with rasterio.Env(**GDAL_OPTIONS):
        return GdalRaster(path, 0, 0, name)


class _StayHere(HTTPRedirectHandler):
    """Follows nobody: what comes back then is the answer that tells where to go."""

    def redirect_request(self, *_: Any, **__: Any) -> None:  # noqa: ANN401
        return None


@lru_cache(maxsize=4096)
def _check_stays(address: str, _period: int) -> None:
    """Ask once, without credentials, whether a server sends its readers to another address.

    GDAL follows such answers by itself, out of what was allowed; so they are looked for before.
    Other refusals are left to GDAL, which knows the credentials.
    """
    request = Request(address, headers={"Range": "bytes=0-0"})  # noqa: S310 - http(s) only
    try:
        with build_opener(_StayHere).open(request, timeout=SECONDS) as answer:
            answer.read(1)
    except HTTPError as error:
        if 300 <= error.code < 400:
            raise RasterError(
                address,
                found=f"a server that sends its readers to {error.headers.get('Location')!r}",
                expected="a file at this address",
                todo="Use the address that it leads to, if the setting remote_roots allows it.",
            ) from error
    except (URLError, OSError) as error:
        raise RasterError(
            address, found=str(getattr(error, "reason", error)), expected="a server that answers"
        ) from error
