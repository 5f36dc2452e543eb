"""Masks in COCO's format: one file of run lengths per class of a tile, or per building.

Category ids are class codes. The file is written and read back line by line, one annotation a
line, so that its size is not bound by memory. A tile's masks, painted together, must give back the
labels that they were made of.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from core import catalogue, history
from core.damage import BACKGROUND, building_classes, buildings
from core.errors import DatasetError, RasterError
from core.export.frame import Work
from core.export.pixels import pixels_sha256
from core.export.run_lengths import counts_of, from_text, pixels_of, to_text
from core.grid import Window
from core.pixels import Bytes
from core.records import Layer, Modality, Project, Tile

FILE = "annotations.json"
MAX_PX = 8192 * 8192
CLASS, BUILDING = "class", "building"


@dataclass(frozen=True)
class Mask:
    """One annotation: its class code, the mask bool [h, w] and where that lies in the tile."""

    code: int
    box: Window
    inside: Any


def building_class(project: Project) -> int | None:
    """Return the code of the class of buildings in a land-cover project, None without one."""
    for entry in project.classes.entries:
        if entry.name.lower() in ("building", "buildings"):
            return entry.code
    return None


def write_coco(work: Work) -> dict[str, Any]:
    """Write the masks of the tiles and read them back; return what the manifest says of them.

    Raises `DatasetError` for tiles of more than `MAX_PX` pixels, and `RasterError` when the masks
    that are read back do not paint the labels that they were made of.
    """
    tiles = work.tiles()
    for tile in tiles:
        if tile.grid.height * tile.grid.width > MAX_PX:
            raise DatasetError(
                f"tile {tile.name}",
                found=f"{tile.grid.height} x {tile.grid.width} pixels",
                expected=f"at most {MAX_PX:,} pixels for masks",
                todo="Export GeoTIFF labels.",
            )
    path = work.folder / FILE
    hashes, counts = _write(work, tiles, path)
    _check(work, tiles, path, hashes)
    return {
        "verified": "every mask was read back, and together they paint the labels",
        "annotations": sum(counts),
        "tiles": [
            {
                "name": tile.name,
                "version": tile.version,
                "split": tile.split.value,
                "region": tile.region,
                "annotations": count,
                "label_sha256": sha256,
            }
            for tile, count, sha256 in zip(tiles, counts, hashes, strict=True)
        ],
    }


def _write(work: Work, tiles: list[Tile], path: Path) -> tuple[list[str], list[int]]:
    """Write the file; return the SHA-256 of what each tile's masks paint, and their counts."""
    by_buildings = work.option("masks", CLASS) == BUILDING
    images = _images(work, tiles)
    hashes, counts, number = [], [], 0
    with path.open("w", encoding="utf-8") as file:
        file.write('{\n"info": ' + json.dumps(_info(work)) + ',\n"licenses": [],\n')
        file.write('"categories": ' + json.dumps(_categories(work.project)) + ",\n")
        file.write('"images": [\n' + ",\n".join(map(json.dumps, images)) + '\n],\n"annotations": [')
        for done, tile in enumerate(tiles):
            work.tick(0.7 * done / len(tiles), tile.name)
            labels = history.at_version(work.store, tile.id, tile.version).labels
            painted = np.full_like(labels, work.project.classes.void_code)
            before = number
            for mask in masks(labels, work.project, by_buildings=by_buildings):
                number += 1
                file.write((",\n" if number > 1 else "\n") + json.dumps(_entry(number, tile, mask)))
                painted[mask.box.slices][mask.inside] = mask.code
            hashes.append(pixels_sha256(painted))
            counts.append(number - before)
        file.write("\n]\n}\n")
    return hashes, counts


def masks(labels: Bytes, project: Project, *, by_buildings: bool) -> Iterator[Mask]:
    """Yield the masks of labels uint8 [H, W]: of each class present, or of each building."""
    if by_buildings:
        yield from _buildings(labels, project)
        return
    whole = Window(0, 0, *labels.shape)
    for code in project.classes.codes:
        inside = labels == code
        if inside.any():
            yield Mask(code, whole, inside)


