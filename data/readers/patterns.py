"""Any folder of GeoTIFF or PNG sets, read by name patterns that a person has confirmed.

A *pattern* is a path below the folder: `{tile}` is the tile's name, and `{date}`, `{band}`,
`{region}`, `{split}` and `*` may stand for text that varies. `optical/{tile}_{date}.tif` is one;
without `{tile}` all files belong to one tile, named after the folder. A *role* says what the files
of a pattern show. `data.readers.guess` proposes roles; pages let people change them.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from core.classes import ClassTable
from core.errors import DatasetError
from core.found import ALL_BANDS, Finding, FoundDataset, FoundLayer, FoundTile
from core.raster import SUFFIXES
from core.records import Modality, Split, Unit
from data.readers.base import MAX_FILES, some

KEY = "patterns"
TITLE = "Folder of GeoTIFF or PNG sets"
MAX_DEPTH = 6
MAX_FOLDERS = 20_000
MAX_PATTERN = 300
MAX_STARS = 6
CLASS_ROLES = (Modality.LABEL, Modality.TRUTH, Modality.CLOUD, Modality.MODEL)

_PLACE = re.compile(r"\{(\w*)\}|(\*)")
_PARTS = {
    "tile": r"[^/]+?",
    "date": r"(?:19|20)\d{2}-?[01]\d-?[0-3]\d",
    "band": r"[A-Za-z0-9]+",
    "region": r"[^/]+?",
    "split": r"[A-Za-z]+",
}
SPLITS = {
    **{word: Split.TRAIN for word in ("train", "training")},
    **{word: Split.VAL for word in ("val", "valid", "validation", "holdout")},
    **{word: Split.TEST for word in ("test", "testing")},
}


@dataclass(frozen=True)
class Role:
    """What the files of one pattern show.

    `modality` None leaves them out. `bands` are 1-based; none means all. `acquisition` names the
    optical date of optical and cloud files and may hold `{date}`. `codes` maps file codes to class
    codes (or cloud levels), where they differ.
    """

    pattern: str
    modality: Modality | None
    unit: Unit = Unit.RELATIVE_8BIT
    bands: tuple[int, ...] = ()
    acquisition: str = ""
    codes: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Proposal:
    """Roles and class table of a folder: guessed, then confirmed by a person."""

    roles: tuple[Role, ...]
    classes: ClassTable
    kind: Literal["land_cover", "damage"] = "land_cover"
    preset: str = "plain"


@dataclass(frozen=True)
class Match:
    """A file that fits a pattern, and the text in place of each placeholder."""

    path: Path
    names: Mapping[str, str]

    @property
    def key(self) -> tuple[str, str, str]:
        """Return split, region and tile as they stand in the name."""
        names = self.names
        return names.get("split", ""), names.get("region", ""), names.get("tile", "")


def rasters_below(root: Path) -> list[Path]:
    """Return the rasters in a folder and those inside it, relative to it, in name order.

    Links to other folders are not followed. Raises `DatasetError` when there are too many.
    """
    found: list[Path] = []
    for walked, (folder, inner, files) in enumerate(os.walk(root)):
        here = Path(folder)
        depth = len(here.relative_to(root).parts)
        inner[:] = sorted(name for name in inner if not name.startswith(".") and depth < MAX_DEPTH)
        found += [(here / name).relative_to(root) for name in files if _is_raster(name)]
        if len(found) > MAX_FILES or walked > MAX_FOLDERS:
            raise DatasetError(
                str(root),
                found=f"more than {MAX_FILES:,} rasters or {MAX_FOLDERS:,} folders",
                expected="the folder of one dataset",
                todo="Choose a folder further down.",
            )
    return sorted(found)


def _is_raster(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return the pattern as a regular expression for relative paths.

    Raises `DatasetError` for unknown placeholders and for patterns too long to be one.
    """
    if not pattern or len(pattern) > MAX_PATTERN or pattern.count("*") > MAX_STARS:
        raise DatasetError(
            "pattern",
            found=repr(pattern[:60]),
            expected=f"1 to {MAX_PATTERN} letters with at most {MAX_STARS} stars",
        )
    text, position, seen = "", 0, set()
    for place in _PLACE.finditer(pattern):
        text += re.escape(pattern[position : place.start()])
        position = place.end()
        name = place.group(1)
        if place.group(2):
            text += r"[^/]*?"
        elif name not in _PARTS:
            raise DatasetError(
                f"pattern {pattern}",
                found=f"{{{name}}}",
                expected=", ".join(f"{{{part}}}" for part in _PARTS) + " or *",
            )
        else:
            text += f"(?P={name})" if name in seen else f"(?P<{name}>{_PARTS[name]})"
            seen.add(name)
    return re.compile(text + re.escape(pattern[position:]), re.IGNORECASE)


