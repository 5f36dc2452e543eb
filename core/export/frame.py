"""The frame of every export: a hidden folder, filled and read back, and only then named.

An export is a folder of its own below `exports` in the workspace, with a `manifest.json` that says
what it holds. What has a name is whole: a failed or cancelled export leaves nothing behind, and a
name is never used twice. Originals are never written.
"""

import json
import os
import platform
import re
import secrets
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from core import catalogue
from core.classes import Provenance
from core.errors import Cancelled, DatasetError
from core.export.choose import Which, tiles_of
from core.records import Project, Tile
from core.scan import scan_tile
from core.store.engine import Store

MANIFEST = "manifest.json"
MAX_NAME = 80
FORMAT_VERSION = 2
HOST = re.sub(r"[^A-Za-z0-9-]", "-", platform.node()) or "here"

Report = Callable[[float, str], None]
"""Shows progress: the share that is done, 0 to 1, and a line of text."""


@dataclass(frozen=True)
class Order:
    """What to export: a format's key, which tiles, and the format's own options."""

    format: str = "labels"
    which: Which = Which.ALL
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Work:
    """What a format needs to write its files into `folder`, and whom it tells how far it is."""

    store: Store
    project: Project
    order: Order
    folder: Path
    report: Report | None = None
    cancelled: Callable[[], bool] | None = None
    left_out: dict[str, str] = field(default_factory=dict)  # tile names and why
    share: float = 0.0  # how much is done, for parts that cannot say it themselves

    def option(self, name: str, default: str) -> str:
        """Return a choice of the person, or the default."""
        return self.order.options.get(name, default)

    def tiles(self) -> list[Tile]:
        """Return the tiles that go out, after a look at the pixels of those never looked at.

        Tiles whose pixels cannot be worked on are left out and noted. Raises `DatasetError` when
        one of them was edited, or when no tile is left.
        """
        found = []
        for tile in tiles_of(self.store, self.project.id, self.order.which):
            problem = tile.problem
            if not tile.scanned:
                self.tick(0.0, f"Reading {tile.name}")
                problem = scan_tile(self.store, tile.id)
            if problem is None:
                found.append(tile)
            elif tile.version:
                raise DatasetError(
                    f"tile {tile.name}",
                    found=f"edits on pixels that cannot be read: {problem}",
                    expected="the files as they were imported",
                    todo="Put the files back; the edits are kept.",
                )
            else:
                self.left_out[tile.name] = problem
        if not found:
            raise DatasetError(
                "export",
                found=f"no tile for {self.order.which.value!r}",
                expected="at least one tile",
                todo="Choose all tiles, or correct one first.",
            )
        return found

    @property
    def why(self) -> str:
        """Return in words what was left out and why."""
        name, problem = next(iter(self.left_out.items()))
        return f"Tiles left out as their pixels cannot be worked on: {len(self.left_out)}. " + (
            f"{name}: {problem}"
        )

    def tick(self, share: float, message: str) -> None:
        """Say how far the work is (0 to 1); raises `Cancelled` when a person asked to stop."""
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("export", found="a request to stop")
        if self.report is not None:
            self.report(min(share, 1.0), message)

    def span(self, start: float, share: float, message: str) -> Callable[[float], None]:
        """Return what shows the progress of a part of the work that covers `share` of it."""
        return lambda part: self.tick(start + share * part, message)


@dataclass(frozen=True)
class Exported:
    """A finished export that was read back and found equal; `size_bytes` without its manifest."""

    name: str
    folder: Path
    files: int
    size_bytes: int
    manifest: dict[str, Any]


def export_folder(store: Store, name: str) -> Path:
    """Return the folder of a new export; raises `DatasetError` for a bad or a taken name."""
    if not re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9._ -]{{0,{MAX_NAME - 1}}}", name):
        raise DatasetError(
            "export name",
            found=repr(name[:MAX_NAME]),
            expected=f"1 to {MAX_NAME} letters, digits, blanks, dots, hyphens or underscores",
        )
    folder = store.folder("exports") / name
    if folder.exists():
        raise _taken(name)
    return folder


