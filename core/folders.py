"""Choosing a folder on this machine within the roots that may be read."""

from collections.abc import Sequence
from pathlib import Path

from core.errors import DatasetError
from core.raster import check_allowed

MAX_SHOWN = 1000


def open_folder(text: str, roots: Sequence[Path]) -> Path:
    """Return the folder that a person typed, absolute and with links resolved.

    Raises `DatasetError` when it is outside the roots, missing, a file or cannot be listed.
    """
    text = text.strip().strip("\"'")
    if not text:
        raise DatasetError("folder", found="nothing", expected="a path such as " + str(roots[-1]))
    folder = check_allowed(text, roots)
    if folder.is_file():
        raise DatasetError(
            str(folder),
            found="a file",
            expected="a folder",
            todo=f"Unpack archives first; for a single file choose {folder.parent}.",
        )
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise DatasetError(
            str(folder),
            found=error.strerror or "no folder",
            expected="a folder that can be listed",
            todo="Check the path and its permissions.",
        ) from error
    return folder


def subfolders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, hidden ones left out, in order."""
    try:
        found = [path.name for path in folder.iterdir() if path.is_dir()]
    except OSError:  # listed a moment ago, gone now: nothing to choose from
        return []
    return sorted(name for name in found if not name.startswith("."))[:MAX_SHOWN]


def parent_within(folder: Path, roots: Sequence[Path]) -> Path | None:
    """Return the folder above, or None where that would leave the roots."""
    above = folder.parent
    inside = any(above.is_relative_to(root.resolve()) for root in roots)
    return above if inside and above != folder else None
