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
from models.networks import SegmentationNetwork, build
from models.recipes import CODE, run
from models.recipes.labelling import look
from models.recipes.run import Run
from models.sample import Sample
from models.train import Checkpoint, Progress, Trained, silent, train, validate
from models.training.scoring import never
from models.zoo.recipes import RECIPES, prediction_of, total_steps
from tests.models.recipe_tiles import SIDE, SMALL, TILES, VAL, tile

LAND_COVER = [name for name, recipe in RECIPES.items() if "land cover" in recipe.tasks]
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
