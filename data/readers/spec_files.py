"""Walking a folder once for the files that a declaration names.

Folders are matched before names, so that a file is compared with few patterns: 160,000 files take
a few seconds. For recognising, a small sample of each folder is enough.
"""

import os
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.errors import DatasetError
from core.raster import SUFFIXES

MAX_DEPTH = 8
MAX_FILES = 2_000_000
MAX_ABOVE = 4  # folders that unpacking may have put around a layout
SAMPLED_FILES = 4  # of each kind of name in a folder
SAMPLED_FOLDERS = 24
SAMPLED_WALK = 600
OTHERS_NAMED = 5

SPLIT_WORDS = "train|training|val|valid|validation|holdout|test|testing"
_PLACE = re.compile(r"\{(\w+)(?::([^{}]*(?:\{\d+(?:,\d+)?\}[^{}]*)*))?\}|\*|\[|\]")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Match:
    """A file that fits a pattern, and the text in place of each word in braces."""

    path: Path
    names: dict[str, str]


@dataclass(frozen=True)
class Listing:
    """The files of a folder by pattern; `others` counts rasters that fit none, by folder."""

    root: Path
    by_pattern: dict[str, list[Match]]
    others: Counter[str]

    def of(self, pattern: str) -> list[Match]:
        """Return the files that fit a pattern of the declaration, in order of their path."""
        return self.by_pattern.get(pattern, [])


@lru_cache(maxsize=512)
def compiled(pattern: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the folder and the name of a pattern as expressions; raises `DatasetError`."""
    folder, _, name = pattern.rpartition("/")
    above = rf"(?:[^/]+/){{0,{MAX_ABOVE}}}?"
    inner = _expression(f"{folder}/") if folder else ""
    return re.compile(above + inner, re.IGNORECASE), re.compile(_expression(name), re.IGNORECASE)


def _expression(pattern: str) -> str:
    text, position = "", 0
    seen: set[str] = set()
    for place in _PLACE.finditer(pattern):
        text += re.escape(pattern[position : place.start()])
        position = place.end()
        text += _place(place, seen)
    text += re.escape(pattern[position:])
    try:
        re.compile(text)
    except re.error as error:
        raise DatasetError(f"pattern {pattern}", found=str(error), expected="a pattern") from error
    return text


def _place(place: re.Match[str], seen: set[str]) -> str:
    name, form = place[1], place[2]
    if name is None:
        return {"*": "[^/]*?", "[": "(?:", "]": ")?"}[place[0]]
    if name in seen:
        return f"(?P={name})"
    seen.add(name)
    form = form or (SPLIT_WORDS if name == "split" else "[^/]+?")
    return f"(?P<{name}>{form})"


def walk(root: Path, patterns: Sequence[str], suffixes: tuple[str, ...]) -> Listing:
    """Return all files below a folder that fit a pattern; raises `DatasetError` for too many.

    `suffixes` says which of the other files count as rasters left out.
    """
    return _listing(root, patterns, suffixes, _folders(root))


def sample(root: Path) -> list[tuple[str, list[str]]]:
    """Return some folders below `root`, relative, with some of their files: enough to recognise."""
    found: list[tuple[str, list[str]]] = []
    for folder, names in _folders(root, sampled=True):
        shapes: Counter[str] = Counter()
        kept = []
        for name in names:
            shape = _DIGITS.sub("0", name)
            shapes[shape] += 1
            if shapes[shape] <= SAMPLED_FILES and len(shapes) <= 500:
                kept.append(name)
        found.append((folder, kept))
    return found


def in_sample(sampled: Sequence[tuple[str, list[str]]], pattern: str) -> str | None:
    """Return the first sampled file that fits a pattern, relative, or None."""
    for folder, names in sampled:
        for match in _matches(folder, names, [pattern]):
            return folder + match[1]
    return None


def _listing(
    root: Path,
    patterns: Sequence[str],
    suffixes: tuple[str, ...],
    folders: Iterator[tuple[str, list[str]]],
) -> Listing:
    by_pattern: dict[str, list[Match]] = {}
    others: Counter[str] = Counter()
    seen = 0
    for folder, names in folders:
        seen += len(names)
        if seen > MAX_FILES:
            raise DatasetError(
                str(root),
                found=f"more than {MAX_FILES:,} files",
                expected="the folder of one dataset",
                todo="Choose a folder further down, or a part of the dataset.",
            )
        taken = set()
        here = root / folder
        for pattern, name, groups in _matches(folder, sorted(names), patterns):
            by_pattern.setdefault(pattern, []).append(Match(here / name, groups))
            taken.add(name)
        left = [n for n in names if n not in taken and n.lower().endswith(suffixes)]
        if left:
            others[folder.rstrip("/") or "."] += len(left)
    return Listing(root, by_pattern, others)


def _matches(
    folder: str, names: Sequence[str], patterns: Sequence[str]
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield (pattern, name, groups); a file goes to the first pattern that it fits."""
    here = []
    for pattern in patterns:
        in_folder, expression = compiled(pattern)
        above = in_folder.fullmatch(folder)
        if above:
            here.append((pattern, expression, _said(above)))
    if not here:
        return
    for name in names:
        for pattern, expression, above_names in here:
            found = expression.fullmatch(name)
            if not found:
                continue
            own = _said(found)
            if all(above_names.get(key, value) == value for key, value in own.items()):
                yield pattern, name, {**above_names, **own}
                break


def _said(match: re.Match[str]) -> dict[str, str]:
    return {key: value for key, value in match.groupdict().items() if value is not None}


def _folders(root: Path, *, sampled: bool = False) -> Iterator[tuple[str, list[str]]]:
    """Yield folders (with a slash at the end) and file names, the nearest first; no links."""
    queue = deque([("", 0)])
    walked = 0
    while queue:
        folder, depth = queue.popleft()
        walked += 1
        if sampled and walked > SAMPLED_WALK:
            return
        inner, names = _scan(root / folder, root)
        yield folder, names
        if depth < MAX_DEPTH:
            chosen = inner[:SAMPLED_FOLDERS] if sampled else inner
            queue.extend((f"{folder}{name}/", depth + 1) for name in chosen)


def _scan(folder: Path, root: Path) -> tuple[list[str], list[str]]:
    inner, names = [], []
    within = ""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    inner.append(entry.name)
                elif entry.is_symlink() and not entry.name.lower().endswith(SUFFIXES):
                    # Rasters pass the check of allowed folders; lists are read right here.
                    within = within or str(root.resolve()) + os.sep
                    if os.path.realpath(entry.path).startswith(within):
                        names.append(entry.name)
                elif entry.is_file():
                    names.append(entry.name)
    except OSError:
        return [], []  # gone or not readable: nothing to find in it
    return sorted(inner), names
