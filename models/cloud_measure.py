"""How far the methods agree with the real masks in the real data: a comparison, not a benchmark.

Three pairs of dates with a mask each. The masks are of different makers and do not tell thin cloud
from thick alike; the scene classification is itself the output of a classifier.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.clouds.cover import (
    CLOUD_SHADOW_THIN,
    LEVELS,
    NONE,
    SENTINEL2_SCL,
    SHADOW,
    THICK,
    THIN,
)
from core.clouds.difference import difference_levels
from core.clouds.images import Light
from core.clouds.optics import rgb_bands, to_light, under, wavelengths
from core.clouds.simulator import Sky, draw
from core.raster import apply_codes, describe, read
from core.records import Grid, Unit
from models import cloud_s2cloudless
from models.cloud_detector import detect

Levels = npt.NDArray[np.uint8]

SKY = Sky(0.4, seed=1)

GROUPS: dict[str, tuple[int, ...]] = {
    **{name: (code,) for code, name in LEVELS.items() if code != NONE},
    "cloud (thin or thick)": (THIN, THICK),
    "covered (cloud or shadow)": (THIN, THICK, SHADOW),
}

SITES = (
    ("Flanders", "00002806639B424A", "2018-07-08", "2018-09-18"),
    ("Tanzania", "2021_TZA_COPERNICUS-GEOGLAM_POLY_1101950", "2020-07-07", "2020-02-13"),
)


@dataclass(frozen=True, eq=False)
class Case:
    """A cloudy and a clear date of one ground, and the mask of the cloudy one."""

    name: str
    mask: str
    cloudy: Light
    clear: Light
    levels: Levels


def measure(real_data: Path) -> dict[str, Any]:
    """Return the agreement of each method with each mask, and cover found on clear dates."""
    return {
        "note": "agreement with masks of other makers on small crops; no benchmark",
        "cases": [_case_report(case) for case in _cases(real_data)],
        "cover the detector finds on clear aerial pictures": _aerial_report(real_data),
        "simulated": _simulated_report(real_data),
    }


def _aerial_report(real_data: Path) -> dict[str, float]:
    """Return what is found where no cloud is: pictures of 0.15 to 0.5 m, clear by eye."""
    found = {}
    for path in sorted((real_data / "oem-sar" / "train" / "rgb_images").glob("*.tif")):
        raster = read([(path, band) for band in (1, 2, 3)])
        light = to_light(raster.values, Unit.RELATIVE_8BIT)
        found[path.stem] = _cover(detect(Light(light, raster.valid, ("red", "green", "blue"))))
    return found


def _simulated_report(real_data: Path) -> dict[str, Any]:
    """Return how methods that learned elsewhere see clouds drawn over a real Sentinel-2 image."""
    image = _light(next((real_data / "sen1floods11" / "S2").glob("*.tif")))
    clouds = draw(SKY, image.valid.shape, 10.0, valid=image.valid)
    seen = under(
        image.values,
        image.valid,
        Unit.REFLECTANCE,
        image.names,
        clouds.opacity,
        clouds.shade,
        clouds.glow,
    ).astype(np.float32)
    drawn, under_clouds = clouds.levels(image.valid), Light(seen, image.valid, image.names)
    methods = {"detector": detect}
    if cloud_s2cloudless.installed():
        methods["s2cloudless"] = cloud_s2cloudless.detect
    return {
        "sky": SKY.to_json(),
        "share called cloud": {
            name: _called_cloud(drawn, method(under_clouds)) for name, method in methods.items()
        },
        "cover found without clouds": {
            name: _cover(method(image)) for name, method in methods.items()
        },
    }


def _called_cloud(drawn: Levels, found: Levels) -> dict[str, float | None]:
    """Return the share of the pixels of each drawn level that a method calls cloud."""
    cloud = np.isin(found, (THIN, THICK))
    return {
        name: _share(int((cloud & (drawn == code)).sum()), int((drawn == code).sum()))
        for code, name in LEVELS.items()
        if code != NONE
    }


def agreement(mask: Levels, found: Levels) -> dict[str, dict[str, float | int | None]]:
    """Return recall, precision and IoU of each level and group, over pixels valid in both."""
    counted = (mask != NONE) & (found != NONE)
    report = {}
    for name, codes in GROUPS.items():
        there, said = np.isin(mask[counted], codes), np.isin(found[counted], codes)
        both = int((there & said).sum())
        report[name] = {
            "pixels": int(there.sum()),
            "recall": _share(both, int(there.sum())),
            "precision": _share(both, int(said.sum())),
            "iou": _share(both, int((there | said).sum())),
        }
    return report


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


def _case_report(case: Case) -> dict[str, Any]:
    valid = case.cloudy.valid & case.clear.valid
    waves = wavelengths(case.cloudy.names)
    methods = {
        "difference to the clear image": difference_levels(
            case.cloudy.values, case.clear.values, valid, waves
        )
    }
    clear: dict[str, float] = {}
    if rgb_bands(case.cloudy.names) is not None:
        methods["detector"] = detect(case.cloudy)
        clear["detector"] = _cover(detect(case.clear))
    return {
        "case": case.name,
        "mask": case.mask,
        "bands": list(case.cloudy.names),
        "cover of the mask": _cover(case.levels),
        "cover found": {name: _cover(found) for name, found in methods.items()},
        "cover found on the clear date": clear,
        "agreement": {name: agreement(case.levels, found) for name, found in methods.items()},
    }


def _cover(levels: Levels) -> float:
    return round(float(np.isin(levels[levels != NONE], (THIN, THICK, SHADOW)).mean()), 3)


def _cases(real_data: Path) -> Iterator[Case]:
    folder = real_data / "cloud-pair"
    mask = folder / "mask.tif"
    yield Case(
        "cloud-pair",
        "mask of the pair: cloud, shadow, rarely thin",
        _light(folder / "cloudy.tif"),
        _light(folder / "clean.tif"),
        _levels(mask, CLOUD_SHADOW_THIN, describe(mask).grid),
    )
    for name, site, clear, cloudy in SITES:
        start = real_data / "worldcereal" / site
        image = Path(f"{start}_S2_cloudy_{cloudy}.tif")
        scene = Path(f"{start}_SCL_cloudy_{cloudy}.tif")
        yield Case(
            f"worldcereal, {name}",
            "Sentinel-2 scene classification",
            _light(image),
            _light(Path(f"{start}_S2_clear_{clear}.tif")),
            _levels(scene, SENTINEL2_SCL, describe(image).grid),
        )


def _light(path: Path) -> Light:
    info = describe(path)
    raster = read([(path, band) for band in range(1, info.count + 1)])
    names = tuple(info.descriptions[i] or f"band {i + 1}" for i in range(info.count))
    return Light(to_light(raster.values, Unit.REFLECTANCE), raster.valid, names)


def _levels(path: Path, codes: dict[int, int], grid: Grid) -> Levels:
    raster = read([(path, 1)], grid, categorical=True)
    return np.asarray(apply_codes(raster, codes, NONE, str(path))[0], np.uint8)
