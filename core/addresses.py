"""Addresses of rasters elsewhere, `s3://...` and `https://...`, as paths, and which are allowed.

Off unless the setting `remote_roots` names addresses. A remote path is a path as GDAL writes it:
`/vsis3/bucket/key.tif` or `/vsicurl/https://host/file.tif` (whose double slash a `Path` makes a
single one). Credentials come from the environment, as GDAL and its kin read them, and are never
part of a path.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import DatasetError

# Signs that would name another file than the one that was allowed.
_NOT_PLAIN = re.compile(r"[\x00-\x20\x7f\\?#@*]|%(?![0-9A-Fa-f]{2})|%(2[EeFf]|5[Cc]|00|25)")


_allowed: tuple[Path, ...] = ()


def allow(addresses: Sequence[str]) -> None:
    """Let this process fetch what lies below these addresses, and nothing else."""
    global _allowed
    _allowed = tuple(remote_path(address) for address in addresses)


def check_fetch(path: Path) -> None:
    """Raise `DatasetError` for a remote path that this process may not fetch.

    It is asked again at each opening: what was imported may have been allowed then only.
    """
    check_remote(path, _allowed)


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