def _taken(name: str) -> DatasetError:
    return DatasetError("export name", found=f"{name!r}, which exists", expected="a new name")


def suggest_name(project: Project, now: datetime) -> str:
    """Return a name for an export of now."""
    return f"{safe_name(project.name)[:50]}-{now:%Y%m%d-%H%M%S}"


def safe_name(name: str) -> str:
    """Return a name as a file name: other letters become underscores, no leading dot."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".-_") or "tile"


def run(
    store: Store,
    project_id: int,
    name: str,
    order: Order,
    write: Callable[[Work], dict[str, Any]],
    *,
    person: str = "",
    report: Report | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Exported:
    """Let `write` fill a folder that gets its name when everything in it was read back.

    `write` returns what its format adds to the manifest. Raises what it raises, `DatasetError` for
    a name that cannot be used and `Cancelled`; nothing stays behind then.
    """
    project = catalogue.project(store, project_id)
    target = export_folder(store, name)
    with _hidden(target) as part:
        work = Work(store, project, order, part, report, cancelled)
        manifest = {**_head(project, order, person), **write(work)}
        if work.left_out:
            manifest |= {"left_out": work.left_out, "notes": [*manifest.get("notes", []), work.why]}
        files, size = measure(part)
        manifest |= {"files": files + 1, "size_bytes": size}  # the manifest is the one more
        (part / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        work.tick(1.0, "Putting it on disk")
        os.sync()
        try:
            part.rename(target)
        except OSError as error:  # another export took the name while this one was written
            raise _taken(name) from error
    return Exported(name, target, files + 1, size, manifest)


@contextmanager
def _hidden(target: Path) -> Iterator[Path]:
    """Give a fresh hidden folder beside the target; remove it, and what killed exports left."""
    for left in target.parent.glob(".*.part"):
        host, pid, _, _ = left.name.rsplit(".", 4)[-4:] if left.name.count(".") > 4 else [""] * 4
        if host == HOST and not _alive(pid):
            shutil.rmtree(left, ignore_errors=True)
    own = f"{HOST}.{os.getpid()}.{secrets.token_hex(4)}"
    part = target.with_name(f".{target.name}.{own}.part")
    part.mkdir()
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def _head(project: Project, order: Order, person: str) -> dict[str, Any]:
    classes = project.classes
    return {
        "format": "cloudbrush export",
        "format_version": FORMAT_VERSION,
        "holds": order.format,
        "options": dict(order.options),
        "project": project.name,
        "kind": project.kind,
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "exported_by": person,
        "tiles_chosen": order.which.value,
        "void_code": classes.void_code,
        "classes": [
            {"code": entry.code, "name": entry.name, "colour": entry.colour}
            for entry in classes.entries
        ],
        "provenance_codes": {code.name.lower(): int(code) for code in Provenance},
    }


def exports(store: Store) -> list[Path]:
    """Return the finished exports, newest first."""
    folder = store.folder("exports")
    found = [path for path in folder.iterdir() if (path / MANIFEST).is_file()]
    return sorted(
        (path for path in found if not path.name.startswith(".")),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return what a finished export says of itself; raises `DatasetError` when it cannot be read.

    Remembered while the file stays as it is: that of a large export is large.
    """
    path = folder / MANIFEST
    try:
        return _read_manifest(path, path.stat().st_mtime_ns)
    except (OSError, ValueError) as error:
        raise DatasetError(str(path), found=str(error), expected="a manifest") from error


@lru_cache(maxsize=8)
def _read_manifest(path: Path, mtime_ns: int) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError(f"{type(found).__name__} in place of fields")
    return found


def measure(folder: Path) -> tuple[int, int]:
    """Return the count of files in a folder and inside it, and their size in bytes."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)


def zip_export(folder: Path) -> Path:
    """Return the export as one zip file beside its folder, made when it is not there yet."""
    target = folder.with_name(f"{folder.name}.zip")
    made = (folder / MANIFEST).stat().st_mtime
    if target.is_file() and target.stat().st_mtime >= made:
        return target
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:  # rasters are compressed
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    archive.write(path, Path(folder.name) / path.relative_to(folder))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target
