"""CloudLULC-Set: cloudy and clear Sentinel-2, Sentinel-1 and land cover.

Codes, units and the void code are not published. Codes are taken from the labels and have no names
until a person gives them; units are found from the values.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.classes import ClassEntry, ClassTable
from core.errors import DatasetError
from core.legend import unnamed_name
from core.records import Modality, Split, Unit
from data.readers.look import class_table, first_look
from data.readers.spec import Files, ListFile, Names, Spec, Way
from data.readers.spec_reader import SpecReader
from data.readers.spec_splits import read_text, stem

S2_BANDS = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B11", "B12")
PUBLISHED_NAMES = ("Water", "Forest", "Grassland", "Barren land", "Built-up land", "Cropland")
CODES = {"1": Split.TRAIN, "2": Split.VAL, "3": Split.TEST}
LOOKED_INTO = 400  # labels, spread over the set: a rare class should not be missed
_ROI = re.compile(r"ROIs_\d+")
_FIELD = re.compile(r"[,;\s]+")


def legend(labels: Sequence[Path]) -> ClassTable:
    """Return a table of the codes in the label files, none of them named."""
    found, _ = class_table(labels, LOOKED_INTO)
    entries = (ClassEntry(e.code, unnamed_name(e.code), e.colour) for e in found.entries)
    return ClassTable("CloudLULC-Set", tuple(entries), found.void)


def sar_unit(files: Sequence[Path]) -> Unit:
    """Return dB where values are mostly negative, linear power otherwise."""
    seen = first_look(files[:8])
    return Unit.DB if seen and seen.low < 0 else Unit.LINEAR


def read_records(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (tile, split code) from either form of the lists.

    Old: no header, blanks between `1  SAR_S1/VH  SAR_S1/VV  Opt_S2_cloudy  NAME.tif`. New: a header
    with `split_id` and a column of paths for each kind. Each line counts for the code it holds,
    whatever the file is called. Raises `DatasetError` for other lines.
    """
    header: list[str] = []
    for line in read_text(path).splitlines():
        fields = [field for field in _FIELD.split(line.strip()) if field]
        if not fields:
            continue
        if "split_id" in fields:
            header = fields
            continue
        code = fields[header.index("split_id")] if header else fields[0]
        if code not in CODES or len(fields) < max(len(header), 2):
            raise DatasetError(
                str(path),
                found=repr(line[:60]),
                expected="a split code of 1, 2 or 3 and the paths of a patch",
            )
        name = fields[header.index("label")] if "label" in header else fields[-1]
        yield stem(name).removeprefix("patch_"), code


def region_of(names: Names) -> str:
    """Return the region of interest in a patch's name; patches of one may overlap."""
    found = _ROI.search(names["tile"])
    return found[0] if found else ""


def _optical(folder: str, acquisition: str, *, mark: bool = False) -> Files:
    return Files(
        f"{folder}/[patch_]{{tile}}.tif",
        Modality.OPTICAL,
        bands=S2_BANDS,
        unit=Unit.REFLECTANCE,
        acquisition=acquisition,
        mark=mark,
    )


SPEC = Spec(
    key="cloudlulc",
    title="CloudLULC-Set",
    files=(
        Files(
            "SAR_S1/{band:VV|VH}/[patch_]{tile}.tif",
            Modality.SAR,
            bands=("VV", "VH"),
            unit=Unit.LINEAR,
            probe=sar_unit,
        ),
        _optical("Opt_S2_cloudy", "cloudy", mark=True),
        _optical("Opt_S2_clear", "clear"),
        Files("Label/[patch_]{tile}.tif", Modality.LABEL),
    ),
    classes=legend,
    preset="cloudlulc",
    region=region_of,
    ways=(
        Way(
            "official lists",
            (
                ListFile(
                    "split/{list}.csv",
                    None,
                    read_records,
                    words=CODES,
                    also=(r"{list:train|val|test|split|CloudLULC\w*}.csv", "split/{list}.txt"),
                    every=True,
                ),
            ),
        ),
    ),
    legend_asked=True,
    published_names=PUBLISHED_NAMES,
    licence="none stated; access by the authors' questionnaire",
    source="RSIIPAC/CloudLULC",
    page="cloudlulc.md",
)
READER = SpecReader(SPEC)
