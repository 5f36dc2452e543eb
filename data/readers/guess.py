"""Guess the roles of files from their names and from one look into each kind.

A stem is split at `_`, `-`, `.` and blanks. Words that name a modality, a quality (clear, pre) or
a band are part of the pattern; what remains is the tile. A person confirms or changes the result.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.classes import OPEN_EARTH_MAP_SAR, ClassTable
from core.clouds.cover import CLOUD_SHADOW_THIN, SENTINEL2_SCL
from core.errors import DatasetError, RasterError
from core.found import FoundDataset
from core.raster import describe
from core.records import Modality, Unit
from data.readers.look import Look, class_table, first_look
from data.readers.patterns import (
    KEY,
    SPLITS,
    TITLE,
    Proposal,
    Role,
    compile_pattern,
    find_by,
    rasters_below,
)

MAX_ROLES = 24

# Words in names, lower case. A weak word says that a file is an image, not which.
_WORDS: dict[Modality, tuple[str, ...]] = {
    Modality.SAR: (
        *("sar", "s1", "s1a", "s1b", "s1c", "vv", "vh", "hh", "hv"),
        *("umbra", "capella", "radar", "amplitude"),
    ),
    Modality.OPTICAL: ("rgb", "optical", "opt", "s2", "s2a", "s2b", "s2c", "msi", "naip"),
    Modality.CLOUD: ("scl", "cloudmask", "cloud", "clouds"),
    Modality.TRUTH: ("truth", "reference"),
    Modality.LABEL: (
        *("label", "labels", "gt", "target", "targets", "lc", "lulc", "landcover", "mask", "masks"),
        *("msk", "annotation", "annotations", "seg", "damage", "change", "classes"),
    ),
}
_WEAK = ("image", "images", "img", "imgs")
_QUALITY = ("clear", "clean", "cloudy", "pre", "post", "before", "after")
_FILLER = ("hand", "prediction", "pred", "building", "disaster", "event")
_BANDS = re.compile(r"(?:vv|vh|hh|hv|b\d{1,2}a?)", re.IGNORECASE)
_DATE = re.compile(r"(?<!\d)(?:19|20)\d{2}-?[01]\d-?[0-3]\d(?!\d)")
_SPLIT = re.compile(r"([_\-. ]+)")


@dataclass(frozen=True)
class _Name:
    """A file's name taken apart: its pattern, its tile, and the words that gave a role away."""

    path: Path
    pattern: str
    tile: str
    words: tuple[str, ...]


class PatternReader:
    """Reads any folder by patterns; the last resort, and always with a person's word."""

    key = KEY
    title = TITLE

    def recognise(self, root: Path) -> str | None:
        """Return how many rasters there are, or None without any."""
        files = rasters_below(root) if root.is_dir() else []
        return f"{len(files)} rasters, grouped by their names" if files else None

    def find(self, root: Path, way: str | None = None) -> FoundDataset:
        """Return the tiles by the patterns that are guessed."""
        return find_by(root, propose(root))


def propose(root: Path) -> Proposal:
    """Return roles and a class table for the rasters below a folder.

    Raises `DatasetError` without a raster, or when the names have too little in common.
    """
    files = rasters_below(root)
    if not files:
        raise DatasetError(str(root), found="no raster", expected="GeoTIFF or PNG files")
    groups: dict[str, list[_Name]] = defaultdict(list)
    for name in _with_suffixes([_take_apart(path) for path in files]):
        groups[name.pattern].append(name)
    groups = _join_regions(root, groups)
    if len(groups) > MAX_ROLES:
        raise DatasetError(
            str(root),
            found=f"{len(groups)} kinds of file names",
            expected=f"at most {MAX_ROLES}",
            todo="Choose a folder further down, or rename the files to TILE_KIND.tif.",
        )
    named = [_modality(names[0].words) is not None for names in groups.values()]
    roles = [_role(root, pattern, names) for pattern, names in groups.items()]
    roles = _one_label(_cloud_masks(roles), named)
    classes, codes = _classes(root, files, roles)
    roles = [_with_codes(role, codes) for role in roles]
    damage = any("damage" in role.pattern.lower() for role in roles)
    return Proposal(tuple(roles), classes, "damage" if damage else "land_cover")


