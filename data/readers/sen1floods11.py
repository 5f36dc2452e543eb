"""Sen1Floods11: Sentinel-1 and Sentinel-2 chips of flood events with water drawn by people.

The chips of Bolivia are an event of their own that is held out. Labels made by machine (Otsu on
Sentinel-1, an index on Sentinel-2, permanent water) are known and left out.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from core.classes import ClassEntry, ClassTable
from core.records import Modality, Split, Unit
from data.readers.spec import Files, ListFile, Spec, Way
from data.readers.spec_reader import SpecReader

VOID = 255
CLASSES = ClassTable(
    "Sen1Floods11",
    (ClassEntry(0, "Dry", "#d8cfb4"), ClassEntry(1, "Water", "#3565d6")),
    VOID,
)
S2_BANDS = tuple(f"B{n}" for n in ("01", "02", "03", "04", "05", "06", "07", "08", "8A", "09"))
S2_BANDS += ("B10", "B11", "B12")
HAND = "HandLabeled/*/"
MACHINE = "made by a machine; the labels drawn by people are used"


def pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (tile, "") of lines such as `Spain_7370579_S1Hand.tif,Spain_7370579_LabelHand.tif`."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file):
            if row and row[0].strip():
                yield row[0].strip().removesuffix(".tif").removesuffix("_S1Hand"), ""


def _list(name: str, split: Split) -> ListFile:
    return ListFile(f"flood_{name}_data.csv", split, pairs)


SPEC = Spec(
    key="sen1floods11",
    title="Sen1Floods11",
    files=(
        Files(
            HAND + "{event}_{n:\\d+}_S1Hand.tif",
            Modality.SAR,
            also=("{event}_{n:\\d+}_S1Hand.tif",),
            bands=("VV", "VH"),
            unit=Unit.DB,
            mark=True,
        ),
        Files(
            HAND + "{event}_{n:\\d+}_S2Hand.tif",
            Modality.OPTICAL,
            also=("{event}_{n:\\d+}_S2Hand.tif",),
            bands=S2_BANDS,
            unit=Unit.REFLECTANCE,
            acquisition="Sentinel-2",
        ),
        Files(
            HAND + "{event}_{n:\\d+}_LabelHand.tif",
            Modality.LABEL,
            also=("{event}_{n:\\d+}_LabelHand.tif",),
            codes={-1: VOID},
        ),
        Files(HAND + "{event}_{n:\\d+}_S1OtsuLabelHand.tif", None, why_out=MACHINE),
        Files(HAND + "{event}_{n:\\d+}_JRCWaterHand.tif", None, why_out=MACHINE),
        Files(
            "WeaklyLabeled/*/{event}_{n:\\d+}_{kind:S1Weak|S1OtsuLabelWeak|S2IndexLabelWeak}.tif",
            None,
            why_out="weakly labelled chips without labels drawn by people",
        ),
    ),
    classes=CLASSES,
    preset="plain",
    licence="not stated in the data; see the authors' repository",
    source="cloudtostreet/Sen1Floods11, bucket sen1floods11",
    page="sen1floods11.md",
    tile="{event}_{n}",
    region="{event}",
    ways=(
        Way(
            "official",
            (
                _list("train", Split.TRAIN),
                _list("valid", Split.VAL),
                _list("test", Split.TEST),
                _list("bolivia", Split.TEST),
            ),
        ),
    ),
    opened_on="real files",
)
READER = SpecReader(SPEC)
