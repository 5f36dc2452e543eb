"""BigEarthNet v2 (reBEN): Sentinel-1 and Sentinel-2 pairs with CORINE maps and lists of classes.

Two readers know the same folder: one corrects the map of each pixel, the other the list of classes
of each patch. Backscatter stays in dB with its fractions. Codes of CORINE that the benchmark gives
no class are void. A pair is joined by `metadata.parquet`, or by the files that version 1 put beside
each image; their 43 names become the 19 classes by the same CORINE codes.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
from pyarrow import ArrowException

from core.classes import ClassEntry, ClassTable
from core.errors import DatasetError
from core.found import Finding
from core.patch_labels import cells_of
from core.records import Modality, Unit
from data.readers.base import some
from data.readers.corine import NAMES
from data.readers.spec import Facts, Files, Names, Spec
from data.readers.spec_files import Listing
from data.readers.spec_reader import SpecReader
from data.readers.spec_splits import WORDS

VOID = 255
CLASSES = ClassTable(
    "BigEarthNet, 19 classes",
    (
        ClassEntry(0, "Urban fabric", "#e6004d"),
        ClassEntry(1, "Industrial or commercial units", "#cc4df2"),
        ClassEntry(2, "Arable land", "#ffffa8"),
        ClassEntry(3, "Permanent crops", "#e68000"),
        ClassEntry(4, "Pastures", "#e6e64d"),
        ClassEntry(5, "Complex cultivation patterns", "#ffe64d"),
        ClassEntry(
            6,
            "Land principally occupied by agriculture, "
            "with significant areas of natural vegetation",
            "#e6cc4d",
        ),
        ClassEntry(7, "Agro-forestry areas", "#f2cca6"),
        ClassEntry(8, "Broad-leaved forest", "#80ff00"),
        ClassEntry(9, "Coniferous forest", "#00a600"),
        ClassEntry(10, "Mixed forest", "#4dff00"),
        ClassEntry(11, "Natural grassland and sparsely vegetated areas", "#ccf24d"),
        ClassEntry(12, "Moors, heathland and sclerophyllous vegetation", "#a6ff80"),
        ClassEntry(13, "Transitional woodland, shrub", "#a6f200"),
        ClassEntry(14, "Beaches, dunes, sands", "#e6e6e6"),
        ClassEntry(15, "Inland wetlands", "#a6a6ff"),
        ClassEntry(16, "Coastal wetlands", "#ccccff"),
        ClassEntry(17, "Inland waters", "#80f2e6"),
        ClassEntry(18, "Marine waters", "#e6f2ff"),
    ),
    VOID,
)
CORINE_OF = (
    (111, 112),
    (121,),
    (211, 212, 213),
    (221, 222, 223, 241),
    (231,),
    (242,),
    (243,),
    (244,),
    (311,),
    (312,),
    (313,),
    (321, 333),
    (322, 323),
    (324,),
    (331,),
    (411, 412),
    (421, 422),
    (511, 512),
    (521, 522, 523),
)
NO_DATA = 999
CODES: Mapping[int, int] = {
    **dict.fromkeys([*NAMES, NO_DATA], VOID),
    **{code: number for number, codes in enumerate(CORINE_OF) for code in codes},
}
S2_BANDS = (*(f"B{n:02}" for n in range(1, 9)), "B8A", "B09", "B11", "B12")
TABLE = "metadata.parquet"
# Greedy forms: a name ends at its last underscore, whatever it holds.
S2, S1 = r"{patch}/{patch:S2[A-C]_\w+}", r"{s1}/{s1:S1[A-D]_\w+}"
MAP = f"{S2}_reference_map.tif"
BESIDE_S2 = f"{S2}_labels_metadata.json"
BESIDE_S1 = f"{S1}_labels_metadata.json"


def _optical(*, mark: bool) -> Files:
    return Files(
        f"{S2}_{{band}}.tif",
        Modality.OPTICAL,
        bands=S2_BANDS,
        unit=Unit.REFLECTANCE,
        date="{patch}",
        mark=mark,
    )


SAR = Files(f"{S1}_{{band}}.tif", Modality.SAR, bands=("VV", "VH"), unit=Unit.DB)


def _tile(names: Names) -> str:
    return names.get("patch") or names["s1"]


def _facts(listing: Listing) -> Facts:
    """Return splits, countries, pairs and lists of classes; raises `DatasetError`."""
    tables = listing.of(TABLE)
    return _from_table(tables[0].path) if tables else _from_files(listing)


def facts_of_maps(listing: Listing) -> Facts:
    """Return splits, countries and pairs alone; raises `DatasetError`."""
    found = _facts(listing)
    found.patch_codes.clear()
    return found


def facts_of_lists(listing: Listing) -> Facts:
    """Return the lists of classes as well, empty for patches that no table names."""
    found = _facts(listing)
    optical = _optical(mark=True).pattern
    patches = {match.names["patch"] for match in listing.of(optical)}
    lone = patches - set(found.patch_codes)
    found.patch_codes |= dict.fromkeys(lone, cells_of((), CLASSES))
    if lone:
        text = f"{len(lone)} patches have no list of classes and start without any: {some(lone)}"
        found.findings.append(Finding("warning", str(listing.root), text))
    return found


def _from_table(path: Path) -> Facts:
    found = Facts()
    try:
        file = parquet.ParquetFile(path)
        held = set(file.schema_arrow.names)
        wanted = ("patch_id", "s1_name", "split", "labels", "country")
        columns = [name for name in wanted if name in held]
        if not {"patch_id", "s1_name", "split"} <= held:
            raise DatasetError(
                str(path),
                found=f"columns {', '.join(sorted(held))}",
                expected="patch_id, s1_name and split",
            )
        for batch in file.iter_batches(columns=columns):
            for row in batch.to_pylist():
                _add(found, path, row)
    except (OSError, ArrowException) as error:
        found.findings.append(Finding("error", str(path), f"cannot be read: {error}"))
    return found


def _add(found: Facts, path: Path, row: Mapping[str, object]) -> None:
    patch, s1, split = str(row["patch_id"]), str(row["s1_name"]), str(row["split"])
    found.aliases[s1] = patch
    if split not in WORDS:
        raise DatasetError(str(path), found=f"split {split!r}", expected="train, validation, test")
    found.splits[patch] = WORDS[split]
    if row.get("country"):
        found.regions[patch] = str(row["country"])
    labels = row.get("labels")
    if isinstance(labels, list):
        found.patch_codes[patch] = _cells(path, labels)


def _from_files(listing: Listing) -> Facts:
    """Return what version 1 says in a file beside each image."""
    found = Facts()
    for match in listing.of(BESIDE_S2):
        about = _json(match.path, found)
        if "labels" in about:
            found.patch_codes[match.names["patch"]] = _cells(match.path, about["labels"])
    for match in listing.of(BESIDE_S1):
        pair = _json(match.path, found).get("corresponding_s2_patch")
        if isinstance(pair, str):
            found.aliases[match.names["s1"]] = pair
    return found


def _json(path: Path, found: Facts) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        found.findings.append(Finding("warning", str(path), f"cannot be read: {error}"))
        return {}
    return about if isinstance(about, dict) else {}


_BY_NAME = {
    **{name.lower(): CODES[code] for code, name in NAMES.items()},
    **{entry.name.lower(): entry.code for entry in CLASSES.entries},
}


def _cells(path: Path, labels: Iterable[object]) -> tuple[int, ...]:
    codes = set()
    for label in labels:
        code = _BY_NAME.get(str(label).lower())
        if code is None:
            raise DatasetError(
                str(path), found=f"class {label!r}", expected="a class of BigEarthNet or CORINE"
            )
        codes.add(code)
    return cells_of(codes - {VOID}, CLASSES)


MAPS = Spec(
    key="bigearthnet",
    title="BigEarthNet v2, map of each pixel",
    files=(
        Files(MAP, Modality.LABEL, codes=CODES, mark=True),  # before the bands: it fits them too
        _optical(mark=False),
        SAR,
    ),
    classes=CLASSES,
    preset="bigearthnet_map",
    licence="CDLA-Permissive-1.0",
    source="bigearth.net; Zenodo 10891137",
    page="bigearthnet.md",
    tile=_tile,
    tables=(TABLE, BESIDE_S2, BESIDE_S1),
    facts=facts_of_maps,
)
LISTS = replace(
    MAPS,
    key="bigearthnet_lists",
    title="BigEarthNet, list of classes of each patch",
    files=(
        Files(MAP, None, why_out="the map of each pixel has a reader of its own"),
        _optical(mark=True),
        SAR,
    ),
    preset="patch_lists",
    kind="patch_list",
    facts=facts_of_lists,
    opened_on="real files",
)
READER = SpecReader(MAPS)
LIST_READER = SpecReader(LISTS)