def _classes(
    root: Path, files: Sequence[Path], roles: Sequence[Role]
) -> tuple[ClassTable, dict[int, int]]:
    """Return the label's classes and code map; without a label those of land cover."""
    label = next((r for r in roles if r.modality in (Modality.LABEL, Modality.TRUTH)), None)
    if label is None:
        return OPEN_EARTH_MAP_SAR, {}
    expression = compile_pattern(label.pattern)
    return class_table([root / p for p in files if expression.fullmatch(p.as_posix())])


def _take_apart(path: Path) -> _Name:
    """Return the pattern of a relative path: known words stay, the rest becomes `{tile}`."""
    pieces = _SPLIT.split(_DATE.sub("{date}", path.stem))
    kinds = [_is_word(piece) for piece in pieces[::2]]
    free = [i for i, known in enumerate(kinds) if not known]
    tile, stem = "", "".join(pieces)
    if free:
        first, last = free[0] * 2, free[-1] * 2 + 1
        tile = "".join(pieces[first:last])
        stem = "".join([*pieces[:first], "{tile}", *pieces[last:]])
    elif len(path.parts) > 1 and not _is_word(path.parts[-2]):
        tile = path.parts[-2]
    words = [piece.lower() for piece in pieces[::2]]
    if "{tile}" in stem:
        stem, tile = _undate(path.stem, stem, tile)
    stem = _with_band(stem)
    folders = [_folder(part, tile) for part in path.parts[:-1]]
    words += [word.lower() for part in path.parts[:-1] for word in _SPLIT.split(part)[::2]]
    return _Name(path, "/".join([*folders, stem + path.suffix]), tile, tuple(words))


def _undate(plain: str, stem: str, tile: str) -> tuple[str, str]:
    """Put a date inside the tile's own text back, so that the tile stays one piece."""
    if "{date}" not in tile:
        return stem, tile
    found = compile_pattern(stem).fullmatch(plain)
    return (stem, found["tile"]) if found else (stem, tile)


def _is_word(piece: str) -> bool:
    lower = piece.lower()
    return (
        lower in ("", "{date}")
        or lower in (*_QUALITY, *_FILLER, *_WEAK)
        or _BANDS.fullmatch(lower) is not None
        or _modality_of_word(lower) is not None
    )


def _modality_of_word(word: str) -> Modality | None:
    bare = word.removesuffix("hand").removesuffix("images").removesuffix("image")
    for modality, words in _WORDS.items():
        if bare in words or word in words:
            return modality
    return None


def _with_band(stem: str) -> str:
    """Turn a last word that names a band into `{band}`: files of single bands are stacked."""
    pieces = _SPLIT.split(stem)
    if len(pieces) > 1 and _BANDS.fullmatch(pieces[-1]):
        pieces[-1] = "{band}"
    return "".join(pieces)


def _folder(part: str, tile: str) -> str:
    if part.lower() in SPLITS:
        return "{split}"
    return part.replace(tile, "{tile}") if len(tile) > 2 and tile in part else part


def _with_suffixes(names: Sequence[_Name]) -> list[_Name]:
    """Cut endings such as `_1` off tiles that other files know without them."""
    sure = {name.tile for name in names if _modality(name.words) is not None and name.tile}
    settled = []
    for name in names:
        stem, _, suffix = name.tile.rpartition("_")
        if name.tile not in sure and stem in sure:
            pattern = name.pattern.replace("{tile}", f"{{tile}}_{suffix}", 1)
            settled.append(_Name(name.path, pattern, stem, (*name.words, suffix.lower())))
        else:
            settled.append(name)
    return settled


def _modality(words: Iterable[str]) -> Modality | None:
    """Return the role that the words name; a label's word outweighs that of an image."""
    found = {_modality_of_word(word) for word in words}
    order = (Modality.CLOUD, Modality.TRUTH, Modality.LABEL, Modality.SAR, Modality.OPTICAL)
    return next((modality for modality in order if modality in found), None)


def _join_regions(root: Path, groups: dict[str, list[_Name]]) -> dict[str, list[_Name]]:
    """Turn a folder into `{region}` where several hold files of the same kind and name."""
    joined: dict[str, list[list[_Name]]] = defaultdict(list)
    for pattern, names in groups.items():
        joined[_region_pattern(pattern)].append(names)
    settled: dict[str, list[_Name]] = {}
    for pattern, parts in joined.items():
        if len(parts) > 1 and len({_kind(root / part[0].path) for part in parts}) == 1:
            settled[pattern] = [name for part in parts for name in part]
        else:
            settled |= {part[0].pattern: part for part in parts}
    return settled


