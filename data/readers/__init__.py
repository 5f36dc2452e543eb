"""Readers of dataset layouts. `recognise` asks each in turn, the most specific first."""

from pathlib import Path

from core.errors import DatasetError
from data.readers.base import Reader
from data.readers.bright import BrightReader
from data.readers.cloudbrush_folder import CloudbrushFolderReader
from data.readers.guess import PatternReader
from data.readers.oem_sar import OemSarReader

READERS: tuple[Reader, ...] = (
    CloudbrushFolderReader(),
    OemSarReader(),
    BrightReader(),
    PatternReader(),
)


def recognise(root: Path) -> tuple[Reader, str] | None:
    """Return the first reader that knows the layout, and what gave it away."""
    for reader in READERS:
        why = reader.recognise(root)
        if why:
            return reader, why
    return None


def reader(key: str) -> Reader:
    """Return the reader of that key; raises `DatasetError`."""
    for known in READERS:
        if known.key == key:
            return known
    raise DatasetError("reader", found=key, expected=", ".join(r.key for r in READERS))
