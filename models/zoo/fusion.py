"""Networks that join optical and SAR, and are made for clouds."""

from dataclasses import replace
from typing import Any

from models.zoo.entry import Entry, Option

_OPTIONS = {
    "widths": Option((16, 32, 64, 96), 1, 1024, lengths=(2, 6), help="Channels per level"),
    "channels": Option(48, 4, 1024, help="Channels where optical and SAR meet"),
    "reliability": Option(True, help="Hold optical back where it cannot be trusted"),
    "spatial": Option(True, help="Spatial high-order interaction (SHOI)"),
    "channel": Option(True, help="Channel high-order interaction (CHOI)"),
    "blocks": Option(2, 0, 8, help="N, blocks of SHOI and CHOI"),
    "order": Option(2, 1, 6, help="O, products in a block"),
    "layers": Option(1, 0, 12, help="Layers of the transformer; 0 for none"),
    "anchor": Option(0.1, 0, 10, help="Weight of the semantic anchor; 0 for none"),
    "alone": Option(True, help="SAR also learns by itself", before=False),
    "drop": Option(0.0, 0, 0.9, help="Chance that optical is taken away while it learns"),
}

_LARGE: dict[str, Any] = {
    "widths": (32, 64, 128, 256),
    "channels": 128,
    "blocks": 3,
    "order": 3,
    "layers": 4,
}

CLOUD_LULC = Entry(
    title="CloudLULC-Net-style",
    code="models.networks.fusion.cloud_lulc:CloudLulcStyle",
    tasks=("land cover",),
    source="CloudLULC-Net, arXiv 2606.17713; its blocks from SHIP, CVPR 2024",
    published="Which modules there are and in what order; the formulas of SHOI and CHOI (by SHIP). "
    "No code, no formulas of the others, no sizes, N, O, losses or settings.",
    ours="A gate per feature on every level, from optical alone; interaction at the deepest level; "
    "a learned share for each block; ViT blocks at half that resolution; a fixed class "
    "embedding as anchor, by cosine; SAR also learning by itself, by a coarse head; "
    "taking optical away in some draws, which is off; decoder; all sizes.",
    licence="none copied",
    options=_OPTIONS,
    smallest={"widths": (8, 16, 32), "channels": 16, "blocks": 1},
    modalities=("optical", "sar"),
    good_for="land cover under clouds, from optical and SAR",
)

NETWORKS = {
    "cloud_lulc": CLOUD_LULC,
    "cloud_lulc_large": replace(
        CLOUD_LULC,
        title="CloudLULC-Net-style, large",
        options={k: replace(o, default=_LARGE.get(k, o.default)) for k, o in _OPTIONS.items()},
        good_for="the same with a GPU",
    ),
    "late_fusion": Entry(
        title="Late fusion, a network per input",
        code="models.networks.fusion.late:LateFusion",
        tasks=("land cover",),
        source="after Snoek et al. 2005, doi 10.1145/1101149.1101236",
        published="The idea: each input decides by itself, and decisions are mixed.",
        ours="Small U-Nets, the gate on logits, each network also learning by itself.",
        licence="none copied",
        options={
            "widths": Option((12, 24, 48, 96), 1, 1024, lengths=(2, 6), help="Channels per level"),
            "gate": Option(True, help="Learn each input's share per pixel; else equal shares"),
            "alone": Option(True, help="Each input's network also learns by itself"),
        },
        smallest={"widths": (8, 16, 32)},
        good_for="asking what each input says by itself",
    ),
}
