"""The state of a run on disk, from which it goes on as if it had never stopped, bit for bit.

One safetensors file: tensors, and a JSON text in its header. It is written under another name and
then renamed, so that a killed process leaves the last whole one. Nothing is unpickled, and names,
types and shapes are compared with the run before a tensor is taken over.
"""

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.networks import SegmentationNetwork
from models.sample import Sample
from models.training.config import TrainConfig, to_json
from models.training.curve import Curve, Progress
from models.training.learner import Learner

FORMAT = "1"
MAX_BYTES = 1 << 36
SHARE_OF_TIME = 0.05
"""Writing may take so much of a run: a large network is written less often."""


class Checkpoint:
    """Where a run is kept while it goes on, and how often. Safe to make for a file that is absent.

    `seconds` is the least time between two writes; 0 writes after every step.
    """

    def __init__(self, path: Path, *, seconds: float = 30.0) -> None:
        self.path, self.seconds = path, seconds
        self._next = time.monotonic() + seconds

    def due(self) -> bool:
        """Return whether it is time to write again."""
        return time.monotonic() >= self._next

    def save(self, run: str, learner: Learner, curve: Curve) -> None:
        """Write the state after a step, whole or not at all; every process must call it.

        `run` is the fingerprint of what is learnt from what, see `fingerprint`.
        """
        from safetensors.torch import save_file

        began = time.monotonic()
        states = learner.ranks.gather(_random_state(learner.device), learner.device)
        if learner.ranks.first:
            tensors = {k: _plain(v) for k, v in _tensors(learner, curve, states).items()}
            text = json.dumps(_values(learner, curve))
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
            try:
                save_file(tensors, temporary, {"format": FORMAT, "run": run, "state": text})
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
                temporary.replace(self.path)
            finally:
                temporary.unlink(missing_ok=True)
        took = time.monotonic() - began
        self._next = time.monotonic() + max(self.seconds, took / SHARE_OF_TIME * bool(self.seconds))

    def load(self, run: str, learner: Learner, curve: Curve) -> bool:
        """Take the state over, in place; False where there is none of this very run."""
        from safetensors import SafetensorError, safe_open

        if not self.path.is_file() or self.path.stat().st_size > MAX_BYTES:
            return False
        try:
            with safe_open(self.path, "pt") as file:
                header = file.metadata() or {}
                if header.get("format") != FORMAT or header.get("run") != run:
                    return False
                values = json.loads(header["state"])
                shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
                if not _fits(shapes, values, learner, curve):
                    return False
                tensors = {name: file.get_tensor(name) for name in shapes}
        except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError):
            return False  # a torn or foreign file: the run starts over
        _take_over(tensors, values, learner, curve)
        return True


