"""DFC2020: Sentinel-1, Sentinel-2 and land cover at 10 m, in both packings.

`dfc2020_s1s2/{s1,s2,dfc}/` with lists, and the contest's own `ROIs0000_{validation,test}/` with a
folder per sensor. `lc` is MODIS land cover at 500 m and not the contest's label.
"""

from core.classes import ClassEntry, ClassTable
from core.records import Modality, Split, Unit
from data.readers.spec import Files, ListFile, Names, Spec, Way
from data.readers.spec_reader import SpecReader
from data.readers.spec_splits import first_column, renamed

DFC2020 = ClassTable(
    "DFC2020",
    (
        ClassEntry(1, "Forest", "#009900"),
        ClassEntry(2, "Shrubland", "#c6b044"),
        ClassEntry(3, "Savanna", "#fbff13"),
        ClassEntry(4, "Grassland", "#b6ff05"),
        ClassEntry(5, "Wetlands", "#27ff87"),
        ClassEntry(6, "Croplands", "#c24f44"),
        ClassEntry(7, "Urban/Built-up", "#a5a5a5"),
        ClassEntry(8, "Snow/Ice", "#69fff8"),
        ClassEntry(9, "Barren", "#f9ffa4"),
        ClassEntry(10, "Water", "#1c0dff"),
    ),
    void=0,
)
S1_BANDS = ("VV", "VH")
S2_BANDS = (
    *("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A"),
    *("B09", "B10", "B11", "B12"),
)
FILE = r"ROIs0000_{part:validation|test}_%s_{scene:\d+}_p{patch:\d+}.tif"


def _patterns(kind: str) -> tuple[str, str]:
    """Return the pattern in the packing with lists, and in the contest's."""
    contest = FILE.replace("{part:validation|test}", "{split}") % kind
    return f"{kind}/{FILE % kind}", f"ROIs0000_{{split}}/{kind}_{{of:\\w+}}/{contest}"


def _tile(names: Names) -> str:
    part = names.get("part") or names.get("split", "")
    return f"ROIs0000_{part}_{names['scene']}_p{names['patch']}"


def without_kind(name: str) -> str:
    """Return a name of a list as a tile: `ROIs0000_test_dfc_0_p1` becomes `ROIs0000_test_0_p1`."""
    return name.replace("_dfc_", "_", 1)


def _files(
    kind: str, modality: Modality | None, bands: tuple[str, ...], unit: Unit, why_out: str = ""
) -> Files:
    packed, contest = _patterns(kind)
    return Files(
        packed,
        modality,
        also=(contest,),
        bands=bands,
        unit=unit,
        acquisition="optical" if modality is Modality.OPTICAL else "",
        mark=kind == "dfc",
        why_out=why_out,
    )


def _list(split: Split) -> ListFile:
    return ListFile(f"dfc-{split}-new.csv", split, renamed(first_column, without_kind))


SPEC = Spec(
    key="dfc2020",
    title="DFC2020 land cover",
    files=(
        _files("s1", Modality.SAR, S1_BANDS, Unit.DB),
        _files("s2", Modality.OPTICAL, S2_BANDS, Unit.REFLECTANCE),
        _files("dfc", Modality.LABEL, (), Unit.CODE),
        _files("lc", None, (), Unit.CODE, "MODIS land cover at 500 m, not the contest's label"),
    ),
    classes=DFC2020,
    preset="dfc2020",
    tile=_tile,
    region="scene {scene}",
    ways=(Way("Copernicus-Bench", tuple(_list(split) for split in Split)),),
    licence="CC BY 4.0",
    source="IEEE DataPort, DFC2020; Hugging Face wangyi111/Copernicus-Bench",
    page="dfc2020.md",
)
READER = SpecReader(SPEC)
