"""GAMUS: aerial images and height above ground of cities, in HDF5 files of one array each."""

from collections.abc import Iterator
from pathlib import Path

from core.classes import ClassEntry, ClassTable
from core.records import Modality, Unit
from core.sources.hdf5 import hdf5_shape
from core.sources.source import Part, Source
from data.readers.spec import Files, Inside, Names, Spec
from data.readers.spec_reader import SpecReader

KEY = "image"  # of the array, in all three kinds of file
CLASSES = ClassTable(
    "GAMUS",
    (
        ClassEntry(0, "Others", "#8a8f9b"),
        ClassEntry(1, "Ground", "#d8b98a"),
        ClassEntry(2, "Low vegetation", "#a6c98a"),
        ClassEntry(3, "Building", "#b80f45"),
        ClassEntry(4, "Water", "#3565d6"),
        ClassEntry(5, "Road", "#f7f4ee"),
        ClassEntry(6, "Tree", "#07552c"),
    ),
)


def held(path: Path, _names: Names) -> Iterator[Inside]:
    """Yield what a file holds: rows and columns, with the colours last where it has some."""
    shape = hdf5_shape(path, KEY)
    if shape is None or len(shape) not in (2, 3):
        raise ValueError(f"no array {KEY!r} of rows and columns")
    colours = len(shape) == 3
    part = Part(KEY, ("y", "x", "b") if colours else ("y", "x"))
    count = shape[2] if colours else 1
    yield Inside({}, tuple(Source(path, band, part) for band in range(1, count + 1)))


SPEC = Spec(
    key="gamus",
    title="GAMUS",
    files=(
        Files(
            "images/{split}/{tile}_RGB.h5",
            Modality.OPTICAL,
            bands=("red", "green", "blue"),
            acquisition="aerial",
            inside=held,
        ),
        Files(
            "heights/{split}/{tile}_AGL.h5",
            Modality.HEIGHT,
            bands=("above ground",),
            unit=Unit.METRE,
            inside=held,
            mark=True,
        ),
        Files("classes/{split}/{tile}_CLS.h5", Modality.LABEL, inside=held),
    ),
    classes=CLASSES,
    preset="plain",
    licence="CC BY 4.0 (dataset card)",
    source="EarthNets/RSI-MMSegmentation",
    page="gamus.md",
    region=lambda names: names["tile"].partition("_")[0],
)
READER = SpecReader(SPEC)
