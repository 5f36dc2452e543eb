"""Let torchvision be imported beside a torch without CUDA.

The torchvision of the package index links CUDA libraries. Beside a CPU torch its compiled
operators do not load, and the first `import torchvision` fails because two of them are looked up by
name; so do the packages that import it (timm, segmentation-models-pytorch, torchmetrics, torchgeo).
Declaring the two names is enough for everything that does not call them: detection alone does.
"""

import importlib
import sys

import torch

OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)

_declared: list[torch.library.Library] = []  # a library forgets its operators when it is collected


def import_torchvision() -> None:
    """Import torchvision, declaring its missing operators where torch has no CUDA.

    Call it before the first import of timm, segmentation-models-pytorch, torchmetrics or torchgeo.
    Does nothing where torchvision works. Raises `ImportError` where it is not installed.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error) or _declared:
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        _declared.append(library)
        for schema in OPERATORS:
            library.define(schema)  # type: ignore[no-untyped-call]
        importlib.import_module("torchvision")
