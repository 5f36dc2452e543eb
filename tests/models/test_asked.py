"""What is asked for on the Train page reaches the run: recipe, labels, losses, split."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from core import catalogue, trained
from core.errors import CloudbrushError
from core.records import Project, Tile
from core.settings import Settings
from core.store.engine import Store
from models.plan import plan
from models.request import RetrainRequest, request_of
from models.splits import held_out
from models.validation_set import validation_tiles
from models.zoo.losses import LossTerm
from models.zoo.recipes import RECIPES
from tests.models.conftest import make_project, project, quick_recipe, run_task

__all__ = ["make_project", "project", "quick_recipe"]  # fixtures


@pytest.fixture
def tiles(store: Store, project: Project) -> Sequence[Tile]:
    return [tile for tile in catalogue.tiles(store, project.id) if tile.trainable]


def test_a_request_survives_json() -> None:
    request = RetrainRequest(recipe="co_teaching", split="region", split_groups=("east",))
    assert request_of(json.loads(json.dumps(request.payload()))) == request
    assert request_of({}) == RetrainRequest()


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ({"labels": "all"}, "retraining, labels: found 'all'"),
        ({"split": "tile"}, "retraining, split: found 'tile'"),
        ({"split_share": 2}, "retraining, split_share: found 2"),
        ({"steps": 0}, "retraining, steps: found 0"),
        ({"schedule": "up"}, "retraining, schedule: found 'up'"),
        ({"recipe": "best"}, "recipe: found 'best'"),
        ({"recipe_settings": {"a": 1}}, "recipe Plain: found option 'a'"),
        ({"losses": []}, "losses: found none"),
        ({"augments": [{"name": "fog"}]}, "augmentations: found 'fog'"),
    ],
)
def test_what_is_wrong_is_named(payload: dict[str, Any], says: str) -> None:
    with pytest.raises(CloudbrushError) as caught:
        request_of(payload)
    assert str(caught.value).startswith(says)


def test_settings_reach_the_run(store: Store, project: Project) -> None:
    payload = {
        "losses": [{"name": "lovasz", "weight": 2.0}],
        "augments": [{"name": "speckle"}],
        "average": 0.9,
        "optimiser": "sgd",
        "labels": "mixed",
    }
    made, _found = plan(store, project, request_of(payload), validation_tiles(store, project))
    assert made.config.losses == (LossTerm("lovasz", 2.0, {}),)
    assert [augment.name for augment in made.config.augments] == ["speckle"]
    assert (made.config.average, made.config.optimiser) == (0.9, "sgd")
    assert made.choice.use == "mixed" and made.watched is None


def test_watched_tiles_are_not_learnt_from(
    store: Store, project: Project, tiles: Sequence[Tile]
) -> None:
    request = RetrainRequest(split="region", split_groups=("west",))
    made, found = plan(store, project, request, validation_tiles(store, project))
    west = {tile.id for tile in tiles if tile.region == "west"}
    assert made.watched is not None and set(made.watched.tile_ids or ()) == west
    assert set(found.versions) == {tile.id for tile in tiles} - west
    assert f"Watched on {len(west)} training tiles" in " ".join(made.notes)


def test_a_share_is_drawn_by_the_seed(tiles: Sequence[Tile]) -> None:
    first = held_out(tiles, "random", 0.5, (), 0)
    assert len(first) == 2 and first == held_out(tiles, "random", 0.5, (), 0)
    assert len({tuple(t.id for t in held_out(tiles, "random", 0.5, (), n)) for n in range(9)}) > 1
    assert held_out(tiles, "project", 0.5, (), 0) == []
    with pytest.raises(CloudbrushError, match="none to learn from"):
        held_out(tiles, "random", 1.0, (), 0)
    with pytest.raises(CloudbrushError, match="split by region: found north"):
        held_out(tiles, "region", 0.5, ("north",), 0)


def test_a_recipe_of_several_steps_runs_as_a_job(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    more = {"recipe": "cross_modal", "steps": 6, "network": "unet", "split": "random"}
    result = run_task(store, settings, project, "train", **{**quick_recipe, **more})
    model = trained.model(store, result["model_id"])
    assert model.bands == {"sar": 1}
    assert model.card["recipe"] == RECIPES["cross_modal"].title
    assert model.card["history"][-1]["steps"] == 9
    assert "Starts from scratch." in result["notes"]


def test_steps_of_a_recipe_are_named_as_they_run() -> None:
    recipe = RECIPES["cross_modal"]
    assert recipe.ends(10) == [(5, 1, recipe.steps[0].says), (15, 3, recipe.steps[2].says)]
    assert recipe.doing(10, 5) == f"Step 1 of 3: {recipe.steps[0].says}"
    assert recipe.doing(10, 6) == f"Step 3 of 3: {recipe.steps[2].says}"
    assert RECIPES["plain"].doing(10, 5) == ""
