"""What a retraining learns from, from the label versions of now.

Words: the *training set* is every editable tile with labels; its weights come from provenance. What
it is judged on is in `models.validation_set`, leaks from there in `models.leaks`. Images without
labels that count are kept for recipes that learn from them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from core import catalogue, history
from core.classes import ClassTable, Provenance
from core.display import to_unit
from core.errors import CloudbrushError, LeakError, NotEditable
from core.grid import Window, whole
from core.legend import require_named
from core.patch_labels import LIST
from core.raster import read_layer
from core.records import Acquisition, Grid, Layer, Modality, Project, Tile, TileState
from core.scan import ensure_scanned
from core.store.engine import Store
from models.leaks import check_no_leak, shared_ground
from models.sample import IGNORE, Bands, Sample

INPUTS = (Modality.OPTICAL, Modality.SAR)
PROVENANCE_WEIGHTS: dict[Provenance, float] = {
    Provenance.PSEUDO: 1.0,
    Provenance.CHANGED: 4.0,
    Provenance.VERIFIED: 4.0,
    Provenance.MODEL: 1.0,
    Provenance.UNSURE: 0.0,
}
BY_PEOPLE = (Provenance.CHANGED, Provenance.VERIFIED)
Use = Literal["weighted", "mixed", "corrected"]
PIECE_PX = 1024  # larger tiles are learnt from in pieces of this size
PIECES_PER_TILE = 9


@dataclass(frozen=True)
class Choice:
    """What to learn from. `weights` are by provenance; pixels of weight 0 are left out.

    `use` says which labels count: "weighted" takes all by their weight, "mixed" all alike, and
    "corrected" every valid pixel of tiles that are done, or whose labelled pixels a person all
    changed or verified, alike, and nothing else. Unsure pixels have no weight but that which
    "weighted" gives them.

    `regions` and `tile_ids` limit the tiles (None: all). `max_cover` leaves out optical dates with
    more cloud. `corrected` False takes the labels as they came: the control of a comparison.
    `unlabelled` also reads the images of tiles that have no label that counts.
    """

    modalities: tuple[str, ...] = ("optical", "sar")
    regions: tuple[str, ...] | None = None
    tile_ids: tuple[int, ...] | None = None
    max_cover: float = 1.0
    weights: Mapping[Provenance, float] = field(default_factory=lambda: dict(PROVENANCE_WEIGHTS))
    corrected: bool = True
    seed: int = 0
    use: Use = "weighted"
    unlabelled: bool = False


@dataclass(frozen=True)
class TrainingSet:
    """Samples and where they come from. `versions` is the label version of each tile learnt from.

    `left_out` names tiles whose labels were not used, each with the reason; `unlabelled` are images
    of some of them, where the choice asks for those.
    """

    samples: list[Sample]
    bands: dict[str, int]
    versions: dict[int, int]
    left_out: dict[str, str]
    corrected_px: int
    unlabelled: list[Sample] = field(default_factory=list)

    @property
    def sha256(self) -> str:
        """Return a hash of labels, weights and tile names."""
        digest = hashlib.sha256()
        for sample in self.samples:
            digest.update(sample.name.encode())
            digest.update(sample.label.tobytes())
            digest.update(sample.weight.tobytes())
        return digest.hexdigest()


def by_name(weights: Mapping[Provenance, float]) -> dict[str, float]:
    """Return weights by the names that requests and cards have for who is behind a label."""
    return {provenance.name.lower(): weight for provenance, weight in weights.items()}


def training_tiles(store: Store, project_id: int, choice: Choice) -> list[Tile]:
    """Return the tiles that may be learnt from under a choice.

    Raises `LeakError` when validation tiles are asked for by id.
    """
    tiles = catalogue.tiles(store, project_id)
    if choice.tile_ids is not None:
        wanted = [tile for tile in tiles if tile.id in choice.tile_ids]
        kept_out = [tile.name for tile in wanted if not tile.trainable]
        if kept_out:
            raise LeakError(
                "training set",
                found=f"validation or reserved tiles {', '.join(kept_out[:5])}",
                expected="tiles of the training split that are not reserved",
                todo="Leave them out: scores on tiles that were trained on mean nothing.",
            )
        tiles = wanted
    return [
        tile
        for tile in tiles
        if tile.trainable and (choice.regions is None or tile.region in choice.regions)
    ]


def training_set(store: Store, project: Project, choice: Choice) -> TrainingSet:
    """Return the samples of a project under a choice, from the label versions of now.

    Tiles that share ground with validation tiles are left out. Raises `LeakError` for a leak and
    `CloudbrushError` when nothing is left to learn from or a class has no name yet.
    """
    require_named(project)
    _require_pixels(project)
    reserved = [tile for tile in catalogue.tiles(store, project.id) if not tile.trainable]
    chosen = training_tiles(store, project.id, choice)
    covered = shared_ground(chosen, reserved)
    found = _Found()
    left_out: dict[str, str] = {}
    for tile in chosen:
        if tile.id in covered:
            why = f"shares ground with validation tile {covered[tile.id].name}"
        else:
            why = _take(store, project.classes, tile, choice, found)
        if why:
            left_out[tile.name] = why
    if not found.samples:
        reasons = "; ".join(f"{name} {why}" for name, why in list(left_out.items())[:3])
        raise CloudbrushError(
            "training set",
            found=f"no tile to learn from ({reasons or 'no training tiles'})",
            expected="at least one labelled training tile",
            todo="Label or import tiles of the training split, or choose other inputs.",
        )
    check_no_leak(store, project.id, found.versions)
    bands = _bands_of([*found.samples, *found.unlabelled])
    return TrainingSet(
        found.samples, bands, found.versions, left_out, found.corrected_px, found.unlabelled
    )


@dataclass
class _Found:
    """What was read of the tiles so far."""

    samples: list[Sample] = field(default_factory=list)
    unlabelled: list[Sample] = field(default_factory=list)
    versions: dict[int, int] = field(default_factory=dict)
    corrected_px: int = 0


def _take(store: Store, classes: ClassTable, tile: Tile, choice: Choice, found: _Found) -> str:
    """Add what a tile gives; return why its labels are left out, nothing where they are not."""
    if not _has_inputs(store, tile, choice):
        return f"has not all of {', '.join(choice.modalities)}"
    try:
        ensure_scanned(store, tile.id)
    except NotEditable as error:
        if choice.unlabelled and not catalogue.layers(store, tile.id, modality=Modality.LABEL):
            found.unlabelled += _images_of(store, tile, choice)
        return f"cannot be worked on: {error.found}"
    pieces, version, changed = _samples_of(store, classes, tile, choice)
    if pieces:
        found.samples += pieces
        found.versions[tile.id] = version
        found.corrected_px += changed
        return ""
    if choice.unlabelled:
        found.unlabelled += _images_of(store, tile, choice)
    if choice.use == "corrected":
        return "is neither done nor verified as a whole"
    return "has no labelled pixel that counts"


def _require_pixels(project: Project) -> None:
    if project.kind == LIST:
        raise CloudbrushError(
            project.name,
            found="lists of classes of whole patches",
            expected="a class for each pixel or for each patch",
            todo="Networks here label pixels. Export the lists and train elsewhere; "
            "predictions are scored on the Patches page.",
        )


def read_inputs(
    store: Store,
    tile: Tile,
    modalities: Sequence[str],
    acquisition: Acquisition | None,
    window: Window | None = None,
) -> dict[str, Bands]:
    """Return the images of a tile by modality, [C, h, w], NaN where they have no data.

    `acquisition` chooses the optical date; None takes the only or first optical layer. Raises
    `CloudbrushError` when an input is missing.
    """
    inputs: dict[str, Bands] = {}
    for modality in modalities:
        layers = catalogue.layers(store, tile.id, modality=Modality(modality))
        if modality == Modality.OPTICAL and acquisition is not None:
            layers = [layer for layer in layers if layer.acquisition_id == acquisition.id]
        if not layers:
            date = f" of {acquisition.name}" if acquisition else ""
            raise CloudbrushError(
                f"tile {tile.name}",
                found=f"no {modality} image{date}",
                expected="one",
                todo="Choose a model that does not need it.",
            )
        inputs[modality] = read_image(layers[0], tile.grid, window)
    return inputs


def read_image(layer: Layer, grid: Grid, window: Window | None = None) -> Bands:
    """Return an image layer in the unit in which networks see it (SAR power in dB), [C, h, w]."""
    raster = read_layer(layer, grid, window)
    values: Bands = to_unit(raster.values, layer.unit)
    if raster.valid.all():
        return values
    return np.where(raster.valid, values, np.nan).astype(np.float32)


def provenance_lut(weights: Mapping[Provenance, float]) -> npt.NDArray[np.float32]:
    """Return float32 [256]: provenance code to weight; codes without a weight count nothing."""
    lut = np.zeros(256, np.float32)
    for provenance, weight in weights.items():
        lut[int(provenance)] = weight
    return lut


def _samples_of(
    store: Store, classes: ClassTable, tile: Tile, choice: Choice
) -> tuple[list[Sample], int, int]:
    """Return the samples of a tile, its label version and its number of changed pixels."""
    samples: list[Sample] = []
    version, changed = 0, 0
    for window in _pieces(tile, choice.seed):
        now = history.current(store, tile.id, window)
        label, weight, checked = _labels_of(store, classes, tile, choice, window, now)
        if choice.corrected:
            version = now.version
            changed += int((now.provenance == Provenance.CHANGED).sum())
        if not ((label != IGNORE) & (weight > 0)).any():
            continue
        inputs = _inputs_of(store, tile, choice, window)
        name = _name_of(tile, window)
        by_people = 0.0
        if choice.corrected and choice.use != "mixed":
            by_people = float((np.isin(now.provenance, BY_PEOPLE) & (weight > 0)).mean())
        samples.append(Sample(inputs, label, weight, name, by_people, checked))
    return samples, version, changed


def _images_of(store: Store, tile: Tile, choice: Choice) -> list[Sample]:
    """Return the samples of a tile without its labels."""
    found = []
    for window in _pieces(tile, choice.seed):
        void = np.full((window.h, window.w), IGNORE, np.uint8)
        nothing = np.zeros(void.shape, np.float32)
        inputs = _inputs_of(store, tile, choice, window)
        found.append(Sample(inputs, void, nothing, _name_of(tile, window)))
    return found


def _inputs_of(store: Store, tile: Tile, choice: Choice, window: Window) -> dict[str, list[Bands]]:
    return {
        modality: [read_image(layer, tile.grid, window) for layer in layers]
        for modality, layers in _layers_of(store, tile, choice).items()
    }


def _name_of(tile: Tile, window: Window) -> str:
    return tile.name if window == whole(tile.grid) else f"{tile.name} at {window.y0},{window.x0}"


def _labels_of(
    store: Store,
    classes: ClassTable,
    tile: Tile,
    choice: Choice,
    window: Window,
    now: history.Labels,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Return labels, weights and which pixels people checked, each [h, w].

    The pixels of a tile that is done count as checked: a person has accepted what is left.
    """
    label = classes.index_lut[now.labels]
    sure = now.provenance != Provenance.UNSURE
    checked = np.isin(now.provenance, BY_PEOPLE) | ((tile.state is TileState.DONE) & sure)
    corrected = tile.state is TileState.DONE or bool(checked[(label != IGNORE) & sure].all())
    if choice.corrected:
        weight = provenance_lut(choice.weights)[now.provenance]
        if choice.use != "weighted":
            weight = sure.astype(np.float32)
    else:
        label = classes.index_lut[history.original(store, tile.id, window)]
        pseudo = choice.weights.get(Provenance.PSEUDO, 0.0) if choice.use == "weighted" else 1.0
        weight = np.full(label.shape, pseudo, np.float32)
        checked = np.zeros_like(checked)
    if choice.use == "corrected" and not corrected:
        weight = np.zeros_like(weight)
    return label, weight, checked


