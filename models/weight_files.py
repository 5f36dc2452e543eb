"""Read the tensors of other people's weight files without running anything that they hold.

Two forms are read: safetensors, and the zip archive that `torch.save` writes since 1.6, with
torch's reader that knows tensors and plain containers only. Nothing larger than the file itself is
ever given memory.
"""

import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from core.errors import ModelFileError
from core.raster import check_allowed

MAX_BYTES = 4 << 30
MAX_TENSORS = 20_000
OUTER_NAMES = ("state_dict", "model", "model_state_dict")
"""Names under which some authors wrap the tensors, together with other things."""


def read_tensors(path: Path | str, roots: Sequence[Path]) -> dict[str, Tensor]:
    """Return the tensors of a file on the CPU by name; names of nested tables are joined by a dot.

    `roots` are the folders that may be read (`Settings.allowed_roots`). Raises `DatasetError` for a
    path outside them and `ModelFileError` for a file that is not one of weights.
    """
    full = check_allowed(path, roots)
    try:
        size = full.stat().st_size
    except OSError as error:
        raise ModelFileError(
            str(full), found="no such file", expected="a weights file on this machine"
        ) from error
    if not full.is_file() or not 0 < size <= MAX_BYTES:
        raise ModelFileError(
            str(full), found=f"{size} bytes", expected=f"a file of at most {MAX_BYTES >> 30} GiB"
        )
    try:
        held = load_file(full) if _is_safetensors(full) else _read_archive(full)
    except (SafetensorError, OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(
            str(full),
            found=str(error)[:200] or type(error).__name__,
            expected="tensors as safetensors, or as saved by torch.save",
        ) from error
    tensors = _flat(held, full)
    _check_sizes(tensors, full, size)
    return tensors


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _read_archive(path: Path) -> Any:  # noqa: ANN401  # whatever it holds, checked by the caller
    """Return what torch's safe reader finds, mapped from the file and not copied."""
    if not zipfile.is_zipfile(path):
        raise ModelFileError(
            str(path),
            found="neither safetensors nor an archive of torch",
            expected="one of them",
            todo="Files from before torch 1.6 must be saved again by a newer torch.",
        )
    with zipfile.ZipFile(path) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise ModelFileError(
                str(path), found="compressed parts", expected="parts as torch.save stores them"
            )
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # the reader raises UnpicklingError, KeyError, EOFError and more
        raise ModelFileError(
            str(path),
            found=f"more than tensors, or damaged ({str(error).splitlines()[0][:120]})",
            expected="tensors only",
            todo="Save the state dict alone, best as safetensors.",
        ) from error


def _flat(held: object, path: Path) -> dict[str, Tensor]:
    """Return the tensors of nested tables by joined name, leaving out an outer wrapping."""
    if isinstance(held, Mapping):
        for name in OUTER_NAMES:
            if isinstance(held.get(name), Mapping):
                held = held[name]
                break
    found: dict[str, Tensor] = {}

    def visit(value: object, name: str, depth: int) -> None:
        if isinstance(value, Tensor):
            found[name] = value.detach()
        elif isinstance(value, Mapping) and depth < 4:
            for key, inner in value.items():
                visit(inner, f"{name}.{key}" if name else str(key), depth + 1)

    visit(held, "", 0)
    if not 0 < len(found) <= MAX_TENSORS:
        raise ModelFileError(str(path), found=f"{len(found)} tensors", expected="a table of them")
    return found


def _check_sizes(tensors: Mapping[str, Tensor], path: Path, size: int) -> None:
    """Refuse tensors that claim more than the file holds: views repeat one value endlessly."""
    claimed = sum(math.prod(t.shape) * t.element_size() for t in tensors.values())
    if claimed > size:
        raise ModelFileError(
            str(path),
            found=f"tensors of {claimed} bytes in a file of {size}",
            expected="tensors no larger than their file",
        )


def without_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors with `prefix` taken from every name, where all names have it."""
    if all(name.startswith(prefix) for name in tensors):
        return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return dict(tensors)
