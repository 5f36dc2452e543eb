"""Make a model of a project from other people's weights: a start to train from, or one to predict.

An encoder gets a decoder and a last layer that know nothing yet: train from it. The baseline of
OpenEarthMap-SAR is whole and predicts as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from core import catalogue
from core.errors import JobError, ModelFileError
from core.jobs import JobContext, check_payload
from core.records import Modality, ModelRecord, Project, Tile
from core.store.engine import Store
from models.encoder_files import (
    BASELINE_CODES,
    Fit,
    Seen,
    load_encoder,
    load_imagenet,
    load_oem_sar_baseline,
)
from models.networks import SegmentationNetwork, build
from models.own_files import OWN, add_own
from models.registry import save_model
from models.sample import normalisation
from models.training_set import Choice, training_set
from models.zoo.weights import WEIGHTS

IMAGENET, BASELINE = "imagenet", "oem_sar_baseline"
LOOKED_AT = 8  # training tiles whose images say mean and spread
SEED = 0  # of what starts at random


@dataclass(frozen=True)
class Added:
    """The new model, and one line for people on how the file fitted."""

    record: ModelRecord
    says: str


def add_encoder(
    store: Store,
    project: Project,
    kind: str,
    path: Path | str,
    roots: Sequence[Path],
    *,
    network: str = "",
    options: Mapping[str, Any] | None = None,
    modalities: Sequence[str] = (),
    name: str = "",
) -> Added:
    """Add a model whose encoder comes from a local file and the rest of which is untrained.

    `kind` is a name of `WEIGHTS`, which says network and inputs, or "imagenet", for which `network`
    and `modalities` are chosen. Raises `ModelFileError` or `DatasetError` where something does not
    fit, and then adds nothing.
    """
    weight = WEIGHTS.get(kind)
    if weight is None and kind != IMAGENET:
        expected = ", ".join([*WEIGHTS, IMAGENET])
        raise ModelFileError("weights", found=repr(kind)[:40], expected=expected)
    inputs = tuple(weight.bands if weight else modalities)
    seen = images_of(store, project, inputs)
    chosen = {**(options or {}), **(weight.options if weight else {})}
    made = _untrained(weight.network if weight else network, seen, project, chosen)
    _normalise(store, project, made)
    if weight is None:
        fit, title = load_imagenet(made, path, roots), "ImageNet"
    else:
        fit, title = load_encoder(made, kind, path, roots, seen), weight.title
    licence = weight.licence if weight else ""
    card = {**_card(title, Path(path), fit, licence), "licence": licence}
    kept = name.strip() or f"{title} (untrained)"
    record = save_model(store, project.id, made.eval(), project.classes.codes, kept, card)
    return Added(record, fit.says)


def add_baseline(
    store: Store, project: Project, path: Path | str, roots: Sequence[Path], name: str = ""
) -> Added:
    """Add the baseline of OpenEarthMap-SAR, ready to predict, to a project with its classes.

    Channel 0, background, becomes void. Raises `ModelFileError` or `DatasetError`.
    """
    if project.classes.codes != BASELINE_CODES[1:] or project.classes.void != BASELINE_CODES[0]:
        raise ModelFileError(
            f"project {project.name}",
            found=f"classes {project.classes.name}",
            expected="the classes of OpenEarthMap-SAR, 1 to 8 with void 0",
        )
    network = load_oem_sar_baseline(path, roots)
    tensors = len(network.model.state_dict())  # type: ignore[union-attr]
    fit = Fit(tensors, tensors, 0)
    title = "OpenEarthMap-SAR baseline"
    licence = "not stated by its authors"
    card = {**_card(title, Path(path), fit, licence), "licence": licence}
    record = save_model(store, project.id, network, BASELINE_CODES, name.strip() or title, card)
    return Added(record, fit.says)


def images_of(store: Store, project: Project, modalities: Sequence[str]) -> dict[str, Seen]:
    """Return what the training tiles of a project hold by modality.

    Raises `ModelFileError` where an input is missing or tiles differ in bands or unit.
    """
    tiles = [tile for tile in catalogue.tiles(store, project.id) if tile.trainable]
    if not tiles or not modalities:
        raise ModelFileError(
            f"project {project.name}",
            found=f"{len(tiles)} training tiles, {len(modalities)} inputs",
            expected="at least one of each",
        )
    seen: dict[str, Seen] = {}
    for tile in tiles:
        for modality in modalities:
            found = _seen_in(store, tile, modality)
            if seen.setdefault(modality, found) != found:
                raise ModelFileError(
                    f"tile {tile.name}, {modality}",
                    found=f"{' '.join(found.bands)} as {found.unit.value}",
                    expected=f"{' '.join(seen[modality].bands)} as {seen[modality].unit.value}, "
                    f"as in {tiles[0].name}",
                )
    return seen


def _seen_in(store: Store, tile: Tile, modality: str) -> Seen:
    layers = catalogue.layers(store, tile.id, modality=Modality(modality))
    if not layers:
        raise ModelFileError(f"tile {tile.name}", found=f"no {modality} image", expected="one")
    return Seen(tuple(layers[0].bands), layers[0].unit)


def _untrained(
    network: str, seen: Mapping[str, Seen], project: Project, options: Mapping[str, Any]
) -> SegmentationNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        bands = {modality: len(images.bands) for modality, images in seen.items()}
        return build(network, bands, len(project.classes.codes), options)


def _normalise(store: Store, project: Project, network: SegmentationNetwork) -> None:
    """Set mean and spread of some training tiles; published statistics replace them later."""
    tiles = [tile.id for tile in catalogue.tiles(store, project.id) if tile.trainable]
    step = max(1, len(tiles) // LOOKED_AT)
    choice = Choice(modalities=tuple(network.spec.bands), tile_ids=tuple(tiles[::step][:LOOKED_AT]))
    samples = training_set(store, project, choice).samples
    for modality in network.spec.bands:
        mean, std = normalisation(samples, modality)
        network.set_normalisation(modality, torch.from_numpy(mean), torch.from_numpy(std))


def _card(title: str, path: Path, fit: Fit, licence: str) -> dict[str, Any]:
    """Return what a card says of the file; "pretrained" is read by the cards of its children."""
    stated = licence or "licence not known here"
    return {
        "pretrained": f"{title} ({path.name}, {stated})",
        "trained_on": f"weights of {path.name}, {fit.fitted} of {fit.of} tensors",
        "file": {"tensors": fit.of, "fitted": fit.fitted, "adapted": fit.adapted}
        | {"missing": list(fit.missing)},
    }


def add_task(context: JobContext) -> dict[str, Any]:
    """Do the `weights` job: add a model as the payload says; return its id and how it fitted."""
    check_payload("weights", context.payload, "weights", "path")
    if context.job.project_id is None:
        raise JobError("weights job", found="no project", expected="a project")
    project = catalogue.project(context.store, context.job.project_id)
    context.report(0.1, "Reading the file")
    given = context.payload
    roots, name = context.settings.allowed_roots, str(given.get("name", ""))
    if given["weights"] == OWN:
        record = add_own(context.store, project, str(given["path"]), roots, name)
        return {"model_id": record.id, "says": f"{record.name} was added. It predicts as it is"}
    if given["weights"] == BASELINE:
        added = add_baseline(context.store, project, str(given["path"]), roots, name)
    else:
        added = add_encoder(
            context.store,
            project,
            str(given["weights"]),
            str(given["path"]),
            roots,
            network=str(given.get("network", "")),
            options=dict(given.get("options", {})),
            modalities=tuple(given.get("modalities", ())),
            name=name,
        )
    return {"model_id": added.record.id, "says": added.says}
