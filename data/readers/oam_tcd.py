"""OAM-TCD: aerial images at 10 cm from all over the world, with tree cover drawn by people.

Read as the MS-COCO packing: `images`, `masks` and lists of images in JSON. Trees and canopy are one
class, as in the published scores.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.classes import ClassEntry, ClassTable
from core.errors import DatasetError
from core.records import Modality, Split
from core.sources.source import Part, Source
from data.readers.spec import Files, Inside, ListFile, Names, Spec, Way
from data.readers.spec_files import in_sample
from data.readers.spec_reader import SpecReader
from data.readers.spec_splits import MAX_LIST_BYTES, stem

CLASSES = ClassTable(
    "OAM-TCD",
    (ClassEntry(0, "Background", "#e9e6df"), ClassEntry(1, "Tree cover", "#07552c")),
)
IMAGE = "images/{tile}.{suffix:tiff?|jpe?g|png}"
MASK = "masks/{tile}.{kind:tiff?|png}"
LIST = "train.json"


def images(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (tile, "") of the images of an MS-COCO file; raises `DatasetError`."""
    if path.stat().st_size > MAX_LIST_BYTES:
        raise DatasetError(str(path), found="a very long file", expected="annotations as JSON")
    try:
        listed = json.loads(path.read_text("utf-8-sig"))["images"]
        names = [str(image["file_name"]) for image in listed]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DatasetError(
            str(path), found=f"{type(error).__name__}: {error}", expected="MS-COCO annotations"
        ) from error
    for name in names:
        yield stem(name), ""


def cover(path: Path, _names: Names) -> Iterator[Inside]:
    """Yield a mask as tree cover: it may number each tree, in one band or in three."""
    yield Inside({}, (Source(path, 1, Part(above=0.0)),))


def _way(name: str, folder: str, held_out: str, split: Split) -> Way:
    lists = (
        ListFile(f"{folder}train.json", Split.TRAIN, images),
        ListFile(f"{folder}{held_out}.json", split, images),
    )
    return Way(name, lists, rest="out" if "fold" in name else "folder")


SPEC = Spec(
    key="oam_tcd",
    title="OAM-TCD (tree cover)",
    files=(
        Files(IMAGE, Modality.OPTICAL, bands=("red", "green", "blue"), acquisition="aerial"),
        Files(MASK, Modality.LABEL, inside=cover),
    ),
    classes=CLASSES,
    preset="oam_tcd",
    licence="CC BY 4.0; images under other terms are in archives of their own",
    source="Zenodo 11617167, or made from restor/tcd",
    page="oam-tcd.md",
    ways=(
        _way("holdout", "holdout/", "test", Split.TEST),
        *(_way(f"fold {n}", f"kfold_{n}/", "val", Split.VAL) for n in range(5)),
        _way("train and test", "", "test", Split.TEST),
    ),
)


class OamTcdReader(SpecReader):
    """Its folders have names that many datasets use: a list in JSON must be there as well."""

    def recognise_in(self, sampled: Sequence[tuple[str, list[str]]]) -> str | None:
        """Return what gave the layout away, or None."""
        hits = [in_sample(sampled, pattern) for pattern in (LIST, IMAGE, MASK)]
        known = [hit for hit in hits if hit]
        return f"files such as {', '.join(known)}" if len(known) == len(hits) else None


READER = OamTcdReader(SPEC)
