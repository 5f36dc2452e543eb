"""Any STAC catalogue in a folder: items with their images, and labels by the label extension.

A label item and the items that it names as its source are one tile; so are items of the same name.
Files may lie beside the items or behind addresses; only the former are looked into here.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.addresses import is_remote
from core.classes import ClassEntry, ClassTable
from core.errors import CloudbrushError, DatasetError
from core.found import ALL_BANDS, Finding, FoundDataset, FoundLayer, FoundTile
from core.raster import describe
from core.records import Grid, Modality, Split, Unit
from core.sources.source import Part, Source
from data.readers.look import COLOURS, class_table
from data.readers.spec_files import sample
from data.readers.stac_items import (
    OUTLINE_SUFFIXES,
    Asset,
    Band,
    Item,
    classes_named,
    features,
    label_field,
    read_items,
)

KEY = "stac"
LOOKED_AT = 50  # files to recognise a catalogue by
HEIGHTS = {"dem", "dsm", "dtm", "height", "elevation", "chm", "ndsm", "agl"}
SPLITS = {"train": Split.TRAIN, "validate": Split.VAL, "val": Split.VAL, "test": Split.TEST}


class StacReader:
    """Reads items; see `data.readers.base.Reader`."""

    key = KEY
    title = "STAC catalogue"

    def recognise(self, root: Path) -> str | None:
        """Return what gave it away: an item with an image or label among the first JSON files."""
        names = [folder + name for folder, held in sample(root) for name in held]
        for name in [name for name in names if name.endswith((".json", ".geojson"))][:LOOKED_AT]:
            if features(root / name):
                return f"STAC items such as {name}"
        return None

    def find(self, root: Path, way: str | None = None) -> FoundDataset:
        """Return one tile for each item that is not the source of another."""
        findings: list[Finding] = []
        items = read_items(root, findings)
        tiles = [_tile(group, root, findings) for group in _joined(items)]
        kept = [tile for tile in tiles if tile.layers]
        if not kept:
            raise DatasetError(
                str(root),
                found=f"{len(items)} STAC items without images",
                expected="items with assets that are GeoTIFF or PNG",
            )
        labels = [(item, item.label) for item in items if item.label]
        table, codes = _classes([(item, label) for item, label in labels if label], root)
        if codes:
            kept = [_with_codes(tile, codes) for tile in kept]
        return FoundDataset(
            reader=self.key,
            title=root.name,
            why=self.recognise(root) or "its items",
            root=root,
            kind="land_cover",
            classes=table,
            preset="plain",
            tiles=tuple(kept),
            findings=tuple(findings),
        )


def _joined(items: Sequence[Item]) -> list[list[Item]]:
    """Return the items of each tile; the one with the label comes first."""
    by_id: dict[str, list[Item]] = {}
    for item in items:
        by_id.setdefault(item.id, []).append(item)
    by_stem = {item.path.stem: item for item in items}
    used: set[int] = set()
    groups = []
    for item in sorted(items, key=lambda one: (one.label is None, not one.sources)):
        if id(item) in used:
            continue
        sources = [by_stem[name] for name in item.sources if name in by_stem]
        sources += [other for name in item.sources for other in by_id.get(name, [])]
        group = [item, *sources, *by_id[item.id]]
        unique = list({id(one): one for one in group}.values())
        used |= {id(one) for one in unique}
        groups.append(unique)
    return sorted(groups, key=lambda group: group[0].id)


def _tile(group: list[Item], root: Path, findings: list[Finding]) -> FoundTile:
    first = group[0]
    word = str(first.properties.get("ml-aoi:split") or first.properties.get("cloudbrush:split"))
    split = SPLITS.get(word, Split.TRAIN)
    layers = [layer for item in group for layer in _images(item)]
    for item in group:
        if item.label:
            try:
                layers.append(_label(item, item.label, layers, root, split))
            except CloudbrushError as error:
                findings.append(Finding("warning", str(item.path), f"label left out: {error}"))
    region = str(first.properties.get("cloudbrush:region") or "")
    return FoundTile(first.id, region, split, tuple(layers))


def _images(item: Item) -> list[FoundLayer]:
    """Return a layer for each kind of image, its bands stacked over the assets."""
    kinds: dict[Modality, list[Asset]] = {}
    for asset in item.images:
        kinds.setdefault(_modality(item, asset), []).append(asset)
    return [_image(item, modality, _chosen(assets)) for modality, assets in kinds.items()]


def _modality(item: Item, asset: Asset) -> Modality:
    texts = {asset.key.lower(), *asset.roles, *(band.name.lower() for band in asset.bands)}
    if texts & HEIGHTS:
        return Modality.HEIGHT
    radar = [*item.properties, *asset.fields]
    return Modality.SAR if any(name.startswith("sar:") for name in radar) else Modality.OPTICAL


def _chosen(assets: list[Asset]) -> list[Asset]:
    """Return the assets of values; a picture made from them only where there is nothing else."""
    measured = [asset for asset in assets if "visual" not in asset.roles | {asset.key.lower()}]
    return measured or assets


def _image(item: Item, modality: Modality, assets: list[Asset]) -> FoundLayer:
    sources: list[tuple[Path, int]] = []
    names: list[str] = []
    described: list[Band] = []
    for asset in assets:
        bands = asset.bands or (Band(asset.key if len(assets) > 1 else ""),)
        for number, band in enumerate(bands, start=1):
            sources.append(Source(asset.path, number, _part(band)))
            names.append(band.common or band.name or asset.key)
            described.append(band)
    if not assets[0].bands and len(assets) == 1:
        sources, names = [(assets[0].path, ALL_BANDS)], [""]
    return FoundLayer(
        modality=modality,
        sources=tuple(sources),
        bands=tuple(names),
        unit=_unit(modality, described[0]),
        acquisition=(item.day or item.id) if modality is Modality.OPTICAL else None,
        date=item.day or None,
        name=item.id if modality is Modality.SAR else modality.value,
    )


def _part(band: Band) -> Part:
    return Part(nodata=band.nodata, scale=band.scale, offset=band.offset)


def _unit(modality: Modality, band: Band) -> Unit:
    unit = band.unit.lower()
    if modality is Modality.HEIGHT:
        return Unit.METRE
    if modality is Modality.SAR:
        return Unit.DB if unit == "db" else Unit.LINEAR if "linear" in unit else Unit.NUMBER
    if unit == "reflectance" or band.scale != 1.0:
        return Unit.REFLECTANCE
    return Unit.RELATIVE_8BIT


def _label(
    item: Item, asset: Asset, layers: Sequence[FoundLayer], root: Path, split: Split
) -> FoundLayer:
    """Return the label layer; raises where outlines have no grid to be drawn on."""
    part = Part(nodata=asset.bands[0].nodata) if asset.bands else Part()
    if asset.path.suffix.lower() in OUTLINE_SUFFIXES:
        field, values = label_field(item)
        codes = tuple((value, code) for code, value in enumerate(values, start=1)) if field else ()
        part = Part(grid=_grid(layers, root), field=field, codes=codes)
    return FoundLayer(
        modality=Modality.LABEL if split is Split.TRAIN else Modality.TRUTH,
        sources=(Source(asset.path, 1, part),),
        bands=("class",),
        unit=Unit.CODE,
    )


def _grid(layers: Sequence[FoundLayer], root: Path) -> Grid:
    """Return the grid of the first image in the folder; others may not be looked into here."""
    for layer in layers:
        path = layer.sources[0][0]
        if _within(path, root):
            return describe(path).grid
    raise DatasetError(
        "outlines",
        found="no image of this tile in the folder",
        expected="one whose pixels they can be drawn on",
        todo="Download the images.",
    )


def _within(path: Path, root: Path) -> bool:
    """Return whether a file lies in the folder; others may not be opened before the check."""
    return not is_remote(path) and path.resolve().is_relative_to(root.resolve())


def _classes(labels: Sequence[tuple[Item, Asset]], root: Path) -> tuple[ClassTable, dict[int, int]]:
    """Return the classes that the items name, else those that the label files hold."""
    named: dict[int, tuple[str, str]] = {}
    for item, asset in labels:
        for code, name, colour in classes_named(item, asset):
            named.setdefault(code, (name, colour))
        if asset.path.suffix.lower() in OUTLINE_SUFFIXES:
            named.setdefault(0, ("Background", ""))
            for code, value in enumerate(label_field(item)[1] or ["labelled"], start=1):
                named.setdefault(code, (value, ""))
    if len(named) >= 2 and all(0 <= code <= 254 for code in named):
        entries = tuple(
            ClassEntry(code, name, _colour(colour, place))
            for place, (code, (name, colour)) in enumerate(sorted(named.items()))
        )
        return ClassTable("from the STAC items", entries), {}
    return class_table([asset.path for _, asset in labels if _within(asset.path, root)])


def _colour(hint: str, place: int) -> str:
    plain = hint.removeprefix("#").lower()
    good = len(plain) == 6 and all(letter in "0123456789abcdef" for letter in plain)
    return f"#{plain}" if good else COLOURS[place % len(COLOURS)]


def _with_codes(tile: FoundTile, codes: dict[int, int]) -> FoundTile:
    coded = (Modality.LABEL, Modality.TRUTH)
    layers = [
        replace(layer, code_map=codes) if layer.modality in coded else layer
        for layer in tile.layers
    ]
    return replace(tile, layers=tuple(layers))
