"""Every recipe end to end on small arrays, and what each must never do."""

import math
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import Cancelled, CloudbrushError, ModelFileError
from core.object_vote import ObjectVote, of_card
from models.losses.soft import divergence
from models.networks import SegmentationNetwork, build
from models.recipes import CODE, run
from models.recipes.co_teaching import CoTeaching
from models.recipes.from_soft import FromSoft
from models.recipes.labelling import SOFT, agreed, look, relabelled, softened
from models.recipes.run import Run
from models.recipes.self_training import SelfTraining, chosen_classes, kept_label
from models.recipes.torch_augment import blurred, jittered
from models.sample import IGNORE, Sample
from models.train import Checkpoint, Progress, Trained, silent, train, validate
from models.training.config import TrainConfig
from models.training.scoring import never
from models.zoo.recipes import RECIPES, prediction_of, total_steps

SIDE = 64
SMALL = TrainConfig(
    classes=3,
    bands={"optical": 3, "sar": 2},
    options={"widths": (4, 8)},
    steps=30,
    validate_every=15,
    batch=4,
    crop_px=32,
    learning_rate=1e-2,
    mixed_precision=False,
)
LAND_COVER = [name for name, recipe in RECIPES.items() if "land cover" in recipe.tasks]


def tile(seed: int, *, noise: float = 0.2) -> tuple[Sample, Sample]:
    """Return a tile with wrong labels in blocks, and the same with the true ones."""
    rng = np.random.default_rng(seed)
    step = SIDE // 8

    def blocks(values: np.ndarray) -> np.ndarray:
        return values.repeat(step, 0).repeat(step, 1)

    truth = blocks(rng.integers(0, 3, (8, 8)).astype(np.uint8))
    label = np.where(blocks(rng.random((8, 8))) < noise, (truth + 1) % 3, truth).astype(np.uint8)
    optical = (60.0 * truth + rng.normal(60, 8, (3, SIDE, SIDE))).clip(1, 255)
    sar = -22 + 6.0 * truth + rng.normal(0, 1.5, (2, SIDE, SIDE))
    inputs = {"optical": [optical.astype(np.float32)], "sar": [sar.astype(np.float32)]}
    weight = np.ones(label.shape, np.float32)
    noisy = Sample(inputs, label, weight, f"tile {seed}")
    return noisy, replace(noisy, label=truth)


TILES = [tile(seed)[0] for seed in range(4)]
VAL = [tile(100)[1]]


STEPS = {"self_training": 80, "cross_modal": 60}
"""Where a student learns from a teacher, the teacher must have learnt something first."""


def settings_of(name: str) -> dict[str, Any]:
    return {"label_views": "1"} if "label_views" in RECIPES[name].settings else {}


@pytest.fixture(scope="module")
def results() -> dict[str, tuple[Trained, list[Progress]]]:
    found = {}
    for name in LAND_COVER:
        points: list[Progress] = []
        config = replace(SMALL, steps=STEPS.get(name, 30))
        result = run(name, config, TILES, VAL, settings=settings_of(name), report=points.append)
        found[name] = result, points
    return found


@pytest.mark.parametrize("name", LAND_COVER)
def test_a_recipe_learns_something(
    name: str, results: dict[str, tuple[Trained, list[Progress]]]
) -> None:
    network = results[name][0].network
    torch.manual_seed(0)
    spec = network.spec
    untrained = build(spec.name, spec.bands, spec.classes, spec.options)
    untrained.load_state_dict(
        {k: v for k, v in network.state_dict().items() if k.startswith(("mean_", "std_"))},
        strict=False,
    )

    def right(of: SegmentationNetwork) -> float:
        matrix = validate(of, VAL)
        return float(np.trace(matrix[:3, :3]) / matrix.sum())

    assert right(network) > max(right(untrained) + 0.15, 0.5)


