"""LandCover.ai: aerial photographs of Poland with buildings, woodland, water and roads.

Either the orthophotos as they come, cut here as the authors cut them but without copying a pixel,
or the folder that their own script wrote. Tiles are 512 x 512, counted along rows; a piece at the
right or lower edge that is smaller counts too, and is left out.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from rasterio.transform import Affine

from core.classes import ClassEntry, ClassTable
from core.raster import describe
from core.records import Grid, Modality, Split
from core.sources.source import Part, Source
from data.readers.spec import Files, Inside, ListFile, Names, Spec, Way
from data.readers.spec_reader import SpecReader
from data.readers.spec_splits import lines

SIDE = 512
CLASSES = ClassTable(
    "LandCover.ai",
    (
        ClassEntry(0, "Background", "#000000"),
        ClassEntry(1, "Building", "#614a4a"),
        ClassEntry(2, "Woodland", "#267300"),
        ClassEntry(3, "Water", "#00c5ff"),
        ClassEntry(4, "Road", "#cfcfcf"),
    ),
)
COLOURS = ("red", "green", "blue")


def pieces(grid: Grid, side: int = SIDE) -> Iterator[tuple[int, Grid]]:
    """Yield the number and the grid of each whole square of `side` pixels, along rows."""
    across = -(-grid.width // side)
    for row in range(grid.height // side):
        for column in range(grid.width // side):
            corner = Affine(*grid.transform) @ Affine.translation(column * side, row * side)
            a, b, c, d, e, f = tuple(corner)[:6]
            yield row * across + column, Grid(side, side, (a, b, c, d, e, f), grid.crs)


def _cut(bands: int) -> Callable[[Path, Names], Iterator[Inside]]:
    def inside(path: Path, names: Names) -> Iterator[Inside]:
        for number, grid in pieces(describe(path).grid):
            part = Part(grid=grid)
            sources = tuple(Source(path, band, part) for band in range(1, bands + 1))
            yield Inside({"n": str(number)}, sources)

    return inside


SPEC = Spec(
    key="landcover_ai",
    title="LandCover.ai",
    files=(
        Files(
            r"images/{sheet:[MN]-\d\d-[\w-]+}.tif",
            Modality.OPTICAL,
            bands=COLOURS,
            mark=True,
            wanted=False,
            inside=_cut(3),
        ),
        Files(r"masks/{sheet:[MN]-\d\d-[\w-]+}.tif", Modality.LABEL, wanted=False, inside=_cut(1)),
        Files(
            r"output/{sheet:[MN]-\d\d-[\w-]+}_{n:\d+}.jpg",
            Modality.OPTICAL,
            bands=COLOURS,
            mark=True,
            wanted=False,
        ),
        # Three equal bands: the authors' script writes masks as colour pictures.
        Files(
            r"output/{sheet:[MN]-\d\d-[\w-]+}_{n:\d+}_m.png",
            Modality.LABEL,
            bands=("code",),
            wanted=False,
        ),
    ),
    classes=CLASSES,
    preset="landcover_ai",
    licence="CC-BY-NC-SA-4.0",
    source="landcover.ai.linuxpolska.com; arXiv 2005.02264; 100 tiles: isaaccorley/landcoverai",
    page="landcover-ai.md",
    tile="{sheet}_{n}",
    region="{sheet}",
    ways=(
        Way(
            "published",
            tuple(ListFile(f"{split}.txt", split, lines) for split in Split),
            rest="out",
        ),
    ),
)
READER = SpecReader(SPEC)
