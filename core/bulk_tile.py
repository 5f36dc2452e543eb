"""A command on many pixels of one tile: which pixels it may change, and the patches of it.

Tiles that a patch can hold are worked on whole. Larger ones go by windows of 4096 px. Islands and
holes are then looked for in all windows before the first is changed, so that those across a border
are what they are on the tile as a whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core import catalogue, regions
from core.classes import ClassTable, Provenance
from core.clouds.cover import CLEAR, SHADOW, THICK, THIN
from core.errors import BadPatch, NotFound
from core.grid import Window
from core.group import Prepared
from core.mosaic import Mosaic, painted
from core.patch import Bytes, Mask, Patch, make_patch
from core.predictions import find_prediction, prediction, predictions, read_prediction
from core.raster import read_layer
from core.records import Layer, Modality, Prediction, Tile
from core.replay import region
from core.restore import windows
from core.restrict import Restriction, allowed, format_restriction
from core.store.engine import Store
from core.stroke import Effect

MAX_SIZE_PX = 1_000_000
CLOUDY = (THIN, THICK, SHADOW)
UNVERIFIED = Restriction(unverified=True)

Kind = Literal["recode", "islands", "holes", "accept"]
EFFECTS = {
    "recode": Effect.CLASS,
    "islands": Effect.VALUES,
    "holes": Effect.VALUES,
    "accept": Effect.MODEL,
}


@dataclass(frozen=True)
class Command:
    """What to do: `from_classes` and `to_class` for recode; `size_px` for islands (below it) and
    holes (up to it); `model` ("m3" or "layer/NAME") and `percent` of confidence for accept.

    `prediction_id` names the prediction for the tile that is open; other tiles take the model's
    for their clearest date.
    """

    kind: Kind
    from_classes: tuple[int, ...] = ()
    to_class: int | None = None
    size_px: int = 0
    percent: float = 0.0
    model: str | None = None
    prediction_id: int | None = None

    @property
    def reason(self) -> str | None:
        """Return what the edit log keeps of the numbers, in words."""
        if self.kind == "islands":
            return f"islands under {self.size_px} px"
        if self.kind == "holes":
            return f"holes up to {self.size_px} px"
        if self.kind == "accept":
            return f"model {self.model or self.prediction_id} from {self.percent:g} %"[:200]
        return None


@dataclass(frozen=True)
class Progress:
    """How far a command has come: `done` of `of` tiles, or windows of a single tile."""

    done: int
    of: int


@dataclass(frozen=True, eq=False)
class Limits:
    """Which pixels a command may change; verified ones only when asked for.

    `area` is (window, bool [h, w]) on the open tile. `acquisition` names the optical date whose
    cloud mask counts; where a tile has none of that name, its clearest date with a mask does.
    """

    restriction: Restriction = UNVERIFIED
    area: tuple[Window, Mask] | None = None
    acquisition: str | None = None

    @property
    def text(self) -> str | None:
        """Return the restriction as the edit log keeps it."""
        return format_restriction(self.restriction)


def check_command(command: Command, classes: ClassTable) -> None:
    """Raise `BadPatch` that names the field unless the command fits the classes."""
    known = {*classes.codes, classes.void_code}
    wanted = f"classes among {sorted(known)}"
    if command.kind == "recode":
        if not command.from_classes or not set(command.from_classes) <= known:
            found = str(list(command.from_classes))[:60]
            raise BadPatch("field from_classes", found=found, expected=f"one or more {wanted}")
        if command.to_class not in known or command.to_class in command.from_classes:
            found = str(command.to_class)
            raise BadPatch("field to_class", found=found, expected="another one of the classes")
    elif command.kind in ("islands", "holes"):
        if not 1 <= command.size_px <= MAX_SIZE_PX:
            expected = f"1 to {MAX_SIZE_PX} px"
            raise BadPatch("field size_px", found=str(command.size_px)[:20], expected=expected)
    else:
        if not 0 <= command.percent <= 100:
            raise BadPatch("field percent", found=f"{command.percent:g}", expected="0 to 100")
        if command.model is None and command.prediction_id is None:
            raise BadPatch("field model", found="nothing", expected="a model")


class TileCommand:
    """One command on one tile. Raises `CloudbrushError` for what it needs and is not there."""

    def __init__(
        self, store: Store, tile: Tile, command: Command, limits: Limits, *, is_open: bool
    ) -> None:
        self.store, self.tile, self.command, self.limits = store, tile, command, limits
        self.classes = catalogue.project(store, tile.project_id).classes
        self.clouds = self._clouds() if limits.restriction.cloud else None
        self.predicted = self._prediction(is_open) if command.kind == "accept" else None
        self.whole: dict[Window, Bytes] | None = None

    def run(self) -> Iterator[Progress | Prepared]:
        """Yield progress after each window and, last, the patches and what they hold for."""
        version = catalogue.tile(self.store, self.tile.id).version
        parts = list(windows(self.tile.grid))
        looks = len(parts) > 1 and self.command.kind in ("islands", "holes")
        steps = len(parts) * (2 if looks else 1)
        mosaic = Mosaic(self.tile.grid.height, self.tile.grid.width)
        for number, window in enumerate(parts if looks else []):
            now = region(self.store, self.tile.id, window, version)
            may = self._allowed(window, now.labels, now.provenance)
            mosaic.add(window, now.labels, ~may)
            yield Progress(number + 1, steps)
        self.whole = self._of_whole(mosaic) if looks else None
        found: list[Patch] = []
        for number, window in enumerate(parts):
            patch = self._window(window, version)
            found += [patch] if patch is not None else []
            yield Progress(steps - len(parts) + number + 1, steps)
        yield Prepared(tuple(found), version)

    def _of_whole(self, mosaic: Mosaic) -> dict[Window, Bytes]:
        rule = mosaic.without_islands if self.command.kind == "islands" else mosaic.without_holes
        return rule(self.command.size_px, self.classes.void_code)

    def _window(self, window: Window, version: int) -> Patch | None:
        now = region(self.store, self.tile.id, window, version)
        may = self._allowed(window, now.labels, now.provenance)
        wanted = self._changed(now.labels, may, window)
        changed = may & (now.labels != wanted)
        source = Provenance.MODEL if self.command.kind == "accept" else Provenance.CHANGED
        return make_patch(window, now.labels, now.provenance, changed, wanted, source)

    def _changed(self, labels: Bytes, may: Mask, window: Window) -> Bytes:
        command, void = self.command, self.classes.void_code
        if command.kind == "recode":
            return regions.recode(labels, command.from_classes, command.to_class or 0)
        if self.whole is not None:
            return painted(labels, self.whole[window])
        if command.kind == "islands":
            return regions.remove_islands(labels, command.size_px, void, ~may)
        if command.kind == "holes":
            return regions.fill_holes(labels, command.size_px, void, ~may)
        if self.predicted is None:
            return labels
        predicted, confidence = read_prediction(self.store, self.predicted, window)
        lut = self.classes.index_lut
        return regions.accept(labels, predicted, confidence, command.percent, lut)

    def _allowed(self, window: Window, labels: Bytes, provenance: Bytes) -> Mask:
        restriction = self.limits.restriction
        may = allowed(restriction, labels, provenance)
        if self.clouds is not None:
            levels = read_layer(self.clouds, self.tile.grid, window).values[0]
            may &= levels == CLEAR if restriction.cloud == "clear" else np.isin(levels, CLOUDY)
        if restriction.area:
            may &= self._area(window)
        return may

    def _area(self, window: Window) -> Mask:
        found = np.zeros((window.h, window.w), np.bool_)
        if self.limits.area is None:
            return found
        box, mask = self.limits.area
        y0, x0 = max(box.y0, window.y0), max(box.x0, window.x0)
        y1 = min(box.y0 + box.h, window.y0 + window.h)
        x1 = min(box.x0 + box.w, window.x0 + window.w)
        if y0 < y1 and x0 < x1:
            part = mask[y0 - box.y0 : y1 - box.y0, x0 - box.x0 : x1 - box.x0]
            found[y0 - window.y0 : y1 - window.y0, x0 - window.x0 : x1 - window.x0] = part
        return found

    def _clouds(self) -> Layer:
        layers = {
            layer.acquisition_id: layer
            for layer in catalogue.layers(self.store, self.tile.id, modality=Modality.CLOUD)
        }
        dates = [d for d in catalogue.acquisitions(self.store, self.tile.id) if d.id in layers]
        if not dates:
            raise NotFound(
                f"cloud mask of tile {self.tile.name}",
                todo="Choose another tile, or do not restrict the command by clouds.",
            )
        named = [date for date in dates if date.name == self.limits.acquisition]
        return layers[(named or dates)[0].id]

    def _prediction(self, is_open: bool) -> Prediction:
        if is_open and self.command.prediction_id is not None:
            found = prediction(self.store, self.command.prediction_id)
            if found.tile_id == self.tile.id and found.path.exists():
                return found
        elif self.command.model is not None:
            by_model = self._of_model(self.command.model)
            if by_model is not None:
                return by_model
        name = self.command.model or f"prediction {self.command.prediction_id}"
        raise NotFound(
            f"prediction of {name} on tile {self.tile.name}",
            todo="Let the model predict this tile first: open it with the model chosen.",
        )

    def _of_model(self, key: str) -> Prediction | None:
        """Return what a model or an imported map says here, for the clearest date that it has."""
        if key.startswith("layer/"):
            for layer in catalogue.layers(self.store, self.tile.id, modality=Modality.MODEL):
                if layer.name == key.removeprefix("layer/"):
                    return find_prediction(self.store, self.tile.id, f"layer/{layer.id}")
            return None
        if not (key.startswith("m") and key[1:].isascii() and key[1:].isdecimal()):
            return None
        made = predictions(self.store, tile_id=self.tile.id, model_id=int(key[1:]))
        order = [date.id for date in catalogue.acquisitions(self.store, self.tile.id)]
        there = [found for found in made if found.path.exists()]
        return min(
            there,
            key=lambda p: order.index(p.acquisition_id) if p.acquisition_id in order else -1,
            default=None,
        )