@pytest.mark.parametrize("name", LAND_COVER)
def test_progress_runs_once_over_all_steps(
    name: str, results: dict[str, tuple[Trained, list[Progress]]]
) -> None:
    result, points = results[name]
    total = total_steps(name, STEPS.get(name, 30))
    assert [p.step for p in points] == sorted({p.step for p in points})
    assert {p.steps for p in points} == {total} and points[-1].step == total
    assert points[-1].epoch == points[-1].epochs and points[-1].val_miou is not None
    assert all(p.seconds_left > 0 for p in points[:-1]) and points[-1].seconds_left == 0
    assert all(math.isfinite(p.loss) for p in points)
    assert result.history == points
    assert set(result.network.spec.bands) == set(RECIPES[name].inputs or SMALL.bands)


def weights_of(result: Trained) -> bytes:
    return b"".join(v.numpy().tobytes() for v in result.network.state_dict().values())


@pytest.mark.parametrize("name", [n for n in LAND_COVER if n != "plain"])
def test_one_seed_gives_one_network_whatever_the_validation_labels_say(
    name: str, results: dict[str, tuple[Trained, list[Progress]]]
) -> None:
    """The second run has other validation labels: nothing of them may reach the weights."""
    config = replace(SMALL, steps=4)
    other = [replace(VAL[0], label=((VAL[0].label + 1) % 3).astype(np.uint8))]
    made = [
        weights_of(run(name, config, TILES[:2], val, settings=settings_of(name)))
        for val in (VAL, other)
    ]
    assert made[0] == made[1]
    seeded = replace(config, seed=5)
    assert weights_of(run(name, seeded, TILES[:2], settings=settings_of(name))) != made[0]


@pytest.mark.parametrize("name", ["self_training", "cross_modal"])
def test_labels_of_unlabelled_tiles_are_never_looked_at(name: str) -> None:
    config = replace(SMALL, steps=4)
    pool = tile(7)[0]
    wrong = replace(
        pool, label=np.zeros_like(pool.label), checked=np.ones(pool.label.shape, np.bool_)
    )
    made = [
        weights_of(run(name, config, TILES[:2], unlabelled=[one], settings=settings_of(name)))
        for one in (pool, wrong)
    ]
    assert made[0] == made[1]
    without = weights_of(run(name, config, TILES[:2], settings=settings_of(name)))
    assert made[0] != without


@pytest.mark.parametrize("name", ["self_training", "cross_modal"])
def test_labelling_says_which_tile_it_looks_at(name: str) -> None:
    said: list[str] = []
    settings = settings_of(name)
    run(name, replace(SMALL, steps=2), TILES[:2], settings=settings, say=said.append)
    assert [text.partition(": ")[2] for text in said] == ["tile 1 of 2", "tile 2 of 2"]


def test_teachers_look_at_the_clearest_dates_alone() -> None:
    network = build("unet", {"optical": 3}, 3, {"widths": (4, 8)}).eval()
    clear = TILES[0].inputs["optical"][0]
    clouded = replace(TILES[0], inputs={"optical": [clear, clear + 90]})
    work = Run(RECIPES["cross_modal"], {}, SMALL, [clouded], [], [], None, silent, never, "cpu")
    first = look(work, [network], clouded, 1, 1)
    assert np.array_equal(first, look(work, [network], TILES[0], 1))
    assert not np.array_equal(first, look(work, [network], clouded, 1))


@pytest.mark.parametrize("name", LAND_COVER)
def test_a_recipe_stops_when_asked_even_late(name: str) -> None:
    asked = 0
    total = total_steps(name, 4)

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > total - 1

    with pytest.raises(Cancelled):
        run(
            name,
            replace(SMALL, steps=4),
            TILES[:1],
            settings=settings_of(name),
            cancelled=cancelled,
        )


def test_the_best_network_on_validation_may_be_kept_of_the_last_step_only() -> None:
    config = replace(SMALL, steps=4, validate_every=2, keep="best", patience=3)
    settings = settings_of("cross_modal")
    result = run("cross_modal", config, TILES[:2], VAL, settings=settings)
    assert result.config.keep == "best" and result.matrix is not None


def test_plain_is_what_training_was_without_recipes() -> None:
    config = replace(SMALL, steps=4)
    assert weights_of(run("plain", config, TILES)) == weights_of(train(config, TILES))