def _region_pattern(pattern: str) -> str:
    folders = pattern.split("/")
    for i, folder in enumerate(folders[:-1]):
        if "{" not in folder and not all(map(_is_word, _SPLIT.split(folder)[::2])):
            return "/".join([*folders[:i], "{region}", *folders[i + 1 :]])
    return pattern


def _kind(path: Path) -> tuple[int, str] | None:
    try:
        info = describe(path)
    except RasterError:
        return None
    return info.count, info.dtype


def _role(root: Path, pattern: str, names: Sequence[_Name]) -> Role:
    """Return the role of one group of files, from their words and a look into the first."""
    words = names[0].words
    modality = _modality(words)
    look = first_look([root / name.path for name in names[:4]])
    if look is None:
        return Role(pattern, modality)
    if modality is None:
        modality = _modality_of_content(look)
    if modality not in (Modality.OPTICAL, Modality.SAR):
        codes = SENTINEL2_SCL if modality is Modality.CLOUD and "scl" in words else {}
        return Role(pattern, modality, Unit.CODE, (), _acquisition(pattern, words), codes)
    acquisition = _acquisition(pattern, words) if modality is Modality.OPTICAL else ""
    bands = (1,) if look.grey and modality is Modality.SAR else ()
    return Role(pattern, modality, _unit(look, modality, pattern), bands, acquisition)


def _acquisition(pattern: str, words: Sequence[str]) -> str:
    quality = [word for word in words if word in _QUALITY]
    return " ".join([*quality, *(["{date}"] if "{date}" in pattern else [])])


def _modality_of_content(look: Look) -> Modality | None:
    count = look.info.count - (look.info.alpha_band is not None)
    if look.codes and len(look.codes) <= 32:
        return Modality.LABEL
    if count <= 2 or look.grey:
        return Modality.SAR
    return Modality.OPTICAL


def _unit(look: Look, modality: Modality, pattern: str) -> Unit:
    if look.info.dtype == "uint8":
        return Unit.RELATIVE_8BIT
    floating = look.info.dtype.startswith("float")
    if modality is Modality.SAR and floating:
        # Backscatter in dB is mostly negative; linear power never is.
        return Unit.DB if -60 < look.low < 0 and look.high < 30 else Unit.LINEAR
    if modality is Modality.OPTICAL and floating:
        return Unit.REFLECTANCE if look.low >= -0.1 and look.high < 5 else Unit.NUMBER
    spectral = look.info.count > 3 or "{band}" in pattern
    if modality is Modality.OPTICAL and spectral and look.high < 20_000:
        return Unit.REFLECTANCE
    return Unit.NUMBER


def _cloud_masks(roles: Sequence[Role]) -> list[Role]:
    """Take masks beside cloudy images for cloud masks when they are the only labels."""
    cloudy = [r.acquisition for r in roles if "cloudy" in r.acquisition.split()]
    labels = [r for r in roles if r.modality is Modality.LABEL]
    if not cloudy or any("mask" not in r.pattern.lower() for r in labels):
        return list(roles)
    return [
        Role(r.pattern, Modality.CLOUD, Unit.CODE, (), cloudy[0], CLOUD_SHADOW_THIN)
        if r in labels
        else r
        for r in roles
    ]


def _one_label(roles: Sequence[Role], named: Sequence[bool]) -> list[Role]:
    """Keep one label, one whose name says so if there is one; leave the others out."""
    labels = [i for i, role in enumerate(roles) if role.modality is Modality.LABEL]
    kept = next((i for i in labels if named[i]), labels[0] if labels else None)
    return [
        Role(role.pattern, None, role.unit) if i in labels and i != kept else role
        for i, role in enumerate(roles)
    ]


def _with_codes(role: Role, codes: dict[int, int]) -> Role:
    if role.modality not in (Modality.LABEL, Modality.TRUTH) or not codes:
        return role
    return Role(role.pattern, role.modality, role.unit, role.bands, role.acquisition, codes)
