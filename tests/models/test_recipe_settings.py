"""What a recipe fixes is said in its table, holds in every step, and leaves the rest alone."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from core.records import Project
from core.store.engine import Store
from models.plan import plan
from models.recipes import run
from models.recipes.run import Run
from models.request import request_of
from models.sample import Sample
from models.train import Trained
from models.training.config import TrainConfig, check_config
from models.zoo.augment import AUGMENTATIONS, Augment
from models.zoo.losses import LossTerm
from models.zoo.recipes import RECIPES

SIDE = 32
ASKED = TrainConfig(
    classes=4,
    bands={"optical": 3, "sar": 1},
    options={"widths": (4, 8)},
    steps=2,
    batch=2,
    crop_px=SIDE,
    optimiser="sgd",
    schedule="poly",
    losses=(LossTerm("focal"),),
    augments=(Augment("speckle"), Augment("blur", {"chance": 0.9})),
)
SETTINGS: dict[str, dict[str, Any]] = {
    "self_training": {"label_views": "1", "cleaning": "one"},
    "cross_modal": {"label_views": "1"},
    "building_guided": {"views": "1"},
}


def town(seed: int) -> Sample:
    rng = np.random.default_rng(seed)
    label = np.zeros((SIDE, SIDE), np.uint8)
    label[4:20, 4:28] = 1 + seed % 3
    inputs = {
        "optical": [rng.normal(90, 20, (3, SIDE, SIDE)).astype(np.float32)],
        "sar": [rng.uniform(1, 200, (1, SIDE, SIDE)).astype(np.float32)],
    }
    return Sample(inputs, label, np.ones(label.shape, np.float32), f"town {seed}")


def trained(
    monkeypatch: pytest.MonkeyPatch, name: str, tiles: Sequence[Sample] = ()
) -> list[tuple[TrainConfig, list[Sample]]]:
    """Run a recipe for a step or two; return the settings and tiles of each of its trainings."""
    seen, teach = [], Run.teach

    def watched(self: Run, number: int, own: TrainConfig, tiles: Any, **more: Any) -> Trained:
        seen.append((own, list(tiles)))
        return teach(self, number, own, tiles, **more)

    monkeypatch.setattr(Run, "teach", watched)
    towns = tiles or [town(seed) for seed in range(3)]
    run(name, ASKED, towns, settings=SETTINGS.get(name, {}))
    return seen


def test_what_is_fixed_is_a_setting_within_its_bounds() -> None:
    known = {field.name for field in fields(TrainConfig)}
    for recipe in RECIPES.values():
        assert set(recipe.fixed) <= known and set(recipe.augments) <= set(AUGMENTATIONS)
        check_config(replace(ASKED, **recipe.fixed))
        assert set(recipe.fixed) <= set(recipe.fixes())
    assert RECIPES["plain"].fixes() == {}
    assert RECIPES["oem_sar_baseline"].fixes()["flip"] == "flips and turns off"


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_the_rest_of_the_form_reaches_every_step(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    recipe, steps = RECIPES[name], trained(monkeypatch, name)
    for config, _samples in steps:
        for setting in ("optimiser", "schedule", "warm_up", "class_balance", "flip"):
            wanted = recipe.fixed.get(setting, getattr(ASKED, setting))
            assert getattr(config, setting) == wanted
        names = [augment.name for augment in config.augments]
        assert names.count("speckle") == 1 and len(names) == len(set(names))
        own = {augment.name: augment.params for augment in config.augments}
        if "blur" not in recipe.augments:
            assert own["blur"] == {"chance": 0.9}
        elif "blur" in own:
            assert own["blur"] != {"chance": 0.9}  # the recipe's own


def test_what_was_asked_for_and_is_not_done_is_said(store: Store, project: Project) -> None:
    asked = {"recipe": "oem_sar_baseline", "optimiser": "sgd", "losses": [{"name": "focal"}]}
    made, _found = plan(store, project, request_of({**asked, "start": "scratch"}), [])
    notes = " ".join(made.notes)
    assert "fixes optimiser adam; losses: cross entropy: another was asked for" in notes
    made, _found = plan(store, project, request_of({"recipe": "oem_sar_baseline"}), [])
    assert "another was asked for" not in " ".join(made.notes)


def test_the_baseline_counts_every_pixel_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    tile = town(1)
    weight = np.full(tile.label.shape, 4, np.float32)
    weight[:8], weight[8:16] = 0, 1  # unsure, untouched; the rest was changed by a person
    seen = trained(monkeypatch, "oem_sar_baseline", tiles=[replace(tile, weight=weight)])
    ((_config, (learnt,)),) = seen
    assert (learnt.weight[:8] == 0).all() and (learnt.weight[8:] == 1).all()
    assert learnt.weight.dtype == np.float32
    assert "alike" in RECIPES["oem_sar_baseline"].fixes()["weights"]


def test_the_track_1_winner_has_no_class_weights_and_says_what_is_ours() -> None:
    recipe = RECIPES["self_training"]
    assert recipe.fixed["class_balance"] == 0.0
    for words in ("clean labels", "weight, 4 by default", "4 views by default", "of the form"):
        assert words in recipe.ours