@pytest.mark.parametrize("name", ["self_training", "co_teaching"])
def test_a_stopped_recipe_goes_on_bit_for_bit(name: str, tmp_path: Path) -> None:
    config = replace(SMALL, steps=6)
    kept = Checkpoint(tmp_path / "run.safetensors", seconds=0.0)
    settings = settings_of(name)
    whole = weights_of(run(name, config, TILES[:2], settings=settings))
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > total_steps(name, 6) - 2

    with pytest.raises(Cancelled):
        run(name, config, TILES[:2], settings=settings, cancelled=cancelled, checkpoint=kept)
    files = list(tmp_path.glob("run-step-*.safetensors"))
    assert files
    again = run(name, config, TILES[:2], settings=settings, checkpoint=kept)
    assert weights_of(again) == whole


def damage_tile(seed: int) -> Sample:
    rng = np.random.default_rng(seed)
    label = np.zeros((SIDE, SIDE), np.uint8)
    for y in range(4, SIDE - 12, 16):
        for x in range(4, SIDE - 12, 16):
            label[y : y + 10, x : x + 10] = rng.integers(1, 4)
    optical = (120.0 * (label > 0) + rng.normal(60, 8, (3, SIDE, SIDE))).astype(np.float32)
    sar = (60.0 * label + rng.normal(20, 4, (1, SIDE, SIDE))).clip(0, 255).astype(np.float32)
    weight = np.ones(label.shape, np.float32)
    return Sample({"optical": [optical], "sar": [sar]}, label, weight, f"town {seed}")


@pytest.mark.soak
def test_buildings_guide_damage_end_to_end() -> None:
    tiles, val = [damage_tile(seed) for seed in range(3)], [damage_tile(100)]
    config = replace(
        SMALL, classes=4, bands={"optical": 3, "sar": 1}, network="uabcd_v2", options={}
    )
    config = replace(config, steps=24, crop_px=64, batch=2, learning_rate=4e-3)
    points: list[Progress] = []
    result = run(
        "building_guided", config, tiles, val, settings={"views": "1"}, report=points.append
    )
    assert result.network.spec.name == "uabcd_v2"
    assert points[-1].step == total_steps("building_guided", 24)
    matrix = validate(result.network, val)
    found = 1 - matrix[1:4, 0].sum() / matrix[1:4].sum()
    assert found > 0.5
    right = np.trace(matrix[:4, :4]) / matrix.sum()
    assert right > 0.6


def test_every_recipe_of_the_table_has_code_and_says_what_it_does() -> None:
    assert set(CODE) == set(RECIPES)
    for recipe in RECIPES.values():
        assert recipe.steps[-1].says and sum(step.share for step in recipe.steps) >= 1
        assert recipe.source and recipe.published and recipe.ours and recipe.licence


def test_how_a_recipe_predicts_goes_into_the_card() -> None:
    assert prediction_of("plain", {}) == {"views": 1}
    assert prediction_of("self_training", {"views": "24"}) == {"views": 24, "valid_area": True}
    voted = prediction_of("building_guided", {"vote_share": 0.3})
    assert of_card(voted["post"]) == ObjectVote("threshold", 0.3, 50)
    assert prediction_of("building_guided", {"vote": False})["post"] == {}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("unknown", {}),
        ("co_teaching", {"noise": 2.0}),
        ("co_teaching", {"unknown": 1}),
        ("self_training", {"teacher": "uabcd"}),
    ],
)
def test_what_is_not_in_the_table_is_refused(name: str, settings: Mapping[str, Any]) -> None:
    with pytest.raises(ModelFileError):
        run(name, SMALL, TILES, settings=settings)


def test_a_recipe_says_what_tiles_lack() -> None:
    only = [replace(t, inputs={"sar": t.inputs["sar"]}) for t in TILES]
    with pytest.raises(CloudbrushError, match="optical"):
        run("cross_modal", SMALL, only)


