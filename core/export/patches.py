"""Labels of whole patches as CSV: as published and of now, who is behind them, and when."""

import csv
import io
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select

from core import catalogue
from core.classes import ClassTable, Provenance
from core.errors import CloudbrushError
from core.export.frame import Work
from core.patch_index import PatchFilter, PatchLabel, find_patches, patches
from core.patch_labels import LIST, NONE, PatchCodes
from core.store.engine import Store
from core.store.tables import EditRow, PersonRow, TileRow

COLUMNS = (
    "patch",
    "region",
    "split",
    "codes",
    "classes",
    "published_codes",
    "published_classes",
    "provenance",
    "version",
    "changed_by",
    "changed_at",
)
SEPARATOR = "; "
PATCHES = "patches.csv"


def patch_csv(store: Store, project_id: int) -> str:
    """Return the patches of a project, one line each in the order of names, with a header.

    Lists of classes are joined by "; ", and one more column for each class holds 1 or 0. Several
    provenances of one list are joined as well. Times are ISO 8601 in UTC. Raises `NotFound` for a
    project whose labels are rasters.
    """
    project = catalogue.project(store, project_id)
    marks = project.classes.entries if project.kind == LIST else ()
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*COLUMNS, *(entry.name for entry in marks)])
    ids = find_patches(store, project_id, PatchFilter())
    edited = _last_edits(store, project_id)
    for patch in patches(store, project_id, ids.tolist()):
        person, at = edited.get(patch.tile_id, ("", None))
        cells = _cells(patch, project.classes)
        when = at.isoformat(timespec="seconds") if at else ""
        writer.writerow([*cells, person, when, *(int(e.code in patch.codes) for e in marks)])
    return out.getvalue()


def write_patches(work: Work) -> dict[str, Any]:
    """Write the table of every patch and read it back; return what the manifest says of it."""
    text = patch_csv(work.store, work.project.id)
    path = work.folder / PATCHES
    path.write_text(text, encoding="utf-8", newline="")
    if path.read_bytes() != text.encode():
        raise CloudbrushError(str(path), found="other rows than written", expected="the same rows")
    rows = csv.DictReader(io.StringIO(text))
    return {
        "verified": "the table was read back and compared",
        "tiles": [
            {name: row[key] for name, key in (("name", "patch"), ("split", "split"))}
            | {"region": row["region"], "version": int(row["version"])}
            for row in rows
        ],
    }


def _cells(patch: PatchLabel, classes: ClassTable) -> list[str | int]:
    origins = sorted({Provenance(code) for code in patch.origin})
    return [
        patch.name,
        patch.region,
        patch.split.value,
        *_words(patch.codes, classes),
        *_words(patch.first, classes),
        SEPARATOR.join(origin.name.lower() for origin in origins),
        patch.version,
    ]


def _words(codes: PatchCodes, classes: ClassTable) -> tuple[str, str]:
    names = {entry.code: entry.name for entry in classes.entries}
    present = [code for code in codes if code != NONE and code in names]
    return SEPARATOR.join(map(str, present)), SEPARATOR.join(names[code] for code in present)


def _last_edits(store: Store, project_id: int) -> dict[int, tuple[str, datetime]]:
    """Return by tile who changed it last, and when."""
    newest = (
        select(EditRow.tile_id, func.max(EditRow.version).label("version"))
        .join(TileRow)
        .where(TileRow.project_id == project_id)
        .group_by(EditRow.tile_id)
        .subquery()
    )
    same = and_(EditRow.tile_id == newest.c.tile_id, EditRow.version == newest.c.version)
    query = select(EditRow.tile_id, PersonRow.name, EditRow.saved_at).join(newest, same)
    with store.read() as session:
        rows = session.execute(query.join(PersonRow, PersonRow.id == EditRow.person_id))
        return {tile_id: (name, at) for tile_id, name, at in rows}
