"""Class tables: the one place for codes, names, colours and the void code.

A *code* is the number stored in label rasters. A *void* code marks pixels without a label.
Colours differ in lightness as well as hue, so that they stay apart under the common colour
blindnesses; a test measures that. *Provenance* says who is behind a label pixel.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.errors import ClassTableError

LabelArray = npt.NDArray[np.uint8]


class Provenance(IntEnum):
    """Who is behind a label pixel; one byte per pixel beside the labels."""

    PSEUDO = 0
    CHANGED = 1
    VERIFIED = 2
    MODEL = 3
    UNSURE = 4


@dataclass(frozen=True)
class ClassEntry:
    """One class: the code in the raster, its name and its colour as `#rrggbb`."""

    code: int
    name: str
    colour: str


@dataclass(frozen=True)
class ClassTable:
    """The classes of a dataset in display order, and the code of unlabelled pixels.

    `void` may be None for datasets in which every pixel has a class; unlabelled pixels then get
    code 255, which no class may use.
    """

    name: str
    entries: tuple[ClassEntry, ...]
    void: int | None = None

    def __post_init__(self) -> None:
        codes = [entry.code for entry in self.entries]
        if not 2 <= len(codes) <= 64:
            raise ClassTableError(
                f"class table {self.name}", found=f"{len(codes)} classes", expected="2 to 64"
            )
        if len(set(codes)) != len(codes) or self.void_code in codes:
            raise ClassTableError(
                f"class table {self.name}",
                found=f"codes {codes} with void {self.void_code}",
                expected="each code once and void not among them",
            )
        if not all(0 <= code <= 255 for code in [*codes, self.void_code]):
            raise ClassTableError(
                f"class table {self.name}", found=f"codes {codes}", expected="codes from 0 to 255"
            )

    @property
    def void_code(self) -> int:
        """Return the code that unlabelled pixels carry."""
        return 255 if self.void is None else self.void

    @cached_property
    def codes(self) -> tuple[int, ...]:
        """Return the class codes in display order, void left out."""
        return tuple(entry.code for entry in self.entries)

    @cached_property
    def index_lut(self) -> npt.NDArray[np.uint8]:
        """Return uint8 [256]: code to index 0..K-1; void and unknown codes become 255."""
        lut = np.full(256, 255, np.uint8)
        lut[list(self.codes)] = np.arange(len(self.codes), dtype=np.uint8)
        return lut

    @cached_property
    def code_lut(self) -> npt.NDArray[np.uint8]:
        """Return uint8 [256]: index 0..K-1 to code; every other index becomes the void code."""
        lut = np.full(256, self.void_code, np.uint8)
        lut[: len(self.codes)] = self.codes
        return lut

    @cached_property
    def rgb_lut(self) -> npt.NDArray[np.uint8]:
        """Return uint8 [256, 3]: code to colour; void and unknown codes are black."""
        lut = np.zeros((256, 3), np.uint8)
        for entry in self.entries:
            lut[entry.code] = tuple(bytes.fromhex(entry.colour[1:]))
        return lut

    def entry(self, code: int) -> ClassEntry:
        """Return the entry of a code; raises `ClassTableError` when there is none."""
        for entry in self.entries:
            if entry.code == code:
                return entry
        raise ClassTableError(
            f"class table {self.name}", found=f"code {code}", expected=f"one of {self.codes}"
        )

    def unknown_codes(self, labels: LabelArray) -> tuple[int, ...]:
        """Return the codes in `labels` (any shape) that are neither a class nor void."""
        present = np.flatnonzero(np.bincount(labels.ravel(), minlength=256))
        known = {*self.codes, self.void_code}
        return tuple(int(code) for code in present if int(code) not in known)


OPEN_EARTH_MAP_SAR = ClassTable(
    "OpenEarthMap-SAR",
    (
        ClassEntry(1, "Bareland", "#ba7341"),
        ClassEntry(2, "Rangeland", "#a6c98a"),
        ClassEntry(3, "Developed space", "#8a8f9b"),
        ClassEntry(4, "Road", "#f7f4ee"),
        ClassEntry(5, "Tree", "#07552c"),
        ClassEntry(6, "Water", "#3565d6"),
        ClassEntry(7, "Agriculture land", "#fce01a"),
        ClassEntry(8, "Building", "#b80f45"),
    ),
    void=0,
)

BRIGHT = ClassTable(
    "BRIGHT",
    (
        ClassEntry(0, "Background", "#e9e6df"),
        ClassEntry(1, "Intact", "#2a9d8f"),
        ClassEntry(2, "Damaged", "#f4b942"),
        ClassEntry(3, "Destroyed", "#a3123a"),
    ),
    void=255,
)
