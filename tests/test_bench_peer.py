"""The benchmark against a plain loop compares like with like, and measures what it says."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from models.networks import build
from tests.bench import _peer

SIZES = _peer.Sizes(
    encoders=("resnet18",),
    batch=2,
    crop_px=64,
    steps=1,
    rounds=1,
    side=96,
    window_px=64,
    overlap_px=32,
    gpu_batches=(1, 2),
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Let small networks not wait for threads that a busy machine has put off."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_peer_is_the_same_network_and_draws_the_same_map(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("models.scene.mixed_precision_helps", lambda _device: False)
    torch.manual_seed(0)
    whole = _peer.Sizes(side=96, window_px=96, overlap_px=32)  # one window: nothing is blended
    ours = build(_peer.NETWORK, _peer.BANDS, _peer.CLASSES, {"encoder": "resnet18"}).eval()
    peer = _peer.peer_network("resnet18").eval()
    peer.load_state_dict(ours.get_submodule("model").state_dict())
    rng = np.random.default_rng(0)
    scene = {m: rng.normal(size=(n, 96, 96)).astype(np.float32) for m, n in _peer.BANDS.items()}
    found = _peer.our_map(ours, scene, "cpu", whole)
    same = (found == _peer.peer_map(peer, scene, "cpu", whole)).mean()
    assert same > 0.999 and len(np.unique(found)) > 1


def test_every_figure_is_there_and_ratios_are_of_the_seconds() -> None:
    found = {name: figure["value"] for name, figure in _peer.figures("cpu", SIZES).items()}
    assert all(value > 0 for value in found.values())
    step = found["step_resnet18_peer"] / found["step_resnet18"]
    assert found["step_resnet18_speedup"] == pytest.approx(step, rel=0.05)
    window = found["predict_resnet18_peer"] / found["predict_resnet18"]
    assert found["predict_resnet18_speedup"] == pytest.approx(window, rel=0.05)


def test_what_a_gpu_adds_runs_on_any_device() -> None:
    samples = [_peer._sample(0, SIZES.side)]
    found = _peer.by_batch("resnet18", samples, "cpu", SIZES)
    assert {name for name in found if name.startswith("crops_")} == {
        f"crops_resnet18_{way}_batch_{size}" for way in ("amp", "fp32", "peer") for size in (1, 2)
    }
    assert all(found[name]["value"] > 0 for name in found if name.startswith("crops_"))
    assert all(found[name]["value"] == 0 for name in found if name.startswith("memory_"))
