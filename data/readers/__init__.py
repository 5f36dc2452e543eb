"""Readers of dataset layouts. `recognise` asks each in turn, the most specific first."""

from collections.abc import Iterator
from pathlib import Path

from core.errors import DatasetError
from data.readers import (
    bigearthnet,
    bright,
    cloudlulc,
    cloudsen12,
    dfc2020,
    gamus,
    kuro_siwo,
    landcover_ai,
    m3leo,
    oam_tcd,
    oem_sar,
    open_earth_map,
    quakeset,
    sen1floods11,
    sen4agrinet,
    sen12ms,
    so2sat,
    spacenet6,
)
from data.readers.base import Reader
from data.readers.cloudbrush_folder import CloudbrushFolderReader
from data.readers.cubes import CubeReader
from data.readers.guess import PatternReader
from data.readers.spec_files import sample
from data.readers.spec_reader import SpecReader
from data.readers.stac import StacReader

READERS: tuple[Reader, ...] = (
    CloudbrushFolderReader(),
    oem_sar.READER,
    bright.READER,
    cloudlulc.READER,
    dfc2020.READER,
    sen12ms.READER,
    gamus.READER,
    kuro_siwo.READER,
    m3leo.READER,
    oam_tcd.READER,
    sen1floods11.READER,
    sen4agrinet.READER,
    spacenet6.READER,
    bigearthnet.READER,
    bigearthnet.LIST_READER,
    cloudsen12.READER,
    landcover_ai.READER,
    open_earth_map.READER,
    quakeset.READER,
    so2sat.READER,
    StacReader(),
    CubeReader(),
    PatternReader(),
)


def recognised(root: Path) -> Iterator[tuple[Reader, str]]:
    """Yield the readers that know the layout, the most specific first, and what gave it away."""
    sampled = sample(root)
    any_before = False
    for known in READERS:
        if isinstance(known, SpecReader):
            why = known.recognise_in(sampled)
        elif isinstance(known, PatternReader) and any_before:
            why = "rasters in it; for folders that no other reader fits"  # counting takes long
        else:
            why = known.recognise(root)
        if why:
            any_before = True
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


def published_names(key: str) -> tuple[str, ...]:
    """Return the class names that a dataset publishes without their codes; empty for others."""
    for known in READERS:
        if isinstance(known, SpecReader) and known.key == key:
            return known.spec.published_names
    return ()
