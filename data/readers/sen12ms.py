"""SEN12MS: Sentinel-1, Sentinel-2 and MODIS land cover at 500 m, in the classes of DFC2020.

Its labels are coarse and so wrong in places: noisy training for clean evaluation on DFC2020. Splits
go by scene, never by patch.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from core.records import Modality, Split, Unit
from data.readers.dfc2020 import DFC2020, S1_BANDS, S2_BANDS
from data.readers.spec import Files, ListFile, Lists, Spec, Way
from data.readers.spec_reader import SpecReader
from data.readers.spec_splits import lines, renamed

# Index is the IGBP code; forests become one, cropland mosaics cropland.
IGBP_TO_DFC = (0, 1, 1, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 6, 8, 9, 10)
SERIES = "{season:ROIs1158_spring|ROIs1868_summer|ROIs1970_fall|ROIs2017_winter}"
OFFICIAL, HELD_OUT = "official lists", "hold-out scenes"
SCENE = "scene "


def _pattern(kind: str) -> str:
    return f"{SERIES}/{kind}_{{scene:\\d+}}/{{season}}_{kind}_{{scene}}_p{{patch:\\d+}}.tif"


def without_kind(name: str) -> str:
    """Return a name of a list as a tile: `ROIs1158_spring_s2_1_p30` is `ROIs1158_spring_1_p30`."""
    series, season, _, *rest = name.split("_")
    return "_".join((series, season, *rest))


def _scenes(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the scenes of a list with lines such as `ROIs1158_spring/s1_63`."""
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        season, _, folder = line.strip().partition("/")
        if folder:
            yield f"{SCENE}{season}_{folder.rpartition('_')[2]}", ""


def by_scene(read: Mapping[str, Lists], names: Sequence[str]) -> dict[str, Lists]:
    """Return the split by the list of hold-out scenes, which are the test."""
    held = {scene.removeprefix(SCENE) for scene in read.get(HELD_OUT, {})}
    if not held:
        return {}
    return {
        HELD_OUT: {
            name: Split.TEST if name.rpartition("_")[0] in held else Split.TRAIN for name in names
        }
    }


SPEC = Spec(
    key="sen12ms",
    title="SEN12MS (MODIS land cover in the classes of DFC2020)",
    files=(
        Files(_pattern("s1"), Modality.SAR, bands=S1_BANDS, unit=Unit.DB),
        Files(
            _pattern("s2"),
            Modality.OPTICAL,
            bands=S2_BANDS,
            unit=Unit.REFLECTANCE,
            acquisition="optical",
        ),
        Files(
            _pattern("lc"),
            Modality.LABEL,
            bands=("IGBP",),  # the first of four; the others are LCCS layers
            codes=dict(enumerate(IGBP_TO_DFC)),
            mark=True,
        ),
    ),
    classes=DFC2020,
    preset="dfc2020",
    tile="{season}_{scene}_p{patch}",
    region="{season}_{scene}",
    ways=(
        Way(
            OFFICIAL,
            (
                ListFile("train_list.txt", Split.TRAIN, renamed(lines, without_kind)),
                ListFile("test_list.txt", Split.TEST, renamed(lines, without_kind)),
            ),
            rest="out",  # the training list leaves one damaged triplet out
        ),
        Way(HELD_OUT, (ListFile("SEN12MS_holdOutScenes.txt", Split.TEST, _scenes),)),
    ),
    more_ways=by_scene,
    licence="CC BY 4.0",
    source="mediaTUM 1474000; lists in schmitt-muc/SEN12MS",
    page="sen12ms.md",
)
READER = SpecReader(SPEC)