def assign(
    root: Path, files: Sequence[Path], roles: Sequence[Role]
) -> tuple[list[list[Match]], list[Path]]:
    """Return the files of each role, and those that fit none.

    A file that fits several patterns goes to the one that spells out most of its name.
    """
    expressions = [compile_pattern(role.pattern) for role in roles]
    literal = [-len(_PLACE.sub("", role.pattern)) for role in roles]
    order = sorted(range(len(roles)), key=literal.__getitem__)
    taken: list[list[Match]] = [[] for _ in roles]
    left = []
    for relative in files:
        for i in order:
            found = expressions[i].fullmatch(relative.as_posix())
            if found:
                taken[i].append(Match(root / relative, found.groupdict()))
                break
        else:
            left.append(relative)
    return taken, left


def find_by(root: Path, proposal: Proposal) -> FoundDataset:
    """Return the tiles of a folder by confirmed roles.

    Raises `DatasetError` when no pattern matches a file or a pattern cannot be understood.
    """
    files = rasters_below(root)
    findings: list[Finding] = []
    tiles: dict[tuple[str, str, str], list[FoundLayer]] = defaultdict(list)
    taken, left = assign(root, files, proposal.roles)
    used: list[Modality] = []
    for role, matches in zip(proposal.roles, taken, strict=True):
        if not matches:
            findings.append(Finding("warning", role.pattern, "no file has a name like this"))
        elif role.modality is None:
            about = [Finding("info", str(match.path), "left out by choice") for match in matches]
            findings += about
        else:
            used.append(role.modality)
            by_tile: dict[tuple[str, str, str], list[Match]] = defaultdict(list)
            for match in matches:
                by_tile[match.key].append(match)
            for key, of_tile in by_tile.items():
                tiles[key] += _layers(role, role.modality, of_tile, findings)
    findings += [Finding("info", str(root / path), "fits no pattern; left out") for path in left]
    if not tiles:
        raise DatasetError(
            str(root),
            found=f"{len(files)} rasters, none of which fits a pattern that is in use",
            expected=", ".join(role.pattern for role in proposal.roles) or "at least one pattern",
        )
    _report_gaps(used, tiles, findings)
    return FoundDataset(
        reader=KEY,
        title=TITLE,
        why=f"{len(files)} rasters, grouped by name patterns",
        root=root,
        kind=proposal.kind,
        classes=proposal.classes,
        preset=proposal.preset,
        tiles=tuple(_tiles(root, tiles, findings)),
        findings=tuple(findings),
    )


def _path_of(match: Match) -> Path:
    return match.path


def _layers(
    role: Role, modality: Modality, matches: list[Match], findings: list[Finding]
) -> list[FoundLayer]:
    """Return the layers of one tile and role: one per acquisition, single bands stacked."""
    stacks: dict[tuple[str, str], list[Match]] = defaultdict(list)
    for match in matches:
        date = match.names.get("date", "")
        stacks[(_acquisition(role, date), date)].append(match)
    layers = []
    for (acquisition, date), stack in stacks.items():
        if "{band}" not in role.pattern and len(stack) > 1:
            for match in stack[1:]:
                text = f"{stack[0].path.name} already has this role for this tile; left out"
                findings.append(Finding("warning", str(match.path), text))
            stack = stack[:1]
        layers.append(_layer(role, modality, sorted(stack, key=_path_of), acquisition, date))
    return layers


