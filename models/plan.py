"""From what a person asks for to what is trained: network, start, tiles, and notes for people.

The *start* is the promoted model when its network fits
and it has not been trained on what is validation today; otherwise training starts from scratch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core import catalogue, trained
from core.classes import Provenance
from core.errors import JobError, LeakError
from core.records import ModelRecord, Project
from core.store.engine import Store
from models.leaks import shared_ground
from models.registry import load_model
from models.request import RUN, RetrainRequest
from models.splits import Split, held_out
from models.train import TrainConfig, compatible
from models.training_set import (
    Choice,
    TrainingSet,
    training_set,
    training_tiles,
)
from models.validation_set import ValidationTile
from models.zoo import NETWORKS
from models.zoo.recipes import RECIPES, network_of


@dataclass(frozen=True)
class Plan:
    """A request made definite: what is trained, from where, and notes for people."""

    config: TrainConfig
    choice: Choice
    start: ModelRecord | None
    notes: tuple[str, ...]
    recipe: str = "plain"
    recipe_settings: Mapping[str, Any] = field(default_factory=dict)
    watched: Choice | None = None  # tiles of the training split that the run is watched on
    split: Split = "project"


def plan(
    store: Store, project: Project, request: RetrainRequest, validation: Sequence[ValidationTile]
) -> tuple[Plan, TrainingSet]:
    """Return what a request comes to today, and its training set.

    Raises `LeakError` for a leak and `CloudbrushError` when there is nothing to learn from.
    """
    wanted = _wanted_start(store, project, request)
    network, options, modalities = _network(store, project, request, wanted)
    choice = Choice(
        modalities=modalities,
        regions=request.regions or None,
        tile_ids=request.tile_ids or None,
        max_cover=request.max_cover,
        weights={Provenance[name.upper()]: w for name, w in request.weights.items()},
        use=request.labels,
        seed=request.seed,
        unlabelled=RECIPES[request.recipe].unlabelled,
    )
    choice, watched = _split(store, project, request, choice)
    found = training_set(store, project, choice)
    config = TrainConfig(
        classes=len(project.classes.codes),
        bands=found.bands,
        network=network,
        options=options,
        losses=request.losses,
        augments=request.augments,
        validate_every=max(1, round(request.steps / 5)),
        **{name: getattr(request, name) for name in RUN},
    )
    start, notes = _start(store, project, wanted, config, request, validation)
    notes = (*notes, *_recipe_notes(request, network), *_watch_notes(store, start, watched))
    notes = (*notes, *_pool_notes(found))
    made = Plan(
        config,
        choice,
        start,
        notes,
        request.recipe,
        request.recipe_settings,
        watched,
        request.split,
    )
    return made, found


def _split(
    store: Store, project: Project, request: RetrainRequest, choice: Choice
) -> tuple[Choice, Choice | None]:
    """Return what is learnt from and what is watched; None for the validation tiles.

    A tile that shares ground with a watched one is not learnt from either.
    """
    tiles = training_tiles(store, project.id, choice)
    held = held_out(tiles, request.split, request.split_share, request.split_groups, request.seed)
    if not held:
        return choice, None
    watched = {tile.id for tile in held}
    near = shared_ground([tile for tile in tiles if tile.id not in watched], held)
    rest = tuple(tile.id for tile in tiles if tile.id not in watched and tile.id not in near)
    shown = replace(choice, tile_ids=tuple(sorted(watched)), unlabelled=False)
    return replace(choice, tile_ids=rest), shown


def _recipe_notes(request: RetrainRequest, network: str) -> tuple[str, ...]:
    """Return what was asked for and is not done, because the recipe settles it."""
    recipe, plain, notes = RECIPES[request.recipe], RetrainRequest(), []
    if request.network not in ("auto", network):
        asked = NETWORKS[request.network].title
        said = f"{recipe.title} trains {NETWORKS[network].title}, not {asked}."
        notes.append(f"{said} {recipe.why_network}")
    fixed = [
        words
        for name, words in recipe.fixes().items()
        if name != "augments"
        and getattr(request, name) not in (getattr(plain, name), recipe.fixed.get(name))
    ]
    if fixed:
        notes.append(f"{recipe.title} fixes {'; '.join(fixed)}: another was asked for.")
    return tuple(notes)


def _watch_notes(
    store: Store, start: ModelRecord | None, watched: Choice | None
) -> tuple[str, ...]:
    """Return what to know of the watched tiles."""
    if watched is None or watched.tile_ids is None:
        return ()
    seen = trained_on(store, start) & set(watched.tile_ids) if start is not None else set()
    said = f"Watched on {len(watched.tile_ids)} training tiles, which are not learnt from."
    if not seen:
        return (said,)
    return (said, f"Its start has learnt from {len(seen)} of them: the curve reads too well.")


def _pool_notes(found: TrainingSet) -> tuple[str, ...]:
    """Return how many images without labels a recipe learns from as well."""
    count = len(found.unlabelled)
    images = "one image" if count == 1 else f"{count} images"
    return (f"Also learns from {images} without labels that count.",) if count else ()


def _network(
    store: Store, project: Project, request: RetrainRequest, wanted: ModelRecord | None
) -> tuple[str, dict[str, Any], tuple[str, ...]]:
    """Return network, its options and modalities.

    Each is as asked, as the start has it, or as the project needs.
    """
    network, modalities, options = request.network, request.modalities, dict(request.options)
    bound = network_of(request.recipe, request.recipe_settings)
    if bound:
        network, options = bound
    elif network == "auto":
        default = "two_branch" if project.kind == "damage" else "unet"
        network = wanted.network if wanted else default
        options = options or (load_model(wanted).network.spec.options if wanted else {})
    if RECIPES[request.recipe].needs:
        modalities = RECIPES[request.recipe].needs
    if not modalities and wanted:
        modalities = tuple(wanted.bands)
    if not modalities:
        tiles = catalogue.tiles(store, project.id)
        modalities = catalogue.inputs(store, tiles) or ("optical", "sar")
    return network, NETWORKS[network].settle(network, options), modalities


def _wanted_start(store: Store, project: Project, request: RetrainRequest) -> ModelRecord | None:
    if request.start == "scratch":
        return None
    if request.start == "promoted":
        return trained.promoted(store, project.id)
    record = trained.model(store, int(request.start))
    if record.project_id != project.id:
        raise JobError("retraining, start", found=record.name, expected="a model of this project")
    return record


def _start(
    store: Store,
    project: Project,
    wanted: ModelRecord | None,
    config: TrainConfig,
    request: RetrainRequest,
    validation: Sequence[ValidationTile],
) -> tuple[ModelRecord | None, tuple[str, ...]]:
    recipe = RECIPES[request.recipe]
    if wanted is None:
        return None, ("Starts from scratch.",)
    if not recipe.starts:
        return None, (f"Starts from scratch, as {recipe.title} does.",)
    if recipe.inputs:  # what the network reads that is kept
        config = replace(config, bands={m: config.bands[m] for m in recipe.inputs})
    seen = trained_on(store, wanted)
    leaked = [held.tile.name for held in validation if held.tile.id in seen]
    asked = request.start == wanted.id
    if leaked and validation[0].reference != "pseudo":
        if asked:
            raise LeakError(
                f"start {wanted.name}",
                found=f"a model that was trained on validation tile {leaked[0]}",
                expected="a model that never saw the validation tiles",
                todo="Start from scratch or from an older model.",
            )
        why = f"{wanted.name} was trained on {leaked[0]}, which is a validation tile now"
        return None, (f"Starts from scratch: {why}.",)
    loaded = load_model(wanted)
    if loaded.codes != project.classes.codes or not compatible(config, loaded.network):
        if asked:
            raise JobError(
                f"start {wanted.name}",
                found=f"{wanted.network} on {wanted.bands}",
                expected=f"{config.network} on {config.bands}",
                todo="Start from scratch, or choose the same network and inputs.",
            )
        return None, (f"Starts from scratch: {wanted.name} has another network or other inputs.",)
    return wanted, (f"Starts from {wanted.name}.",)


def trained_on(store: Store, record: ModelRecord) -> set[int]:
    """Return the ids of the tiles that a model or one of its parents learnt from."""
    found: set[int] = set()
    for ancestor in trained.lineage(store, record):
        found |= {int(k) for k in ancestor.card.get("learnt_from", {}).get("versions", {})}
    return found
