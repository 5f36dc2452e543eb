"""What changed in a project's folder since it was imported, and taking it over.

Tiles are compared by name, files by path, size and time, then by hash where one is known. Edits
build on the label file as it came, so a tile with edits never takes over another label: it keeps
its own, and says so, until the file is put back.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from core import catalogue
from core.changes import changed_of
from core.check import Progress
from core.checked import CheckedTile
from core.errors import NotFound
from core.found import Finding, FoundDataset, FoundTile
from core.headers import check_headers
from core.ingest import place_values, write_layers, write_tiles
from core.records import Modality
from core.scan import mark_problem
from core.sources.source import from_json
from core.store.engine import Store
from core.store.tables import (
    AcquisitionRow,
    EditRow,
    EvaluationRow,
    KeyframeRow,
    LayerRow,
    PredictionRow,
    TallyRow,
    TileRow,
)

BATCH = 200


@dataclass
class Changes:
    """Names of tiles that are new, gone, or have changed files; `why` says what changed in each.

    `kept` are changed or gone tiles with edits, whose label is not the one that was edited.
    """

    new: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether anything changed."""
        return bool(self.new or self.gone or self.changed or self.kept)

    def digest(self) -> str:
        """Return a text that differs where the changes do."""
        return sha256(json.dumps(vars(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class _Known:
    """A tile as the catalogue has it: the files of its layers, and which of them changed."""

    tile_id: int
    files: frozenset[str]
    changed: tuple[str, ...]
    label_changed: bool
    edited: bool


def compare(
    store: Store, project_id: int, found: FoundDataset, progress: Progress | None = None
) -> Changes:
    """Return what differs between a project and its folder as its reader finds it now.

    No raster is opened; a file is read only to hash it, where size or time differ.
    """
    known = _known(store, project_id, progress)
    changes = Changes()
    seen: set[str] = set()
    for tile in found.tiles:
        if tile.name in seen:
            continue
        seen.add(tile.name)
        before = known.get(tile.name)
        if before is None:
            changes.new.append(tile.name)
            continue
        files = frozenset(_text(path) for layer in tile.layers for path, _ in layer.sources)
        words = [*before.changed]
        words += [f"{Path(path).name} is new" for path in sorted(files - before.files)]
        words += [f"{Path(path).name} is no longer used" for path in sorted(before.files - files)]
        if words:
            stays = before.edited and before.label_changed
            (changes.kept if stays else changes.changed).append(tile.name)
            changes.why[tile.name] = "; ".join(words)
    for name in sorted(known.keys() - seen):
        (changes.kept if known[name].edited else changes.gone).append(name)
        changes.why[name] = "its files are gone"
    return changes


def take_over(
    store: Store,
    project_id: int,
    found: FoundDataset,
    changes: Changes,
    *,
    roots: Sequence[Path],
    progress: Progress | None = None,
) -> list[Finding]:
    """Write new tiles, read changed ones anew, and take gone ones out; returns the findings.

    Headers are read, pixels later, as at an import. A changed tile loses its maps and scores, which
    were of other pixels, and keeps its edits where its label and grid are the same. Tiles in `kept`
    stay as they are and take no edits until their files are put back.
    """
    classes = catalogue.project(store, project_id).classes
    wanted = {*changes.new, *changes.changed}
    tiles = list({tile.name: tile for tile in found.tiles if tile.name in wanted}.values())
    findings: list[Finding] = []
    for start in range(0, len(tiles), BATCH):
        batch = tiles[start : start + BATCH]
        headers = [check_headers(tile, classes, roots) for tile in batch]
        findings += [finding for _, about in headers for finding in about]
        with store.write() as session:
            ids = _ids(session, project_id, [tile.name for tile in batch])
            new = [c for c, _ in headers if c is not None and c.found.name not in ids]
            write_tiles(session, project_id, new, classes)
            for tile, (checked, about) in zip(batch, headers, strict=True):
                if tile.name in ids:
                    _rewrite(session, ids[tile.name], tile, checked, about)
        if progress:
            progress(start + len(batch), len(tiles), batch[-1].name)
    with store.write() as session:
        ids = _ids(session, project_id, [*changes.gone, *changes.kept])
        for name in changes.gone:
            session.execute(delete(TileRow).where(TileRow.id == ids[name]))
        for name in changes.kept:
            mark_problem(session, ids[name], _words_kept(changes.why[name]))
    return findings


def _words_kept(why: str) -> str:
    return (
        f"{why}. The edits build on the label that was imported: put it back, or import the new "
        "one as another project"
    )


def _ids(session: Session, project_id: int, names: Sequence[str]) -> dict[str, int]:
    query = select(TileRow.name, TileRow.id).where(TileRow.project_id == project_id)
    wanted = set(names)
    return {name: tile_id for name, tile_id in session.execute(query) if name in wanted}


def _rewrite(
    session: Session,
    tile_id: int,
    tile: FoundTile,
    checked: CheckedTile | None,
    about: Sequence[Finding],
) -> None:
    """Give a tile its layers of now; its pixels are to be read anew."""
    row = session.get(TileRow, tile_id)
    if row is None:
        raise NotFound(f"tile {tile.name}", todo="It was deleted meanwhile.")
    if checked is None:
        mark_problem(session, tile_id, next(f.message for f in about if f.level == "error"))
        return
    edited = session.scalar(select(exists().where(EditRow.tile_id == tile_id)))
    place = place_values(checked)
    shape = (row.height, row.width, tuple(row.transform))
    if edited and (place["height"], place["width"], tuple(place["transform"])) != shape:
        mark_problem(session, tile_id, _words_kept("Its grid is another one than its edits have"))
        return
    for kind in (EvaluationRow, PredictionRow, TallyRow):
        session.execute(delete(kind).where(kind.tile_id == tile_id))
    kept_maps = LayerRow.modality == Modality.MODEL.value
    session.execute(delete(LayerRow).where(LayerRow.tile_id == tile_id, ~kept_maps))
    session.execute(delete(AcquisitionRow).where(AcquisitionRow.tile_id == tile_id))
    values: dict[str, Any] = {**place, "scanned_at": None, "problem": None}
    values["split"] = tile.split.value
    if not edited:
        values["label_sha256"] = None
        session.execute(delete(KeyframeRow).where(KeyframeRow.tile_id == tile_id))
    session.execute(update(TileRow).where(TileRow.id == tile_id).values(**values))
    write_layers(session, [(tile_id, checked)])


def _known(store: Store, project_id: int, progress: Progress | None) -> dict[str, _Known]:
    edits = exists().where(EditRow.tile_id == TileRow.id)
    tiles = select(TileRow.id, TileRow.name, edits).where(TileRow.project_id == project_id)
    columns = LayerRow.tile_id, LayerRow.modality, LayerRow.sources, LayerRow.stats
    layers = select(*columns).join(TileRow).where(TileRow.project_id == project_id)
    layers = layers.where(LayerRow.modality != Modality.MODEL.value)
    files: dict[int, set[str]] = {}
    changed: dict[int, list[str]] = {}
    labels: set[int] = set()
    with store.read() as session:
        rows = session.connection().execute(tiles).all()
        for number, layer in enumerate(session.connection().execute(layers)):
            sources = [from_json(source) for source in layer.sources]
            files.setdefault(layer.tile_id, set()).update(_text(path) for path, _ in sources)
            for one in changed_of(layer.modality, layer.sources, layer.stats or []):
                said = "is gone" if one.what == "gone" else "has changed"
                changed.setdefault(layer.tile_id, []).append(f"{one.path.name} {said}")
                if one.modality == Modality.LABEL.value:
                    labels.add(layer.tile_id)
            if progress and number % 1000 == 0:
                progress(len(files), len(rows), "comparing files")
    return {
        name: _Known(
            tile_id,
            frozenset(files.get(tile_id, ())),
            tuple(changed.get(tile_id, ())),
            tile_id in labels,
            bool(edited),
        )
        for tile_id, name, edited in rows
    }


def _text(path: Path) -> str:
    return str(path)
