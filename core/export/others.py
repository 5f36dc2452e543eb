"""The files of a dataset that an export does not change: listed, hard-linked or copied."""

import csv
import filecmp
import os
import shutil
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import DatasetError, RasterError
from core.export.frame import Work

OTHERS = "others.csv"
COLUMNS = ("path", "size_bytes", "modified_at")


def write_others(work: Work, root: Path, labels: Collection[Path]) -> dict[str, Any]:
    """Bring every other file below `root` along as the option `others` says.

    "list" writes a table of them, "link" hard-links and "copy" copies them to their place. Returns
    how, and their count and size. Raises `DatasetError` where links cannot be made.
    """
    how = work.option("others", "list")
    files = sorted(set(_below(work, root)) - set(labels))
    size = 0
    with (work.folder / OTHERS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for done, path in enumerate(files):
            work.tick(0.8 + 0.2 * done / len(files), path.name)
            place, stat = path.relative_to(root), path.stat()
            size += stat.st_size
            when = datetime.fromtimestamp(stat.st_mtime, UTC).isoformat(timespec="seconds")
            writer.writerow([place.as_posix(), stat.st_size, when])
            if how != "list":
                bring(path, work.folder / "dataset" / place, how)
    return {"how": how, "files": len(files), "size_bytes": size, "table": OTHERS}


def _below(work: Work, root: Path) -> Iterator[Path]:
    """Yield the files below a folder; links are not followed, and the workspace is left out."""
    workspace = work.store.workspace.resolve()
    for folder, inner, names in os.walk(root):
        here = Path(folder)
        inner[:] = [name for name in inner if here / name != workspace]
        for name in names:
            path = here / name
            if path.is_file() and not path.is_symlink():
                yield path


def bring(path: Path, target: Path, how: str) -> None:
    """Hard-link or copy a file; raises `DatasetError` or `RasterError` where that fails."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if how == "link":
        try:
            os.link(path, target)
        except OSError as error:
            raise DatasetError(
                str(path),
                found=f"a file that cannot be linked ({error.strerror})",
                expected="a workspace on the same disk",
                todo="Copy the files, or list them.",
            ) from error
        return
    shutil.copyfile(path, target)
    shutil.copystat(path, target)
    if not filecmp.cmp(path, target, shallow=False):
        raise RasterError(str(target), found="other bytes than copied", expected="an equal copy")