def _acquisition(role: Role, date: str) -> str:
    return role.acquisition.replace("{date}", date).strip()


def _layer(
    role: Role, modality: Modality, stack: list[Match], acquisition: str, date: str
) -> FoundLayer:
    sources: list[tuple[Path, int]] = []
    names: list[str] = []
    for match in stack:
        for band, name in _bands(role, match):
            sources.append((match.path, band))
            names.append(name)
    dated = modality in (Modality.OPTICAL, Modality.CLOUD)
    return FoundLayer(
        modality=modality,
        sources=tuple(sources),
        bands=tuple(names),
        unit=Unit.CODE if modality in CLASS_ROLES else role.unit,
        acquisition=(acquisition or None) if dated else None,
        date=date or None,
        code_map=dict(role.codes) or None,
        name=acquisition if dated else "",
    )


def _bands(role: Role, match: Match) -> list[tuple[int, str]]:
    """Return the bands to read with their names; no file is opened here.

    Names that only the file knows are empty. Band 0 stands for all of its bands.
    """
    if role.modality in CLASS_ROLES:
        return [(1, "class")]
    given = match.names.get("band")
    if given:
        return [(role.bands[0] if role.bands else 1, given)]
    return [(number, "") for number in role.bands or (ALL_BANDS,)]


def _tiles(
    root: Path, tiles: Mapping[tuple[str, str, str], list[FoundLayer]], findings: list[Finding]
) -> Iterator[FoundTile]:
    """Yield tiles by key. A name that occurs in two regions or splits gets them in front."""
    names = Counter(key[2] for key in tiles)
    for (split, region, name), layers in sorted(tiles.items()):
        known = SPLITS.get(split.lower(), Split.TRAIN)
        if split and split.lower() not in SPLITS:
            text = f"{split} is no known split: counted as training"
            findings.append(Finding("warning", name, text))
        full = name or root.name
        if names[name] > 1:
            full = "_".join(part for part in (region, split, name) if part)
        yield FoundTile(full, region, known, tuple(layers))


def _report_gaps(
    modalities: Sequence[Modality],
    tiles: Mapping[tuple[str, str, str], list[FoundLayer]],
    findings: list[Finding],
) -> None:
    """Report the tiles that lack a kind of layer that others have."""
    for modality in dict.fromkeys(modalities):
        lacking = [
            key[2] or "the tile"
            for key, layers in tiles.items()
            if modality not in {layer.modality for layer in layers}
        ]
        if lacking:
            text = f"{len(lacking)} of {len(tiles)} tiles have no {modality.value}: {some(lacking)}"
            findings.append(Finding("warning", modality.value, text))


def parse_codes(text: str) -> dict[int, int]:
    """Return a code map from text such as "1=1, 2-3=2, -1=255"; raises `DatasetError`."""
    codes: dict[int, int] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        found = re.fullmatch(r"(-?\d{1,6})(?:\s*-\s*(\d{1,6}))?\s*(?:=|->|to)\s*(\d{1,3})", part)
        if not found:
            raise DatasetError(
                "code map", found=repr(part), expected='pairs such as "2=1" or "2-3=2"'
            )
        first, last = int(found[1]), int(found[2] or found[1])
        if not first <= last <= first + 255:
            raise DatasetError("code map", found=repr(part), expected="at most 256 rising codes")
        codes |= dict.fromkeys(range(first, last + 1), int(found[3]))
    return codes


def codes_text(codes: Mapping[int, int]) -> str:
    """Return a code map as text that `parse_codes` reads."""
    return ", ".join(f"{value}={code}" for value, code in codes.items())