def fingerprint(
    config: TrainConfig, samples: Sequence[Sample], start: SegmentationNetwork | None, aim: str
) -> str:
    """Return a hash of all that a run follows from: settings, samples and start.

    Of images shapes count, not pixels: originals are read-only.
    """
    digest = hashlib.sha256(to_json(config).encode())
    digest.update(f"{aim} {torch.__version__}".encode())
    for sample in samples:
        shapes = {m: [i.shape for i in images] for m, images in sample.inputs.items()}
        digest.update(f"{sample.name} {sample.by_people} {shapes}".encode())
        digest.update(sample.label.tobytes())
        digest.update(sample.weight.tobytes())
        digest.update(b"" if sample.checked is None else sample.checked.tobytes())
    for name, tensor in start.state_dict().items() if start else ():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _tensors(learner: Learner, curve: Curve, states: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return every tensor of the state by name."""
    found = {f"aim.{k}": v for k, v in learner.aim.state_dict().items()}
    if learner.average:
        found |= {f"average.{k}": v for k, v in learner.average.network.state_dict().items()}
    for number, parameter in enumerate(_parameters(learner)):
        for key, value in learner.optimiser.state.get(parameter, {}).items():
            if value is not None:
                found[f"optimiser.{number}.{key}"] = torch.as_tensor(value)
    found |= {f"best.{k}": v for k, v in curve.best.items()}
    if curve.losses:
        found["losses"] = curve.read_losses()
    for name, matrix in (("matrix", curve.matrix), ("latest", curve.latest)):
        if matrix is not None:
            found[name] = torch.from_numpy(matrix)
    found |= {f"random.{rank}": state for rank, state in enumerate(states)}
    return found


def _values(learner: Learner, curve: Curve) -> dict[str, Any]:
    """Return the rest of the state, as JSON."""
    return {
        "numpy": learner.rng.bit_generator.state,
        "parts": learner.parts,
        "scored_px": learner.scored_px,
        "notes": learner.notes,
        "aim": learner.aim.memory(),
        "step": curve.step,
        "history": [dataclasses.asdict(point) for point in curve.history],
        "best_score": curve.best_score,
        "best_step": curve.best_step,
        "waited": curve.waited,
        "said": curve.said,
        "seconds": curve.elapsed,
    }


def _fits(
    shapes: Mapping[str, list[int]], values: Mapping[str, Any], learner: Learner, curve: Curve
) -> bool:
    """Return whether a file holds the state of this run: every tensor that there must be."""
    own = {f"aim.{k}": v for k, v in learner.aim.state_dict().items()}
    if learner.average:
        own |= {f"average.{k}": v for k, v in learner.average.network.state_dict().items()}
    if values["best_step"] and curve.config.keep == "best":
        own |= {f"best.{k}": v for k, v in learner.kept.state_dict().items()}
    parameters = dict(enumerate(_parameters(learner)))
    for name, shape in shapes.items():
        kind, _, rest = name.partition(".")
        if kind == "optimiser" and shape:  # the number of steps has no shape
            own[name] = parameters[int(rest.split(".")[0])]
    return all(list(v.shape) == shapes.get(k) for k, v in own.items()) and (
        f"random.{learner.ranks.rank}" in shapes
    )


def _take_over(
    tensors: Mapping[str, Tensor], values: Mapping[str, Any], learner: Learner, curve: Curve
) -> None:
    learner.aim.load_state_dict(_below(tensors, "aim."))
    learner.aim.remember(values["aim"])
    if learner.average:
        learner.average.network.load_state_dict(_below(tensors, "average."))
    for number, parameter in enumerate(_parameters(learner)):
        state = _below(tensors, f"optimiser.{number}.")
        if state:
            learner.optimiser.state[parameter] = {
                k: v if not v.shape else torch.empty_like(parameter).copy_(v)
                for k, v in state.items()
            }
    learner.rng.bit_generator.state = values["numpy"]
    learner.parts, learner.notes = values["parts"], values["notes"]
    learner.scored_px = values.get("scored_px", 0)  # older states have none
    _set_random_state(learner.device, tensors[f"random.{learner.ranks.rank}"])
    curve.step = curve.began_at = values["step"]
    curve.history = [Progress(**point) for point in values["history"]]
    curve.losses = list(tensors["losses"]) if "losses" in tensors else []
    curve.best = _below(tensors, "best.")
    curve.best_score, curve.best_step = values["best_score"], values["best_step"]
    curve.waited, curve.said, curve.seconds = values["waited"], values["said"], values["seconds"]
    curve.matrix = tensors["matrix"].numpy() if "matrix" in tensors else None
    curve.latest = tensors["latest"].numpy() if "latest" in tensors else None


def _random_state(device: str) -> Tensor:
    """Return the state of torch's random numbers, uint8: the CPU's, then the GPU's."""
    own = torch.get_rng_state()
    if torch.device(device).type != "cuda":
        return own
    return torch.cat([own, torch.cuda.get_rng_state(device)])


def _set_random_state(device: str, state: Tensor) -> None:
    length = len(torch.get_rng_state())
    torch.set_rng_state(state[:length].clone())
    if torch.device(device).type == "cuda" and len(state) > length:
        torch.cuda.set_rng_state(state[length:].clone(), device)


def _parameters(learner: Learner) -> list[Tensor]:
    return [p for group in learner.optimiser.param_groups for p in group["params"]]


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _plain(tensor: Tensor) -> Tensor:
    """Return a copy on the CPU in plain layout: safetensors takes no shared memory, no strides."""
    return tensor.detach().to("cpu", copy=True).contiguous()
