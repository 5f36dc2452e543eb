"""The edit log as a CSV of one row per edit, written and read back tile by tile."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import CloudbrushError
from core.export.frame import Work
from core.records import Tile
from core.timeline import EDIT_COLUMNS, edits_of

EDITS = "edits.csv"


def write_edits(work: Work, tiles: list[Tile]) -> int:
    """Write the edits of the tiles up to their versions and read them back; return their number."""
    path = work.folder / EDITS
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, EDIT_COLUMNS)
        writer.writeheader()
        for row in _rows(work, tiles):
            writer.writerow(row)
            count += 1
    with path.open(encoding="utf-8", newline="") as file:
        found = csv.DictReader(file)
        for row in _rows(work, tiles):
            if next(found, None) != {column: str(row[column]) for column in EDIT_COLUMNS}:
                raise _different(path, count)
        if next(found, None) is not None:
            raise _different(path, count)
    return count


def _different(path: Path, count: int) -> CloudbrushError:
    return CloudbrushError(
        str(path), found="other rows than written", expected=f"{count} edits, as in the edit log"
    )


def _rows(work: Work, tiles: list[Tile]) -> Iterator[dict[str, Any]]:
    classes = work.project.classes
    for tile in tiles:
        if tile.version:
            for row in edits_of(work.store, tile.id, classes):
                if int(row["version"]) <= tile.version:
                    yield row


def write_log(work: Work) -> dict[str, Any]:
    """Write the edit log alone; return what the manifest says of it."""
    tiles = [tile for tile in work.tiles() if tile.version]
    edits = write_edits(work, tiles)
    return {
        "edits": edits,
        "verified": "the edit log was read back and compared",
        "tiles": [{"name": tile.name, "version": tile.version} for tile in tiles],
    }
