"""Files that changed on disk since they were imported, told by size and time, then by hash."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sqlalchemy import select

from core.checked import files_of
from core.scan import sha256_of
from core.sources.source import from_json
from core.store.engine import Store, chunks
from core.store.tables import LayerRow

What = Literal["changed", "gone"]


class ChangedFile(NamedTuple):
    """A file that is not as it was imported. `modality` is of the layer that reads it."""

    path: Path
    modality: str
    what: What


def changed_files(store: Store, tile_ids: Sequence[int]) -> dict[int, list[ChangedFile]]:
    """Return the changed files of tiles by tile id; tiles without one are left out.

    Costs one look at the directory entry of each file. Content is read only where size or time
    differ and a hash is known: a file that was copied or touched is no other one.
    """
    found: dict[int, list[ChangedFile]] = {}
    with store.read() as session:
        for some in chunks(tile_ids):
            columns = LayerRow.tile_id, LayerRow.modality, LayerRow.sources, LayerRow.stats
            for row in session.execute(select(*columns).where(LayerRow.tile_id.in_(some))):
                of_layer = changed_of(row.modality, row.sources, row.stats or [])
                if of_layer:
                    found.setdefault(row.tile_id, []).extend(of_layer)
    return found


def changed_of(
    modality: str, sources: Sequence[list[Any]], stats: Sequence[Sequence[Any]]
) -> list[ChangedFile]:
    """Return the changed files of one layer as its row keeps it; empty where no stats were kept."""
    paths = files_of(from_json(source) for source in sources)
    if len(paths) != len(stats):
        return []
    found = []
    for path, kept in zip(paths, stats, strict=True):
        what = _difference(path, kept)
        if what is not None:
            found.append(ChangedFile(path, modality, what))
    return found


def _difference(path: Path, kept: Sequence[Any]) -> What | None:
    size, mtime_ns, *rest = kept
    try:
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) == (size, mtime_ns):
            return None
        same = stat.st_size == size and bool(rest) and rest[0] == sha256_of(path)
    except OSError:
        return "gone"
    return None if same else "changed"


def in_words(files: Mapping[int, Sequence[ChangedFile]], tile_id: int) -> str:
    """Return what happened to the files of a tile, in words; empty when nothing did."""
    return "; ".join(
        f"{one.path.name} is gone" if one.what == "gone" else f"{one.path.name} has changed"
        for one in files.get(tile_id, ())
    )
