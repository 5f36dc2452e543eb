"""What every reader of datasets looks like, and the few things that they share.

A reader looks at names in a folder and says what lies where; pixels are checked by `core.ingest`.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from core.found import FoundDataset
from core.raster import SUFFIXES

MAX_FILES = 200_000


class Reader(Protocol):
    """Knows one dataset layout."""

    @property
    def key(self) -> str:
        """Return what is stored with the project."""
        ...

    @property
    def title(self) -> str:
        """Return the name for people."""
        ...

    def recognise(self, root: Path) -> str | None:
        """Return what gave the layout away, as a sentence, or None when it is another."""
        ...

    def find(self, root: Path, way: str | None = None) -> FoundDataset:
        """Return the tiles with their files; raises `DatasetError` when nothing can be used.

        `way` is the way of splitting, for datasets with several (`FoundDataset.ways`).
        """
        ...


def rasters(folder: Path) -> dict[str, Path]:
    """Return the rasters directly in a folder by stem, in name order; empty without the folder."""
    if not folder.is_dir():
        return {}
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    return {path.stem: path for path in found if not path.name.startswith(".")}


def without_suffix(by_stem: dict[str, Path], suffix: str) -> dict[str, Path]:
    """Return the files whose stem ends in `suffix`, by the stem without it."""
    return {
        stem.removesuffix(suffix): path for stem, path in by_stem.items() if stem.endswith(suffix)
    }


def bands(path: Path, count: int) -> tuple[tuple[Path, int], ...]:
    """Return the sources of the first `count` bands of one file."""
    return tuple((path, band) for band in range(1, count + 1))


def read_list(path: Path) -> list[str]:
    """Return the entries of a split list, one per line, without extensions and blanks."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return [name.removesuffix(".tif") for line in lines if (name := line.strip())]


def some(names: Iterable[str], most: int = 5) -> str:
    """Return the first names in words, and how many more there are."""
    listed: Sequence[str] = sorted(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
