"""A model as an ONNX file, for programs that have no torch.

Raw values go in, as the network here takes them, NaN for what is missing; normalisation is part of
the graph. Logits come out, [B, K, H, W]. Height and width may be any multiple of the network's
stride where its operators allow that; else they are fixed and the file says to what. Padding,
windows, several views and the rules that follow a map are not in the graph.

A file that is free in size is run once at another size than it was traced at, by the evaluator that
comes with ONNX, and compared with torch; where that fails, the size is fixed.
"""

import json
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import ModelFileError
from models.model_files import LoadedModel
from models.torchvision_shim import import_torchvision

OPSET = 20
FIXED_PX = 512
MOST_PX = 1 << 16
FIXED_OPERATORS = {"DFT"}  # onnxruntime mistakes the room of a transform whose size is free
LACKS = re.compile("No (ONNX function|decompositions|dispatch)|not (supported|implemented)")
OPERATOR = re.compile(r"(?:(?<=op=')\w+|aten|torchvision|prims)[.:]+\w+")
COLOUR = re.compile("\x1b\\[[0-9;]*m")  # the exporter writes for terminals
SAME = 0.9999  # the share of pixels that must have the same class in both
LARGEST_BYTES = (1 << 31) - (1 << 20)  # what one file of protocol buffers holds


@dataclass(frozen=True)
class OnnxFile:
    """What was written. `size` is (height, width) where these are fixed, None where they are free.

    `multiple` is what free heights and widths must be a multiple of.
    """

    path: Path
    opset: int
    size: tuple[int, int] | None
    multiple: int
    operators: tuple[str, ...]

    @property
    def words(self) -> str:
        """Return what sizes the file takes, in words."""
        if self.size is None:
            many = f", in multiples of {self.multiple} px" if self.multiple > 1 else ""
            return f"any height and width{many}"
        return f"{self.size[0]} x {self.size[1]} px only"


