"""Train on several GPUs, with the same loop: a folder of plain arrays in, a model out.

    python -m torch.distributed.run --nproc-per-node 2 -m models.train_distributed FOLDER

FOLDER holds `config.json` (settings as in a model's card), `train/*.npz` and, where there are
samples to watch, `val/*.npz`; `write_run` makes such a folder from arrays, and
`models.project_folder` from a project. A sample is an .npz with `label`, `weight` and an image per
alternative, `optical/0`, `optical/1`, `sar/0`. `codes.json` lists the code of each class; without
it they count from 1. Written are `network.safetensors` with its card `network.json`, which
Cloudbrush reads, `run.json` with the curve and, every now and then, `checkpoint.safetensors`, from
which the same command goes on when it is given again.

Each process takes one GPU, or the CPU where there is none, and learns from its own part of each
step: a step learns from `batch` times `accumulate` crops on each process.
"""

import argparse
import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist

from core.errors import CloudbrushError
from models.model_files import save_files
from models.objective import supervised
from models.sample import Sample
from models.train import Checkpoint, MakeObjective, Progress, TrainConfig, Trained, train
from models.training.config import of_json, to_json
from models.training.ranks import here

OUTPUTS = ("network.safetensors", "run.json")
CODES = "codes.json"


def main() -> None:
    """Run one of the processes that `torchrun` starts."""
    parser = argparse.ArgumentParser(description="Train on several GPUs, started by torchrun.")
    parser.add_argument("folder", type=Path, help="settings and samples; the model is written here")
    run_folder(parser.parse_args().folder)


def run_folder(folder: Path, *, objective: MakeObjective = supervised) -> Trained:
    """Train what a folder asks for, together with the other processes, and write the model.

    `objective` as in `models.train.train`. Raises `CloudbrushError` when the
    folder does not hold a run.
    """
    device = _device()
    _join(device)
    try:
        config, samples, val = read_run(folder)
        codes = _codes(folder, config.classes)
        checkpoint = Checkpoint(folder / "checkpoint.safetensors")
        found = train(
            config,
            samples,
            val,
            objective=objective,
            report=_print,
            device=device,
            checkpoint=checkpoint,
        )
        if here().first:
            _write_result(folder, found, codes)
        if dist.is_initialized():
            dist.barrier()  # one that ends while another still writes takes its threads down badly
        return found
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def write_run(
    folder: Path,
    config: TrainConfig,
    samples: Sequence[Sample],
    val: Sequence[Sample] = (),
    *,
    codes: Sequence[int] = (),
) -> None:
    """Write settings and samples as files that `read_run` reads, without pickles.

    `codes` are the class codes of maps, in the order of the network's classes.
    """
    for name, group in (("train", samples), ("val", val)):
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        for number, sample in enumerate(group):
            arrays: dict[str, npt.NDArray[Any]] = {
                f"{modality}/{date}": image
                for modality, images in sample.inputs.items()
                for date, image in enumerate(images)
            }
            arrays |= {"label": sample.label, "weight": sample.weight}
            arrays |= {"name": np.array(sample.name), "by_people": np.array(sample.by_people)}
            if sample.checked is not None:
                arrays["checked"] = sample.checked
            with (place / f"{number:06}.npz").open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
    if codes:
        (folder / CODES).write_text(json.dumps(list(codes)))
    (folder / "config.json").write_text(to_json(config))


def read_run(folder: Path) -> tuple[TrainConfig, list[Sample], list[Sample]]:
    """Return settings, samples to learn from and samples to watch; raises `CloudbrushError`."""
    try:
        config = of_json((folder / "config.json").read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise CloudbrushError(
            str(folder / "config.json"), found=str(error), expected="the settings of a run"
        ) from error
    train_, val = (
        [_read_sample(path) for path in sorted((folder / name).glob("*.npz"))]
        for name in ("train", "val")
    )
    return config, train_, val


def _read_sample(path: Path) -> Sample:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        inputs: dict[str, list[npt.NDArray[Any]]] = {}
        images = [name.partition("/") for name in arrays if "/" in name]
        for modality, _, date in sorted(images, key=lambda parts: (parts[0], int(parts[2]))):
            inputs.setdefault(modality, []).append(arrays[f"{modality}/{date}"])
        return Sample(
            inputs,
            arrays["label"].astype(np.uint8),
            arrays["weight"].astype(np.float32),
            str(arrays.get("name", path.stem)),
            float(arrays.get("by_people", 0.0)),
            arrays.get("checked"),
        )
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise CloudbrushError(
            str(path), found=str(error), expected="a sample: label, weight and images"
        ) from error


def _device() -> str:
    """Return this process's own GPU, or the CPU."""
    if not torch.cuda.is_available():
        return "cpu"
    device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    torch.cuda.set_device(device)
    return device


def _join(device: str) -> None:
    """Meet the other processes, where torchrun says that there are any."""
    if "WORLD_SIZE" in os.environ:
        dist.init_process_group("gloo" if device == "cpu" else "nccl")


def _print(point: Progress) -> None:
    score = "" if point.val_miou is None else f", mIoU {point.val_miou:.3f}"
    print(f"step {point.step} of {point.steps}: loss {point.loss:.4f}{score} {point.note}".rstrip())


def _write_result(folder: Path, found: Trained, codes: tuple[int, ...]) -> None:
    history = [dataclasses.asdict(point) for point in found.history]
    card = {
        "name": folder.resolve().name,
        "config": dataclasses.asdict(found.config),
        "history": history,
        "kept_step": found.step,
        "seconds": found.seconds,
    }
    save_files(folder / OUTPUTS[0], found.network, codes, card)
    matrix = None if found.matrix is None else found.matrix.tolist()
    facts = {**card, "matrix": matrix, "notes": found.notes}
    (folder / OUTPUTS[1]).write_text(json.dumps(facts, indent=1))


def _codes(folder: Path, classes: int) -> tuple[int, ...]:
    """Return the code of each class; raises `CloudbrushError` where the file says otherwise."""
    path = folder / CODES
    if not path.exists():
        return tuple(range(1, classes + 1))
    try:
        codes = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CloudbrushError(str(path), found=str(error), expected="a list of codes") from error
    whole = isinstance(codes, list) and all(type(code) is int for code in codes)
    if not whole or len(codes) != classes:
        raise CloudbrushError(str(path), found=str(codes)[:80], expected=f"{classes} codes")
    return tuple(codes)


if __name__ == "__main__":
    main()
