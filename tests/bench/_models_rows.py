"""The rows of the benchmark of models: which networks, losses and recipes are trained on what.

A row is trained once for each seed. Its numbers are plain values, so that a run is known again and
is not done twice.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from models.zoo import NETWORKS

BOTH = ("optical", "sar")
SEEDS = (0, 1, 2)
SECONDS = 40.0
"""Processor time of one training; reading and scoring come on top, and stay below a minute."""

OPEN_EARTH_MAP_SAR = {
    "Optical": {"P": 56.56, "P + R": 58.19, "R": 65.10},
    "SAR": {"P": 35.13, "P + R": 36.84, "R": 33.86},
    "SAR + optical": {"P": 56.32, "P + R": 49.79, "R": 60.16},
}
"""mIoU of U-Net with EfficientNet-B4 on 490 tiles, as the dataset's README gives it."""

Work = Literal["land cover", "damage"]


@dataclass(frozen=True)
class Row:
    """One line of a table: `table` and `name` for people, `work` and `asked` for the run.

    `published` is the main number of the row's counterpart in a paper, in percent.
    """

    table: str
    name: str
    work: Work
    asked: Mapping[str, Any] = field(default_factory=dict)
    published: float | None = None

    @property
    def key(self) -> str:
        """Return what tells the row's training apart from others, whatever it is called."""
        text = json.dumps([self.work, SECONDS, self.asked], sort_keys=True, default=list)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _labels() -> list[Row]:
    """Inputs against labels, clear images only: what OpenEarthMap-SAR's table compares."""
    inputs = {"Optical": ("optical",), "SAR": ("sar",), "SAR + optical": BOTH}
    wanted = {"P": "pseudo", "P + R": "mixed", "R": "corrected"}
    return [
        Row(
            "labels",
            f"{name}, {short}",
            "land cover",
            {"network": "unet", "modalities": modalities, "labels": labels, "dates": (0,)},
            OPEN_EARTH_MAP_SAR[name][short],
        )
        for name, modalities in inputs.items()
        for short, labels in wanted.items()
    ]


def _clouds() -> list[Row]:
    """Networks under six skies, and the parts of the fusion network left out one by one."""
    style = {"network": "cloud_lulc", "modalities": BOTH}
    rows: dict[str, Mapping[str, Any]] = {
        "SAR only": {"network": "unet", "modalities": ("sar",)},
        "Optical only": {"network": "unet", "modalities": ("optical",)},
        "Early fusion": {"network": "unet", "modalities": BOTH},
        "Early fusion, optical dropped": {"network": "unet", "modalities": BOTH, "no_optical": 1},
        "Late fusion": {"network": "late_fusion", "modalities": BOTH},
        "CloudLULC-Net-style": style,
        "without optical dropped": {**style, "options": {"drop": 0.0}},
        "without reliability": {**style, "options": {"reliability": False}},
        "without spatial interaction": {**style, "options": {"spatial": False}},
        "without channel interaction": {**style, "options": {"channel": False}},
        "without transformer": {**style, "options": {"layers": 0}},
        "without anchor": {**style, "options": {"anchor": 0.0}},
    }
    return [Row("clouds", name, "land cover", asked) for name, asked in rows.items()]


def _noise() -> list[Row]:
    """Losses and recipes on pseudo-labels alone, for the network with both inputs."""
    plain = {"network": "unet", "modalities": BOTH, "labels": "pseudo"}
    losses: dict[str, list[dict[str, Any]]] = {
        "Lovász-softmax + CE": [{"name": "ce"}, {"name": "lovasz"}],
        "Dice + CE": [{"name": "ce"}, {"name": "dice"}],
        "Focal": [{"name": "focal"}],
        "Symmetric CE": [{"name": "symmetric_ce"}],
        "Generalised CE": [{"name": "generalised_ce"}],
        "Bootstrapped, soft": [{"name": "bootstrap_soft"}],
        "Bootstrapped, hard": [{"name": "bootstrap_hard"}],
    }
    sar = {"network": "unet", "modalities": ("sar",), "labels": "pseudo"}
    return [
        Row("noise", "Cross entropy", "land cover", plain),
        *(
            Row("noise", name, "land cover", {**plain, "losses": terms})
            for name, terms in losses.items()
        ),
        Row("noise", "Co-teaching", "land cover", {**plain, "recipe": "co_teaching"}),
        Row("noise", "SAR: cross entropy", "land cover", sar),
        Row("noise", "SAR: baseline recipe", "land cover", {**sar, "recipe": "oem_sar_baseline"}),
        Row("noise", "SAR: Track 1 winner", "land cover", {**sar, "recipe": "self_training"}),
        Row("noise", "SAR: cross-modal, -style", "land cover", {**sar, "recipe": "cross_modal"}),
    ]


def _damage() -> list[Row]:
    """Damage networks in sizes that learn in a minute on one core."""
    small = {"widths": (8, 16, 32, 64)}
    networks: dict[str, tuple[str, Mapping[str, Any]]] = {
        "U-Net, inputs joined (ours)": ("unet", small),
        "Two branches (ours)": ("two_branch", small),
        "UNet": ("bright_unet", small),
        "DeepLabV3+": ("bright_deeplab", _smallest("bright_deeplab")),
        "SiamAttnUNet": ("siam_attn_unet", small),
        "SiamCRNN": ("siam_crnn", _smallest("siam_crnn")),
        "DamageFormer": ("damage_former", _smallest("damage_former")),
        "ChangeOS-style": ("changeos", _smallest("changeos")),
        "UABCD": ("uabcd", _smallest("uabcd")),
        "UABCD v2, building-guided": ("uabcd_v2", _smallest("uabcd_v2")),
    }
    return [
        Row("damage", name, "damage", {"network": key, "options": options})
        for name, (key, options) in networks.items()
    ]


def _smallest(name: str) -> dict[str, Any]:
    return dict(NETWORKS[name].smallest)


ROWS = [*_labels(), *_clouds(), *_noise(), *_damage()]
