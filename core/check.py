"""Check a found dataset, or some tiles of a large one, before anything is written.

Headers first (`core.headers`), then pixels (`core.scan`): class rasters wholly and images in part,
so that a file that opens but cannot be read is found here and not in the editor. A tile with an
error is left out; all findings are kept.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core import patch_labels
from core.checked import CheckedLayer, CheckedTile
from core.classes import ClassTable
from core.errors import CloudbrushError
from core.found import Finding, FoundDataset, FoundLayer, FoundTile
from core.headers import check_class_header, check_headers
from core.raster import describe_source
from core.records import Grid
from core.scan import scan_layers

CHECK_THREADS = min(4, os.cpu_count() or 1)

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Checked:
    """A dataset after the check: what can be imported, and everything there is to know about it."""

    dataset: FoundDataset
    tiles: tuple[CheckedTile, ...]
    findings: tuple[Finding, ...]

    @property
    def codes(self) -> dict[int, int]:
        """Return label pixels by class code over all tiles."""
        total: dict[int, int] = {}
        for tile in self.tiles:
            for code, pixels in tile.codes.items():
                total[code] = total.get(code, 0) + pixels
        return total


def check(
    found: FoundDataset, *, roots: Sequence[Path], progress: Progress | None = None
) -> Checked:
    """Check every tile of a found dataset, pixels included; writes nothing.

    `roots` are the folders that rasters may be read from; `progress` gets (done, all, message).
    """
    tiles: list[CheckedTile] = []
    findings = [*found.findings, *names_twice(found.tiles)]
    with ThreadPoolExecutor(CHECK_THREADS) as pool:
        results = pool.map(lambda tile: check_tile(tile, found.classes, roots), found.tiles)
        for done, (tile, about) in enumerate(results, start=1):
            findings += about
            if tile:
                tiles.append(tile)
            if progress:
                progress(done, len(found.tiles), found.tiles[done - 1].name)
    tiles = list({tile.found.name: tile for tile in reversed(tiles)}.values())[::-1]
    unplaced = sum(tile.lonlat is None for tile in tiles)
    return Checked(found, tuple(tiles), (*findings, *about_places(found, unplaced, len(tiles))))


def sample(found: FoundDataset, most: int) -> FoundDataset:
    """Return the dataset with at most so many of its tiles, from all over it."""
    places = np.unique(np.linspace(0, len(found.tiles) - 1, most).astype(int))
    return replace(found, tiles=tuple(found.tiles[place] for place in places))


def names_twice(tiles: Sequence[FoundTile]) -> list[Finding]:
    """Return an error for each tile whose name an earlier one has."""
    seen: set[str] = set()
    twice = []
    for tile in tiles:
        if tile.name in seen:
            twice.append(Finding("error", tile.name, "two tiles have this name; the first is kept"))
        seen.add(tile.name)
    return twice


def about_places(found: FoundDataset, unplaced: int, tiles: int) -> list[Finding]:
    """Return what to say where tiles have no position."""
    text = f"{unplaced:,} of {tiles:,} tiles have no position: a grid takes the map's place"
    return [Finding("info", found.title, text)] if unplaced else []


def check_tile(
    tile: FoundTile, classes: ClassTable, roots: Sequence[Path]
) -> tuple[CheckedTile | None, list[Finding]]:
    """Return a tile by its headers and pixels, None when it has an error, and the findings."""
    checked, findings = check_headers(tile, classes, roots)
    if checked is None:
        return None, findings
    layers = [layer.layer for layer in checked.layers]
    codes = tile.patch_codes
    grid = checked.grid
    try:
        if codes is not None and layers:
            grid = describe_source(layers[0].sources[0]).grid
        scan, about = scan_layers(layers, grid, classes, tile.name)
        if codes is not None:
            scan = replace(scan, codes=patch_labels.checked(tile, grid, classes)[1])
    except CloudbrushError as error:
        return None, [*findings, Finding("error", tile.name, str(error))]
    return replace(checked, scan=scan), [*findings, *about]


def check_class_raster(
    found: FoundLayer,
    grid: Grid,
    classes: ClassTable,
    roots: Sequence[Path],
    findings: list[Finding],
) -> CheckedLayer:
    """Check one class raster, pixels included, against the grid of a tile that exists already.

    Adds to `findings`; raises a `CloudbrushError` when the raster cannot be used.
    """
    checked = check_class_header(found, grid, classes, roots, findings)
    _, about = scan_layers([checked.layer], grid, classes, found.name)
    findings += about
    return checked
