"""NetCDF: version 4 is HDF5; the classic versions are read through scipy, mapped and not loaded."""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import netcdf_file

from core.errors import RasterError
from core.sources.array import ArrayFile, ArrayRaster
from core.sources.hdf5 import array_file
from core.sources.source import Part


def open_netcdf(path: Path, part: Part) -> ArrayRaster:
    """Open one variable of a file; raises `RasterError`."""
    return ArrayRaster(netcdf_array(path, part.array), part)


def is_classic(path: Path) -> bool:
    """Return whether a file is of a classic version of NetCDF."""
    with path.open("rb") as file:
        return file.read(3) == b"CDF"


def netcdf_array(path: Path, name: str) -> ArrayFile:
    """Return a variable by its name; raises `RasterError`."""
    if not is_classic(path):
        return array_file(path, name)
    file = open_classic(path)
    if name not in file.variables:
        raise RasterError(
            str(path),
            found=f"no variable {name!r}",
            expected="one of " + ", ".join(list(file.variables)[:12]),
        )
    return classic_array(path, file, name)


def open_classic(path: Path) -> Any:  # noqa: ANN401
    """Open a classic file; raises `RasterError` for anything else or cut short."""
    try:
        return netcdf_file(path, "r", mmap=True)
    except (TypeError, ValueError, OSError, KeyError, IndexError, AttributeError) as error:
        raise RasterError(
            str(path), found=str(error), expected="a readable NetCDF file", todo="Copy it again."
        ) from error


def classic_array(path: Path, file: Any, name: str) -> ArrayFile:  # noqa: ANN401
    """Return a variable of an open classic file."""
    variable = file.variables[name]

    def beside(other: str) -> ArrayFile | None:
        return classic_array(path, file, other) if other in file.variables else None

    kept = (str, bytes, int, float, np.generic, np.ndarray)
    about = {k: v for k, v in variable._attributes.items() if isinstance(v, kept)}
    size = path.stat().st_size
    return ArrayFile(path, variable.data, tuple(variable.dimensions), about, beside, size)