class _Graph(nn.Module):
    """The part of a network that goes into the file: images in the order of the bands in."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *images: Tensor) -> Tensor:
        """Return logits [B, K, H, W] of raw images [B, C, H, W]."""
        network: Any = self.network
        named = zip(network.spec.bands, images, strict=True)
        logits: Tensor = network.features_to_logits([network._normalised(m, x) for m, x in named])
        return logits


def export_onnx(model: LoadedModel, path: Path, *, fixed_px: int = FIXED_PX) -> OnnxFile:
    """Write a model as ONNX, whole or not at all; return what was written.

    `fixed_px` is the side that is taken where a network's operators allow one size only, rounded up
    to its stride. Raises `ModelFileError` that names the operators that ONNX lacks, or says why the
    export failed otherwise.
    """
    import_torchvision()
    network = model.network.cpu().eval()
    stride, sizes = network.stride, {}
    try:
        proto = _free(network, stride)
        if proto is None:
            side = -(-fixed_px // stride) * stride
            sizes = {"fixed_height": side, "fixed_width": side}
            proto = _traced(network, stride, side)
    except Exception as error:
        raise _refused(model, error) from error
    operators = _operators(proto)
    _describe(proto, model, {"multiple_of": stride, **sizes})
    _write(proto, path)
    fixed = (sizes["fixed_height"], sizes["fixed_width"]) if sizes else None
    return OnnxFile(path, OPSET, fixed, stride, operators)


def _free(network: Any, stride: int) -> Any:  # noqa: ANN401  # onnx has no types
    """Return the graph that is free in size, or None where there is none that gives the same.

    Raises what the exporter raises for operators that ONNX lacks: a fixed size would not help.
    """
    try:
        proto = _traced(network, stride)
    except Exception as error:
        if _missing(error):
            raise
        return None
    if FIXED_OPERATORS & set(_operators(proto)):
        return None
    return proto if _agrees(proto, network, stride) else None


def _agrees(proto: Any, network: Any, stride: int) -> bool:  # noqa: ANN401
    """Return whether a graph gives the classes of its network on an image of another size."""
    from onnx.reference import ReferenceEvaluator

    random = torch.Generator().manual_seed(1)
    height, width = _beyond(stride), _beyond(stride) + stride
    images = {
        modality: torch.randn(1, count, height, width, generator=random)
        for modality, count in network.spec.bands.items()
    }
    try:
        named = {m: image.numpy() for m, image in images.items()}
        outputs: Any = ReferenceEvaluator(proto).run(None, named)
    except Exception:  # whatever it stumbles over, the file is of no use
        return False
    with torch.inference_mode():
        wanted = network(images).numpy()
    found = outputs[0]
    same = found.shape == wanted.shape and (found.argmax(1) == wanted.argmax(1)).mean()
    return bool(same >= SAME)


def _operators(proto: Any) -> tuple[str, ...]:  # noqa: ANN401
    return tuple(sorted({node.op_type for node in proto.graph.node}))


def _traced(network: Any, stride: int, side: int = 0) -> Any:  # noqa: ANN401  # onnx has no types
    """Return the graph as a checked ONNX model; free in size unless `side` fixes it."""
    import onnx

    bands: Mapping[str, int] = network.spec.bands
    shapes = None
    height, width = side or 2 * _beyond(stride), side or 3 * _beyond(stride)
    if not side:
        most = MOST_PX // stride
        free = {2: torch.export.Dim("h", max=most), 3: torch.export.Dim("w", max=most)}
        batch = torch.export.Dim("batch", max=1 << 16)
        axes: dict[int, Any] = {0: batch, **{k: stride * dim for k, dim in free.items()}}
        shapes = (tuple(axes for _ in bands),)
    # Values do not matter, only that none is special: a generator of its own leaves seeds alone.
    random = torch.Generator().manual_seed(0)
    images = tuple(
        torch.randn(1 if side else 2, count, height, width, generator=random)
        for count in bands.values()
    )
    with warnings.catch_warnings(), torch.inference_mode(mode=False), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            _Graph(network).eval(),
            images,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(bands),
            output_names=["logits"],
            dynamic_shapes=shapes,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("the exporter gave nothing")
    proto = program.model_proto
    if proto.ByteSize() > LARGEST_BYTES:
        raise RuntimeError("the network is larger than one ONNX file holds (2 GB)")
    onnx.checker.check_model(proto)
    return proto


def _beyond(stride: int) -> int:
    """Return a multiple of the stride that no level of a network makes a single pixel of."""
    return stride * -(-64 // stride)


def _missing(error: BaseException | None) -> tuple[str, ...]:
    """Return the operators that an error, or what caused it, says ONNX has nothing for."""
    found: set[str] = set()
    while error is not None:
        text = str(error)
        if LACKS.search(text):
            found |= set(OPERATOR.findall(text))
        error = error.__cause__
    return tuple(sorted(found))


def _why(error: BaseException) -> str:
    """Return in a line what made an export fail: the first cause, not the exporter's advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = (line.strip() for line in COLOUR.sub("", str(error)).splitlines())
    said = next((line for line in lines if line), "")
    return f"{type(error).__name__}: {said[:200]}" if said else type(error).__name__


def _refused(model: LoadedModel, error: BaseException) -> ModelFileError:
    lacking = ", ".join(_missing(error))
    return ModelFileError(
        f"ONNX file of network {model.network.spec.name}",
        found=f"what ONNX lacks: {lacking}" if lacking else f"a failed export, {_why(error)}",
        expected=f"operators of ONNX opset {OPSET}" if lacking else "a graph of the network",
        todo="Use the weights with torch, or export a model of another network.",
    )


def _describe(proto: Any, model: LoadedModel, sizes: Mapping[str, int]) -> None:  # noqa: ANN401
    """Write into the file what a program needs to use it."""
    spec = model.network.spec
    facts: dict[str, object] = {
        "network": spec.name,
        "bands": spec.bands,
        "codes": list(model.codes),
        "weights_sha256": model.card.get("sha256", ""),
        "name": model.card.get("name", ""),
        "input": "raw values, float32, NaN where missing; normalisation is in the graph",
        "output": "logits; class code = codes[argmax]",
        **sizes,
    }
    for key, value in facts.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)


def _write(proto: Any, path: Path) -> None:  # noqa: ANN401
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("wb") as file:
            file.write(proto.SerializeToString())
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
