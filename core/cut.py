"""Whole scenes as tiles: each tile is a window of the scene's grid, and no pixel is copied.

All layers of a scene are laid on the tile's grid when they are read, whatever their resolution;
class rasters by nearest pixels only. Tiles of one scene keep its split.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rasterio.transform import Affine

from core.errors import CloudbrushError, GridMismatch
from core.found import Cut, Finding, FoundDataset, FoundLayer, FoundTile
from core.grid import Window, is_placed, offset_px, pixel_map, same_crs
from core.headers import GRID_ORDER
from core.raster import describe_source
from core.records import Grid
from core.sources.source import on_grid

Box = tuple[float, float, float, float]


def windows(height: int, width: int, how: Cut) -> Iterator[Window]:
    """Yield windows that cover a scene, in row-major order."""
    for y0, h in _spans(height, how):
        for x0, w in _spans(width, how):
            yield Window(y0, x0, h, w)


def _spans(length: int, how: Cut) -> list[tuple[int, int]]:
    if length <= how.size:
        return [(0, length)]
    step = how.size - how.overlap
    starts = list(range(0, length - how.overlap, step))
    if how.edge == "shift":
        return [(min(start, length - how.size), how.size) for start in starts]
    return [(start, min(how.size, length - start)) for start in starts]


def window_grid(grid: Grid, window: Window) -> Grid:
    """Return the grid of a window of `grid`."""
    moved = Affine(*grid.transform) @ Affine.translation(window.x0, window.y0)
    a, b, c, d, e, f = tuple(moved)[:6]
    return Grid(window.h, window.w, (a, b, c, d, e, f), grid.crs)


def cut(found: FoundDataset, how: Cut) -> FoundDataset:
    """Return the dataset with every larger scene cut into tiles; headers are read, no pixel.

    Scenes that cannot be cut are left out with an error among the findings.
    """
    tiles: list[FoundTile] = []
    findings: list[Finding] = []
    for scene in found.tiles:
        try:
            tiles += _pieces(scene, how, findings)
        except CloudbrushError as error:
            findings.append(Finding("error", scene.name, str(error)))
    return replace(found, tiles=tuple(tiles), findings=(*found.findings, *findings), cut=how)


def _pieces(scene: FoundTile, how: Cut, findings: list[Finding]) -> list[FoundTile]:
    if scene.patch_codes is not None or not scene.layers:
        return [scene]
    grid = scene_grid(scene)
    if max(grid.height, grid.width) <= how.size:
        return [scene]
    boxes = [_ground(layer, grid, findings) for layer in scene.layers]
    pieces, empty = [], 0
    for window in windows(grid.height, grid.width, how):
        if all(_meets(box, window) for box in boxes):
            pieces.append(_piece(scene, window, window_grid(grid, window)))
        else:
            empty += 1
    if empty:
        text = f"{empty} tiles of this scene lie beyond one of its files; left out"
        findings.append(Finding("warning", scene.name, text))
    return pieces


def _piece(scene: FoundTile, window: Window, grid: Grid) -> FoundTile:
    laid = tuple(
        replace(layer, sources=tuple(on_grid(source, grid) for source in layer.sources))
        for layer in scene.layers
    )
    return replace(scene, name=f"{scene.name}_y{window.y0:05d}_x{window.x0:05d}", layers=laid)


def scene_grid(scene: FoundTile) -> Grid:
    """Return the grid that a scene is cut on: the label's, else the next in order, the finest."""
    first = min(scene.layers, key=lambda layer: GRID_ORDER.index(layer.modality))
    grids = [describe_source(source).grid for source in first.sources]
    return max(grids, key=lambda grid: grid.height * grid.width)


def _ground(layer: FoundLayer, grid: Grid, findings: list[Finding]) -> Box:
    """Return the ground of a layer's files in pixels of `grid`: left, top, right, bottom."""
    boxes = [_box(source, grid) for source in dict.fromkeys(layer.sources)]
    left, top = max(box[0] for box in boxes), max(box[1] for box in boxes)
    right, bottom = min(box[2] for box in boxes), min(box[3] for box in boxes)
    if max(left, top) > 1 or right < grid.width - 1 or bottom < grid.height - 1:
        text = f"{layer.modality.value} covers a part of the scene only"
        findings.append(Finding("info", str(layer.sources[0][0]), text))
    return left, top, right, bottom


def _box(source: tuple[Path, int], grid: Grid) -> Box:
    info = describe_source(source)
    if not (is_placed(grid) and is_placed(info.grid)):
        offset_px(grid, info.grid)
    if grid.crs and info.grid.crs and not same_crs(grid.crs, info.grid.crs):
        raise GridMismatch(
            f"{info.path}, CRS", found=info.grid.crs, expected=grid.crs, todo="Reproject the file."
        )
    to_scene = pixel_map(info.grid, grid)
    x0, y0 = to_scene @ (0.0, 0.0)
    x1, y1 = to_scene @ (float(info.width), float(info.height))
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _meets(box: Box, window: Window) -> bool:
    """Return whether a layer has a pixel for at least a corner of a window."""
    left, top, right, bottom = box
    across = min(right, window.x0 + window.w) - max(left, window.x0)
    down = min(bottom, window.y0 + window.h) - max(top, window.y0)
    return across >= 1 and down >= 1
