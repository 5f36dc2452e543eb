"""QuakeSet: pairs of Sentinel-1 images over earthquakes, each struck or not.

One HDF5 file holds a group for each event and in it one for each patch, with up to three images:
`before`, `pre` and `post`. The pair pre and post was struck; before and pre, where there is a
before, is the same ground when nothing had happened yet.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from core.classes import ClassEntry, ClassTable
from core.errors import RasterError
from core.records import Modality, Unit
from core.sources.hdf5 import hdf5_groups, hdf5_shape
from core.sources.source import Part, Source
from data.readers.spec import Files, Inside, Names, Spec
from data.readers.spec_reader import SpecReader
from data.readers.spec_splits import WORDS

CLASSES = ClassTable(
    "QuakeSet", (ClassEntry(0, "Unaffected", "#4d9a8a"), ClassEntry(1, "Affected", "#b0413e"))
)
BANDS = ("VV", "VH")
# Name of the pair, its first and second image, and its class.
PAIRS = (("struck", ("pre", "post"), 1), ("calm", ("before", "pre"), 0))


def _image(which: int) -> Callable[[Path, Names], Iterator[Inside]]:
    """Return what lists the first (0) or second (1) image of every pair of a file."""

    def inside(path: Path, names: Names) -> Iterator[Inside]:
        for event, about in hdf5_groups(path).items():
            yield from _event(path, event, about.get("split"), which)

    return inside


def _event(path: Path, event: str, split: object, which: int) -> Iterator[Inside]:
    word = split.decode() if isinstance(split, bytes) else str(split)
    if word not in WORDS:
        raise RasterError(
            f"{path}, event {event}",
            found=f"split {split!r}",
            expected="train, validation or test",
        )
    for patch in hdf5_groups(path, event):
        for pair, images, code in PAIRS:
            arrays = [f"{event}/{patch}/{image}" for image in images]
            if any(hdf5_shape(path, array) is None for array in arrays):
                continue
            part = Part(array=arrays[which], axes=("y", "x", "b"))
            sources = tuple(Source(path, band, part) for band in (1, 2))
            names = {"event": event, "patch": patch, "pair": pair, "split": word}
            yield Inside(names, sources, patch_codes=(code,))


SPEC = Spec(
    key="quakeset",
    title="QuakeSet, earthquakes in pairs of SAR images",
    files=(
        Files(
            "earthquakes.h5",
            Modality.SAR,
            bands=BANDS,
            unit=Unit.NUMBER,
            name="first",
            mark=True,
            inside=_image(0),
        ),
        Files(
            "earthquakes.h5",
            Modality.SAR,
            bands=BANDS,
            unit=Unit.NUMBER,
            name="second",
            inside=_image(1),
        ),
    ),
    classes=CLASSES,
    preset="patch_labels",
    licence="OpenRAIL",
    source="Hugging Face DarthReca/quakeset; arXiv 2403.18116",
    page="quakeset.md",
    kind="patch",
    tile="{event}_{patch}_{pair}",
    region="{event}",
)
READER = SpecReader(SPEC)
