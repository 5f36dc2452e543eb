"""Colour jitter and blur of images on the device, for images that are mixed there.

`models.augment` does the same to crops before they reach the device.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

REACH = 4
"""Half the width of the blur in pixels: more than three times the largest sigma."""


def jittered(images: Tensor, by: Tensor) -> Tensor:
    """Return images [B, C, h, w] with other brightness, contrast and saturation.

    `by` float [B, 3] are the changes, about -0.2 to 0.2; 0 changes nothing. NaN stays NaN.
    """
    brightness, contrast, saturation = (1 + by)[:, :, None, None, None].unbind(1)
    middle = images.nanmean((1, 2, 3), keepdim=True)
    grey = images.mean(1, keepdim=True)
    changed = grey + (images - grey) * saturation
    moved: Tensor = ((changed - middle) * contrast + middle) * brightness
    return moved


def blurred(images: Tensor, sigma: Tensor) -> Tensor:
    """Return images [B, C, h, w] blurred by a Gaussian of `sigma` [B] pixels; 0 leaves one alone.

    Missing pixels (NaN) stay missing and have no part in others.
    """
    channels = images.shape[1]
    at = torch.arange(-REACH, REACH + 1, device=images.device, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (at / sigma.clamp_min(1e-3)[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    there = torch.isfinite(images)
    values = torch.where(there, images, 0.0)
    # Half precision would leave 8 bits of an image.
    with torch.autocast(images.device.type, enabled=False):
        smooth, share = (_convolved(x, kernel) for x in (values, there.to(values.dtype)))
    smooth = torch.where(there, smooth / share.clamp_min(1e-6), images)
    return torch.where((sigma > 0)[:, None, None, None], smooth, images)


def _convolved(images: Tensor, kernel: Tensor) -> Tensor:
    """Return images [B, C, h, w] under a kernel [B * C, n], along rows and then columns."""
    shape = images.shape
    flat = images.reshape(1, -1, *shape[2:]).float()
    for pad, size in (((REACH, REACH, 0, 0), (1, -1)), ((0, 0, REACH, REACH), (-1, 1))):
        weight = kernel.reshape(len(kernel), 1, *size)
        flat = F.conv2d(F.pad(flat, pad, mode="replicate"), weight, groups=len(kernel))
    return flat.reshape(shape)
