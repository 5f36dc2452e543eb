"""Readers of dataset layouts. `recognise` asks each in turn, the most specific first."""

from collections.abc import Iterator
from pathlib import Path

from core.errors import DatasetError
from data.readers import bright, oem_sar
from data.readers.base import Reader
from data.readers.cloudbrush_folder import CloudbrushFolderReader
from data.readers.guess import PatternReader
from data.readers.spec_files import sample
from data.readers.spec_reader import SpecReader

READERS: tuple[Reader, ...] = (
    CloudbrushFolderReader(),
    oem_sar.READER,
    bright.READER,
    PatternReader(),
)


def recognised(root: Path) -> Iterator[tuple[Reader, str]]:
    """Yield the readers that know the layout, the most specific first, and what gave it away."""
    sampled = sample(root)
    for known in READERS:
        if isinstance(known, SpecReader):
            why = known.recognise_in(sampled)
        else:
            why = known.recognise(root)
        if why:
            yield known, why


def recognise(root: Path) -> tuple[Reader, str] | None:
    """Return the first reader that knows the layout, and what gave it away."""
    return next(recognised(root), None)


def reader(key: str) -> Reader:
    """Return the reader of that key; raises `DatasetError`."""
    for known in READERS:
        if known.key == key:
            return known
    raise DatasetError("reader", found=key, expected=", ".join(r.key for r in READERS))
