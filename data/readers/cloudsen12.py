"""CloudSEN12+ as Copernicus-Bench packs it: Sentinel-2 L1C with clouds drawn by experts.

The mask is two things here: the label that people correct, and the cloud levels of the image.
"""

from core.classes import ClassEntry, ClassTable
from core.clouds.cover import CLEAR, SHADOW, THICK, THIN
from core.records import Modality, Split, Unit
from data.readers.spec import Files, ListFile, Spec, Way
from data.readers.spec_reader import SpecReader
from data.readers.spec_splits import first_column

CLASSES = ClassTable(
    "CloudSEN12",
    (
        ClassEntry(0, "Clear", "#ffffff"),
        ClassEntry(1, "Thick cloud", "#ffff00"),
        ClassEntry(2, "Thin cloud", "#008000"),
        ClassEntry(3, "Cloud shadow", "#ff0000"),
    ),
)
S2_BANDS = (*(f"B{n:02}" for n in range(1, 9)), "B8A", "B09", "B10", "B11", "B12")
TILE = r"{tile:ROI_\d{5}__\d{8}T\d{6}\w*}.tif"

SPEC = Spec(
    key="cloudsen12",
    title="CloudSEN12+ (Copernicus-Bench Cloud-S2)",
    files=(
        Files(
            f"s2_toa/{TILE}",
            Modality.OPTICAL,
            bands=S2_BANDS,
            unit=Unit.REFLECTANCE,
            date="{tile}",
            mark=True,
        ),
        Files(f"cloud/{TILE}", Modality.LABEL),
        Files(f"cloud/{TILE}", Modality.CLOUD, codes={0: CLEAR, 1: THICK, 2: THIN, 3: SHADOW}),
    ),
    classes=CLASSES,
    preset="plain",
    licence="CC0-1.0",
    source="Hugging Face wangyi111/Copernicus-Bench, l1_cloud_s2; doi 10.1016/j.dib.2024.110852",
    page="cloudsen12.md",
    ways=(
        Way("published", tuple(ListFile(f"{split}.csv", split, first_column) for split in Split)),
    ),
)
READER = SpecReader(SPEC)
