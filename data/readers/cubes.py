"""Any folder of NetCDF, Zarr or HDF5 files: each a tile, of which variables and dates are chosen.

A *role* says what a variable shows and which of its dates is meant. `propose` looks into the first
file; people change the roles on the New project page.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.classes import ClassEntry, ClassTable
from core.errors import CloudbrushError, DatasetError
from core.found import Finding, FoundDataset, FoundLayer, FoundTile
from core.raster import describe_source, read
from core.records import Modality, Split, Unit
from core.sources.array import KNOWN_X, KNOWN_Y, ArrayFile
from core.sources.hdf5 import hdf5_arrays
from core.sources.netcdf3 import classic_array, is_classic, open_classic
from core.sources.source import Part, Source
from core.sources.times import dates_of
from core.sources.zarr import zarr_arrays
from data.readers.look import COLOURS, table_of
from data.readers.patterns import Role
from data.readers.spec_files import sample

KEY = "cubes"
SUFFIXES = (".nc", ".nc4", ".h5", ".hdf5")
ALL = "all"
MOST_DATES = 60  # of one tile; more are no longer acquisitions but a series
MOST_FILES = 100_000
MOST_DEPTH = 4
SMALLEST_PX = 8
LOOK_PX = 256
LOOKED_AT = 8  # files whose classes are looked at; the scan reads them all
MOST_COLOURS = 32  # as the last of the dimensions, where none has a name
BANDS = ("band", "bands", "channel", "channels")
TIMES = ("time", "t", "date")
WORDS: dict[Modality, tuple[str, ...]] = {
    Modality.LABEL: ("label", "labels", "class", "classes", "landcover", "lulc", "lc", "crop"),
    Modality.SAR: ("vv", "vh", "hh", "hv", "sar", "sigma0", "gamma0"),
    Modality.HEIGHT: ("dem", "dsm", "height", "elevation", "agl", "chm"),
}


@dataclass(frozen=True)
class Variable:
    """An array of a file that has rows and columns. `dates` is empty without a time."""

    name: str
    names: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    units: str
    dates: tuple[str, ...]
    flags: tuple[tuple[int, str], ...]  # CF: the value of each class and its name

    @property
    def axes(self) -> tuple[int | str, ...]:
        """Return its dimensions for a `Part`; the first of each that is no row, column or band."""
        lower = [name.rsplit("/", 1)[-1].lower() for name in self.names]
        y, x = _rows_and_columns(lower, self.shape)
        axes: list[int | str] = [0] * len(self.shape)
        axes[y], axes[x] = "y", "x"
        last = x == len(axes) - 2  # colours last, in an array without names
        for place, name in enumerate(lower):
            if axes[place] == 0 and (name in BANDS or (last and place == x + 1)):
                axes[place] = "b"
        return tuple(axes)

    @property
    def bands(self) -> int:
        """Return how many bands it holds."""
        return self.shape[self.axes.index("b")] if "b" in self.axes else 1

    def part(self, date: int) -> Part:
        """Return the part of a source that means one date of it."""
        lower = [name.rsplit("/", 1)[-1].lower() for name in self.names]
        axes = [
            date if name in TIMES else axis for name, axis in zip(lower, self.axes, strict=True)
        ]
        return Part(self.name, tuple(axes))


@dataclass(frozen=True)
class CubeProposal:
    """The roles of a folder's variables, and the dates that can be chosen.

    A role's pattern is the variable, and its acquisition the day that is meant: "all" for every
    date, empty for variables without dates.
    """

    roles: tuple[Role, ...]
    dates: tuple[str, ...] = ()


class CubeReader:
    """Reads with the proposal; the page reads with what people made of it."""

    key = KEY
    title = "NetCDF, Zarr or HDF5 files"

    def recognise(self, root: Path) -> str | None:
        """Return what gave it away: a file with an array of rows and columns."""
        for path in _sampled(root):
            held = _held(path)
            if held:
                return f"{path.name} with {_listed(held)}"
        return None

    def find(self, root: Path, way: str | None = None) -> FoundDataset:
        """Return the tiles by the proposal."""
        return find_by(root, propose(root).roles)


def _sampled(root: Path) -> list[Path]:
    """Return some files and stores, without walking all of a large folder."""
    found: dict[Path, None] = {}
    for folder, names in sample(root):
        parts = (root / folder).parts
        store = next((i for i, part in enumerate(parts) if part.endswith(".zarr")), None)
        if store is not None:
            found[Path(*parts[: store + 1])] = None
        else:
            kept = [name for name in names if name.lower().endswith(SUFFIXES)]
            found |= {root / folder / name: None for name in kept}
    return list(found)[:LOOKED_AT]


def cube_files(root: Path) -> Iterator[Path]:
    """Yield the files and stores below a folder in the order of their paths."""
    if root.suffix == ".zarr":
        yield root
        return
    seen = 0
    for folder, inner, names in os.walk(root):
        depth = len(Path(folder).relative_to(root).parts)
        found = [name for name in names if name.lower().endswith(SUFFIXES)]
        found += [name for name in inner if name.endswith(".zarr")]
        visible = [name for name in inner if not name.endswith(".zarr") and name[:1] != "."]
        inner[:] = sorted(visible) if depth < MOST_DEPTH else []
        for name in sorted(found):
            seen += 1
            if seen > MOST_FILES:
                raise DatasetError(str(root), found="very many files", expected="one dataset")
            yield Path(folder) / name


def variables(path: Path) -> list[Variable]:
    """Return the arrays of a file that are images or class maps; raises `RasterError`."""
    found = [_variable(file, name) for name, file in _arrays(path)]
    return [one for one in found if one is not None]


def _arrays(path: Path) -> Iterator[tuple[str, ArrayFile]]:
    if path.suffix == ".zarr":
        yield from zarr_arrays(path)
    elif path.suffix in (".nc", ".nc4") and is_classic(path):
        held = open_classic(path)
        for name in held.variables:
            yield name, classic_array(path, held, name)
    else:
        for file in hdf5_arrays(path):
            yield str(file.array.name).strip("/"), file


def _variable(file: ArrayFile, name: str) -> Variable | None:
    shape = tuple(int(size) for size in file.array.shape)
    names = file.names if len(file.names) == len(shape) else ("",) * len(shape)
    lower = [text.rsplit("/", 1)[-1].lower() for text in names]
    if len(shape) < 2 or file.array.dtype.kind not in "uif":
        return None
    y, x = _rows_and_columns(lower, shape)
    if y == x or min(shape[y], shape[x]) < SMALLEST_PX:
        return None
    time = next((text for text in names if text.rsplit("/", 1)[-1].lower() in TIMES), "")
    dates = dates_of(file.beside(time)) if time else []
    units = str(file.attributes.get("units", ""))
    dtype = file.array.dtype.name
    return Variable(name, names, shape, dtype, units, tuple(dates), _flags(file.attributes))


def _rows_and_columns(lower: Sequence[str], shape: Sequence[int]) -> tuple[int, int]:
    """Return which dimensions are rows and columns: by name, or the last two but for colours."""
    end = len(shape)
    if not any(lower) and end >= 3 and shape[-1] <= MOST_COLOURS < 4 * min(shape[-3:-1]):
        end -= shape[-1] < min(shape[-3:-1])
    y = next((i for i, name in enumerate(lower) if name in KNOWN_Y), end - 2)
    x = next((i for i, name in enumerate(lower) if name in KNOWN_X), end - 1)
    return y, x


def _flags(attributes: Mapping[str, object]) -> tuple[tuple[int, str], ...]:
    values = np.atleast_1d(np.asarray(attributes.get("flag_values", [])))
    meanings = str(attributes.get("flag_meanings", "")).split()
    if values.size != len(meanings) or values.dtype.kind not in "ui":
        return ()
    return tuple((int(v), name.replace("_", " ")) for v, name in zip(values, meanings, strict=True))


def _held(path: Path) -> list[Variable]:
    try:
        return variables(path)
    except CloudbrushError:
        return []


def _listed(held: Sequence[Variable]) -> str:
    names = [one.name for one in held]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def propose(root: Path) -> CubeProposal:
    """Return roles for the variables of the first file that can be read; one label at most."""
    held = next((found for path in cube_files(root) if (found := _held(path))), [])
    if not held:
        raise DatasetError(
            str(root),
            found="no variable with rows and columns",
            expected="NetCDF, Zarr or HDF5 files with images",
        )
    dates = next((one.dates for one in held if one.dates), ())
    roles, labelled = [], False
    for one in held:
        modality: Modality | None = _modality(one)
        if modality is Modality.LABEL:
            modality, labelled = (None if labelled else modality), True
        date = one.dates[0] if one.dates else ""
        roles.append(Role(one.name, modality, _unit(one, modality), (), date))
    return CubeProposal(tuple(roles), tuple(dict.fromkeys(dates)))


def _modality(one: Variable) -> Modality:
    words = one.name.lower().replace("/", "_").split("_")
    for modality, known in WORDS.items():
        whole = modality is not Modality.LABEL or one.dtype.startswith(("int", "uint"))
        if whole and (set(words) & set(known) or (modality is Modality.LABEL and one.flags)):
            return modality
    return Modality.OPTICAL


def _unit(one: Variable, modality: Modality | None) -> Unit:
    units = one.units.lower()
    if modality in (Modality.LABEL, Modality.TRUTH):
        return Unit.CODE
    if modality is Modality.HEIGHT:
        return Unit.METRE
    if modality is Modality.SAR:
        return Unit.DB if units == "db" else Unit.NUMBER
    if "reflectance" in units or one.name.rsplit("/", 1)[-1] in ("B02", "B03", "B04"):
        return Unit.REFLECTANCE
    return Unit.RELATIVE_8BIT if one.dtype == "uint8" else Unit.NUMBER


def find_by(root: Path, asked: Sequence[Role]) -> FoundDataset:
    """Return one tile for each file, with the layers that the roles ask for.

    Raises `DatasetError` when no file has any of the variables.
    """
    findings: list[Finding] = []
    tiles = []
    flags: tuple[tuple[int, str], ...] = ()
    for path in cube_files(root):
        try:
            held = {one.name: one for one in variables(path)}
        except CloudbrushError as error:
            findings.append(Finding("error", str(path), str(error)))
            continue
        layers = _layers(path, held, asked, findings)
        if layers:
            name = path.relative_to(root).with_suffix("").as_posix().replace("/", "_")
            tiles.append(FoundTile(name if name != "." else root.stem, "", Split.TRAIN, layers))
        named = [held[r.pattern].flags for r in asked if _labels(r, held)]
        flags = flags or next((one for one in named if one), ())
    if not tiles:
        raise DatasetError(
            str(root),
            found="no file with these variables",
            expected=", ".join(role.pattern for role in asked if role.modality),
        )
    table, codes = _classes(tiles, flags)
    tiles = [_coded(tile, codes) for tile in tiles] if codes else tiles
    why = f"{len(tiles)} files with these variables"
    return FoundDataset(
        KEY, root.name, why, root, "land_cover", table, "plain", tuple(tiles), tuple(findings)
    )


def _labels(role: Role, held: Mapping[str, Variable]) -> bool:
    return role.pattern in held and role.modality in (Modality.LABEL, Modality.TRUTH)


def _layers(
    path: Path, held: Mapping[str, Variable], roles: Sequence[Role], findings: list[Finding]
) -> tuple[FoundLayer, ...]:
    """Return the layers of one file: variables of one kind, unit and date are its bands."""
    stacks: dict[tuple[Modality, Unit, str], list[tuple[str, Source]]] = {}
    for role in roles:
        one = held.get(role.pattern)
        if role.modality is None or one is None:
            if role.modality:
                text = f"has no variable {role.pattern}"
                findings.append(Finding("warning", str(path), text))
            continue
        for day, place in _chosen(path, one, role.acquisition, findings):
            part = one.part(place)
            stack = stacks.setdefault((role.modality, role.unit, day), [])
            for band in range(1, one.bands + 1):
                short = one.name.rsplit("/", 1)[-1]
                label = short if one.bands == 1 else f"{short} {band}"
                stack.append((label, Source(path, band, part)))
    return tuple(_layer(*key, stack) for key, stack in stacks.items())


def _chosen(path: Path, one: Variable, date: str, findings: list[Finding]) -> list[tuple[str, int]]:
    if not one.dates:
        return [("", 0)]
    days = [(day, place) for place, day in enumerate(one.dates)]
    if date != ALL:
        days = [(day, place) for day, place in days if day == date][:1]
    if not days:
        text = f"{one.name} has no image of {date}"
        findings.append(Finding("warning", str(path), text))
    if len(days) > MOST_DATES:
        text = f"{one.name} has {len(days)} dates, of which the first {MOST_DATES} are read"
        findings.append(Finding("warning", str(path), text))
    return days[:MOST_DATES]


def _layer(modality: Modality, unit: Unit, day: str, stack: list[tuple[str, Source]]) -> FoundLayer:
    coded = modality in (Modality.LABEL, Modality.TRUTH, Modality.CLOUD)
    dated = modality in (Modality.OPTICAL, Modality.CLOUD)
    kept = stack[:1] if coded else stack
    return FoundLayer(
        modality,
        tuple(source for _, source in kept),
        ("class",) if coded else tuple(name for name, _ in kept),
        Unit.CODE if coded else unit,
        (day or None) if dated else None,
        day or None,
        name="" if dated else " ".join(filter(None, (modality.value, day))),
    )


def _classes(
    tiles: Sequence[FoundTile], flags: Sequence[tuple[int, str]]
) -> tuple[ClassTable, dict[int, int]]:
    """Return the classes that the file names, or those that some files hold."""
    if len(flags) >= 2 and all(0 <= code <= 254 for code, _ in flags):
        entries = tuple(
            ClassEntry(code, name, COLOURS[place % len(COLOURS)])
            for place, (code, name) in enumerate(flags)
        )
        return ClassTable("from the file's flags", entries), {}
    coded = (Modality.LABEL, Modality.TRUTH)
    labels = [la for tile in tiles for la in tile.layers if la.modality in coded]
    found: set[int] = set()
    for layer in labels[:LOOKED_AT]:
        try:
            grid = describe_source(layer.sources[0]).grid
            shape = (min(grid.height, LOOK_PX), min(grid.width, LOOK_PX))
            values = np.unique(read(layer.sources, out_shape=shape, categorical=True).values)
            found |= {int(value) for value in values[:LOOK_PX] if value == int(value)}
        except CloudbrushError:
            continue
    return table_of(found, {}, None)


def _coded(tile: FoundTile, codes: Mapping[int, int]) -> FoundTile:
    coded = (Modality.LABEL, Modality.TRUTH)
    layers = [
        replace(layer, code_map=dict(codes)) if layer.modality in coded else layer
        for layer in tile.layers
    ]
    return replace(tile, layers=tuple(layers))
