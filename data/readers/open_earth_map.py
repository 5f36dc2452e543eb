"""OpenEarthMap, the optical set: 97 regions, the classes and codes of OpenEarthMap-SAR."""

from dataclasses import replace

from core.classes import OPEN_EARTH_MAP_SAR
from core.records import Modality, Split
from data.readers.spec import Files, ListFile, Spec, Way
from data.readers.spec_reader import SpecReader
from data.readers.spec_splits import lines

SPEC = Spec(
    key="open_earth_map",
    title="OpenEarthMap (optical)",
    files=(
        Files(
            r"{region}/images/{region}_{n:\d+}.tif",
            Modality.OPTICAL,
            bands=("red", "green", "blue"),
            mark=True,
        ),
        Files(r"{region}/labels/{region}_{n:\d+}.tif", Modality.LABEL),
    ),
    classes=replace(OPEN_EARTH_MAP_SAR, name="OpenEarthMap"),
    preset="plain",
    licence="CC-BY-NC-SA-4.0 and the terms of each image's source",
    source="open-earth-map.org; Zenodo 7223446",
    page="open-earth-map.md",
    tile="{region}_{n}",
    ways=(Way("published", tuple(ListFile(f"{split}.txt", split, lines) for split in Split)),),
)
READER = SpecReader(SPEC)
