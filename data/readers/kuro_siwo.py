"""Kuro Siwo: Sentinel-1 before and during 43 floods, with permanent water and flood drawn apart.

Each grid cell is a folder. The image during the flood and the two before it are one layer of six
bands, because a network needs all three at once. Splits are by activation, as published; the
dataset's own index files are pickles, which are never opened.
"""

from core.classes import ClassEntry, ClassTable
from core.records import Modality, Split, Unit
from data.readers.spec import Facts, Files, Spec
from data.readers.spec_files import Listing
from data.readers.spec_reader import SpecReader

CLASSES = ClassTable(
    "Kuro Siwo",
    (
        ClassEntry(0, "No water", "#d8cfb4"),
        ClassEntry(1, "Permanent water", "#1c3f94"),
        ClassEntry(2, "Flood", "#d63fa8"),
    ),
    void=3,
)
VAL = {"514", "559", "279", "520", "437", "1111003", "1111008"}
TEST = {"321", "561", "445", "562", "411", "1111002", "277", "1111007", "205", "1111013"}
TRAIN = {
    *("130", "470", "555", "118", "174", "324", "421", "554", "427", "518", "502", "498", "497"),
    *("496", "492", "147", "267", "273", "275", "417", "567", "1111011", "1111004", "1111009"),
    *("1111010", "1111006", "1111005"),
}
CELL = "{event:\\d+}/{area:\\d+}/{cell}/"
LABEL = CELL + "MK0_MLU_*.tif"
BANDS = tuple(f"{image}_I{way}" for image in ("MS1", "SL1", "SL2") for way in ("VV", "VH"))


def facts(listing: Listing) -> Facts:
    """Return the published split of each labelled cell, by its activation."""
    found = Facts()
    for match in listing.of(LABEL):
        event = match.names["event"]
        split = Split.VAL if event in VAL else Split.TEST if event in TEST else None
        split = Split.TRAIN if event in TRAIN else split
        if split:
            found.splits[SPEC.tile_name(match.names)] = split
    return found


SPEC = Spec(
    key="kuro_siwo",
    title="Kuro Siwo",
    files=(
        Files(
            CELL + "MK0_DEM_*.tif", Modality.HEIGHT, bands=("DEM",), unit=Unit.METRE, wanted=False
        ),
        Files(LABEL, Modality.LABEL, mark=True),
        Files(CELL + "MK0_MNA_*.tif", None, why_out="the label says itself what is invalid"),
        Files(CELL + "MK0_SLOPE_*.tif", None, why_out="follows from the heights"),
        Files(
            CELL + "{band}_{event:\\d+}_*.tif",
            Modality.SAR,
            bands=BANDS,
            unit=Unit.LINEAR,
            name="flood, before 1, before 2",
        ),
    ),
    classes=CLASSES,
    preset="kuro_siwo",
    licence="CC BY (the repository); MIT (Copernicus-Bench)",
    source="Orion-AI-Lab/KuroSiwo, GRD",
    page="kuro-siwo.md",
    tile="{event}_{area}_{cell}",
    region="{event}",
    facts=facts,
)
READER = SpecReader(SPEC)
