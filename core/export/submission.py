"""Submissions to DFC2025: a zip of one class map per tile, checked by the contest's rules.

Track 1: `STEM.png` with codes 1 to 8. Track 2: `ID_building_damage.png` with codes 0 to 3. Both:
single-channel 8-bit PNG of 1024 x 1024 pixels, all at the root of the zip, one for every tile of
the part. The rules are those that the public code of the contests follows.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core import catalogue, trained
from core.errors import DatasetError, NotFound
from core.export.frame import Work
from core.pixels import Bytes
from core.predictions import find_prediction, read_prediction
from core.records import ModelRecord, Prediction, Project, Split, Tile
from core.scores import model_source
from core.store.engine import Store

SIDE = 1024


@dataclass(frozen=True)
class Track:
    """The rules of one contest. `counts` are the published numbers of tiles by split."""

    title: str
    suffix: str
    codes: tuple[int, ...]
    counts: dict[Split, int]

    def name(self, tile: str) -> str:
        """Return the name of a tile's file in the zip."""
        return f"{tile}{self.suffix}.png"


TRACKS = {
    "dfc25_t1": Track("DFC2025 Track 1", "", tuple(range(1, 9)), {Split.VAL: 210, Split.TEST: 490}),
    "dfc25_t2": Track(
        "DFC2025 Track 2",
        "_building_damage",
        (0, 1, 2, 3),
        {Split.VAL: 349, Split.TEST: 156},
    ),
}


@dataclass(frozen=True)
class Check:
    """One rule, whether it holds, and what was found. `must`: the zip is not made without it."""

    rule: str
    holds: bool
    found: str
    must: bool = True


def track_of(project: Project) -> Track | None:
    """Return the contest that a project's scoring preset belongs to, or None."""
    return next((track for key, track in TRACKS.items() if project.preset.startswith(key)), None)


def contest_tiles(store: Store, project: Project, split: Split) -> list[Tile]:
    """Return the tiles of a part of the contest; raises `DatasetError` when there are none."""
    found = catalogue.tiles(store, project.id, split=split)
    if not found:
        raise DatasetError(
            "submission",
            found=f"no tile of the {split.value} part",
            expected="the images of that part in the project",
            todo="Import the contest's archive of that part.",
        )
    return found


def maps(
    store: Store, record: ModelRecord, tiles: Sequence[Tile]
) -> Iterator[tuple[Tile, Prediction | None]]:
    """Yield each tile with the model's map of its clearest date; None where there is none."""
    for tile in tiles:
        dates = catalogue.acquisitions(store, tile.id) if record.uses_optical else []
        source = model_source(record.id, dates[0].id if dates else None)
        yield tile, find_prediction(store, tile.id, source)


def write_submission(work: Work) -> dict[str, Any]:
    """Write the zip and check it as it lies on disk; return what the manifest says of it.

    Raises `DatasetError` that names the rule that does not hold; no zip is left then.
    """
    track = track_of(work.project)
    if track is None:
        raise DatasetError(
            "submission", found=f"preset {work.project.preset}", expected=" or ".join(TRACKS)
        )
    record = _model(work)
    split = Split(work.option("split", Split.TEST.value))
    tiles = contest_tiles(work.store, work.project, split)
    path = work.folder / f"{split.value}_{work.project.preset}.zip"
    missing = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # a PNG is compressed
        for done, (tile, found) in enumerate(maps(work.store, record, tiles)):
            work.tick(0.8 * done / len(tiles), tile.name)
            if found is None:
                missing.append(tile.name)
                continue
            archive.writestr(track.name(tile.name), png(read_prediction(work.store, found)[0]))
    work.tick(0.8, "Checking")
    checks = check_submission(path, track, [tile.name for tile in tiles], split)
    for check in checks:
        if check.must and not check.holds:
            raise DatasetError(
                path.name,
                found=check.found,
                expected=check.rule,
                todo="Let the model predict these tiles first." if missing else "",
            )
    return {
        "verified": "the zip was opened again and checked by the rules of the contest",
        "notes": [f"{track.title}, {split.value}: {path.name}, maps of {record.name}."],
        "model": record.name,
        "zip": path.name,
        "checks": [{"rule": c.rule, "holds": c.holds, "found": c.found} for c in checks],
        "tiles": [{"name": tile.name, "split": tile.split.value} for tile in tiles],
    }


def _model(work: Work) -> ModelRecord:
    chosen = work.option("model", "")
    record = trained.model(work.store, int(chosen)) if chosen.isdecimal() else None
    if record is None or record.project_id != work.project.id:
        raise NotFound(f"model {chosen}", todo="Choose a model of this project.")
    return record


def png(codes: Bytes) -> bytes:
    """Return class codes uint8 [H, W] as a single-channel 8-bit PNG."""
    out = io.BytesIO()
    Image.fromarray(codes, "L").save(out, "PNG")
    return out.getvalue()


def check_submission(path: Path, track: Track, tiles: Sequence[str], split: Split) -> list[Check]:
    """Open a zip and hold it against every rule of its contest, each named."""
    wanted = {track.name(tile) for tile in tiles}
    published = track.counts[split]
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        images = [_look(archive, name) for name in names]
    nested = [name for name in names if "/" in name or "\\" in name]
    foreign = sorted(set(names) - wanted)
    lacking = sorted(wanted - set(names))
    rules = (
        ("all files at the root of the zip", nested),
        ("names as the contest wants them, each once", foreign + _twice(names)),
        (f"a map for every {split.value} tile of the project", lacking),
        ("PNG", [i.name for i in images if i.kind != "PNG"]),
        ("one channel of 8 bits", [f"{i.name}: {i.mode}" for i in images if i.mode != "L"]),
        (
            f"{SIDE} x {SIDE} pixels",
            [f"{i.name}: {i.size[0]} x {i.size[1]}" for i in images if i.size != (SIDE, SIDE)],
        ),
        (
            f"codes {track.codes[0]} to {track.codes[-1]} only",
            [f"{i.name}: {c}" for i in images if (c := sorted(set(i.codes) - set(track.codes)))],
        ),
    )
    checks = [Check(rule, not wrong, some(wrong) or "yes") for rule, wrong in rules]
    count = Check(
        f"the {published} {split.value} tiles of {track.title}",
        len(names) == published,
        f"{len(names)} maps",
        must=False,
    )
    return [*checks, count]


@dataclass(frozen=True)
class _Picture:
    name: str
    kind: str | None
    mode: str
    size: tuple[int, int]
    codes: tuple[int, ...]


def _look(archive: zipfile.ZipFile, name: str) -> _Picture:
    try:
        with Image.open(io.BytesIO(archive.read(name))) as image:
            codes = np.unique(np.asarray(image)).tolist() if image.mode == "L" else []
            return _Picture(name, image.format, image.mode, image.size, tuple(map(int, codes)))
    except OSError:
        return _Picture(name, None, "no image", (0, 0), ())


def _twice(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def some(wrong: Sequence[str], most: int = 3) -> str:
    """Return the first of what is wrong in words, and how many more there are."""
    more = f" and {len(wrong) - most} more" if len(wrong) > most else ""
    return ", ".join(wrong[:most]) + more
