"""Networks that the field uses for land cover. All start at random: no weights are fetched."""

from models.zoo.entry import Entry, Option, Task

_BOTH: tuple[Task, ...] = ("land cover", "damage")
_CODE = "models.networks.land_cover"
_EFFICIENT = tuple(f"efficientnet-b{size}" for size in range(8))
_RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101")
_CONVNEXTS = tuple(
    f"convnextv2_{size}"
    for size in ("atto", "femto", "pico", "nano", "tiny", "small", "base", "large")
)
_SWINS = (
    "swinv2_tiny_window8_256",
    "swinv2_small_window8_256",
    "swinv2_base_window8_256",
    "swinv2_base_window12to24_192to384",
)
_LIBRARY = "segmentation-models-pytorch MIT, timm Apache-2.0 (both used as libraries)"


def _encoder(default: str, choices: tuple[str, ...]) -> Option:
    return Option(default, choices=choices, help="What turns the image into features")


def _width(default: int, of: str = "the decoder") -> Option:
    return Option(default, 16, 1024, help=f"Channels of {of}")


def _dropout(default: float) -> Option:
    return Option(default, 0.0, 0.9, help="Share of decoder features dropped in training")


NETWORKS = {
    "unet_scse": Entry(
        title="U-Net, EfficientNet encoder, scSE decoder",
        code=f"{_CODE}.smp:UNetScSE",
        tasks=_BOTH,
        source="OpenEarthMap-SAR baseline of DFC25 Track 1 (cliffbb/DFC2025-OEM-SAR-Baseline); "
        "scSE: Roy et al. 2018, arXiv 1803.02579",
        published="EfficientNet-B4, decoder 256-128-64-32-16 with scSE, 1 band in, 9 channels "
        "out. Its weights file can be taken in, see docs/pretrained.md.",
        ours="Other encoders and widths as options; bands and classes follow the project. "
        "Number of parameters is counted here, not published.",
        licence=f"baseline: none given, nothing copied; {_LIBRARY}",
        options={
            "encoder": _encoder("efficientnet-b4", (*_EFFICIENT, *_RESNETS, "mobilenet_v2")),
            "widths": Option(
                (256, 128, 64, 32, 16), 4, 1024, lengths=(5, 5), help="Decoder, coarsest first"
            ),
            "scse": Option(True, help="Squeeze and excitation in the decoder"),
        },
        smallest={"encoder": "efficientnet-b0", "widths": (64, 32, 16, 16, 16)},
        good_for="reproducing the baseline of OpenEarthMap-SAR",
    ),
    "segformer": Entry(
        title="SegFormer, MiT encoder",
        code=f"{_CODE}.smp:SegFormer",
        tasks=_BOTH,
        source="Xie et al. 2021, arXiv 2105.15203; B3 and B5 in the Track 1 winner, "
        "arXiv 2504.13458",
        published="Encoder and decoder of 256 channels. Winner: B3 crop 768, B5 crop 896 or 1024.",
        ours="B0 by default, for a CPU.",
        licence=_LIBRARY,
        options={
            "encoder": _encoder("b0", tuple(f"b{size}" for size in range(6))),
            "width": _width(256),
        },
        smallest={"encoder": "b0", "width": 64},
        good_for="wide context at few parameters",
    ),
    "upernet": Entry(
        title="UPerNet on ConvNeXt V2 or Swin V2",
        code=f"{_CODE}.smp:UPerNet",
        tasks=_BOTH,
        source="Xiao et al. 2018, arXiv 1807.10221; the Track 1 winner, arXiv 2504.13458",
        published="Winner: ConvNeXt V2 base and large, Swin V2 base with window 24, an auxiliary "
        "convolutional head with cross entropy.",
        ours="ConvNeXt V2 atto by default, for a CPU; 256 channels; the auxiliary head sits at "
        "stride 16. Windows of Swin are padded at the border, so that any size goes through.",
        licence=_LIBRARY,
        options={
            "encoder": _encoder("convnextv2_atto", (*_CONVNEXTS, *_SWINS)),
            "width": _width(256),
            "auxiliary": Option(False, help="A second head that learns the same classes"),
        },
        smallest={"encoder": "convnextv2_atto", "width": 64},
        good_for="the strongest encoders, on a GPU",
    ),
    "deeplabv3plus": Entry(
        title="DeepLabV3+",
        code=f"{_CODE}.smp:DeepLabV3Plus",
        tasks=_BOTH,
        source="Chen et al. 2018, arXiv 1802.02611",
        published="Atrous pooling at stride 16 joined with features at stride 4; 256 channels.",
        ours="Separable convolutions in the pooling and rates 12, 24, 36 are the library's.",
        licence=_LIBRARY,
        options={
            "encoder": _encoder("resnet50", (*_RESNETS, "mobilenet_v2")),
            "width": _width(256),
            "rates": Option((12, 24, 36), 1, 64, lengths=(3, 3), help="Dilations in pixels"),
            "dropout": _dropout(0.5),
        },
        smallest={"encoder": "resnet18", "width": 64, "rates": (2, 4, 6), "dropout": 0.0},
        good_for="objects of very different sizes",
    ),
    "fpn": Entry(
        title="Feature pyramid network",
        code=f"{_CODE}.smp:FPN",
        tasks=_BOTH,
        source="Kirillov et al. 2019, arXiv 1901.02446",
        published="Pyramid of 256 channels, 128 in the head, levels added at stride 4.",
        ours="Encoder by option; dropout 0.2 is the library's.",
        licence=_LIBRARY,
        options={
            "encoder": _encoder("resnet34", (*_RESNETS, *_EFFICIENT, "mobilenet_v2")),
            "pyramid": _width(256, "the pyramid"),
            "width": _width(128, "the head"),
            "dropout": _dropout(0.2),
        },
        smallest={"encoder": "resnet18", "pyramid": 64, "width": 64, "dropout": 0.0},
        good_for="a quick and solid middle way",
    ),
    "farseg": Entry(
        title="FarSeg, foreground against its scene",
        code=f"{_CODE}.farseg:FarSeg",
        tasks=_BOTH,
        source="Zheng et al. 2020, arXiv 2011.09766",
        published="ResNet-50, pyramid of 256 channels, relation to the scene per level, decoder of "
        "128 channels, 1x1 classifier.",
        ours="Any number of bands. The annealed focal loss is one of the losses, not of the "
        "network.",
        licence="authors: none copied; timm Apache-2.0 (used as a library)",
        options={
            "encoder": _encoder("resnet50", _RESNETS),
            "pyramid": _width(256, "the pyramid"),
            "width": _width(128),
        },
        smallest={"encoder": "resnet18", "pyramid": 64, "width": 64},
        good_for="few foreground objects on much background, such as buildings",
    ),
}
