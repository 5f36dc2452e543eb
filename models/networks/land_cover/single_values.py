"""Let batch norms live with a single value per channel.

DeepLabV3+ and UPerNet pool the whole picture to one pixel and normalise it over the batch. With a
batch of one, to which a memory guard may fall, there is one value per channel and torch refuses.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class PatientBatchNorm2d(nn.BatchNorm2d):
    """A batch norm that uses its running statistics where there is only one value to learn from."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised values [B, C, H, W]."""
        if not self.training or x.numel() > x.shape[1]:
            return super().forward(x)
        return F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps
        )


def tolerate_single_values(module: nn.Module) -> None:
    """Replace every batch norm below `module`; names, weights and statistics stay."""
    for name, child in list(module.named_children()):
        if type(child) is nn.BatchNorm2d:
            patient = PatientBatchNorm2d(child.num_features, child.eps, child.momentum)
            patient._parameters = child._parameters
            patient._buffers = child._buffers
            setattr(module, name, patient)
        else:
            tolerate_single_values(child)
