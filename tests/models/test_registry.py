import hashlib
import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.errors import ModelFileError
from models.model_files import card_path, load, save_files
from models.networks import build

CODES = (1, 2, 8)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    network = build("unet", {"optical": 3, "sar": 1}, 3, {"widths": (4, 8)})
    network.set_normalisation("sar", torch.tensor([3.0]), torch.tensor([2.0]))
    path = tmp_path / "model.safetensors"
    save_files(path, network, CODES, {"name": "small", "config": {"steps": 2}})
    return path


def test_what_was_saved_comes_back(weights: Path) -> None:
    model = load(weights)
    assert model.codes == CODES
    assert model.card["name"] == "small" and model.card["config"] == {"steps": 2}
    assert model.network.get_buffer("mean_sar").item() == 3.0
    assert not model.network.training
    again = weights.with_name("again.safetensors")
    save_files(again, model.network, model.codes, {})
    assert again.read_bytes() == weights.read_bytes()
    assert (
        sorted(p.suffix for p in weights.parent.iterdir()) == [".json"] * 2 + [".safetensors"] * 2
    )


def test_a_model_saved_before_there_was_an_option_loads_as_it_was(tmp_path: Path) -> None:
    options = {"widths": (8, 16, 32), "channels": 16, "blocks": 1, "alone": False}
    network = build("cloud_lulc", {"optical": 3, "sar": 1}, 3, options)
    path = tmp_path / "fusion.safetensors"
    save_files(path, network, CODES, {})
    _edit_card(path, lambda card: card["options"].pop("alone"))
    assert load(path).network.spec.options["alone"] is False


def test_half_precision_weights_load(weights: Path) -> None:
    model = load(weights)
    tensors = {
        k: v.half() if v.is_floating_point() else v for k, v in model.network.state_dict().items()
    }
    save_file(tensors, weights)
    _renew_hash(weights)
    value = load(weights).network.get_parameter("decoder.head.weight")
    assert value.dtype == torch.float32
    assert torch.allclose(value, model.network.get_parameter("decoder.head.weight"), atol=1e-3)


def _renew_hash(weights: Path) -> None:
    _edit_card(weights, lambda c: c.update(sha256=hashlib.sha256(weights.read_bytes()).hexdigest()))


def _edit_card(weights: Path, change: Callable[[dict[str, Any]], object]) -> None:
    card = json.loads(card_path(weights).read_text())
    change(card)
    card_path(weights).write_text(json.dumps(card))


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(network="resnet152"),
        lambda c: c.update(network=["unet"]),
        lambda c: c.update(bands={"optical": 10**12}),
        lambda c: c.update(bands=[3, 1]),
        lambda c: c.update(options={"widths": [10**6, 10**6]}),
        lambda c: c.update(options={"widths": [8, 8]}),
        lambda c: c.update(options={"widths": ["4", "8"]}),
        lambda c: c.update(options={"depth": 4}),
        lambda c: c.update(options=[4, 8]),
        lambda c: c.update(classes=4),
        lambda c: c.update(classes=True),
        lambda c: c.update(codes=[1, 2]),
        lambda c: c.update(codes=[1, 2, 300]),
        lambda c: c.update(codes=[1, 1, 2]),
        lambda c: c.update(format=99),
        lambda c: c.update(views=3),
        lambda c: c.update(views=[4]),
        lambda c: c.update(views="8"),
        lambda c: c.update(sha256="0" * 64),
        lambda c: c.clear(),
    ],
)
def test_cards_that_do_not_fit_are_refused(
    weights: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    _edit_card(weights, change)
    with pytest.raises(ModelFileError):
        load(weights)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "[" * 100_000, "\x00\xff"])
def test_cards_that_are_no_cards_are_refused(weights: Path, text: str) -> None:
    card_path(weights).write_text(text)
    with pytest.raises(ModelFileError):
        load(weights)


def test_missing_files_are_refused(weights: Path) -> None:
    with pytest.raises(ModelFileError, match="two files"):
        load(weights.with_name("other.safetensors"))
    weights.unlink()
    with pytest.raises(ModelFileError):
        load(weights)


def _header(entries: dict[str, Any], *, length: int | None = None) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text


def _declares_16_gigabytes(weights: Path) -> bytes:
    raw = weights.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + size])
    header["decoder.head.weight"]["shape"] = [4_000_000_000]
    return _header(header)


@pytest.mark.parametrize(
    "content",
    [
        lambda w: b"",
        lambda w: b"\x01\x02",
        lambda w: w.read_bytes()[:-10],
        lambda w: w.read_bytes()[:200],
        lambda w: w.read_bytes() + b"\x00" * 8,
        lambda w: _header({}, length=2**63),
        lambda w: _header({}),
        lambda w: struct.pack("<Q", 4) + b"null",
        lambda w: struct.pack("<Q", 90_000) + b"[" * 90_000,
        lambda w: _header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}),
        _declares_16_gigabytes,
        lambda w: pickle.dumps(np.zeros(3)),
    ],
)
def test_hostile_weights_are_refused(weights: Path, content: Callable[[Path], bytes]) -> None:
    weights.write_bytes(content(weights))
    _renew_hash(weights)  # whoever forges the weights can forge the hash
    with pytest.raises(ModelFileError):
        load(weights)


def test_a_pickle_is_never_executed(weights: Path, tmp_path: Path) -> None:
    trap = tmp_path / "executed"

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (trap,)

    torch.save({"decoder.head.weight": Evil()}, weights)
    _renew_hash(weights)
    with pytest.raises(ModelFileError):
        load(weights)
    assert not trap.exists()


def test_weights_that_are_not_numbers_are_refused(weights: Path) -> None:
    tensors = load(weights).network.state_dict()
    tensors["decoder.head.bias"][0] = float("nan")
    save_file(tensors, weights)
    _renew_hash(weights)
    with pytest.raises(ModelFileError, match="not numbers"):
        load(weights)
