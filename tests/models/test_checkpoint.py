"""A run that was stopped goes on from its checkpoint as if nothing had happened, bit for bit."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from core.errors import Cancelled
from models.losses import LossTerm
from models.networks import SegmentationNetwork
from models.objective import Supervised, Tensors
from models.sample import Sample
from models.train import Checkpoint, TrainConfig, Trained, train
from models.zoo.augment import Augment, check_augments
from tests.models.conftest import make_sample

ROOT = Path(__file__).resolve().parents[2]


class Moody(Supervised):
    """Draws torch's random numbers, moves a teacher, and counts in plain Python."""

    def __init__(
        self, network: SegmentationNetwork, balance: torch.Tensor, config: TrainConfig
    ) -> None:
        super().__init__(network, balance, config)
        self.teacher = torch.nn.Linear(2, 2).requires_grad_(False)
        self.mood = 1.0

    def forward(
        self, inputs: Tensors, label: torch.Tensor, weight: torch.Tensor, more: Tensors
    ) -> torch.Tensor:
        holes = {m: torch.dropout(x.float(), 0.3, True) for m, x in inputs.items()}
        pull = self.teacher.weight.mean() + more["noise"].mean() + self.mood
        return super().forward(holes, label, weight, more) * (1 + 0.1 * pull)

    def further(self, rng: np.random.Generator) -> dict[str, Any]:
        return {"noise": rng.random((2, 3)).astype(np.float32)}

    def after_step(self, step: int) -> None:
        super().after_step(step)
        self.teacher.weight.mul_(0.9)
        self.mood *= 0.8

    def memory(self) -> dict[str, Any]:
        return {**super().memory(), "mood": self.mood}

    def remember(self, values: Any) -> None:
        super().remember(values)
        self.mood = values["mood"]


VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "average and best": {"average": 0.9, "keep": "best", "patience": 5},
    "sgd, poly, no decay of norms": {
        "optimiser": "sgd",
        "schedule": "poly",
        "decay_norms": False,
        "accumulate": 2,
    },
    "annealed loss, augmentations": {
        "losses": (LossTerm("annealed_focal", 1.0, {"steps": 8}),),
        "augments": check_augments([Augment("speckle"), Augment("mosaic")]),
        "mixed_precision": False,
    },
}


def stopped_after(config: TrainConfig, steps: int, **more: Any) -> None:
    """Run `steps` steps, writing a checkpoint after each, and stop."""

    def there() -> bool:
        path = more["checkpoint"].path
        if not path.exists():
            return False
        with safe_open(path, "pt") as file:
            return bool(json.loads(file.metadata()["state"])["step"] == steps)

    with pytest.raises(Cancelled):
        train(config, cancelled=there, **more)


