"""The reader that a declaration becomes: recognises the folder and says which tiles lie in it."""

import gc
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.classes import ClassTable
from core.errors import CloudbrushError, DatasetError
from core.found import Finding, FoundDataset, FoundLayer, FoundTile
from core.raster import SUFFIXES
from core.records import Modality, Split, Unit
from data.readers.base import some
from data.readers.spec import Facts, Files, Inside, Lists, Rest, Sources, Spec, Way, filled
from data.readers.spec_files import Listing, Match, in_sample, sample, walk
from data.readers.spec_report import merged, report, report_lists
from data.readers.spec_splits import WORDS, read_ways, stricter

CLASS_ROLES = (Modality.LABEL, Modality.TRUTH, Modality.CLOUD, Modality.MODEL)
HELD_SUFFIXES = (*SUFFIXES, ".h5", ".hdf5", ".nc")
BY_FOLDER = "folders"
ONE = [Inside({})]  # a file that is one layer
TWICE = "another file has this role for its tile already; left out"
_DAY = re.compile(r"((?:19|20)\d{2})[-_]?([01]\d)[-_]?([0-3]\d)")


@dataclass(slots=True)
class _Tile:
    """A tile while its files are gathered."""

    names: dict[str, str]
    folders: dict[Split, str] = field(default_factory=dict)
    files: dict[int, dict[str, list[tuple[Match, Inside]]]] = field(default_factory=dict)
    patch_codes: tuple[int, ...] | None = None


@dataclass(frozen=True)
class SpecReader:
    """Reads the dataset that a `Spec` declares; see `data.readers.base.Reader`."""

    spec: Spec

    @property
    def key(self) -> str:
        """Return what is stored with the project."""
        return self.spec.key

    @property
    def title(self) -> str:
        """Return the dataset's name for people."""
        return self.spec.title

    def recognise(self, root: Path) -> str | None:
        """Return what gave the layout away, or None; looks at a sample of the names."""
        return self.recognise_in(sample(root))

    def recognise_in(self, sampled: Sequence[tuple[str, list[str]]]) -> str | None:
        """Return what gave the layout away in a sample that several readers share."""
        marks = [kind for kind in self.spec.files if kind.mark]
        if marks:
            hits = [hit for kind in marks if (hit := _hit(sampled, kind))]
            return f"files such as {hits[0]}" if hits else None
        kinds = [kind for kind in self.spec.files if kind.modality and kind.wanted]
        hits = [hit for kind in kinds if (hit := in_sample(sampled, kind.pattern))]
        return f"files such as {', '.join(hits[:3])}" if hits and len(hits) == len(kinds) else None

    def find(self, root: Path, way: str | None = None) -> FoundDataset:
        """Return the tiles, split in one of the ways that the folder's lists allow.

        Raises `DatasetError` when nothing can be used or `way` is none of them.
        """
        with _no_collection():
            return self._find(root, way)

    def _find(self, root: Path, way: str | None) -> FoundDataset:
        spec = self.spec
        listing = walk(root, _patterns(spec), HELD_SUFFIXES)
        findings: list[Finding] = []
        spec = _probed(spec, listing)
        facts = spec.facts(listing) if spec.facts else Facts()
        findings += facts.findings
        gathered = _gather(spec, listing, facts, findings)
        if not gathered:
            raise _nothing(spec, root)
        ways = _ways(spec, listing, sorted(gathered), findings)
        chosen = _chosen(spec, ways, way)
        rest: Rest = "folder"
        lists = facts.splits
        if chosen in ways:
            rest = ways[chosen][0].rest
            lists = lists | ways[chosen][1]
            report_lists(root, chosen, ways, gathered, findings)
        tiles, present = _tiles(spec, gathered, facts, lists, rest, findings)
        report(spec, listing, tiles, present, findings)
        return FoundDataset(
            reader=spec.key,
            title=spec.title,
            why=self.recognise(root) or "its files",
            root=root,
            kind=spec.kind,
            classes=_classes(spec, listing),
            preset=spec.preset,
            tiles=tuple(tiles),
            findings=tuple(merged(findings)),
            way=chosen,
            ways=(*ways, BY_FOLDER) if ways else (),
            legend_asked=spec.legend_asked,
        )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the garbage collector: many objects are made here and none in circles.

    With 200,000 files half of the time would go into looking for circles again and again.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _nothing(spec: Spec, root: Path) -> DatasetError:
    return DatasetError(
        str(root),
        found="no file of this layout",
        expected=", ".join(kind.pattern for kind in spec.files if kind.modality),
        todo="Choose the folder that the archives were unpacked into.",
    )


