"""Leaks: validation ground in a training set, by tile, by label file or by place.

They are refused.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core import catalogue
from core.errors import LeakError
from core.grid import bounds, same_crs
from core.records import Modality, Tile
from core.sources.source import Source, share_pixels, with_path
from core.store.engine import Store


def check_no_leak(store: Store, project_id: int, trained_on: Mapping[int, int]) -> None:
    """Raise `LeakError` when a tile that is learnt from is, or lies on, validation ground."""
    tiles = catalogue.tiles(store, project_id)
    reserved = [tile for tile in tiles if not tile.trainable]
    learnt = [tile for tile in tiles if tile.id in trained_on]
    files: dict[Path, list[tuple[Tile, Source]]] = defaultdict(list)
    for tile in reserved:
        for source in _label_sources(store, tile):
            files[source[0]].append((tile, source))
    leaks = {tile.id: tile for tile in learnt if not tile.trainable}
    leaks |= shared_ground(learnt, reserved)
    for tile in learnt:
        for source in _label_sources(store, tile):
            for other, held in files.get(source[0], []):
                if share_pixels(source, held):
                    leaks[tile.id] = other
        if tile.id in leaks:
            raise LeakError(
                f"training tile {tile.name}",
                found=f"ground or label of validation tile {leaks[tile.id].name}",
                expected="training and validation on different ground",
                todo="Give the frozen tile back, or leave this one out.",
            )


def shared_ground(tiles: Sequence[Tile], reserved: Sequence[Tile]) -> dict[int, Tile]:
    """Return, by tile id, a reserved tile that overlaps it by more than a pixel both ways.

    Tiles without a place (no CRS) share ground with none.
    """
    placed = [tile for tile in reserved if tile.grid.crs is not None]
    if not placed:
        return {}
    boxes = np.array([bounds(tile.grid) for tile in placed])
    found = {}
    for tile in tiles:
        if tile.grid.crs is None:
            continue
        low_x, low_y, high_x, high_y = bounds(tile.grid)
        pixel = max(abs(v) for v in (*tile.grid.transform[:2], *tile.grid.transform[3:5]))
        wide = np.minimum(boxes[:, 2], high_x) - np.maximum(boxes[:, 0], low_x) > pixel
        high = np.minimum(boxes[:, 3], high_y) - np.maximum(boxes[:, 1], low_y) > pixel
        for number in np.flatnonzero(wide & high):
            if placed[number].id != tile.id and same_crs(tile.grid.crs, placed[number].grid.crs):
                found[tile.id] = placed[number]
                break
    return found


def _label_sources(store: Store, tile: Tile) -> list[Source]:
    layers = catalogue.layers(store, tile.id, modality=Modality.LABEL)
    return [with_path(layer.sources[0], layer.sources[0][0]) for layer in layers]
