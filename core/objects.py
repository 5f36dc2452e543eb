"""Buildings of a damage tile as objects with ids that stay.

The objects of a tile are the connected components of its building pixels, as `core.damage` finds
them. Those of the label as it came are numbered from 1 in scan order. After shape edits the
components are found anew: one keeps the number of the building as it came with which it shares most
pixels; of two that claim the same number, the one that shares more. Any other is a *new* object.
Its id follows from its *anchor*, the first of the pixels that have been building for longest, so
that it stays while the object grows or changes class, and cannot meet another: ids of new objects
are greater than those of all buildings as they came.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from sqlalchemy import Engine

from core import catalogue, history
from core.classes import ClassTable, LabelArray
from core.damage import BACKGROUND, IdArray, building_classes, buildings
from core.errors import CloudbrushError, NotFound
from core.grid import Window
from core.patch import plane
from core.records import Tile
from core.replay import edits_between, meet, patch_of
from core.store.engine import Store

MAX_PX = 4096 * 4096
REMEMBERED = 8

Overlap = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Building:
    """One object. `at` is its first pixel (row, column) in scan order, `code` its class.

    `name` is what people read: the number of a building as it came, or the place of a new one.
    """

    id: int
    name: str
    box: Window
    at: tuple[int, int]
    pixels: int
    code: int


@dataclass(frozen=True)
class Buildings:
    """The objects of a tile in scan order, at a version of its labels."""

    version: int
    found: tuple[Building, ...]

    def within(self, window: Window) -> tuple[Building, ...]:
        """Return the objects whose box touches a window."""
        return tuple(b for b in self.found if _touches(b.box, window))


def find(store: Store, tile: Tile) -> Buildings:
    """Return the objects of a tile's labels of now.

    Raises `NotFound` where a project has no buildings, and `CloudbrushError` for a tile of more
    than `MAX_PX` pixels.
    """
    project = catalogue.project(store, tile.project_id)
    _check(tile, project.kind)
    known = _memory(store)
    name = (tile.id, project.created_at)
    labels = history.current(store, tile.id)
    kept = known.newest(name, labels.version)
    if kept is not None:
        return kept
    first = known.first(name)
    if first is None:
        first = buildings(history.original(store, tile.id), project.classes)
        known.keep_first(name, first)
    made = _find(store, tile, project.classes, labels, first)
    known.keep(name, made)
    return made


def kept_numbers(ids: IdArray, count: int, first: IdArray) -> npt.NDArray[np.int64]:
    """Return for each of `count` components the number that it keeps, int64 [count]; 0 if none.

    `ids` int32 [H, W] are the components of now, `first` those of the label as it came.
    """
    here, there, shared = _overlaps(ids, first)
    # Most shared pixels first; of equals, the lower number and the earlier component.
    order = np.lexsort((here, there, -shared))
    here, there = here[order], there[order]
    claims = np.sort(
        np.unique(here, return_index=True)[1]
    )  # each component's best claim, the strongest claim first
    numbers = np.zeros(count + 1, np.int64)
    taken, winners = np.unique(there[claims], return_index=True)
    numbers[here[claims][winners]] = taken
    return numbers[1:]


def _overlaps(ids: IdArray, first: IdArray) -> Overlap:
    """Return pairs of component and number that share pixels, and how many; int64 [n] each."""
    both = (ids > 0) & (first > 0)
    step = int(first.max(initial=0)) + 1
    pairs, shared = np.unique(ids[both].astype(np.int64) * step + first[both], return_counts=True)
    return pairs // step, pairs % step, shared.astype(np.int64)


def _find(
    store: Store,
    tile: Tile,
    classes: ClassTable,
    labels: history.Labels,
    first: tuple[IdArray, int],
) -> Buildings:
    ids, count = buildings(labels.labels, classes)
    if count == 0:
        return Buildings(labels.version, ())
    numbers = kept_numbers(ids, count, first[0])
    slices = [found for found in ndimage.find_objects(ids) if found is not None]
    boxes = [Window(y.start, x.start, y.stop - y.start, x.stop - x.start) for y, x in slices]
    anchors = _anchors(store, tile, classes, labels.version, ids, numbers, boxes)
    codes = building_classes(ids, labels.labels, classes)
    sizes = np.bincount(ids.ravel(), minlength=count + 1)[1:]
    made = []
    for i, box in enumerate(boxes):
        number = int(numbers[i])
        column = int((ids[box.y0, box.x0 : box.x0 + box.w] == i + 1).argmax()) + box.x0
        if number:
            name = str(number)
        else:
            row, col = anchors[i]
            number, name = first[1] + 1 + row * tile.grid.width + col, f"new at {row}, {col}"
        made.append(Building(number, name, box, (box.y0, column), int(sizes[i]), int(codes[i])))
    return Buildings(labels.version, tuple(made))


def _anchors(
    store: Store,
    tile: Tile,
    classes: ClassTable,
    version: int,
    ids: IdArray,
    numbers: npt.NDArray[np.int64],
    boxes: list[Window],
) -> dict[int, tuple[int, int]]:
    """Return the anchor (row, column) of each component without a number, by its place."""
    fresh = [i for i, number in enumerate(numbers) if number == 0]
    if not fresh:
        return {}
    hull = _hull([boxes[i] for i in fresh])
    since = _building_since(store, tile, classes, version, hull)
    found = {}
    for i in fresh:
        box = boxes[i]
        inside = ids[box.slices] == i + 1
        ages = since[box.y0 - hull.y0 :, box.x0 - hull.x0 :][: box.h, : box.w]
        oldest = inside & (ages == ages[inside].min())
        row, col = divmod(int(oldest.argmax()), box.w)
        found[i] = (box.y0 + row, box.x0 + col)
    return found


def _building_since(
    store: Store, tile: Tile, classes: ClassTable, version: int, window: Window
) -> npt.NDArray[np.int64]:
    """Return since which version each pixel of a window has been building, int64 [h, w].

    0 where it came so; of no meaning where no building is now.
    """
    since = np.zeros((window.h, window.w), np.int64)
    with store.read() as session:
        for row in edits_between(session, tile.id, 0, version, window):
            patch = patch_of(row)
            was, is_now = (
                _is_building(plane(patch, values), classes)
                for values in (patch.old_values, patch.new_values)
            )
            appeared = patch.mask & is_now & ~was
            if appeared.any():
                inner, outer = meet(patch.box, window)
                since[outer][appeared[inner]] = row["version"]
    return since


def _is_building(codes: LabelArray, classes: ClassTable) -> npt.NDArray[np.bool_]:
    return np.isin(codes, [code for code in classes.codes if code != BACKGROUND])


def _hull(windows: list[Window]) -> Window:
    y0, x0 = min(w.y0 for w in windows), min(w.x0 for w in windows)
    bottom, right = max(w.y0 + w.h for w in windows), max(w.x0 + w.w for w in windows)
    return Window(y0, x0, bottom - y0, right - x0)


def _touches(a: Window, b: Window) -> bool:
    rows = a.y0 < b.y0 + b.h and b.y0 < a.y0 + a.h
    return rows and a.x0 < b.x0 + b.w and b.x0 < a.x0 + a.w


def _check(tile: Tile, kind: str) -> None:
    if kind != "damage":
        raise NotFound(
            "objects", found="a land cover project", expected="a damage project with buildings"
        )
    size = tile.grid.height * tile.grid.width
    if size > MAX_PX:
        raise CloudbrushError(
            f"objects of tile {tile.name}",
            found=f"{size:,} pixels",
            expected=f"at most {MAX_PX:,}",
            todo="Cut the scene into smaller tiles, or use the brush.",
        )


@dataclass
class _Memory:
    """What this process found in one database; it may be dropped at any moment."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    newest_of: OrderedDict[tuple[int, datetime], Buildings] = field(default_factory=OrderedDict)
    first_of: OrderedDict[tuple[int, datetime], tuple[IdArray, int]] = field(
        default_factory=OrderedDict
    )

    def newest(self, name: tuple[int, datetime], version: int) -> Buildings | None:
        with self.lock:
            found = self.newest_of.get(name)
        return found if found is not None and found.version == version else None

    def keep(self, name: tuple[int, datetime], made: Buildings) -> None:
        with self.lock:
            self.newest_of[name] = made
            self.newest_of.move_to_end(name)
            while len(self.newest_of) > REMEMBERED:
                self.newest_of.popitem(last=False)

    def first(self, name: tuple[int, datetime]) -> tuple[IdArray, int] | None:
        with self.lock:
            return self.first_of.get(name)

    def keep_first(self, name: tuple[int, datetime], found: tuple[IdArray, int]) -> None:
        with self.lock:
            self.first_of[name] = found
            total = sum(ids.size for ids, _ in self.first_of.values())
            while total > MAX_PX and len(self.first_of) > 1:
                _, (dropped, _) = self.first_of.popitem(last=False)
                total -= dropped.size


_memories: WeakKeyDictionary[Engine, _Memory] = WeakKeyDictionary()
_memories_lock = threading.Lock()


def _memory(store: Store) -> _Memory:
    with _memories_lock:
        return _memories.setdefault(store.engine, _Memory())
