"""Zarr stores in a folder, of versions 2 and 3. Codecs are checked before anything is unpacked."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zarr

from core.errors import RasterError
from core.sources.array import ArrayFile, ArrayRaster
from core.sources.source import Part

# Those that only pack numbers; "pickle" and its kin would run what a file says.
CODECS = frozenset(
    (
        "blosc",
        "zlib",
        "gzip",
        "zstd",
        "lz4",
        "lzma",
        "bz2",
        "shuffle",
        "delta",
        "fixedscaleoffset",
        "quantize",
        "bitround",
        "packbits",
        "crc32",
        "crc32c",
        "adler32",
        "fletcher32",
        "bytes",
        "transpose",
        "sharding_indexed",
    )
)
MOST_META_BYTES = 2**22


def open_zarr(path: Path, part: Part) -> ArrayRaster:
    """Open one array of a store; raises `RasterError`."""
    return ArrayRaster(zarr_file(path, part.array), part)


def zarr_file(path: Path, name: str) -> ArrayFile:
    """Return an array by its name within the store, such as "B02"; raises `RasterError`."""
    folder = _folder(path, name)
    about = _about(folder)
    if about is None:
        raise RasterError(str(path), found=f"no array {name!r}", expected="a Zarr array")
    for codec in _codecs(about):
        if codec not in CODECS:
            raise RasterError(
                str(path),
                found=f"codec {codec!r} in array {name!r}",
                expected="one of " + ", ".join(sorted(CODECS)),
                todo="Write the store again with another codec.",
            )
    array = zarr.open_array(store=str(folder), mode="r")

    def beside(other: str) -> ArrayFile | None:
        parent = name.rpartition("/")[0]
        sibling = f"{parent}/{other}" if parent else other
        found = other and "/" not in other and _about(_folder(path, sibling))
        return zarr_file(path, sibling) if found else None

    return ArrayFile(
        path=path,
        array=array,
        names=_dimensions(folder, about, array),
        attributes=_attributes(folder, about),
        beside=beside,
        chunk=tuple(getattr(array, "shards", None) or array.chunks),
    )


def zarr_arrays(path: Path) -> Iterator[tuple[str, ArrayFile]]:
    """Yield (name, array) of the arrays of numbers of a store, in the order of their names."""
    marks = sorted({*path.rglob(".zarray"), *path.rglob("zarr.json")})
    for mark in marks:
        name = mark.parent.relative_to(path).as_posix()
        about = _about(mark.parent)
        if about is not None and name != ".":
            file = zarr_file(path, name)
            if file.array.dtype.kind in "uif":
                yield name, file


def _folder(path: Path, name: str) -> Path:
    """Return the folder of an array; raises where a name or a link leads out of the store."""
    folder = (path / name.strip("/")).resolve()
    if not folder.is_relative_to(path.resolve()):
        raise RasterError(str(path), found=f"array {name!r}", expected="a name within the store")
    return folder


def _about(folder: Path) -> dict[str, Any] | None:
    """Return the metadata of an array, or None where the folder holds none."""
    for mark in (".zarray", "zarr.json"):
        about = _json(folder / mark)
        if about is not None and (mark == ".zarray" or about.get("node_type") == "array"):
            return about
    return None


def _json(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    if path.stat().st_size > MOST_META_BYTES:
        raise RasterError(str(path), found="a very long file", expected="metadata of an array")
    try:
        found = json.loads(path.read_text("utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise RasterError(str(path), found=str(error), expected="metadata as JSON") from error
    return found if isinstance(found, dict) else None


def _codecs(about: dict[str, Any]) -> list[str]:
    """Return the names of all codecs that the metadata asks for, nested ones included."""
    wanted: list[Any] = [about.get("compressor"), *(about.get("filters") or [])]
    wanted += about.get("codecs") or []
    names = []
    while wanted:
        codec = wanted.pop()
        if not isinstance(codec, dict):
            continue
        name = str(codec.get("id") or codec.get("name") or "")
        names.append(name.removeprefix("numcodecs."))
        inner = codec.get("configuration") or {}
        wanted += [*(inner.get("codecs") or []), *(inner.get("index_codecs") or [])]
    return names


def _dimensions(folder: Path, about: dict[str, Any], array: Any) -> tuple[str, ...]:  # noqa: ANN401
    named = about.get("dimension_names") or _attributes(folder, about).get("_ARRAY_DIMENSIONS")
    named = named if isinstance(named, list) else []
    return tuple(str(name or "") for name in named) if len(named) == array.ndim else ()


def _attributes(folder: Path, about: dict[str, Any]) -> dict[str, Any]:
    found = dict(about.get("attributes") or _json(folder / ".zattrs") or {})
    fill = about.get("fill_value")
    if (
        isinstance(fill, int | float)
        and "_FillValue" not in found
        and about.get("zarr_format") == 2
    ):
        found["_FillValue"] = fill
    return found