def identical(one: Trained, other: Trained) -> bool:
    first, second = one.network.state_dict(), other.network.state_dict()
    curves = [[(p.step, p.loss, p.val_miou) for p in run.history] for run in (one, other)]
    return (
        list(first) == list(second)
        and all(first[k].numpy().tobytes() == second[k].numpy().tobytes() for k in first)
        and curves[0] == curves[1]
        and one.step == other.step
        and (one.matrix is None or np.array_equal(one.matrix, other.matrix))  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("objective", [Supervised, Moody])
def test_six_and_six_steps_are_twelve(
    variant: str,
    objective: Callable[..., Supervised],
    samples: list[Sample],
    config: TrainConfig,
    tmp_path: Path,
) -> None:
    config = replace(config, validate_every=4, **VARIANTS[variant])
    run: dict[str, Any] = {"samples": samples, "val": [make_sample(9)], "objective": objective}
    whole = train(config, **run)
    path = tmp_path / "run.safetensors"
    stopped_after(config, 6, **run, checkpoint=Checkpoint(path, seconds=0))
    resumed = train(config, **run, checkpoint=Checkpoint(path, seconds=0))
    assert identical(whole, resumed)
    assert resumed.notes[0] == "Went on from step 6 after an interruption."
    assert whole.notes == ()


def test_a_run_that_had_ended_gives_its_model_at_once(
    samples: list[Sample], config: TrainConfig, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    whole = train(config, samples, [make_sample(9)], checkpoint=Checkpoint(path, seconds=0))
    again = train(config, samples, [make_sample(9)], checkpoint=Checkpoint(path, seconds=0))
    assert identical(whole, again) and "step 12" in again.notes[0]


def test_a_checkpoint_of_another_run_is_not_taken(
    samples: list[Sample], config: TrainConfig, tmp_path: Path
) -> None:
    """Other settings, other labels or another start: the run begins at its beginning."""
    path = tmp_path / "run.safetensors"
    stopped_after(config, 6, samples=samples, checkpoint=Checkpoint(path, seconds=0))
    kept = path.read_bytes()
    painted = replace(samples[0], label=np.zeros_like(samples[0].label))
    start = train(replace(config, steps=1), samples).network
    others: list[tuple[TrainConfig, list[Sample], SegmentationNetwork | None]] = [
        (replace(config, seed=1), samples, None),
        (config, [painted, *samples[1:]], None),
        (config, samples, start),
    ]
    for settings, tiles, begun in others:
        path.write_bytes(kept)
        found = train(settings, tiles, start=begun, checkpoint=Checkpoint(path))
        assert found.notes == ()
        assert identical(found, train(settings, tiles, start=begun))


def test_a_damaged_checkpoint_is_not_taken(
    samples: list[Sample], config: TrainConfig, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    stopped_after(config, 6, samples=samples, checkpoint=Checkpoint(path, seconds=0))
    kept = path.read_bytes()
    with safe_open(path, "pt") as file:
        header = file.metadata()
        tensors = {k: file.get_tensor(k).clone() for k in file.keys()}  # noqa: SIM118
    name = next(name for name in tensors if name.startswith("aim."))
    whole = train(config, samples)
    path.write_bytes(kept[: len(kept) // 2])
    assert identical(train(config, samples, checkpoint=Checkpoint(path)), whole)
    path.write_bytes(b"\x80\x04not a checkpoint")
    assert identical(train(config, samples, checkpoint=Checkpoint(path)), whole)
    save_file({**tensors, name: tensors[name].repeat(2, 1, 1, 1)}, path, header)
    assert identical(train(config, samples, checkpoint=Checkpoint(path)), whole)
    save_file({k: v for k, v in tensors.items() if k != name}, path, header)
    assert identical(train(config, samples, checkpoint=Checkpoint(path)), whole)


def test_writing_is_seldom_by_default(
    samples: list[Sample], config: TrainConfig, tmp_path: Path
) -> None:
    train(config, samples, checkpoint=Checkpoint(tmp_path / "run.safetensors"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.soak
def test_a_killed_process_leaves_a_whole_checkpoint(
    samples: list[Sample], config: TrainConfig, tmp_path: Path
) -> None:
    """Killed without warning while it writes after every step; then run again to the end."""
    script = """
import sys
from pathlib import Path
from safetensors.torch import save_file
from models.train import Checkpoint, TrainConfig, train
from tests.models.conftest import BANDS, make_sample

options = {"options": {"widths": (4, 8)}, "validate_every": 6, "batch": 2, "crop_px": 32}
config = TrainConfig(classes=3, bands=BANDS, steps=int(sys.argv[2]), **options)
folder = Path(sys.argv[1])
checkpoint = Checkpoint(folder / "run.safetensors", seconds=0)
samples = [make_sample(seed) for seed in range(3)]
found = train(config, samples, checkpoint=checkpoint, report=lambda p: print(p.step, flush=True))
weights = {name: tensor.contiguous() for name, tensor in found.network.state_dict().items()}
save_file(weights, folder / "end.safetensors")
print(*found.notes)
"""
    steps = 40
    command = [sys.executable, "-c", script, str(tmp_path), str(steps)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 12:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "end.safetensors").exists()
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Went on from step" in again.stdout
    whole = train(replace(config, steps=steps), samples).network.state_dict()
    with safe_open(tmp_path / "end.safetensors", "pt") as file:
        assert all(torch.equal(file.get_tensor(k), v) for k, v in whole.items())
