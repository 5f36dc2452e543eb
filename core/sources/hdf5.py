"""HDF5 and NetCDF-4 files. Nothing in them may lead to another file, and only numbers are read.

An HDF5 file can hold links to other files, arrays whose bytes lie elsewhere and arrays put together
from others; each would read a file that nobody allowed. They are refused.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from core.errors import RasterError
from core.sources.array import ArrayFile, ArrayRaster
from core.sources.source import Part

FILES_PER_THREAD = 8
MOST_ARRAYS = 20_000

Key = tuple[Path, int, int]


class _Files(threading.local):
    """Open files of one thread; one that falls out is closed with its last array."""

    def __init__(self) -> None:
        self.by_key: OrderedDict[Key, h5py.File] = OrderedDict()


_files = _Files()


def open_hdf5(path: Path, part: Part) -> ArrayRaster:
    """Open one array of a file; raises `RasterError`."""
    return ArrayRaster(array_file(path, part.array), part)


def array_file(path: Path, name: str) -> ArrayFile:
    """Return an array by its name, such as "sen2" or "B02/B02"; raises `RasterError`."""
    file = _file(path)
    found = _inside(file, name)
    if not isinstance(found, h5py.Dataset):
        raise RasterError(
            str(path),
            found=f"no array {name!r}",
            expected="one of " + (", ".join(_names(file, 12)) or "none"),
        )
    return _described(path, file, found)


def hdf5_arrays(path: Path) -> Iterator[ArrayFile]:
    """Yield the arrays of numbers of a file, in the order of their names."""
    file = _file(path)
    for name in _names(file, MOST_ARRAYS):
        found = _inside(file, name)
        if isinstance(found, h5py.Dataset) and found.dtype.kind in "uif":
            yield _described(path, file, found)


def hdf5_groups(path: Path, name: str = "/") -> dict[str, dict[str, Any]]:
    """Return the groups right below a group, with their attributes; raises `RasterError`."""
    file = _file(path)
    parent = _inside(file, name)
    if not isinstance(parent, h5py.Group):
        return {}
    found = {key: _inside(file, f"{name}/{key}") for key in sorted(parent)}
    return {key: _attributes(g) for key, g in found.items() if isinstance(g, h5py.Group)}


def hdf5_shape(path: Path, name: str) -> tuple[int, ...] | None:
    """Return the shape of an array, or None where there is none of that name."""
    found = _inside(_file(path), name)
    return tuple(found.shape) if isinstance(found, h5py.Dataset) else None


def _file(path: Path) -> h5py.File:
    stat = path.stat()
    key = (path, stat.st_size, stat.st_mtime_ns)
    if key not in _files.by_key:
        for old in [held for held in _files.by_key if held[0] == path]:
            _files.by_key.pop(old).close()  # HDF5 would go on reading what the file was before
        try:
            _files.by_key[key] = h5py.File(path, "r")
        except (OSError, RuntimeError) as error:
            raise RasterError(
                str(path),
                found=str(error).split("(")[0].strip() or "no HDF5",
                expected="a readable HDF5 or NetCDF-4 file",
                todo="Copy it again, or leave it out.",
            ) from error
        while len(_files.by_key) > FILES_PER_THREAD:
            _files.by_key.popitem(last=False)
    _files.by_key.move_to_end(key)
    return _files.by_key[key]


def _inside(file: h5py.File, name: str) -> Any:  # noqa: ANN401
    """Return what a name means, or None; steps through hard links only."""
    here: Any = file
    for step in name.strip("/").split("/"):
        if not step:
            continue
        if not isinstance(here, h5py.Group) or here.get(step, getlink=True) is None:
            return None
        link = here.get(step, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise _leads_away(file, name)
        here = here.get(step)
    if isinstance(here, h5py.Dataset) and (here.external or here.is_virtual):
        raise _leads_away(file, name)
    return here


def _leads_away(file: h5py.File, name: str) -> RasterError:
    return RasterError(
        str(file.filename),
        found=f"{name!r}, which leads to another place or file",
        expected="an array that lies in this file",
        todo="Write the array into the file itself.",
    )


def _names(file: h5py.File, most: int) -> list[str]:
    """Return names of arrays; never steps through links, and meets each group once."""
    names: list[str] = []

    def visit(name: str, found: object) -> object:
        if isinstance(found, h5py.Dataset):
            names.append(name)
        return True if len(names) >= most else None

    file.visititems(visit)
    return sorted(names)


def _described(path: Path, file: h5py.File, array: Any) -> ArrayFile:  # noqa: ANN401
    group = array.parent.name

    def beside(name: str) -> ArrayFile | None:
        found = _inside(file, f"{group}/{name}" if "/" not in name else name)
        return _described(path, file, found) if isinstance(found, h5py.Dataset) else None

    return ArrayFile(
        path=path,
        array=array,
        names=_dimensions(array),
        attributes=_attributes(array),
        beside=beside,
        size_bytes=path.stat().st_size,
        chunk=array.chunks,
        keep=(file,),
    )


def _dimensions(array: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Return the names of the scales along an array; blank where there is none."""
    names = []
    for dimension in array.dims:
        scales = list(dimension.values())
        names.append(str(scales[0].name) if scales else str(dimension.label))
    return tuple(names)


def _attributes(node: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return attributes that are numbers or text; others can point elsewhere."""
    found = {}
    for name in node.attrs:
        try:
            value = node.attrs[name]
        except (OSError, TypeError, ValueError, RuntimeError):
            continue
        if isinstance(value, str | bytes | int | float | np.generic) or (
            isinstance(value, np.ndarray) and value.dtype.kind in "uifSU" and value.size <= 4096
        ):
            found[name] = value
    return found