def test_a_recipe_that_must_start_afresh_refuses_a_start() -> None:
    start = build("unet", {"sar": 2}, 3, {"widths": (4, 8)})
    with pytest.raises(CloudbrushError, match="a start from scratch"):
        run("self_training", SMALL, TILES, start=start)


def test_teachers_that_learn_from_checked_labels_need_some() -> None:
    with pytest.raises(CloudbrushError, match="changed or verified"):
        run("self_training", SMALL, TILES, settings={"source": "checked labels"})


def test_pixels_that_people_checked_keep_label_and_weight() -> None:
    sample = tile(1)[0]
    kept = np.zeros(sample.label.shape, np.bool_)
    kept[:8] = True
    sample = replace(sample, checked=kept, weight=np.full(sample.label.shape, 4.0, np.float32))
    other = ((sample.label + 1) % 3).astype(np.uint8)
    changed = relabelled(sample, other, np.ones(other.shape, np.float32))
    assert np.array_equal(changed.label[:8], sample.label[:8]) and (changed.weight[:8] == 4).all()
    assert np.array_equal(changed.label[8:], other[8:]) and (changed.weight[8:] == 1).all()
    even = np.full((3, SIDE, SIDE), 1 / 3, np.float32)
    soft = softened(sample, even, np.ones(other.shape, np.float32))
    values = soft.inputs[SOFT][0]
    assert (values.max(0)[:8] == 255).all() and (values[:, 8:] == 85).all()


def test_two_maps_are_kept_where_they_agree() -> None:
    first, second = np.array([[0, 1, 2]], np.uint8), np.array([[0, 2, 2]], np.uint8)
    assert agreed(first, second).tolist() == [[0, IGNORE, 2]]
    soft = [np.eye(3, dtype=np.float32)[m].transpose(2, 0, 1) for m in (first, second)]
    soft[1] *= 2
    given = np.array([[1, 1, 2]], np.uint8)
    assert kept_label(soft, given, "agree").tolist() == [[0, IGNORE, 2]]
    assert kept_label(soft, given, "agree with labels").tolist() == [[IGNORE, 1, 2]]
    assert kept_label(soft, given, "sum").tolist() == [[0, 2, 2]]
    assert kept_label(soft, given, "one").tolist() == [[0, 1, 2]]


def test_half_of_the_classes_of_each_image_are_pasted() -> None:
    label = torch.tensor([[[0, 1, 2, IGNORE]], [[3, 3, 3, 3]], [[0, 1, 2, 3]]])
    dice = torch.tensor([[0.9, 0.1, 0.5, 0.0]] * 3)
    pasted = chosen_classes(label, dice)
    assert pasted[:, 0].tolist() == [
        [False, True, True, False],
        [True, True, True, True],
        [False, True, False, True],
    ]


