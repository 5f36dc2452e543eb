"""Sen4AgriNet: a year of Sentinel-2 over fields with the crop that farmers declared.

A patch is one NetCDF-4 file with a group for each band. Of its dates the first of each month is
taken; each becomes an acquisition. Crop codes exceed a byte, so the 11 crops that are commonly used
get codes of ours and all other crops are unlabelled.
"""

from collections.abc import Iterator
from pathlib import Path

from core.classes import ClassEntry, ClassTable
from core.errors import RasterError
from core.raster import describe
from core.records import Modality, Unit
from core.sources.hdf5 import array_file
from core.sources.source import Part, Source
from core.sources.times import dates_of
from data.readers.spec import Files, Inside, Names, Spec
from data.readers.spec_reader import SpecReader

BANDS = tuple(f"B{n}" for n in ("01", "02", "03", "04", "05", "06", "07", "08", "8A", "09"))
BANDS += ("B10", "B11", "B12")
CROPS = {
    0: ("Background", "#e9e6df"),
    110: ("Wheat", "#f4b942"),
    120: ("Maize", "#fce01a"),
    140: ("Sorghum", "#ba7341"),
    150: ("Barley", "#d8b98a"),
    160: ("Rye", "#8a6d3b"),
    170: ("Oats", "#c9a66b"),
    330: ("Grapes", "#7b3fa0"),
    435: ("Rapeseed", "#a6c98a"),
    438: ("Sunflower", "#e76f51"),
    510: ("Potatoes", "#264653"),
    770: ("Peas", "#07552c"),
}
CLASSES = ClassTable(
    "Sen4AgriNet",
    tuple(ClassEntry(code, name, hue) for code, (name, hue) in enumerate(CROPS.values())),
)
REFERENCE = Part("B02/B02", (0, "y", "x"))  # of the bands at 10 m, as the labels are
CODES = tuple((str(value), code) for code, value in enumerate(CROPS))


def dates(path: Path, _names: Names) -> Iterator[Inside]:
    """Yield the first date of each month with its bands."""
    reference = array_file(path, "B02/B02")
    days = dates_of(reference.beside("time"))
    if len(days) != reference.array.shape[0]:
        raise RasterError(str(path), found="no dates", expected="a date for each image of B02")
    grid = describe(path, REFERENCE).grid
    first = {day[:7]: place for place, day in sorted(enumerate(days), reverse=True)}
    for place in sorted(first.values()):
        parts = (Part(f"{b}/{b}", (place, "y", "x"), grid, stretch=True) for b in BANDS)
        sources = tuple(Source(path, 1, part) for part in parts)
        yield Inside({"date": days[place]}, sources)


def labels(path: Path, _names: Names) -> Iterator[Inside]:
    """Yield the crops as codes of the class table."""
    grid = describe(path, REFERENCE).grid
    part = Part("labels/labels", ("y", "x"), grid, stretch=True, codes=CODES)
    yield Inside({}, (Source(path, 1, part),))


NAME = "{year:20\\d\\d}_{region}_patch_{row:\\d+}_{column:\\d+}.nc"
SPEC = Spec(
    key="sen4agrinet",
    title="Sen4AgriNet",
    files=(
        Files(
            NAME,
            Modality.OPTICAL,
            bands=BANDS,
            unit=Unit.REFLECTANCE,
            acquisition="{date}",
            date="{date}",
            inside=dates,
            mark=True,
        ),
        Files(NAME, Modality.LABEL, inside=labels),
    ),
    classes=CLASSES,
    preset="plain",
    licence="CC BY-SA 4.0",
    source="Orion-AI-Lab/S4A, version 21.03",
    page="sen4agrinet.md",
    tile="{year}_{region}_{row}_{column}",
    region="{region}",
)
READER = SpecReader(SPEC)