def _hit(sampled: Sequence[tuple[str, list[str]]], kind: Files) -> str | None:
    hits = (in_sample(sampled, pattern) for pattern in kind.patterns)
    return next((hit for hit in hits if hit), None)


def _files(listing: Listing, kind: Files) -> list[Match]:
    return [match for pattern in kind.patterns for match in listing.of(pattern)]


def _patterns(spec: Spec) -> list[str]:
    listed = [pattern for kind in spec.files for pattern in kind.patterns]
    return [*dict.fromkeys([*listed, *spec.tables, *_list_patterns(spec)])]


def _list_patterns(spec: Spec) -> list[str]:
    return [p for way in spec.ways for listed in way.lists for p in listed.patterns]


def _probed(spec: Spec, listing: Listing) -> Spec:
    """Return the declaration with the units that the files themselves tell."""
    files = []
    for kind in spec.files:
        paths = [match.path for match in _files(listing, kind)] if kind.probe else []
        unit = kind.probe(paths) if kind.probe and paths else kind.unit
        files.append(replace(kind, unit=unit))
    return replace(spec, files=tuple(files))


def _gather(
    spec: Spec, listing: Listing, facts: Facts, findings: list[Finding]
) -> dict[str, _Tile]:
    tiles: dict[str, _Tile] = {}
    for number, kind in enumerate(spec.files):
        if kind.modality is None:
            count = len(_files(listing, kind))
            if count:
                text = f"{count} files left out: {kind.why_out or 'not used'}"
                findings.append(Finding("info", kind.pattern, text))
            continue
        for match in _files(listing, kind):
            for inside in _inside(kind, match, findings):
                names = {**match.names, **inside.names} if inside.names else match.names
                name = spec.tile_name(names)
                _put(
                    tiles,
                    facts.aliases.get(name, name),
                    number,
                    kind,
                    match,
                    inside,
                    names,
                )
    return tiles


def _inside(kind: Files, match: Match, findings: list[Finding]) -> list[Inside]:
    if kind.inside is None:
        return ONE
    try:
        return list(kind.inside(match.path, match.names))
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        text = f"cannot be looked into ({type(error).__name__}: {error}); its tiles are left out"
        findings.append(Finding("error", str(match.path), text))
        return []


def _put(
    tiles: dict[str, _Tile],
    name: str,
    number: int,
    kind: Files,
    match: Match,
    inside: Inside,
    names: dict[str, str],
) -> None:
    tile = tiles.setdefault(name, _Tile({}))
    for said, value in names.items():
        tile.names.setdefault(said, value)
    if "split" in names:
        tile.folders.setdefault(WORDS[names["split"].lower()], names["split"])
    if inside.patch_codes is not None:
        tile.patch_codes = inside.patch_codes
    if inside.sources or kind.inside is None:
        key = filled(kind.acquisition, names) + "\n" + _date(filled(kind.date, names))
        held = tile.files.setdefault(number, {})
        held.setdefault(key, []).append(
            (match if names is match.names else replace(match, names=names), inside)
        )


def _tiles(
    spec: Spec,
    gathered: Mapping[str, _Tile],
    facts: Facts,
    lists: Lists,
    rest: Rest,
    findings: list[Finding],
) -> tuple[list[FoundTile], dict[int, set[str]]]:
    """Return the tiles, and the names of those that have each kind of file."""
    tiles = []
    present: dict[int, set[str]] = defaultdict(set)
    out: list[str] = []
    for name, tile in sorted(gathered.items()):
        split = _split(spec, tile, lists.get(name), rest)
        if split is None:
            out.append(name)
            continue
        layers: list[FoundLayer] = []
        for number, kind in enumerate(spec.files):
            for key, stack in tile.files.get(number, {}).items():
                date = facts.dates.get(name, "")
                layer = _layer(kind, split, key, date, stack, layers, findings)
                if layer:
                    layers.append(layer)
                    present[number].add(name)
        region = facts.regions.get(name) or spec.region_name({"tile": name, **tile.names})
        codes = facts.patch_codes.get(name, tile.patch_codes)
        tiles.append(FoundTile(name, region, split, tuple(layers), codes))
    if out:
        text = f"{len(out)} tiles are in no list of this way of splitting, left out: {some(out)}"
        findings.append(Finding("warning", "split lists", text))
    return tiles, present


def _split(spec: Spec, tile: _Tile, listed: Split | None, rest: Rest) -> Split | None:
    """Return the split of a tile. A list may move it out of training, never into it.

    None for tiles in no list of a way that leaves such tiles out, whatever their folder.
    """
    if listed is None and rest == "out":
        return None
    folder = None
    for split in tile.folders:
        folder = stricter(split, folder or split)
    if folder in (Split.VAL, Split.TEST):
        return folder
    if listed:
        return listed
    return rest if isinstance(rest, Split) else folder or spec.split


