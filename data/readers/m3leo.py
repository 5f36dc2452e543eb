"""M3LEO miniset: chips of several areas with Sentinel-1, Sentinel-2 and land cover of WorldCover.

Only the small set of files is read; the full set is tables for a cluster. Each area has its own
list of splits.
"""

from core.classes import ClassEntry, ClassTable
from core.errors import DatasetError
from core.found import ALL_BANDS, Finding
from core.records import Modality, Unit
from data.readers.spec import Facts, Files, Spec
from data.readers.spec_files import Listing
from data.readers.spec_reader import SpecReader
from data.readers.spec_splits import WORDS, stem, table

WORLD_COVER = ClassTable(
    "ESA WorldCover",
    (
        ClassEntry(10, "Tree cover", "#006400"),
        ClassEntry(20, "Shrubland", "#ffbb22"),
        ClassEntry(30, "Grassland", "#ffff4c"),
        ClassEntry(40, "Cropland", "#f096ff"),
        ClassEntry(50, "Built-up", "#fa0000"),
        ClassEntry(60, "Bare or sparse", "#b4b4b4"),
        ClassEntry(70, "Snow and ice", "#f0f0f0"),
        ClassEntry(80, "Permanent water", "#0064c8"),
        ClassEntry(90, "Herbaceous wetland", "#0096a0"),
        ClassEntry(95, "Mangroves", "#00cf75"),
        ClassEntry(100, "Moss and lichen", "#fae6a0"),
    ),
    void=0,
)
SEASONS = ("winter", "spring", "summer", "fall")
WAYS = ("VV ascending", "VV descending", "VH ascending", "VH descending")
AREA = "{area}_partitions_aschips_*/"
LISTS = "*_splits_*_miniset.csv"
OTHERS = "gssic|gunw_[^/]*|ghsbuilts-[^/]*|biomass-[^/]*|modis[^/]*"


def facts(listing: Listing) -> Facts:
    """Return the split of each chip from the lists of all areas."""
    found = Facts()
    for match in listing.of(LISTS):
        try:
            for row in table(match.path):
                found.splits[stem(row["identifier"])] = WORDS[row["split"].strip().lower()]
        except (DatasetError, KeyError) as error:
            text = f"not used as a split list: {error}"
            found.findings.append(Finding("warning", str(match.path), text))
    return found


SPEC = Spec(
    key="m3leo",
    title="M3LEO miniset",
    files=(
        Files(
            AREA + "s1grd-{year}/{tile}.tif",
            Modality.SAR,
            bands=tuple(f"{season} {way}" for season in SEASONS for way in WAYS),
            unit=Unit.NUMBER,
            mark=True,
        ),
        Files(
            AREA + "s2rgbm-{year}/{tile}.tif",
            Modality.OPTICAL,
            bands=("",),
            numbers=(ALL_BANDS,),
            unit=Unit.NUMBER,
            acquisition="months of {year}",
            wanted=False,
        ),
        Files(AREA + "esaworldcover-{year}/{tile}.tif", Modality.LABEL),
        Files(
            AREA + "srtmdem/{tile}.tif",
            Modality.HEIGHT,
            bands=("SRTM",),
            unit=Unit.METRE,
            wanted=False,
        ),
        Files(
            AREA + f"{{kind:{OTHERS}}}/*.{{suffix:tif|nc}}",
            None,
            why_out="no image and no class map; can be opened by patterns",
        ),
    ),
    classes=WORLD_COVER,
    preset="plain",
    licence="not published on the dataset cards",
    source="spaceml-org/M3LEO, the miniset",
    page="m3leo.md",
    region="{area}",
    tables=(LISTS,),
    facts=facts,
)
READER = SpecReader(SPEC)
