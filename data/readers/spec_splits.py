"""Split lists: reading them, choosing one way of splitting, and the leaks between and within ways.

An id that stands in several lists keeps the split that is trained on least, and is reported.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path, PurePosixPath

from pyarrow import ArrowException, parquet

from core.errors import DatasetError
from core.found import Finding
from core.records import Split
from data.readers.base import some
from data.readers.spec import ListFile, Lists, Way
from data.readers.spec_files import Listing

MAX_LIST_BYTES = 512 * 2**20
WORDS = {
    **dict.fromkeys(("train", "training"), Split.TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "holdout"), Split.VAL),
    **dict.fromkeys(("test", "testing"), Split.TEST),
}
STRICT = (Split.TRAIN, Split.VAL, Split.TEST)


def stricter(one: Split, other: Split) -> Split:
    """Return the one of two splits that is trained on least."""
    return max(one, other, key=STRICT.index)


def read_text(path: Path) -> str:
    """Return the text of a list; raises `DatasetError` when it is none or huge."""
    try:
        if path.stat().st_size > MAX_LIST_BYTES:
            raise DatasetError(
                str(path),
                found=f"{path.stat().st_size:,} bytes",
                expected="a list of tiles",
            )
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, DatasetError):
            raise
        raise _unreadable(path, error) from error


def stem(text: str) -> str:
    """Return the name in a path as lists write it, without folders and the suffix of a raster."""
    name = PurePosixPath(text.strip().replace("\\", "/")).name
    known = (".tif", ".tiff", ".png", ".jpg", ".h5", ".nc", ".npz")
    return name.rsplit(".", 1)[0] if name.lower().endswith(known) else name


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (tile, "") for each line that is not blank; a missing last line end is no matter."""
    for line in read_text(path).splitlines():
        if line.strip():
            yield stem(line), ""


def table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV (any usual separator, with a header) or parquet file as texts.

    Raises `DatasetError` when it cannot be read.
    """
    try:
        if path.suffix.lower() == ".parquet":
            found = parquet.read_table(path).to_pylist()
            return [{key: _cell(value) for key, value in row.items()} for row in found]
        text = read_text(path)
        first = text.partition("\n")[0]
        mark = max(",;\t ", key=first.count)
        rows = csv.DictReader(text.splitlines(), delimiter=mark, skipinitialspace=mark == " ")
        return [{str(key): value or "" for key, value in row.items()} for row in rows]
    except (OSError, csv.Error, ArrowException) as error:
        raise _unreadable(path, error) from error


def columns(tile: str, split: str = "") -> Callable[[Path], Iterable[tuple[str, str]]]:
    """Return a `ListFile.read` for tables with these columns."""

    def read(path: Path) -> Iterator[tuple[str, str]]:
        rows = table(path)
        for column in filter(None, (tile, split)):
            if rows and column not in rows[0]:
                raise DatasetError(
                    str(path),
                    found=f"columns {', '.join(rows[0])}",
                    expected=f"a column {column}",
                )
        for row in rows:
            yield stem(row[tile]), row[split].strip() if split else ""

    return read


def renamed(
    read: Callable[[Path], Iterable[tuple[str, str]]], rename: Callable[[str], str]
) -> Callable[[Path], Iterable[tuple[str, str]]]:
    """Return a `ListFile.read` that turns the names in a list into names of tiles."""

    def read_renamed(path: Path) -> Iterator[tuple[str, str]]:
        for name, word in read(path):
            yield rename(name), word

    return read_renamed


def first_column(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (tile, "") from the first column of a CSV without a header."""
    for row in csv.reader(read_text(path).splitlines()):
        if row and row[0].strip():
            yield stem(row[0]), ""


def read_ways(
    listing: Listing, ways: Sequence[Way], findings: list[Finding]
) -> dict[str, tuple[Way, Lists]]:
    """Return the ways whose lists are there with the split of each id, in declared order.

    Lists that cannot be read, hold nothing or disagree are reported.
    """
    found: dict[str, tuple[Way, Lists]] = {}
    for way in ways:
        lists: Lists = {}
        for declared in way.lists:
            matches = [match for pattern in declared.patterns for match in listing.of(pattern)]
            for match in matches if declared.every else matches[:1]:
                _add(way, declared, match.path, lists, findings)
        if lists:
            found[way.name] = (way, lists)
    return found


def read_lists(
    way: Way, lists: Sequence[tuple[ListFile, Path]], findings: list[Finding]
) -> tuple[Way, Lists]:
    """Return a way with the split of each id in these lists, as `read_ways` reads its own."""
    found: Lists = {}
    for declared, path in lists:
        _add(way, declared, path, found, findings)
    return way, found


def _add(way: Way, declared: ListFile, path: Path, lists: Lists, findings: list[Finding]) -> None:
    try:
        pairs = [(name, _split(declared, word, path)) for name, word in declared.read(path)]
    except (
        DatasetError,
        UnicodeDecodeError,
        KeyError,
        IndexError,
        ValueError,
    ) as error:
        findings.append(Finding("warning", str(path), f"not used as a split list: {error}"))
        return
    if not pairs:
        findings.append(Finding("warning", str(path), "this split list holds no tile"))
    twice: dict[Split, list[str]] = {}
    for name, split in pairs:
        before = lists.get(name, split)
        lists[name] = stricter(before, split)
        if before is not split:
            twice.setdefault(lists[name], []).append(name)
    for split, names in twice.items():
        text = f"leak: {some(names)} also in an earlier list of {way.name}; counted as {split}"
        findings.append(Finding("warning", str(path), text))


def _split(declared: ListFile, word: str, path: Path) -> Split:
    if declared.split:
        return declared.split
    split = declared.words.get(word) or WORDS.get(word.lower())
    if split is None:
        known = ", ".join(declared.words or WORDS)
        raise DatasetError(str(path), found=f"split {word[:40]!r}", expected=f"one of {known}")
    return split


def leaks_between(
    chosen: str, lists: Lists, others: Mapping[str, Lists]
) -> list[tuple[str, dict[Split, int]]]:
    """Return for each other way how many of its test tiles stand in each split of the chosen one.

    Only ways that the chosen one would train or tune on the test tiles of are returned.
    """
    found = []
    for name, other in others.items():
        if name == chosen:
            continue
        test = [tile for tile, split in other.items() if split is Split.TEST]
        held = [lists[tile] for tile in test if tile in lists]
        counts = {split: held.count(split) for split in STRICT if split in held}
        if set(counts) - {Split.TEST}:
            found.append((name, counts))
    return found


def overlaps(lists: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], set[str]]:
    """Return the ids that two lists share, by the names of both; pairs without any are left out."""
    pairs = combinations(lists.items(), 2)
    shared = {(a, b): set(one) & set(other) for (a, one), (b, other) in pairs}
    return {pair: ids for pair, ids in shared.items() if ids}


def _unreadable(path: Path, error: Exception) -> DatasetError:
    return DatasetError(
        str(path),
        found=f"{type(error).__name__}: {error}"[:200],
        expected="a readable list or table",
        todo="Download or unpack the file again.",
    )


def _cell(value: object) -> str:
    if isinstance(value, list):
        return "|".join(str(item) for item in value)
    return "" if value is None else str(value)
