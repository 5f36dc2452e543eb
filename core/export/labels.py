"""Corrected labels as GeoTIFF or COG, with their provenance, colours and edit log."""

from collections.abc import Callable
from typing import Any

import numpy as np

from core.classes import ClassTable, Provenance
from core.errors import DatasetError
from core.export.choose import Which
from core.export.edit_log import write_edits
from core.export.frame import Exported, Order, Report, Work, run, safe_name
from core.export.pixels import Colours, Plane, Tally, pixels_sha256, write_planes
from core.records import Tile
from core.store.engine import Store

__all__ = ["class_colours", "export_labels", "pixels_sha256", "write_labels", "write_tile_labels"]

PROVENANCE_COLOURS: dict[Provenance, tuple[int, int, int]] = {
    Provenance.PSEUDO: (200, 200, 196),
    Provenance.CHANGED: (179, 64, 46),
    Provenance.VERIFIED: (15, 110, 132),
    Provenance.MODEL: (123, 63, 160),
    Provenance.UNSURE: (244, 185, 66),
}


def export_labels(
    store: Store,
    project_id: int,
    name: str,
    *,
    which: Which = Which.ALL,
    person: str = "",
    report: Report | None = None,
    cancelled: Callable[[], bool] | None = None,
    **options: str,
) -> Exported:
    """Write labels, provenance and edit log of a project and verify them.

    `options`: file "geotiff" or "cog", provenance "beside" or "band". Raises `DatasetError` when
    the name is taken or cannot be one, or when there is nothing to export, and `RasterError` when
    a file does not read back equal; nothing stays behind then.
    """
    order = Order("labels", which, options)
    return run(
        store,
        project_id,
        name,
        order,
        write_labels,
        person=person,
        report=report,
        cancelled=cancelled,
    )


def write_labels(work: Work) -> dict[str, Any]:
    """Write the rasters and the edit log of every tile; return what the manifest says of them."""
    tiles = work.tiles()
    entries = write_all(work, tiles, cog=work.option("file", "geotiff") == "cog")
    return {
        "edits": write_edits(work, tiles),
        "verified": "every raster and the edit log were read back and compared",
        "tiles": entries,
    }


def write_all(work: Work, tiles: list[Tile], *, cog: bool) -> list[dict[str, Any]]:
    """Write the rasters of the tiles below `labels/`; return their entries of the manifest."""
    beside = work.option("provenance", "beside") == "beside"
    if cog and not beside:
        # Next to a colour table the COG driver marks a second band as transparency.
        raise DatasetError(
            "export",
            found="provenance as band 2 of a COG",
            expected="a file of its own beside a COG",
            todo="Choose plain GeoTIFF, or provenance beside.",
        )
    (work.folder / "labels").mkdir()
    all_px = sum(tile.grid.height * tile.grid.width for tile in tiles)
    entries, done_px = [], 0
    for tile, stem in zip(tiles, stems(tiles), strict=True):
        own_px = tile.grid.height * tile.grid.width
        progress = work.span(done_px / all_px, own_px / all_px, tile.name)
        entries.append(
            write_tile_labels(work, tile, stem, beside=beside, cog=cog, progress=progress)
        )
        done_px += own_px
    return entries


def stems(tiles: list[Tile]) -> list[str]:
    """Return a file name for each tile without its suffix: each once, also where case is lost."""
    found: list[str] = []
    taken: set[str] = set()
    for tile in tiles:
        stem = safe_name(tile.name)
        if stem.lower() in taken or stem.endswith("_provenance"):
            stem = f"{stem}_{tile.id}"
        taken.add(stem.lower())
        found.append(stem)
    return found


def write_tile_labels(
    work: Work,
    tile: Tile,
    stem: str,
    *,
    beside: bool,
    cog: bool,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Write and verify the raster or rasters of one tile; return its entry of the manifest."""
    classes = work.project.classes
    label, provenance = f"labels/{stem}.tif", f"labels/{stem}_provenance.tif"
    tags = {"CLOUDBRUSH_TILE": tile.name, "CLOUDBRUSH_VERSION": str(tile.version)}
    colours, path = class_colours(classes), work.folder / label
    # A GeoTIFF has one nodata value for all bands, and 0 in band 2 would mean "as it came".
    planes = [Plane(path, ("labels", "provenance"), colours, None, cog, tags)]
    if beside:
        origin = work.folder / provenance
        planes = [
            Plane(path, ("labels",), colours, classes.void_code, cog, tags),
            Plane(origin, ("provenance",), provenance_colours(), None, cog, tags),
        ]
    tallies = write_planes(work.store, tile, planes, progress)
    return {
        "name": tile.name,
        "label": label,
        **({"provenance": provenance} if beside else {}),
        **_facts(tile, tallies),
    }


def _facts(tile: Tile, tallies: dict[str, Tally]) -> dict[str, Any]:
    """Return what the manifest says of a tile and of the pixels that were written."""
    codes, counts = tallies["labels"].counts, tallies["provenance"].counts
    return {
        "version": tile.version,
        "split": tile.split.value,
        "region": tile.region,
        "height": tile.grid.height,
        "width": tile.grid.width,
        "crs": tile.grid.crs,
        "label_sha256": tallies["labels"].sha256,
        "provenance_sha256": tallies["provenance"].sha256,
        "pixels_by_code": {str(code): int(codes[code]) for code in np.flatnonzero(codes)},
        "pixels_by_provenance": {
            code.name.lower(): int(counts[code]) for code in Provenance if counts[code]
        },
    }


def class_colours(classes: ClassTable) -> Colours:
    """Return the colour table of label files; void is black."""
    lut = classes.rgb_lut.tolist()
    codes = (*classes.codes, classes.void_code)
    return {code: (lut[code][0], lut[code][1], lut[code][2]) for code in codes}


def provenance_colours() -> Colours:
    """Return the colour table of provenance files."""
    return {int(code): rgb for code, rgb in PROVENANCE_COLOURS.items()}
