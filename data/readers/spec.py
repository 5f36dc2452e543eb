"""What a dataset is, as a declaration: which files show what, which classes, which splits.

A dataset of the field is one `Spec` in a file of its own in this folder; `data.readers.spec_reader`
does the rest. A `Spec` holds facts only. What a fact cannot say (a table that joins names, a
container with many tiles) is a plain function that the declaration points at.

Patterns are paths below the folder, whatever it was unpacked into. `{tile}` or any other word in
braces stands for text that varies, `{n:\\d+}` for text of that form, `[...]` for text that may be
missing, `*` for any text within one name. `{split}` stands for the usual words for splits.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.classes import ClassTable
from core.found import Finding, FoundLayer, Kind
from core.records import Modality, Split, Unit

if TYPE_CHECKING:
    from data.readers.spec_files import Listing

Names = Mapping[str, str]
Rest = Split | Literal["folder", "out"]
Sources = tuple[tuple[Path, int], ...]


@dataclass(frozen=True, slots=True)
class Inside:
    """One tile's layer inside a file that holds many: what a name in the file would have said.

    `names` joins what stands for the pattern's braces. `patch_codes` is the label of a whole patch.
    """

    names: Names
    sources: Sources = ()
    bands: tuple[str, ...] = ()
    patch_codes: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Files:
    """One kind of file. `bands` are its bands in order, with `{band}` in the pattern one file each.

    - `also`: further patterns of the same kind, for layouts that differ between releases.
    - `modality` None: known, left out, for the reason in `why_out`. A label outside the training
      split becomes the truth that validation is scored on, unless `editable` is set.
    - `probe` finds the unit from the files, where it is not published.
    - `numbers`: 1-based bands to read, where they are not the first ones.
    - `acquisition` and `date` are texts in which braces are filled in. A date becomes 2024-03-15.
    - `codes` turns the file's class codes into those of the table.
    - `mark`: one such file gives the dataset away. Without a mark every kind must be there.
    - `wanted`: tiles without such a file are reported. `gaps` says for which regions it is known
      to be missing, and why.
    - `inside` lists what a file with many tiles holds. `draw` gives the sources of a layer that
      depends on the tile's other layers, such as outlines that are drawn on the image's grid.
    """

    pattern: str
    modality: Modality | None
    also: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    unit: Unit = Unit.RELATIVE_8BIT
    probe: Callable[[Sequence[Path]], Unit] | None = None
    numbers: tuple[int, ...] = ()
    acquisition: str = ""
    date: str = ""
    name: str = ""
    codes: Mapping[int, int] = field(default_factory=dict)
    editable: bool = False
    mark: bool = False
    wanted: bool = True
    gaps: Mapping[str, str] = field(default_factory=dict)
    why_out: str = ""
    inside: Callable[[Path, Names], Iterable[Inside]] | None = None
    draw: Callable[[Path, Names, Sequence[FoundLayer]], Sources] | None = None

    @property
    def patterns(self) -> tuple[str, ...]:
        """Return the pattern and its alternatives."""
        return (self.pattern, *self.also)


@dataclass(frozen=True)
class ListFile:
    """A file that says which tiles belong to a split.

    `read` gives (tile, word) pairs. With `split` the word is not looked at; else it must be a
    usual word for a split, or a key of `words`. `also` are other names of the same list;
    the first file is read, or with `every` all of them.
    """

    pattern: str
    split: Split | None
    read: Callable[[Path], Iterable[tuple[str, str]]]
    words: Mapping[str, Split] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    every: bool = False

    @property
    def patterns(self) -> tuple[str, ...]:
        """Return the pattern and its alternatives."""
        return (self.pattern, *self.also)


@dataclass(frozen=True)
class Way:
    """One way of splitting, by lists. `rest` is what becomes of tiles that no list holds.

    "folder" leaves them the split of their folder, "out" leaves them out of the project.
    """

    name: str
    lists: tuple[ListFile, ...]
    rest: Rest = "folder"
    about: str = ""


@dataclass
class Facts:
    """What tables beside the tiles say, by tile name. `aliases` joins other names to tile names."""

    splits: dict[str, Split] = field(default_factory=dict)
    regions: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    patch_codes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


Lists = dict[str, Split]
"""The split of each listed tile."""

ReadWays = dict[str, tuple[Way, Lists]]
"""Ways of splitting by name, each with the split of its tiles."""


@dataclass(frozen=True)
class Spec:
    """One dataset.

    - `tile` and `region` are texts in which braces are filled in from the pattern, or functions of
      the names. An empty region is found from the position at import.
    - `ways`: the ways of splitting; the first one whose lists are there is used unless a person
      chooses. `more_ways` makes further ones from those that were read and all tile names,
      `ways_there` from lists whose names are met as `tables`.
    - `facts` reads tables beside the tiles, whose patterns are `tables`.
    - `classes` is the table, or a function of the label files for sets without a published legend;
      those keep `legend_asked` set: training and scoring wait until each class has its name.
      `published_names` are names that are known without their codes.
    - `licence`, `source` and `page` (below docs/datasets/) are for people; `opened_on` says
      whether real files were opened or a fixture alone.
    """

    key: str
    title: str
    files: tuple[Files, ...]
    classes: ClassTable | Callable[[Sequence[Path]], ClassTable]
    preset: str
    licence: str
    source: str
    page: str
    kind: Kind = "land_cover"
    tile: str | Callable[[Names], str] = "{tile}"
    region: str | Callable[[Names], str] = "{region}"
    split: Split = Split.TRAIN
    ways: tuple[Way, ...] = ()
    more_ways: Callable[[Mapping[str, Lists], Sequence[str]], Mapping[str, Lists]] | None = None
    ways_there: "Callable[[Listing, list[Finding]], ReadWays] | None" = None
    tables: tuple[str, ...] = ()
    facts: "Callable[[Listing], Facts] | None" = None
    legend_asked: bool = False
    published_names: tuple[str, ...] = ()
    opened_on: Literal["real files", "fixture only"] = "fixture only"

    def tile_name(self, names: Names) -> str:
        """Return the tile that a file with these names belongs to."""
        return filled(self.tile, names) if isinstance(self.tile, str) else self.tile(names)

    def region_name(self, names: Names) -> str:
        """Return the event or region of a file with these names."""
        return filled(self.region, names) if isinstance(self.region, str) else self.region(names)


class _Missing(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def filled(text: str, names: Names) -> str:
    """Return a text with braces filled in; what the pattern did not meet is empty."""
    return text.format_map(_Missing(names)).strip() if "{" in text else text
