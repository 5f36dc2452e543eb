import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import Cancelled, CloudbrushError
from core.metrics import iou, mean
from models.sample import IGNORE, Sample, draw_batch, draw_chances, normalisation
from models.train import Progress, TrainConfig, class_weights, train
from tests.models.conftest import make_sample

SOME_OF_THE_BODY = "encoder.levels.0.0.weight"


def test_learns_and_reports(samples: list[Sample], config: TrainConfig) -> None:
    points: list[Progress] = []
    longer = replace(config, steps=60, validate_every=30, learning_rate=1e-2)
    trained = train(longer, samples, [make_sample(9)], report=points.append)
    assert points == trained.history
    assert points[-1].step == 60 and points[-1].epoch == points[-1].epochs == 2
    assert points[-1].loss < points[0].loss
    assert points[-1].val_miou is not None and points[-1].val_miou > 0.6
    assert points[-1].seconds_left == 0
    assert trained.matrix is not None and mean(iou(trained.matrix)) == points[-1].val_miou
    assert trained.matrix.sum() == 48 * 48 and trained.matrix[-1].sum() == 4  # void


@pytest.mark.parametrize("network", ["unet", "two_branch"])
def test_same_seed_same_weights(network: str, samples: list[Sample], config: TrainConfig) -> None:
    config = replace(config, network=network, steps=4)
    first, second = (train(config, samples).network.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = train(replace(config, seed=1), samples).network.state_dict()
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_the_callers_random_state_is_left_alone(samples: list[Sample], config: TrainConfig) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(replace(config, steps=2), samples)
    assert torch.equal(torch.rand(3), expected)


def test_void_and_weightless_pixels_teach_nothing(
    samples: list[Sample], config: TrainConfig
) -> None:
    config = replace(config, class_balance=0.0, steps=4)
    hidden = samples[0].label == 1
    as_void, wrong = samples[0].label.copy(), samples[0].label.copy()
    as_void[hidden] = IGNORE
    wrong[hidden] = 2
    weightless = np.where(hidden, 0, 1).astype(np.float32)
    first = train(config, [replace(samples[0], label=as_void)]).network.state_dict()
    second = train(config, [replace(samples[0], label=wrong, weight=weightless)])
    assert all(torch.equal(v, first[k]) for k, v in second.network.state_dict().items())


def test_a_start_keeps_weights_and_normalisation(
    samples: list[Sample], config: TrainConfig
) -> None:
    parent = train(replace(config, steps=3), samples).network
    child = train(replace(config, steps=1, learning_rate=0.0), [make_sample(7)], start=parent)
    for name, value in parent.named_parameters():
        assert torch.equal(value, child.network.get_parameter(name))
    assert torch.equal(parent.get_buffer("mean_sar"), child.network.get_buffer("mean_sar"))


def test_the_last_layer_of_a_start_learns_faster(
    samples: list[Sample], config: TrainConfig
) -> None:
    """Adam's first step moves a weight by the learning rate, whatever the gradient."""
    parent = train(replace(config, steps=3), samples).network
    once = replace(config, steps=1, weight_decay=0.0, head_rate=10.0)
    child = train(once, samples, start=parent).network

    def moved(name: str) -> float:
        return (parent.get_parameter(name) - child.get_parameter(name)).abs().max().item()

    assert moved("decoder.head.bias") == pytest.approx(10 * moved(SOME_OF_THE_BODY), rel=0.05)
    scratch = train(once, samples).network.state_dict()
    same = train(replace(once, head_rate=1.0), samples).network.state_dict()
    assert all(torch.equal(scratch[name], same[name]) for name in scratch)


def test_a_class_that_the_start_never_saw_is_learnt(config: TrainConfig) -> None:
    seen = [make_sample(seed) for seed in (1, 2)]
    without = [replace(s, label=np.where(s.label == 2, 1, s.label).astype(np.uint8)) for s in seen]
    parent = train(replace(config, steps=60, learning_rate=1e-2), without).network
    short = replace(config, steps=60, learning_rate=1e-2, class_balance=0.5)
    painted = replace(seen[0], weight=seen[0].weight * 4, by_people=1.0)
    held = [make_sample(9)]
    after = train(short, [painted, without[1]], held, start=parent)
    control = train(short, without, held, start=parent)
    assert after.matrix is not None and control.matrix is not None
    assert iou(control.matrix)[2] == 0
    assert iou(after.matrix)[2] > 0.3


def test_a_start_of_another_network_is_refused(samples: list[Sample], config: TrainConfig) -> None:
    parent = train(replace(config, steps=1), samples).network
    with pytest.raises(CloudbrushError, match="start of training"):
        train(replace(config, network="two_branch"), samples, start=parent)


def test_stops_when_asked(samples: list[Sample], config: TrainConfig) -> None:
    asked = iter([False, False, True])
    with pytest.raises(Cancelled, match="step 3"):
        train(config, samples, cancelled=lambda: next(asked))


def test_nothing_to_learn_from_is_refused(samples: list[Sample], config: TrainConfig) -> None:
    void = replace(samples[0], label=np.full_like(samples[0].label, IGNORE))
    with pytest.raises(CloudbrushError, match="without a labelled pixel"):
        train(config, [void])


def test_wrong_bands_and_classes_are_refused(samples: list[Sample], config: TrainConfig) -> None:
    with pytest.raises(CloudbrushError, match="bands"):
        train(replace(config, bands={"optical": 4, "sar": 1}), samples)
    with pytest.raises(CloudbrushError, match="class index 2"):
        train(replace(config, classes=2), samples)


def test_sar_only_reads_no_optical(samples: list[Sample], config: TrainConfig) -> None:
    trained = train(replace(config, bands={"sar": 1}, steps=2), samples)
    assert trained.network.spec.bands == {"sar": 1}


def test_crops_draw_acquisitions_and_pad_small_tiles() -> None:
    sample = make_sample(1, size=16)
    batch = draw_batch([sample], ("optical",), 24, 40, np.random.default_rng(0))
    assert batch.inputs["optical"].shape == (40, 3, 24, 24)
    assert batch.label.shape == batch.weight.shape == (40, 24, 24)
    assert np.array_equal(np.isnan(batch.inputs["optical"][:, 0]).sum((1, 2)), [24 * 24 - 256] * 40)
    assert ((batch.label == IGNORE).sum((1, 2)) == 24 * 24 - 256 + 4).all()
    means = np.nanmean(batch.inputs["optical"], (1, 2, 3))
    assert len(np.unique(means.round(3))) == 2  # both dates were drawn


def test_tiles_that_people_looked_at_are_drawn_more_often() -> None:
    ground = np.zeros((8, 8), np.uint8)
    weight = np.ones((8, 8), np.float32)
    samples = [
        Sample({"sar": [np.full((1, 8, 8), number)]}, ground, weight, f"{number}", share)
        for number, share in enumerate((1.0, 0.5, 0.0))
    ]
    chances = draw_chances(samples, 3.0)
    assert chances == pytest.approx(np.array([3, 2, 1]) / 6)
    drawn = draw_batch(samples, ("sar",), 8, 600, np.random.default_rng(0), chances=chances)
    counts = np.bincount(drawn.inputs["sar"][:, 0, 0, 0].astype(int))
    assert counts == pytest.approx([300, 200, 100], abs=40)


def test_untouched_tiles_are_drawn_alike(samples: list[Sample]) -> None:
    assert draw_chances(samples, 3.0) is None
    assert draw_chances([replace(s, by_people=0.4) for s in samples], 3.0) is None
    assert draw_chances([replace(samples[0], by_people=1.0), samples[0]], 1.0) is None


def test_crops_turn_image_and_label_together() -> None:
    sample = make_sample(2)
    sample = replace(sample, inputs={"sar": [sample.label[None].astype(np.float32)]})
    batch = draw_batch([sample], ("sar",), 20, 8, np.random.default_rng(3))
    assert np.array_equal(batch.inputs["sar"][:, 0], batch.label)


def test_normalisation_leaves_missing_pixels_out() -> None:
    image = np.full((1, 8, 8), 4.0, np.float32)
    image[:, :, 4:] = np.nan
    zeros = np.zeros((8, 8), np.uint8)
    sample = Sample({"sar": [image, image + 2]}, zeros, np.ones((8, 8), np.float32), "t")
    mean, std = normalisation([sample], "sar")
    assert mean == pytest.approx([5.0]) and std == pytest.approx([1.0])


def test_class_balance_raises_rare_classes() -> None:
    label = np.zeros((10, 10), np.uint8)
    label[0] = 1
    sample = Sample({"sar": [label[None]]}, label, np.ones((10, 10), np.float32), "t")
    config = TrainConfig(classes=3, bands={"sar": 1}, class_balance=0.5)
    weights = class_weights(config, [sample])
    assert weights[1] / weights[0] == pytest.approx(3.0)
    assert 0.9 * weights[0] + 0.1 * weights[1] == pytest.approx(1.0)
    assert weights[2] == 0
    assert class_weights(replace(config, class_balance=0.0), [sample])[:2] == pytest.approx([1, 1])


def test_samples_check_their_shapes() -> None:
    image, weight = np.zeros((3, 4, 4)), np.ones((4, 4), np.float32)
    label = np.zeros((4, 4), np.uint8)
    with pytest.raises(CloudbrushError):
        Sample({"optical": [image[:, :3]]}, label, weight, "t")
    with pytest.raises(CloudbrushError):
        Sample({"optical": []}, label, weight, "t")
    with pytest.raises(CloudbrushError):
        Sample({"optical": [image]}, label, weight[:2], "t")


def test_training_needs_torch_and_numpy_only() -> None:
    """Other third-party packages are hidden; the module must import and train all the same."""
    script = """
import sys

for name in ("sqlalchemy", "alembic", "pydantic", "pydantic_settings", "rasterio", "safetensors",
             "scipy", "skimage", "pandas", "streamlit", "PIL", "sklearn", "plotly", "itsdangerous"):
    sys.modules[name] = None  # makes its import fail
import numpy as np
from models.sample import Sample
from models.train import TrainConfig, train
image = np.random.default_rng(0).random((1, 16, 16), np.float32)
label = (image[0] > 0.5).astype(np.uint8)
sample = Sample({"sar": [image]}, label, np.ones((16, 16), np.float32), "t")
small = {"options": {"widths": (2, 4)}, "steps": 1, "batch": 1, "crop_px": 16}
config = TrainConfig(classes=2, bands={"sar": 1}, **small)
assert train(config, [sample], [sample]).matrix.sum() == 256
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
