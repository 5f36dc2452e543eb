"""What maps are scored on: tiles that no network learns from, and the reference of each.

The *validation set* is fixed: tiles of the validation split with truth, and tiles that a person has
corrected and frozen. The test split with truth joins only where it is asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from core import catalogue, history, patch_labels
from core.classes import Provenance
from core.grid import Window
from core.raster import read_layer
from core.records import Layer, Modality, Project, Split, Tile
from core.scores import Reference
from core.store.engine import Store


@dataclass(frozen=True)
class ValidationTile:
    """A tile to score on: what its reference is, and how to read it.

    `read` takes a window (None: all) to class codes, uint8 [h, w]. Nothing is kept in memory, so
    that thousands of tiles may be waiting.
    """

    tile: Tile
    reference: Reference
    read: Callable[[Window | None], npt.NDArray[np.uint8]]

    @property
    def labels(self) -> npt.NDArray[np.uint8]:
        """Return the whole reference, class codes uint8 [H, W]."""
        return self.read(None)


def validation_tiles(store: Store, project: Project, *, test: bool = False) -> list[ValidationTile]:
    """Return the tiles to score on, each with its reference.

    Truth of the validation split (and of the test split, where asked for), and frozen tiles with
    the labels that a person froze. Without either, labels as they came: of the validation split,
    else of the training tiles themselves.
    """
    splits = (Split.VAL, Split.TEST) if test else (Split.VAL,)
    found: list[ValidationTile] = []
    tiles = catalogue.tiles(store, project.id)
    truths = catalogue.project_layers(store, project.id, Modality.TRUTH)
    for tile in tiles:
        if tile.problem is not None:
            continue
        if tile.frozen:
            found.append(ValidationTile(tile, "frozen", partial(read_frozen, store, project, tile)))
        elif tile.split in splits and tile.id in truths:
            read = truth_reader(project, tile, truths[tile.id][0])
            found.append(ValidationTile(tile, "truth", read))
        elif tile.split in splits and project.kind in patch_labels.KINDS:
            # A patch has no raster of its label; outside the training split the label is clean.
            label = partial(history.original, store, tile.id)
            found.append(ValidationTile(tile, "truth", label))
    if found:
        return found
    last_resort = [t for t in tiles if t.split is Split.VAL] or [t for t in tiles if t.editable]
    return [
        ValidationTile(tile, "pseudo", partial(history.original, store, tile.id))
        for tile in last_resort
    ]


def truth_reader(
    project: Project, tile: Tile, truth: Layer
) -> Callable[[Window | None], npt.NDArray[np.uint8]]:
    """Return what reads the clean reference of a tile as class codes, uint8 [h, w]."""

    def read(window: Window | None = None) -> npt.NDArray[np.uint8]:
        raster = read_layer(truth, tile.grid, window)
        return np.where(raster.valid, raster.values[0], np.uint8(project.classes.void_code))

    return read


def read_truth(
    store: Store, project: Project, tile: Tile, window: Window | None = None
) -> npt.NDArray[np.uint8] | None:
    """Return the clean reference of a window as class codes, uint8 [h, w], or None."""
    layers = catalogue.layers(store, tile.id, modality=Modality.TRUTH)
    return truth_reader(project, tile, layers[0])(window) if layers else None


def read_frozen(
    store: Store, project: Project, tile: Tile, window: Window | None = None
) -> npt.NDArray[np.uint8]:
    """Return labels as a reference, uint8 [h, w]; void where a person was unsure.

    They are those of the version that `tile` carries, whatever is done to the tile meanwhile.
    """
    now = history.at_version(store, tile.id, tile.version, window)
    unsure = now.provenance == Provenance.UNSURE
    return np.where(unsure, np.uint8(project.classes.void_code), now.labels)