def _pieces(tile: Tile, seed: int) -> list[Window]:
    """Return the windows of a tile to learn from; of a large tile, some drawn by seed."""
    grid = tile.grid
    if max(grid.height, grid.width) <= 2 * PIECE_PX:
        return [whole(grid)]
    pieces = [
        Window(y, x, min(PIECE_PX, grid.height - y), min(PIECE_PX, grid.width - x))
        for y in range(0, grid.height, PIECE_PX)
        for x in range(0, grid.width, PIECE_PX)
    ]
    if len(pieces) <= PIECES_PER_TILE:
        return pieces
    chosen = np.random.default_rng([seed, tile.id]).choice(
        len(pieces), PIECES_PER_TILE, replace=False
    )
    return [pieces[i] for i in sorted(chosen)]


def _layers_of(store: Store, tile: Tile, choice: Choice) -> dict[str, list[Layer]]:
    """Return the image layers by modality, the clearest optical date first.

    Dates above the wanted cover are left out.
    """
    covers = {a.id: a.cover for a in catalogue.acquisitions(store, tile.id)}
    dates = {date: place for place, date in enumerate(covers)}
    found: dict[str, list[Layer]] = {}
    for modality in choice.modalities:
        layers = catalogue.layers(store, tile.id, modality=Modality(modality))
        found[modality] = [
            layer
            for layer in layers
            if layer.acquisition_id is None
            or (covers.get(layer.acquisition_id) or 0.0) <= choice.max_cover
        ]
        found[modality].sort(key=lambda layer: dates.get(layer.acquisition_id or 0, 0))
    return found


def _has_inputs(store: Store, tile: Tile, choice: Choice) -> bool:
    return all(_layers_of(store, tile, choice).values())


def _bands_of(samples: Sequence[Sample]) -> dict[str, int]:
    """Return the channels per modality; raises when tiles differ."""
    bands = {m: images[0].shape[0] for m, images in samples[0].inputs.items()}
    for sample in samples:
        for modality, images in sample.inputs.items():
            if any(image.shape[0] != bands[modality] for image in images):
                raise CloudbrushError(
                    f"tile {sample.name}, {modality}",
                    found=f"{[image.shape[0] for image in images]} bands",
                    expected=f"{bands[modality]} as in {samples[0].name}",
                    todo="Choose regions whose images have the same bands.",
                )
    return bands
