"""The table of weight files that others publish: what each holds, and what it must be given.

Needs no torch. None of these files comes with Cloudbrush and none is fetched: a person downloads
one and names its path. An encoder was trained on certain bands in a certain order, unit and scale;
other input makes it worthless without any error, so each entry states them and
`models.encoder_files` refuses what does not fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_S1 = ("VV", "VH")
_S2_L1C = (
    *("B01", "B02", "B03", "B04", "B05", "B06", "B07"),
    *("B08", "B8A", "B09", "B10", "B11", "B12"),
)
_S2_L2A = tuple(band for band in _S2_L1C if band != "B10")
_PRITHVI = ("B02", "B03", "B04", "B8A", "B11", "B12")


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation per band, in the unit that the file was trained on."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class Weight:
    """A published file.

    `bands` are the bands by input, in order. `statistics` are empty where each image is scaled by
    its own. `network` and `options` are what its tensors fit. `prefix` starts the names of the
    encoder's tensors in the file, `part` those in the network; `optional` starts what some files
    lack. `unit` and `size` are for people.
    """

    title: str
    file: str
    source: str
    licence: str
    network: str
    bands: Mapping[str, tuple[str, ...]]
    unit: str
    size: str
    options: Mapping[str, Any] = field(default_factory=dict)
    statistics: Mapping[str, Statistics] = field(default_factory=dict)
    prefix: str = ""
    part: str = "encoder."
    optional: tuple[str, ...] = ()


_SOFTCON_S1 = Statistics((-12.59, -20.26), (5.26, 5.91))
_SOFTCON_S2 = Statistics(
    (
        *(1612.9, 1397.6, 1322.3, 1373.1, 1561.0, 2108.4, 2390.7),
        *(2318.7, 2581.0, 837.7, 22.0, 2195.2, 1537.4),
    ),
    (
        *(791.0, 854.3, 878.7, 1144.9, 1127.5, 1164.2, 1276.0),
        *(1249.5, 1345.9, 577.5, 47.5, 1340.0, 1142.9),
    ),
)
_TERRAMIND_S1 = Statistics((-12.599, -20.293), (5.195, 5.890))
_TERRAMIND_S2 = Statistics(
    (
        *(1390.458, 1503.317, 1718.197, 1853.910, 2199.100, 2779.975),
        *(2987.011, 3083.234, 3132.220, 3162.988, 2424.884, 1857.648),
    ),
    (
        *(2106.761, 2141.107, 2038.973, 2134.138, 2085.321, 1889.926),
        *(1820.257, 1871.918, 1753.829, 1797.379, 1434.261, 1334.311),
    ),
)
_DB = "Sentinel-1 GRD in dB"
_L1C = "Sentinel-2 L1C, reflectance times 10,000"
_L2A = "Sentinel-2 L2A, reflectance times 10,000"
_ANY = "any: padded to a multiple of {}; positions resized where it is not {} px"
_SOFTCON_LICENCE = "CC-BY-4.0"


def _softcon_resnet(bands: Mapping[str, tuple[str, ...]], file: str, unit: str) -> Weight:
    modality = next(iter(bands))
    return Weight(
        title=f"SoftCon ResNet-50, {'Sentinel-1' if modality == 'sar' else 'Sentinel-2'}",
        file=file,
        source="wangyi111/softcon, arXiv 2405.20462",
        licence=_SOFTCON_LICENCE,
        network="unet_scse",
        options={"encoder": "resnet50", "scse": False},
        bands=bands,
        unit=unit,
        size="any: padded to a multiple of 32",
        statistics={modality: _SOFTCON_S1 if modality == "sar" else _SOFTCON_S2},
        part="model.encoder.",
    )


def _softcon_vit(bands: Mapping[str, tuple[str, ...]], file: str, unit: str) -> Weight:
    modality = next(iter(bands))
    return Weight(
        title=f"SoftCon ViT-S/14, {'Sentinel-1' if modality == 'sar' else 'Sentinel-2'}",
        file=file,
        source="wangyi111/softcon, arXiv 2405.20462",
        licence=_SOFTCON_LICENCE,
        network="softcon_vit",
        bands=bands,
        unit=unit,
        size=_ANY.format(14, 224),
        statistics={modality: _SOFTCON_S1 if modality == "sar" else _SOFTCON_S2},
        optional=("norm.",),
    )


def _terramind(bands: Mapping[str, tuple[str, ...]], what: str) -> Weight:
    both = {"optical": _TERRAMIND_S2, "sar": _TERRAMIND_S1}
    return Weight(
        title=f"TerraMind tiny, {what}",
        file="TerraMind_v1_tiny.pt",
        source="ibm-esa-geospatial/TerraMind-1.0-tiny, arXiv 2504.11171",
        licence="Apache-2.0",
        network="terramind",
        bands=bands,
        unit="; ".join(_DB if modality == "sar" else _L2A for modality in bands),
        size=_ANY.format(16, 224),
        statistics={modality: both[modality] for modality in bands},
    )


def _croma(bands: Mapping[str, tuple[str, ...]], what: str) -> Weight:
    return Weight(
        title=f"CROMA base, {what}",
        file="CROMA_base.pt",
        source="antofuller/CROMA, arXiv 2311.00566",
        licence="CC-BY-4.0",
        network="croma",
        bands=bands,
        unit="; ".join(_DB if modality == "sar" else "Sentinel-2 without B10" for modality in bands)
        + "; each band of each image is clipped to two deviations and scaled to 0 to 1",
        size="any: padded to a multiple of 8; trained at 120 px, at most 512 px at once",
    )


_SAR = {"sar": _S1}
_OPTICAL12 = {"optical": _S2_L2A}
_BOTH12 = {"optical": _S2_L2A, "sar": _S1}

WEIGHTS: dict[str, Weight] = {
    "softcon_rn50_s1": _softcon_resnet(_SAR, "B2_rn50_softcon.pth", _DB),
    "softcon_rn50_s2": _softcon_resnet({"optical": _S2_L1C}, "B13_rn50_softcon.pth", _L1C),
    "softcon_vits14_s1": _softcon_vit(_SAR, "B2_vits14_softcon_enc.pth", _DB),
    "softcon_vits14_s2": _softcon_vit({"optical": _S2_L1C}, "B13_vits14_softcon_enc.pth", _L1C),
    "terramind_tiny_s1": _terramind(_SAR, "Sentinel-1"),
    "terramind_tiny_s2": _terramind(_OPTICAL12, "Sentinel-2"),
    "terramind_tiny_s1s2": _terramind(_BOTH12, "both"),
    "croma_base_s1": _croma(_SAR, "Sentinel-1"),
    "croma_base_s2": _croma(_OPTICAL12, "Sentinel-2"),
    "croma_base_s1s2": _croma(_BOTH12, "both"),
    "dofa_base_s1": Weight(
        title="DOFA base, Sentinel-1",
        file="dofa_base_patch16_224-a0275954.pth",
        source="torchgeo/dofa, arXiv 2403.15356",
        licence="CC-BY-4.0",
        network="dofa",
        bands=_SAR,
        unit=f"{_DB}; scaled by the mean and spread of the tiles, as no constants are published "
        "in our sources",
        size=_ANY.format(16, 224),
    ),
    "prithvi_tiny": Weight(
        title="Prithvi-EO-2.0 tiny",
        file="Prithvi_EO_V2_tiny_TL.pt",
        source="ibm-nasa-geospatial/Prithvi-EO-2.0-tiny-TL, arXiv 2412.02732",
        licence="Apache-2.0",
        network="prithvi",
        bands={"optical": _PRITHVI},
        unit="HLS or Sentinel-2 L2A, reflectance times 10,000",
        size=_ANY.format(16, 224),
        statistics={
            "optical": Statistics(
                (1087.0, 1342.0, 1433.0, 2734.0, 1958.0, 1363.0),
                (2248.0, 2179.0, 2178.0, 1850.0, 1242.0, 1049.0),
            )
        },
        prefix="encoder.",
    ),
}


IMAGENET_NETWORKS = (
    *("unet_scse", "segformer", "upernet", "deeplabv3plus", "fpn", "farseg"),
    *("bright_deeplab", "siam_crnn", "damage_former", "changeos"),
    *("building_fpn", "uabcd", "uabcd_v2"),
)
"""Networks whose encoders others train on ImageNet."""


def same_band(one: str, other: str) -> bool:
    """Return whether two band names mean one band: B2 and B02, b8a and B8A, vv and VV."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    upper = name.strip().upper()
    return (
        f"B0{upper[1:]}" if len(upper) == 2 and upper[0] == "B" and upper[1:].isdigit() else upper
    )
