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
SAR_ONLY, OPTICAL_ONLY = "SAR only", "Optical only"
EARLY, DROPPED, LATE = "Early fusion", "Early fusion, optical dropped", "Late fusion"
STYLE = "CloudLULC-Net-style"
FUSIONS = (EARLY, DROPPED, LATE, STYLE)
LONGER = f"{STYLE}, 480 steps"
"""The steps that SAR alone has time for: what then lies between them is not for want of steps."""
PLAIN = "Cross entropy"
GUIDED = "UABCD v2, building-guided"
SEEDS = (0, 1, 2)
MORE_SEEDS = (*SEEDS, 3, 4, 5)
"""For whole networks under clouds: three runs leave an interval wider than what is asked for."""
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

    `published` is the main number of the row's counterpart in a paper, in percent. `against` names
    the row of the same table that this one is held against, seed by seed, where both have a run.
    """

    table: str
    name: str
    work: Work
    asked: Mapping[str, Any] = field(default_factory=dict)
    published: float | None = None
    against: str = ""
    seeds: tuple[int, ...] = SEEDS

    @property
    def key(self) -> str:
        """Return what tells the row's training apart from others, whatever it is called."""
        text = json.dumps([self.work, SECONDS, self.asked], sort_keys=True, default=list)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def runs(self) -> dict[int, str]:
        """Return the names of the row's runs by seed."""
        return {seed: f"{self.key}/{seed}" for seed in self.seeds}


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
            "" if short == "P" else f"{name}, P",
        )
        for name, modalities in inputs.items()
        for short, labels in wanted.items()
    ]


def _clouds() -> list[Row]:
    """Networks under six skies, and the parts of the fusion network left out one by one."""
    rows: dict[str, Mapping[str, Any]] = {
        SAR_ONLY: {"network": "unet", "modalities": ("sar",)},
        OPTICAL_ONLY: {"network": "unet", "modalities": ("optical",)},
        EARLY: {"network": "unet", "modalities": BOTH},
        DROPPED: {"network": "unet", "modalities": BOTH, "no_optical": 1},
        LATE: {"network": "late_fusion", "modalities": BOTH},
        STYLE: _style(),
        LONGER: {**_style(), "steps": 480},
        "with optical dropped": _style(drop=0.15),
        "without SAR learning alone": _style(alone=False),
        "without reliability": _style(reliability=False),
        "without spatial interaction": _style(spatial=False),
        "without channel interaction": _style(channel=False),
        "without transformer": _style(layers=0),
        "without anchor": _style(anchor=0.0),
    }
    whole = (SAR_ONLY, OPTICAL_ONLY, *FUSIONS)
    return [
        Row(
            "clouds",
            name,
            "land cover",
            asked,
            against=_rival(name, asked),
            seeds=MORE_SEEDS if name in whole else SEEDS,
        )
        for name, asked in rows.items()
    ]


def _rival(name: str, asked: Mapping[str, Any]) -> str:
    """Return what a network under clouds is held against: one with a part left out, the whole."""
    if name == LONGER:
        return SAR_ONLY
    if asked["network"] == "cloud_lulc" and name != STYLE:
        return STYLE
    return "" if name == EARLY else EARLY


def _style(**changed: Any) -> dict[str, Any]:
    """Ask for the fusion network with every option, so that a new default is a new run."""
    options = NETWORKS["cloud_lulc"].settle("cloud_lulc", changed)
    return {"network": "cloud_lulc", "modalities": BOTH, "options": options}


def _choice() -> list[Row]:
    """What the fusion network's design was chosen by, on tiles that no other table scores."""
    narrow = (8, 24, 48, 96)
    sar = {"network": "unet", "modalities": ("sar",)}
    rows: dict[str, Mapping[str, Any]] = {
        SAR_ONLY: sar,
        "SAR only, 200 steps": {**sar, "steps": 200},
        "SAR only, 200 steps, narrow": {**sar, "steps": 200, "options": {"widths": narrow}},
        EARLY: {"network": "unet", "modalities": BOTH},
        STYLE: _style(),
        "narrow": _style(widths=narrow),
        "narrow, without SAR learning alone": _style(widths=narrow, alone=False),
        "without SAR learning alone": _style(alone=False),
        "with optical dropped": _style(drop=0.15),
    }
    return [
        Row("choice", name, "land cover", {**asked, "choosing": True}, against=_rival(name, asked))
        for name, asked in rows.items()
    ]


def _noise() -> list[Row]:
    """Losses and recipes on pseudo-labels alone, for the network with both inputs.

    The losses that are made for wrong labels also learn from true ones: what they lose there is not
    due to noise.
    """
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
    # Teachers label with one view: four would take longer than the training.
    taught = {**sar, "recipe_settings": {"label_views": "1"}}
    true = {**plain, "labels": "truth"}
    co_teaching = {**plain, "recipe": "co_teaching"}
    recipes: dict[str, Mapping[str, Any]] = {
        "Baseline recipe": {**sar, "recipe": "oem_sar_baseline"},
        "Track 1 winner": {**taught, "recipe": "self_training"},
        "Track 1 winner, where label and teacher agree": {
            **sar,
            "recipe": "self_training",
            "recipe_settings": {"label_views": "1", "cleaning": "agree with labels"},
        },
        "Cross-modal, -style": {**taught, "recipe": "cross_modal"},
    }
    return [
        Row("noise", PLAIN, "land cover", plain),
        *(
            Row("noise", name, "land cover", {**plain, "losses": terms}, against=PLAIN)
            for name, terms in losses.items()
        ),
        Row("noise", f"True labels: {PLAIN}", "land cover", true),
        *(
            Row(
                "noise",
                f"True labels: {name}",
                "land cover",
                {**true, "losses": losses[name]},
                against=f"True labels: {PLAIN}",
            )
            for name in ("Symmetric CE", "Generalised CE")
        ),
        Row("noise", "Co-teaching", "land cover", co_teaching, against=PLAIN),
        Row("noise", f"SAR: {PLAIN}", "land cover", sar),
        *(
            Row("noise", f"SAR: {name}", "land cover", asked, against=f"SAR: {PLAIN}")
            for name, asked in recipes.items()
        ),
    ]


def _damage() -> list[Row]:
    """Damage networks that learn in a minute on one core, and the recipe on wrong labels."""
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
        GUIDED: ("uabcd_v2", _smallest("uabcd_v2")),
    }
    wrong = {"network": "uabcd_v2", "options": _smallest("uabcd_v2"), "labels": "pseudo"}
    # One view for the labels, as in the recipes of land cover.
    recipe = {"recipe": "building_guided", "recipe_settings": {"views": "1"}}
    return [
        *(
            Row("damage", name, "damage", {"network": key, "options": options})
            for name, (key, options) in networks.items()
        ),
        Row("damage", f"Pseudo-labels: {GUIDED}", "damage", wrong, against=GUIDED),
        Row(
            "damage",
            "Pseudo-labels: Track 2 winner",
            "damage",
            {**wrong, **recipe},
            against=f"Pseudo-labels: {GUIDED}",
        ),
    ]


def _smallest(name: str) -> dict[str, Any]:
    return dict(NETWORKS[name].smallest)


ROWS = [*_labels(), *_clouds(), *_choice(), *_noise(), *_damage()]
