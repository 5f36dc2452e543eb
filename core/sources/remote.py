"""Rasters behind an address, read in pieces through GDAL's virtual files.

What may be read is said in `core.addresses`. Credentials come from the environment, as GDAL and its
kin read them. A server that sends its readers to another address is refused.
"""

from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import rasterio

from core.addresses import address_of, check_fetch
from core.errors import RasterError
from core.sources.gdal import GdalRaster

SECONDS = 20
REMEMBER_S = 600
SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jp2")
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


def open_remote(path: Path) -> GdalRaster:
    """Open a raster by its address; raises `RasterError`, or `DatasetError` when not allowed."""
    check_fetch(path)
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
