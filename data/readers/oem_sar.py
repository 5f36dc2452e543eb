"""OpenEarthMap-SAR, the layout of DFC2025 Track 1.

The same stem is the same tile. Training labels are pseudo-labels. Validation and test tiles come
with SAR alone; archives of their own hold their labels, drawn by people, which become the truth
that validation is scored on.
"""

from core.classes import OPEN_EARTH_MAP_SAR
from core.records import Modality
from data.readers.spec import Files, Spec
from data.readers.spec_reader import SpecReader

SPEC = Spec(
    key="oem_sar",
    title="OpenEarthMap-SAR (DFC2025 Track 1)",
    files=(
        Files(
            "{split}/rgb_images/{tile}.tif",
            Modality.OPTICAL,
            bands=("red", "green", "blue"),
            acquisition="clear",
        ),
        Files("{split}/sar_images/{tile}.tif", Modality.SAR, bands=("amplitude",), mark=True),
        Files("{split}/labels/{tile}.tif", Modality.LABEL),
    ),
    classes=OPEN_EARTH_MAP_SAR,
    preset="dfc25_t1",
    licence="SAR CC BY 4.0 (Umbra); IGN optical CC BY 2.0; NAIP and GSI under terms of their own",
    source="Zenodo 14622048 (train and val), 14950559 (test, labels of val and test)",
    page="open-earth-map-sar.md",
    opened_on="real files",
)
READER = SpecReader(SPEC)
