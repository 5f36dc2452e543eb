"""So2Sat LCZ42: patches of 32 x 32 pixels from Sentinel-1 and Sentinel-2, one climate zone each.

Each split is one HDF5 file. Of the eight Sentinel-1 arrays the two intensities are read, speckle
filtered by the authors: the sixth is VV and the fifth VH. Versions with several folders hold the
same patches again under another split: open one folder.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from core.classes import ClassEntry, ClassTable
from core.errors import RasterError
from core.records import Modality, Unit
from core.sources.hdf5 import array_file, hdf5_shape
from core.sources.source import Part, Source
from data.readers.spec import Files, Inside, Names, Spec
from data.readers.spec_reader import SpecReader

CLASSES = ClassTable(
    "Local climate zones",
    tuple(
        ClassEntry(code, name, colour)
        for code, (name, colour) in enumerate(
            (
                ("Compact high rise", "#8c0000"),
                ("Compact mid rise", "#d10000"),
                ("Compact low rise", "#ff0000"),
                ("Open high rise", "#bf4d00"),
                ("Open mid rise", "#ff6600"),
                ("Open low rise", "#ff9955"),
                ("Lightweight low rise", "#faee05"),
                ("Large low rise", "#bcbcbc"),
                ("Sparsely built", "#ffccaa"),
                ("Heavy industry", "#555555"),
                ("Dense trees", "#006a00"),
                ("Scattered trees", "#00aa00"),
                ("Bush, scrub", "#648525"),
                ("Low plants", "#b9db79"),
                ("Bare rock or paved", "#000000"),
                ("Bare soil or sand", "#fbf7ae"),
                ("Water", "#6a6aff"),
            )
        )
    ),
)
S2_BANDS = (*(f"B{n:02}" for n in range(2, 9)), "B8A", "B11", "B12")
S1_NUMBERS = {"VV": 6, "VH": 5}
ROWS_AT_ONCE = 65536


def _one(array: str, numbers: tuple[int, ...]) -> Callable[[Path, Names], Iterator[Inside]]:
    """Return what lists the patches of one array of a file with their labels."""

    def inside(path: Path, names: Names) -> Iterator[Inside]:
        codes = _codes(path)
        shape = hdf5_shape(path, array)
        if shape is None or len(shape) != 4 or shape[0] != len(codes):
            found = f"no array {array}" if shape is None else f"{array} in shape {shape}"
            expected = f"({len(codes)}, rows, columns, bands)"
            raise RasterError(str(path), found=found, expected=expected)
        for row, code in enumerate(codes):
            part = Part(array=array, axes=(row, "y", "x", "b"))
            sources = tuple(Source(path, number, part) for number in numbers)
            yield Inside({"n": f"{row:06d}"}, sources, patch_codes=(code,))

    return inside


def _codes(path: Path) -> list[int]:
    """Return the class of each patch from its row of ones and zeros; raises `RasterError`."""
    labels = array_file(path, "label").array
    if labels.shape[1:] != (len(CLASSES.codes),):
        found = f"label in shape {labels.shape}"
        raise RasterError(str(path), found=found, expected="label in shape (patches, 17)")
    codes: list[int] = []
    for start in range(0, labels.shape[0], ROWS_AT_ONCE):
        rows = np.asarray(labels[start : start + ROWS_AT_ONCE])
        if not ((rows == 0) | (rows == 1)).all() or (rows.sum(axis=1) != 1).any():
            raise RasterError(
                str(path),
                found="rows of label with none or several classes",
                expected="one 1 in each row",
            )
        codes += rows.argmax(axis=1).tolist()
    return codes


FILE = "{split:training|validation|testing}.h5"
SPEC = Spec(
    key="so2sat",
    title="So2Sat LCZ42, climate zone of each patch",
    files=(
        Files(
            FILE,
            Modality.OPTICAL,
            bands=S2_BANDS,
            unit=Unit.NUMBER,
            mark=True,
            inside=_one("sen2", tuple(range(1, len(S2_BANDS) + 1))),
        ),
        Files(
            FILE,
            Modality.SAR,
            bands=tuple(S1_NUMBERS),
            unit=Unit.LINEAR,
            inside=_one("sen1", tuple(S1_NUMBERS.values())),
        ),
    ),
    classes=CLASSES,
    preset="patch_labels",
    licence="CC-BY-4.0",
    source="TU Munich, mediaTUM 1483140 (version 2) and 1613658 (version 3)",
    page="so2sat.md",
    kind="patch",
    tile="{split}_{n}",
    region=lambda names: "all",
)
READER = SpecReader(SPEC)
