"""The small networks of our own: the default, and quick on a laptop's CPU."""

from models.zoo.entry import Entry, Option

_OURS = "Everything: built for a laptop's CPU, no publication."

WIDTHS = (16, 32, 64, 128)

NETWORKS = {
    "unet": Entry(
        title="Small U-Net, inputs joined",
        code="models.networks.unet:UNet",
        tasks=("land cover", "damage"),
        source="after Ronneberger et al. 2015, arXiv 1505.04597",
        published="The shape: encoder, decoder, skip connections.",
        ours="Widths, batch norm, dilation at the deepest level.",
        licence="none copied",
        options={
            "widths": Option(
                WIDTHS, 1, 1024, lengths=(2, 6), help="Channels per level, finest first"
            )
        },
        smallest={"widths": (8, 16, 32)},
        good_for="a first model, and any work without a GPU",
    ),
    "two_branch": Entry(
        title="Two branches, one per input",
        code="models.networks.two_branch:TwoBranch",
        tasks=("land cover", "damage"),
        source="own",
        published="Nothing.",
        ours=_OURS,
        licence="none copied",
        options={
            "widths": Option(
                (12, 24, 48, 96), 1, 1024, lengths=(2, 6), help="Channels per level, finest first"
            )
        },
        smallest={"widths": (8, 16, 32)},
        good_for="inputs that differ in kind or in date, such as damage",
    ),
}
