"""Networks for building damage from a picture before and one after."""

from core.object_vote import ObjectVote
from models.zoo.entry import Entry, Option

BEFORE_AND_AFTER = ("optical", "sar")
RESNETS = ("resnet50", "resnet34", "resnet18", "small_resnet")
SWINS = ("swin_s", "swin_t", "small_swin")
PVTS = ("pvt_v2_b4", "pvt_v2_b3", "pvt_v2_b2", "pvt_v2_b1", "pvt_v2_b0", "small_pvt")

_BRIGHT = "Chen et al., BRIGHT, github.com/ChenHongruixuan/BRIGHT"
_WINNER = "Li et al. 2025, arXiv 2505.04941 (first in DFC2025 track 2)"
_NO_WEIGHTS = "Weights start from random unless a file of ImageNet is given; any number of bands."
_WIDTHS = Option(
    (64, 128, 256, 512, 1024), 1, 1024, lengths=(2, 6), help="Channels per level, finest first"
)
_COMBINE = Option(
    "damage head",
    choices=("damage head", "product"),
    help="What is predicted: the damage head, or background wherever localisation sees none",
)
_SMALL = "The encoder whose name starts with small, for a CPU."


def _encoder(default: str, choices: tuple[str, ...]) -> Option:
    return Option(default, choices=choices, help="The encoder; small ones train on a CPU")


def _width(default: int) -> Option:
    return Option(default, 4, 1024, help="Channels of the decoder")


