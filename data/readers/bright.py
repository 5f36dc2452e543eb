"""BRIGHT, and the layout of DFC2025 Track 2: optical before, SAR after, building damage.

Flat: `{pre-event,post-event,target}/ID_{pre_disaster,post_disaster,building_damage}.tif`; contest:
the same below `train/` and `val/`. ID is `EVENT_NUMBER`, where EVENT may hold underscores. Split
lists (`train_set.txt` and its kin) decide the split where they are present.
"""

from collections import defaultdict
from pathlib import Path

from core.classes import BRIGHT
from core.errors import DatasetError
from core.found import Finding, FoundDataset, FoundLayer, FoundTile
from core.records import Modality, Split, Unit
from data.readers.base import bands, rasters, read_list, some, without_suffix

WRAPPERS = (".", "dfc25_track2_trainval", "dfc25_track2_trainval_with_split")
PARTS = ((".", Split.TRAIN), ("train", Split.TRAIN), ("val", Split.VAL), ("test", Split.TEST))
LIST_FOLDERS = (".", "splitname/standard_ML", "splitname/dfc25", "splits", "data/splits")
LIST_SUFFIXES = ("_set.txt", "_setlevel.txt")
# Strictest last: an id that stands in several lists keeps the split that is never trained on.
LISTS = (
    ("train", Split.TRAIN),
    ("holdout", Split.VAL),
    ("val", Split.VAL),
    ("test", Split.TEST),
)


class BrightReader:
    """Reads BRIGHT in its flat layout and in that of the contest."""

    key = "bright"
    title = "BRIGHT building damage (DFC2025 Track 2)"

    def recognise(self, root: Path) -> str | None:
        """Return what gave the layout away, or None."""
        for folder, _ in _parts(root):
            ids = without_suffix(rasters(folder / "post-event"), "_post_disaster")
            if ids:
                return f"{len(ids)} files *_post_disaster in {folder.relative_to(root)}/post-event"
        return None

    def find(self, root: Path) -> FoundDataset:
        """Return the tiles of every part, split by the lists or else by the folders."""
        findings: list[Finding] = []
        splits = _read_splits(root, findings)
        tiles: list[FoundTile] = []
        for folder, split in _parts(root):
            tiles += _find_part(folder, split, splits, findings)
        if not tiles:
            raise DatasetError(
                str(root),
                found="no *_post_disaster and no *_building_damage raster",
                expected="pre-event/, post-event/ and target/ with files named by id",
            )
        if not splits and all(tile.split is Split.TRAIN for tile in tiles):
            text = "no split lists found: every tile is for training; reserve some as validation"
            findings.append(Finding("info", str(root), text))
        return FoundDataset(
            reader=self.key,
            title=self.title,
            why=self.recognise(root) or "",
            root=root,
            kind="damage",
            classes=BRIGHT,
            preset="dfc25_t2",
            tiles=tuple(tiles),
            findings=tuple(findings),
        )


def _parts(root: Path) -> list[tuple[Path, Split]]:
    bases = [root / name for name in WRAPPERS]
    found = [(base / name, split) for base in bases for name, split in PARTS]
    return [(folder, split) for folder, split in found if (folder / "post-event").is_dir()]


def _read_splits(root: Path, findings: list[Finding]) -> dict[str, Split]:
    """Return the split of each listed id. Ids in two lists are taken out of training."""
    for base in (root / wrapper / folder for wrapper in WRAPPERS for folder in LIST_FOLDERS):
        splits: dict[str, Split] = {}
        for name, split in LISTS:
            for path in (base / f"{name}{suffix}" for suffix in LIST_SUFFIXES):
                if path.is_file():
                    ids = read_list(path)
                    twice = {i for i in ids if i in splits and splits[i] is not split}
                    if twice:
                        text = f"{some(twice)} also stand in an earlier list; they count as {split}"
                        findings.append(Finding("warning", str(path), text))
                    splits |= dict.fromkeys(ids, split)
        if splits:
            return splits
    return {}


def _find_part(
    folder: Path, split: Split, splits: dict[str, Split], findings: list[Finding]
) -> list[FoundTile]:
    before = without_suffix(rasters(folder / "pre-event"), "_pre_disaster")
    after = without_suffix(rasters(folder / "post-event"), "_post_disaster")
    target = without_suffix(rasters(folder / "target"), "_building_damage")
    ids = sorted({*before, *after, *target})
    tiles = []
    for name in ids:
        # A list may move a tile out of training, never a held-out folder's tile into it.
        found = splits.get(name, split) if split is Split.TRAIN else split
        tiles.append(_tile(name, found, before.get(name), after.get(name), target.get(name)))
    _report_missing(folder, "pre-event", set(ids) - set(before), findings)
    _report_missing(folder, "post-event", set(ids) - set(after), findings)
    _report_missing(folder, "target", set(ids) - set(target), findings)
    return tiles


def _tile(
    name: str, split: Split, before: Path | None, after: Path | None, target: Path | None
) -> FoundTile:
    layers = []
    if before:
        names = ("red", "green", "blue")
        layers.append(
            FoundLayer(Modality.OPTICAL, bands(before, 3), names, acquisition="pre-event")
        )
    if after:
        layers.append(FoundLayer(Modality.SAR, bands(after, 1), ("amplitude",), name="post-event"))
    if target:
        kind = Modality.LABEL if split is Split.TRAIN else Modality.TRUTH
        layers.append(FoundLayer(kind, bands(target, 1), ("class",), Unit.CODE))
    return FoundTile(name, event_of(name), split, tuple(layers))


def event_of(tile: str) -> str:
    """Return the event of a tile id: all before the last underscore."""
    return tile.rsplit("_", 1)[0]


def _report_missing(folder: Path, part: str, names: set[str], findings: list[Finding]) -> None:
    by_event: dict[str, list[str]] = defaultdict(list)
    for name in names:
        by_event[event_of(name)].append(name)
    for event, missing in sorted(by_event.items()):
        text = f"{len(missing)} tiles of {event} have no file here: {some(missing)}"
        findings.append(Finding("warning", str(folder / part), text))