def _buildings(labels: Bytes, project: Project) -> Iterator[Mask]:
    """Yield buildings in scan order; in a damage map each with the class of most of its pixels."""
    classes = project.classes
    if project.kind == "damage":
        ids, _ = buildings(labels, classes)
        codes = building_classes(ids, labels, classes)
    else:
        ids, count = ndimage.label(labels == building_class(project))
        codes = np.full(count, building_class(project) or 0, np.uint8)
    for number, slices in enumerate(ndimage.find_objects(ids), start=1):
        if slices is None or codes[number - 1] == BACKGROUND:
            continue
        rows, columns = slices
        box = Window(
            rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start
        )
        yield Mask(int(codes[number - 1]), box, ids[slices] == number)


def _entry(number: int, tile: Tile, mask: Mask) -> dict[str, Any]:
    grid, inside = tile.grid, mask.inside
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    counts = counts_of(inside, mask.box.y0, mask.box.x0, grid.height, grid.width)
    left, top = int(columns[0]), int(rows[0])
    return {
        "id": number,
        "image_id": tile.id,
        "category_id": mask.code,
        "segmentation": {"size": [grid.height, grid.width], "counts": to_text(counts)},
        "area": int(inside.sum()),
        "bbox": [
            mask.box.x0 + left,
            mask.box.y0 + top,
            int(columns[-1]) - left + 1,
            int(rows[-1]) - top + 1,
        ],
        "iscrowd": 0,
    }


def _info(work: Work) -> dict[str, Any]:
    what = "buildings" if work.option("masks", CLASS) == BUILDING else "classes"
    return {"description": f"{work.project.name}: {what}, corrected labels", "version": "1.0"}


def _categories(project: Project) -> list[dict[str, Any]]:
    return [
        {
            "id": entry.code,
            "name": entry.name,
            "supercategory": project.kind,
            "colour": entry.colour,
        }
        for entry in project.classes.entries
    ]


def _images(work: Work, tiles: list[Tile]) -> list[dict[str, Any]]:
    """Return the images: the SAR image of damage maps, as the contest has it, else the optical."""
    order = [Modality.OPTICAL, Modality.SAR]
    if work.project.kind == "damage":
        order.reverse()
    layers = [catalogue.project_layers(work.store, work.project.id, modality) for modality in order]
    root = work.project.root.resolve()
    entries = []
    for tile in tiles:
        files = [_file(root, found) for by_tile in layers for found in by_tile.get(tile.id, [])]
        entries.append(
            {
                "id": tile.id,
                "file_name": files[0] if files else tile.name,
                "files": list(dict.fromkeys(files)),
                "width": tile.grid.width,
                "height": tile.grid.height,
                "tile": tile.name,
                "split": tile.split.value,
                "region": tile.region,
                "version": tile.version,
            }
        )
    return entries


def _file(root: Path, layer: Layer) -> str:
    path = layer.sources[0][0]
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _check(work: Work, tiles: list[Tile], path: Path, hashes: list[str]) -> None:
    """Read the file back line by line and paint each tile anew; raises `RasterError`."""
    entries = _annotations(path)
    entry = next(entries, None)
    wrong = []
    for done, (tile, sha256) in enumerate(zip(tiles, hashes, strict=True)):
        work.tick(0.7 + 0.3 * done / len(tiles), tile.name)
        grid = tile.grid
        by_column = np.full(grid.width * grid.height, work.project.classes.void_code, np.uint8)
        while entry is not None and entry["image_id"] == tile.id:
            inside = pixels_of(from_text(entry["segmentation"]["counts"]), by_column.size)
            by_column[inside] = entry["category_id"]
            wrong += [tile.name] if len(inside) != entry["area"] else []
            entry = next(entries, None)
        painted = by_column.reshape(grid.width, grid.height).T
        wrong += [tile.name] if pixels_sha256(painted) != sha256 else []
    if wrong or entry is not None:
        raise RasterError(
            str(path),
            found=f"masks that paint other labels than meant, in {', '.join(wrong[:5])}",
            expected="masks that read back equal",
            todo="Check the disk and export again.",
        )


def _annotations(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.startswith('{"id"') and '"segmentation"' in line:
                yield json.loads(line.rstrip().rstrip(","))
