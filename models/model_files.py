"""Model files: safetensors with a JSON card beside them. Nothing is ever unpickled.

This module knows files and needs no database; `models.registry` keeps them for a project.

A card says which network the weights belong to. Header, names, types, shapes and sizes of the
weights are compared with that network before a tensor is read, so that a hostile or truncated file
is refused without memory being given to it.
"""

import hashlib
import json
import os
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from core.errors import ModelFileError
from core.object_vote import ObjectVote, of_card
from models.networks import SegmentationNetwork, build
from models.zoo import NETWORKS
from models.zoo.views import VIEWS

CARD_FORMAT = 1
MAX_CARD_BYTES = 1 << 20
MAX_HEADER_BYTES = 1 << 20
MAX_WEIGHTS_BYTES = 1 << 31
TYPES = {"F32": torch.float32, "F16": torch.float16, "I64": torch.int64}


@dataclass(frozen=True)
class LoadedModel:
    """A network ready to predict. `codes` turns its class index into the class table's code."""

    network: SegmentationNetwork
    codes: tuple[int, ...]
    card: dict[str, Any]

    @property
    def views(self) -> int:
        """Return how many views a map is the mean of, see `models.zoo.views`."""
        return int(self.card.get("views", 1))

    @property
    def mixed_precision(self) -> bool:
        """Return whether a map may be computed in bfloat16: unless its training was not to be."""
        config = self.card.get("config")
        return not isinstance(config, dict) or config.get("mixed_precision") is not False

    @property
    def valid_area(self) -> bool:
        """Return whether a map is left void where SAR shows no signal (`models.valid_area`)."""
        return self.card.get("valid_area") is True

    @property
    def vote(self) -> ObjectVote | None:
        """Return how the buildings of a map vote before it is kept; None where they do not."""
        return of_card(self.card.get("post"))


def card_path(weights: Path) -> Path:
    """Return where the card of a weights file lies."""
    return weights.with_suffix(".json")


def save_files(
    path: Path, network: SegmentationNetwork, codes: tuple[int, ...], card: Mapping[str, Any]
) -> dict[str, Any]:
    """Write weights and card, whole or not at all; return the card as written.

    `card` adds to what the file itself needs (network, bands, classes, hash): name, config,
    parent, data versions, metrics. Its values are JSON. Where it does not say how a map is
    finished ("post"), the network's entry does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    _write_whole(path, lambda temporary: save_file(tensors, temporary))
    spec = network.spec
    full = {
        "post": dict(NETWORKS[spec.name].post),
        **card,
        "format": CARD_FORMAT,
        "network": spec.name,
        "bands": spec.bands,
        "classes": spec.classes,
        "options": spec.options,
        "parameters": sum(weights.numel() for weights in network.parameters()),
        "codes": list(codes),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    text = json.dumps(full, indent=1)
    _write_whole(card_path(path), lambda temporary: temporary.write_text(text))
    return full


def load(path: Path) -> LoadedModel:
    """Return the model of a weights file with its card; raises `ModelFileError`."""
    card = _read_card(card_path(path))
    if card.get("views", 1) not in tuple(VIEWS):
        raise ModelFileError(
            str(card_path(path)),
            found=f"views {str(card['views'])[:40]}",
            expected=f"one of {', '.join(map(str, VIEWS))}",
        )
    of_card(card.get("post"))  # raises for anything but a vote
    network = _network_of(card, card_path(path))
    codes = _codes_of(card, card_path(path))
    _check_header(path, network.state_dict())
    if hashlib.sha256(path.read_bytes()).hexdigest() != card.get("sha256"):
        raise ModelFileError(
            str(path),
            found="other weights than the card's",
            expected=f"sha256 {card.get('sha256')}",
            todo="Copy weights and card together.",
        )
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelFileError(str(path), found=str(error), expected="a safetensors file") from error
    if not all(torch.isfinite(t).all() for t in tensors.values()):
        raise ModelFileError(str(path), found="weights that are not numbers", expected="numbers")
    network.load_state_dict(tensors)
    return LoadedModel(network.eval(), codes, card)


def _read_card(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise ModelFileError(
                str(path),
                found=f"{path.stat().st_size} bytes",
                expected=f"at most {MAX_CARD_BYTES}",
            )
        card = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(
            str(path),
            found=str(error) or "no JSON",
            expected="a model card in JSON",
            todo="A model is two files: weights .safetensors and card .json.",
        ) from error
    if not isinstance(card, dict) or card.get("format") != CARD_FORMAT:
        raise ModelFileError(
            str(path), found="no model card", expected=f"a model card of format {CARD_FORMAT}"
        )
    return card


def _network_of(card: Mapping[str, Any], path: Path) -> SegmentationNetwork:
    bands, options = card.get("bands"), card.get("options")
    name, classes = card.get("network"), card.get("classes")
    if options is None and "widths" in card:  # cards written before networks had other options
        options = {"widths": card["widths"]}
    if not (
        isinstance(bands, dict)
        and isinstance(options, dict)
        and isinstance(name, str)
        and isinstance(classes, int)
    ):
        raise ModelFileError(
            str(path),
            found=f"network {name!r}, bands {bands!r}, classes {classes!r}, options {options!r}",
            expected="a name, a table, a number and a table",
        )
    known = NETWORKS.get(name)
    return build(name, bands, classes, known.of_card(options) if known else options)


def _codes_of(card: Mapping[str, Any], path: Path) -> tuple[int, ...]:
    codes = card.get("codes")
    if (
        not isinstance(codes, list)
        or len(codes) != card["classes"]
        or len(set(map(str, codes))) != len(codes)
        or not all(isinstance(code, int) and 0 <= code <= 255 for code in codes)
    ):
        raise ModelFileError(
            str(path), found=f"codes {codes}", expected=f"{card['classes']} codes from 0 to 255"
        )
    return tuple(codes)


def _check_header(path: Path, expected: Mapping[str, torch.Tensor]) -> None:
    """Compare the header of a safetensors file (8 bytes of length, JSON) with a network."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            prefix = file.read(8)
            length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
            if size > MAX_WEIGHTS_BYTES or not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
                raise ModelFileError(
                    str(path),
                    found=f"{size} bytes with a header of {length}",
                    expected="a whole safetensors file",
                )
            header = json.loads(file.read(length))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(str(path), found=str(error), expected="a safetensors file") from error
    if not isinstance(header, dict):
        raise ModelFileError(str(path), found="no header", expected="a safetensors file")
    header.pop("__metadata__", None)
    if set(header) != set(expected):
        odd = sorted(set(header) ^ set(expected))
        raise ModelFileError(
            str(path),
            found=f"{len(odd)} tensors that differ, first {odd[0][:80]!r}",
            expected="the tensors of the card's network",
        )
    for name, tensor in expected.items():
        entry = header[name]
        shape, kind = (
            (entry.get("shape"), entry.get("dtype")) if isinstance(entry, dict) else (0, 0)
        )
        if shape != list(tensor.shape) or TYPES.get(str(kind)) is None:
            raise ModelFileError(
                str(path),
                found=f"{name} of {kind} {shape}",
                expected=f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}",
            )


def _write_whole(path: Path, write: Callable[[Path], object]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
