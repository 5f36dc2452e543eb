"""Networks behind one interface: a dict of bands per modality in, logits out, any height and width.

Words: a *modality* names one input ("optical", "sar"); *bands* maps modality to channel count, in
the order in which inputs are joined. A network carries the normalisation of its inputs, so that it
takes raw values; NaN marks a missing pixel and becomes the mean of its band, and so does a picture
that is left out. Which networks there are is the table in `models.zoo`.
"""

import importlib
from collections.abc import Mapping
from typing import Any

from core.errors import ModelFileError
from models.networks.base import NetworkSpec, Outputs, SegmentationNetwork, check_inputs
from models.zoo import NETWORKS

__all__ = ["NetworkSpec", "Outputs", "SegmentationNetwork", "build"]


def build(
    name: str,
    bands: Mapping[str, int],
    classes: int,
    options: Mapping[str, Any] | None = None,
) -> SegmentationNetwork:
    """Return an untrained network on the CPU.

    `options` are those of its entry in `models.zoo.NETWORKS`; what is missing takes the default.
    Raises `ModelFileError` when the name is unknown, an input is missing or a number is out of
    bounds.
    """
    if name not in NETWORKS:
        raise ModelFileError(
            "network", found=repr(name), expected=f"one of {', '.join(sorted(NETWORKS))}"
        )
    entry = NETWORKS[name]
    check_inputs(name, bands, classes, entry.modalities)
    spec = NetworkSpec(name, dict(bands), classes, entry.settle(name, options or {}))
    module, _, kind = entry.code.partition(":")
    network: SegmentationNetwork = getattr(importlib.import_module(module), kind)(spec)
    return network