def _layer(
    kind: Files,
    split: Split,
    key: str,
    date: str,
    stack: list[tuple[Match, Inside]],
    others: Sequence[FoundLayer],
    findings: list[Finding],
) -> FoundLayer | None:
    """Return the layer of one kind and acquisition, or None when a band of it is missing."""
    acquisition, _, own_date = key.partition("\n")
    sources, bands = _sources(kind, stack, others, findings)
    modality = kind.modality
    if modality is None or not sources:
        return None
    if modality is Modality.LABEL and split is not Split.TRAIN and not kind.editable:
        modality = Modality.TRUTH
    dated = modality in (Modality.OPTICAL, Modality.CLOUD)
    coded = modality in CLASS_ROLES
    return FoundLayer(
        modality=modality,
        sources=sources,
        bands=bands or (("class",) if coded else ()),
        unit=Unit.CODE if coded else kind.unit,
        acquisition=(acquisition or None) if dated else None,
        date=own_date or _date(date) or None,
        code_map=dict(kind.codes) or None,
        name=kind.name,
    )


def _sources(
    kind: Files,
    stack: list[tuple[Match, Inside]],
    others: Sequence[FoundLayer],
    findings: list[Finding],
) -> tuple[tuple[tuple[Path, int], ...], tuple[str, ...]]:
    """Return the sources and names of the bands of one layer."""
    if "band" in stack[0][0].names:
        return _stacked(kind, [match for match, _ in stack], findings)
    match, inside = stack[0]
    for spare, _ in stack[1:]:
        if kind.inside is None:
            findings.append(Finding("warning", str(spare.path), TWICE))
    if inside.sources:
        return inside.sources, inside.bands or kind.bands
    if kind.draw:
        return _drawn(kind, match, others, findings), kind.bands
    count = 1 if kind.modality in CLASS_ROLES else len(kind.bands)
    numbers = kind.numbers or tuple(range(1, max(count, 1) + 1))
    return tuple((match.path, band) for band in numbers), kind.bands


def _drawn(
    kind: Files, match: Match, others: Sequence[FoundLayer], findings: list[Finding]
) -> Sources:
    if kind.draw is None:
        return ()
    try:
        return kind.draw(match.path, match.names, others)
    except CloudbrushError as error:
        findings.append(Finding("warning", str(match.path), f"left out: {error}"))
        return ()


def _stacked(
    kind: Files, matches: list[Match], findings: list[Finding]
) -> tuple[tuple[tuple[Path, int], ...], tuple[str, ...]]:
    """Return single-band files in the order of the declared bands; all must be there."""
    by_band = {match.names["band"].lower(): match.path for match in matches}
    lacking = [band for band in kind.bands if band.lower() not in by_band]
    if lacking:
        text = f"band {', '.join(lacking)} is missing beside this file: image left out"
        findings.append(Finding("warning", str(matches[0].path), text))
        return (), ()
    number = kind.numbers[0] if kind.numbers else 1
    return tuple((by_band[band.lower()], number) for band in kind.bands), kind.bands


def _date(text: str) -> str:
    """Return the first day in a text as 2024-03-15, or the text as it is."""
    found = _DAY.search(text)
    return "-".join(found.groups()) if found else text


def _ways(
    spec: Spec, listing: Listing, names: Sequence[str], findings: list[Finding]
) -> dict[str, tuple[Way, Lists]]:
    ways = read_ways(listing, spec.ways, findings)
    if spec.ways_there:
        ways |= spec.ways_there(listing, findings)
    if spec.more_ways:
        lists = {name: found for name, (_, found) in ways.items()}
        for name, found in spec.more_ways(lists, names).items():
            ways[name] = (Way(name, (), "out"), found)
    return ways


def _chosen(spec: Spec, ways: Mapping[str, object], way: str | None) -> str:
    if way is None:
        return next(iter(ways), BY_FOLDER)
    if way not in (*ways, BY_FOLDER):
        raise DatasetError(
            f"split of {spec.title}", found=way, expected=", ".join([*ways, BY_FOLDER])
        )
    return way


def _classes(spec: Spec, listing: Listing) -> ClassTable:
    if isinstance(spec.classes, ClassTable):
        return spec.classes
    kinds = [kind for kind in spec.files if kind.modality in (Modality.LABEL, Modality.TRUTH)]
    return spec.classes([match.path for kind in kinds for match in _files(listing, kind)])
