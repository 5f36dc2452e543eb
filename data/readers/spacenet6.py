"""SpaceNet 6: Capella SAR and WorldView-2 images of Rotterdam, with outlines of buildings.

The outlines are GeoJSON and are drawn on the grid of the SAR image, as the pixels whose centres
they hold. The public test tiles come with SAR alone.
"""

from collections.abc import Sequence
from pathlib import Path

from core.classes import ClassEntry, ClassTable
from core.found import ALL_BANDS, FoundLayer
from core.raster import describe_source
from core.records import Modality, Unit
from core.sources.source import Part, Source
from data.readers.spec import Files, Names, Sources, Spec
from data.readers.spec_reader import SpecReader

CLASSES = ClassTable(
    "SpaceNet 6",
    (ClassEntry(0, "Background", "#e9e6df"), ClassEntry(1, "Building", "#b80f45")),
)


def drawn(path: Path, _names: Names, layers: Sequence[FoundLayer]) -> Sources:
    """Return the outlines as pixels on the grid of the tile's first image."""
    if not layers:
        return ()
    return (Source(path, 1, Part(grid=describe_source(layers[0].sources[0]).grid)),)


SPEC = Spec(
    key="spacenet6",
    title="SpaceNet 6 (Rotterdam)",
    files=(
        Files(
            "{split}[_public]/AOI_11_{region}/SAR-Intensity/SN6_*_SAR-Intensity_{tile}.tif",
            Modality.SAR,
            bands=("",),
            numbers=(ALL_BANDS,),
            unit=Unit.NUMBER,
            mark=True,
        ),
        Files(
            "{split}/AOI_11_{region}/PS-RGB/SN6_*_PS-RGB_{tile}.tif",
            Modality.OPTICAL,
            bands=("red", "green", "blue"),
            unit=Unit.NUMBER,
            acquisition="WorldView-2",
        ),
        Files(
            "{split}/AOI_11_{region}/geojson_buildings/SN6_*_Buildings_{tile}.geojson",
            Modality.LABEL,
            draw=drawn,
        ),
        *(
            Files(
                f"{{split}}/AOI_11_{{region}}/{product}/SN6_*_{product}_{{tile}}.tif",
                None,
                why_out="PS-RGB shows the same scene; other products can be opened by patterns",
            )
            for product in ("PAN", "RGBNIR", "PS-RGBNIR")
        ),
    ),
    classes=CLASSES,
    preset="plain",
    licence="CC BY-SA 4.0",
    source="SpaceNet on AWS Open Data, SN6_buildings",
    page="spacenet6.md",
)
READER = SpecReader(SPEC)
