"""Images without labels that count: which recipes learn from them, and what is read of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core import catalogue
from core.records import Modality, Project, Split
from core.settings import Settings
from core.store.engine import Store
from core.stroke import Effect
from models.sample import IGNORE
from models.training_set import Choice, training_set
from tests.models.conftest import MakeProject, make_tile, paint, run_task, tiles_by_name

WHOLE = np.ones((48, 48), np.bool_)


def test_tiles_that_nobody_checked_are_images_beside_corrected_ones(
    store: Store, project: Project
) -> None:
    paint(store, tiles_by_name(store, project)["t0"], WHOLE, None, effect=Effect.VERIFY)
    choice = Choice(use="corrected")
    alone = training_set(store, project, choice)
    both = training_set(store, project, replace(choice, unlabelled=True))
    assert {sample.name for sample in both.samples} == {"t0"}
    assert alone.unlabelled == [] and alone.sha256 == both.sha256
    trainable = {t.name for t in catalogue.tiles(store, project.id) if t.trainable}
    assert {sample.name for sample in both.unlabelled} == trainable - {"t0"}
    for sample in both.unlabelled:
        assert (sample.label == IGNORE).all() and not sample.weight.any()
        assert len(sample.inputs["optical"]) == 2 and len(sample.inputs["sar"]) == 1


def test_a_tile_without_a_label_file_gives_its_images(
    store: Store, settings: Settings, make_project: MakeProject, tmp_path: Path
) -> None:
    tiles = [make_tile(tmp_path, f"t{n}", Split.TRAIN, n) for n in range(2)]
    bare = tuple(
        la for la in tiles[1].layers if la.modality not in (Modality.LABEL, Modality.TRUTH)
    )
    held = make_tile(tmp_path, "v", Split.VAL, 5)
    project = make_project((tiles[0], replace(tiles[1], layers=bare), held))
    found = training_set(store, project, Choice(unlabelled=True))
    assert {sample.name for sample in found.samples} == {"t0"}
    assert {sample.name for sample in found.unlabelled} == {"t1"}


def test_recipes_that_can_learn_from_images_do_and_say_so(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    paint(store, tiles_by_name(store, project)["t0"], WHOLE, None, effect=Effect.VERIFY)
    asked = {**quick_recipe, "labels": "corrected", "recipe": "cross_modal"}
    asked["recipe_settings"] = {"label_views": "1"}
    result = run_task(store, settings, project, "train", **asked)
    assert any("images without labels that count" in note for note in result["notes"])
    plain = run_task(
        store, settings, project, "train", **{**asked, "recipe": "plain", "recipe_settings": {}}
    )
    assert not any("without labels" in note for note in plain["notes"])
