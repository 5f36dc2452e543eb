"""Networks behind one interface: a dict of bands per modality in, logits out, any height and width.

Words: a *modality* names one input ("optical", "sar"); *bands* maps modality to channel count, in
the order in which inputs are joined. A network carries the normalisation of its inputs, so that it
takes raw values; NaN marks a missing pixel and becomes the mean of its band.
"""

from collections.abc import Mapping

from models.networks.base import NetworkSpec, SegmentationNetwork, check_spec
from models.networks.two_branch import TwoBranch
from models.networks.unet import UNet

NETWORKS: dict[str, type[SegmentationNetwork]] = {"unet": UNet, "two_branch": TwoBranch}

__all__ = ["NETWORKS", "NetworkSpec", "SegmentationNetwork", "TwoBranch", "UNet", "build"]


def build(
    name: str, bands: Mapping[str, int], classes: int, *, widths: tuple[int, ...] | None = None
) -> SegmentationNetwork:
    """Return an untrained network on the CPU.

    `widths` are the channels per level, from full resolution down; None takes the network's own.
    Raises `ModelFileError` when the name is unknown or a number is out of bounds.
    """
    check_spec(name, NETWORKS, bands, classes, widths)
    return NETWORKS[name](dict(bands), classes, widths or NETWORKS[name].default_widths)
