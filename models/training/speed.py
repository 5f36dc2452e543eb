"""Where networks run and what makes them fast there: bfloat16, memory layout, pinned copies."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.errors import CloudbrushError


def pick_device(wanted: str = "auto") -> str:
    """Return "cuda" or "cpu". Raises `CloudbrushError` when a GPU is wanted and none is found."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise CloudbrushError(
            "setting device",
            found="cuda but no GPU",
            expected="a GPU that torch finds",
            todo="Use device auto or cpu.",
        )
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def mixed_precision_helps(device: str) -> bool:
    """Return whether bfloat16 is fast here; on a CPU it takes the right instructions."""
    if torch.device(device).type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def describe_device(device: str) -> str:
    """Return the device in words for people: "CPU, 2 cores, bf16" or the GPU's name."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    half = ", bf16" if mixed_precision_helps(device) else ""
    cores = torch.get_num_threads()
    return f"CPU, {cores} {'core' if cores == 1 else 'cores'}{half}"


def to_device(device: str, values: npt.NDArray[np.generic]) -> Tensor:
    """Return an array on a device; pictures [B, C, H, W] in the layout convolutions are fast in.

    The copy to a GPU does not wait: the next crops are drawn meanwhile.
    """
    tensor = torch.from_numpy(np.ascontiguousarray(values))
    if tensor.ndim == 4:
        tensor = tensor.contiguous(memory_format=torch.channels_last)
    if torch.device(device).type == "cpu":
        return tensor
    return tensor.pin_memory().to(device, non_blocking=True)