def test_the_teacher_follows_the_student_and_gets_no_gradient() -> None:
    torch.manual_seed(0)
    network = build("unet", {"optical": 3}, 3, {"widths": (4, 8)})
    config = replace(SMALL, bands={"optical": 3})
    aim = SelfTraining(network, torch.ones(3), config, TILES, confidence=0.968, ema=0.9)
    aim.train()
    assert not aim.teacher.training and network.training
    before = [p.clone() for p in aim.teacher.parameters()]
    with torch.no_grad():
        for p in network.parameters():
            p.add_(1.0)
    aim.after_step(20)
    for old, new, student in zip(
        before, aim.teacher.parameters(), network.parameters(), strict=True
    ):
        torch.testing.assert_close(new, 0.9 * old + 0.1 * student)
        assert not new.requires_grad
    aim.after_step(1)
    for new, student in zip(aim.teacher.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(new, student)


def test_an_unsure_teacher_counts_nothing_outside_pasted_classes() -> None:
    torch.manual_seed(0)
    network = build("unet", {"optical": 3}, 3, {"widths": (4, 8)})
    config = replace(SMALL, bands={"optical": 3})
    sure = SelfTraining(network, torch.ones(3), config, TILES, confidence=0.0, ema=0.9)
    never = SelfTraining(network, torch.ones(3), config, TILES, confidence=1.0, ema=0.9)
    rng = np.random.default_rng(0)
    more = {k: torch.from_numpy(np.asarray(v)) for k, v in sure.further(rng).items()}
    inputs = {"optical": more["pool_optical"].clone()}
    void = torch.full((4, 32, 32), IGNORE)
    nothing = torch.zeros(4, 32, 32)
    assert never(inputs, void, nothing, more).item() == 0
    assert sure(inputs, void, nothing, more).item() > 0


def test_jitter_and_blur_of_nothing_change_nothing_and_missing_stays_missing() -> None:
    images = torch.rand(2, 3, 16, 16)
    images[0, :, :4] = torch.nan
    same = blurred(jittered(images, torch.zeros(2, 3)), torch.zeros(2))
    torch.testing.assert_close(same, images, equal_nan=True)
    smooth = blurred(images, torch.tensor([1.0, 1.0]))
    assert smooth[0, :, :4].isnan().all() and not smooth[0, :, 4:].isnan().any()
    assert smooth[1].std() < 0.5 * images[1].std()
    brighter = jittered(images, torch.tensor([[0.2, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    torch.testing.assert_close(brighter[0, :, 4:], 1.2 * images[0, :, 4:])


def test_each_network_learns_what_the_other_finds_easy() -> None:
    torch.manual_seed(0)
    network = build("unet", {"optical": 3}, 2, {"widths": (4, 8)})
    config = replace(SMALL, classes=2, bands={"optical": 3}, steps=10)
    aim = CoTeaching(network, torch.ones(2), config, noise=0.5, ramp=0.5, by_class=True)
    assert any(
        not torch.equal(a, b)
        for a, b in zip(network.parameters(), aim.peer.parameters(), strict=True)
    )
    assert aim.kept_share == 1.0
    aim.after_step(5)
    assert aim.kept_share == 0.5
    logits = torch.zeros(1, 2, 1, 8)
    logits[0, 0] = torch.tensor([4.0, 3.0, 2.0, 1.0, -1.0, -2.0, -3.0, -4.0])
    label = torch.tensor([[[0, 0, 0, 0, 1, 1, 1, IGNORE]]])
    easy = aim._easy(logits, label, torch.ones(1, 1, 8))
    assert easy.tolist() == [[[True, True, False, False, False, True, True, False]]]


def test_soft_labels_of_one_class_are_plain_cross_entropy() -> None:
    torch.manual_seed(0)
    network = build("unet", {"sar": 2}, 3, {"widths": (4, 8)}).eval()
    balance = torch.tensor([1.0, 3.0, 0.5])
    aim = FromSoft(network, balance, divergence, SMALL)
    label = torch.randint(3, (2, 16, 16))
    label[0, :4] = IGNORE
    soft = torch.nn.functional.one_hot(label % 3, 3).movedim(-1, 1).float() * 255
    inputs = {"sar": torch.randn(2, 2, 16, 16), SOFT: soft}
    found = aim(inputs, label, torch.ones(2, 16, 16), {})
    wanted = torch.nn.functional.cross_entropy(
        network({"sar": inputs["sar"]}), label, balance, ignore_index=IGNORE
    )
    torch.testing.assert_close(found, wanted)


@pytest.mark.soak
def test_recipes_need_torch_and_numpy_only() -> None:
    script = """
import sys

for name in ("sqlalchemy", "rasterio", "safetensors", "scipy", "skimage", "pandas", "streamlit",
             "timm", "torchvision", "segmentation_models_pytorch"):
    sys.modules[name] = None  # makes its import fail
import numpy as np
from models.recipes import run
from models.sample import Sample
from models.train import TrainConfig
rng = np.random.default_rng(0)
image = rng.random((1, 16, 16), np.float32)
label = (image[0] > 0.5).astype(np.uint8)
sample = Sample({"sar": [image], "optical": [image]}, label, np.ones((16, 16), np.float32), "t")
small = {"options": {"widths": (2, 4)}, "steps": 1, "batch": 1, "crop_px": 16}
config = TrainConfig(classes=2, bands={"sar": 1}, **small)
run("cross_modal", config, [sample], settings={"label_views": "1"})
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
