"""Several processes that train together take the steps of one with a larger batch."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from core.errors import CloudbrushError
from models.sample import Sample
from models.train import TrainConfig, train
from models.train_distributed import read_run, write_run
from models.training.config import of_json, to_json
from tests.models.conftest import make_sample
from tests.models.test_training import WithoutBatchNorm

ROOT = Path(__file__).resolve().parents[2]


def torchrun(folder: Path, module: str, processes: int = 2) -> str:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), "-m", module, str(folder)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.long
def test_two_processes_equal_one_with_twice_the_batch(
    samples: list[Sample], config: TrainConfig, tmp_path: Path
) -> None:
    """Batch 2 on each of two, in two passes a step, against batch 8 in one."""
    config = replace(
        config, steps=6, validate_every=3, mixed_precision=False, accumulate=2, average=0.5
    )
    held = [make_sample(8), make_sample(9)]
    write_run(tmp_path, config, samples, held)
    out = torchrun(tmp_path, "tests.models.rank_worker")
    assert out.count("step 6 of 6") == 1, "only the first process reports"
    found = json.loads((tmp_path / "run.json").read_text())
    one = replace(config, batch=8, accumulate=1)
    alone = train(one, samples, held, objective=WithoutBatchNorm)
    losses = [point["loss"] for point in found["history"]]
    assert losses == pytest.approx([point.loss for point in alone.history], rel=1e-4)
    half = train(replace(one, batch=4), samples, held, objective=WithoutBatchNorm)
    assert losses != pytest.approx([point.loss for point in half.history], rel=1e-2)
    assert alone.matrix is not None
    assert np.abs(np.array(found["matrix"]) - alone.matrix).sum() <= 0.01 * alone.matrix.sum()
    weights = load_file(tmp_path / "network.safetensors")
    for name, expected in alone.network.state_dict().items():
        assert torch.allclose(weights[name], expected, atol=1e-4), name


def test_a_folder_holds_a_run(samples: list[Sample], config: TrainConfig, tmp_path: Path) -> None:
    checked = samples[0].label == 1
    write_run(tmp_path, config, [replace(samples[0], checked=checked, by_people=0.5)], samples[1:])
    found, (first,), val = read_run(tmp_path)
    assert to_json(found) == to_json(of_json(to_json(config))) and len(val) == 2
    assert first.name == samples[0].name and first.by_people == 0.5
    assert first.checked is not None and np.array_equal(first.checked, checked)
    for modality, images in samples[0].inputs.items():
        assert all(
            np.array_equal(a, b) for a, b in zip(first.inputs[modality], images, strict=True)
        )


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04rubbish", b"\x93NUMPY\x01\x00"])
def test_broken_samples_are_named(content: bytes, config: TrainConfig, tmp_path: Path) -> None:
    write_run(tmp_path, config, [])
    (tmp_path / "train" / "000000.npz").write_bytes(content)
    with pytest.raises(CloudbrushError, match=r"000000\.npz"):
        read_run(tmp_path)


def test_a_folder_without_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CloudbrushError, match=r"config\.json"):
        read_run(tmp_path)