NETWORKS: dict[str, Entry] = {
    "bright_unet": Entry(
        title="U-Net of BRIGHT",
        code="models.networks.damage.unets:BrightUNet",
        tasks=("damage",),
        source=_BRIGHT,
        published="All of it: 31,045,444 parameters with six bands and four classes.",
        ours="One SAR band is taken once, not three times; any number of bands and levels.",
        licence="Apache-2.0",
        options={"widths": _WIDTHS},
        smallest={"widths": (8, 16, 32)},
        modalities=BEFORE_AND_AFTER,
        good_for="a plain baseline of the BRIGHT benchmark",
    ),
    "bright_deeplab": Entry(
        title="DeepLabV3+ of BRIGHT",
        code="models.networks.damage.deeplab:BrightDeepLab",
        tasks=("damage",),
        source=f"Chen et al. 2018, arXiv 1802.02611, as in {_BRIGHT}",
        published="Shape and widths; the last stage keeps its size without dilation.",
        ours=f"Each dilated branch has a batch norm of its own; the pooled one has none, so that "
        f"a batch of one trains. {_NO_WEIGHTS} {_SMALL}",
        licence="Apache-2.0",
        options={"encoder": _encoder("resnet50", RESNETS), "width": _width(256)},
        smallest={"encoder": "small_resnet", "width": 32},
        modalities=BEFORE_AND_AFTER,
        good_for="a baseline that sees far around each house",
    ),
    "siam_attn_unet": Entry(
        title="SiamAttnUNet",
        code="models.networks.damage.unets:SiamAttnUNet",
        tasks=("damage",),
        source=f"Adriano et al. 2021, ISPRS J. 175, as in {_BRIGHT}",
        published="All of it: 60,950,276 parameters with three bands each and four classes.",
        ours="One SAR band is taken once, not three times; any number of bands and levels.",
        licence="Apache-2.0",
        options={"widths": _WIDTHS},
        smallest={"widths": (8, 16, 32)},
        modalities=BEFORE_AND_AFTER,
        good_for="images that differ in kind, with convolutions alone",
    ),
    "siam_crnn": Entry(
        title="SiamCRNN",
        code="models.networks.damage.siam_crnn:SiamCRNN",
        tasks=("damage",),
        source=f"Chen et al. 2020, IEEE TGRS 58, as in {_BRIGHT}",
        published="All of it: two ResNet-18, a recurrent cell per level, two heads.",
        ours=f"What is predicted is a choice, for paper and scripts differ. {_NO_WEIGHTS} {_SMALL}",
        licence="Apache-2.0",
        options={
            "encoder": _encoder("resnet18", RESNETS),
            "width": _width(128),
            "combine": _COMBINE,
        },
        smallest={"encoder": "small_resnet", "width": 32},
        modalities=BEFORE_AND_AFTER,
        good_for="reading change between the dates level by level",
    ),
    "damage_former": Entry(
        title="DamageFormer",
        code="models.networks.damage.damage_former:DamageFormer",
        tasks=("damage",),
        source=f"Chen et al. 2022, IGARSS, as in {_BRIGHT}",
        published="All of it: two Swin-T, all levels joined at 1/4, two heads.",
        ours=f"Features are those after each stage. What is predicted is a choice, for paper and "
        f"scripts differ. {_NO_WEIGHTS} {_SMALL}",
        licence="Apache-2.0",
        options={"encoder": _encoder("swin_t", SWINS), "width": _width(256), "combine": _COMBINE},
        smallest={"encoder": "small_swin", "width": 32},
        modalities=BEFORE_AND_AFTER,
        good_for="the best of BRIGHT's own baselines, with a GPU",
    ),
    "changeos": Entry(
        title="ChangeOS-style",
        code="models.networks.damage.changeos:ChangeOS",
        tasks=("damage",),
        source="Zheng et al. 2021, RSE 265, 112636; size from the torchange library",
        published="Localisation before, damage from both, one class per building; Swin-T with a "
        "feature pyramid of 256 channels.",
        ours=f"An encoder per date, as optical and SAR share no statistics; the two layers that "
        f"join the dates; a plain vote by share of pixels. {_NO_WEIGHTS} {_SMALL}",
        licence="none copied",
        options={
            "encoder": _encoder("swin_t", (*SWINS, *RESNETS)),
            "width": _width(256),
            "combine": _COMBINE,
        },
        smallest={"encoder": "small_resnet", "width": 32},
        modalities=BEFORE_AND_AFTER,
        good_for="maps in which every building has one class",
        post=ObjectVote("majority").card(),
    ),
    "building_fpn": Entry(
        title="Building map of the track 2 winner (UFPN)",
        code="models.networks.damage.guided:UFPN",
        tasks=("damage",),
        source=_WINNER,
        published="PVT-v2, levels narrowed to 32 channels without ReLU, feature pyramid, sum at "
        "1/4. It learns two classes: ground and building.",
        ours=f"A SAR image is not looked at. Any number of classes. {_NO_WEIGHTS} {_SMALL}",
        licence="none given, none copied",
        options={"encoder": _encoder("pvt_v2_b2", PVTS), "width": _width(32)},
        smallest={"encoder": "small_pvt", "width": 32},
        modalities=("optical",),
        good_for="where buildings are; for damage a control, because it cannot see the event",
    ),
    "uabcd": Entry(
        title="Damage of the track 2 winner (UABCD)",
        code="models.networks.damage.guided:UABCD",
        tasks=("damage",),
        source=_WINNER,
        published="PVT-v2 on both images, joined level by level, 32 channels each, no ReLU.",
        ours=f"An encoder per image: the winner shares one, the wrong bias for optical and SAR. "
        f"{_NO_WEIGHTS} {_SMALL}",
        licence="none given, none copied",
        options={"encoder": _encoder("pvt_v2_b2", PVTS), "width": _width(32)},
        smallest={"encoder": "small_pvt", "width": 32},
        modalities=BEFORE_AND_AFTER,
        good_for="the first round of the winner's recipe",
    ),
    "uabcd_v2": Entry(
        title="Building-guided damage of the track 2 winner (UABCD v2)",
        code="models.networks.damage.guided:UABCDv2",
        tasks=("damage",),
        source=_WINNER,
        published="UABCD whose features are multiplied by 1 + building mask at all levels.",
        ours=f"It holds its own building branch, so that prediction needs images only; the mask "
        f"is that branch's probability. An encoder per image. {_NO_WEIGHTS} {_SMALL}",
        licence="none given, none copied",
        options={
            "encoder": _encoder("pvt_v2_b2", PVTS),
            "building_encoder": _encoder("pvt_v2_b2", PVTS),
            "width": _width(32),
            "hold_buildings": Option(
                default=False, help="Keep the building branch as it is while damage is learnt"
            ),
        },
        smallest={"encoder": "small_pvt", "building_encoder": "small_pvt", "width": 32},
        modalities=BEFORE_AND_AFTER,
        good_for="events with few damaged houses: it looks where buildings are",
    ),
}
