"""STAC items in the files of a folder: what each asset is, by its roles and extensions.

Items of any version from 1.0 on are read as they lie on disk; no link is followed. Bands are
described by `bands` (1.1), or by `eo:bands` and `raster:bands` (1.0).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from core.addresses import remote_path
from core.errors import DatasetError
from core.found import Finding

MOST_BYTES = 2**26
MOST_FILES = 200_000
LABELS = {"labels", "label", "labels-raster", "labels-vector", "labels-training"}
CLOUDS = {"cloud", "cloud-mask", "clouds"}
ASIDE = {"thumbnail", "overview", "metadata", "documentation", "graphic"}
IMAGES = ("image/tiff", "image/vnd.stac.geotiff", "image/png", "image/jpeg", "image/jp2")
IMAGE_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jp2")
OUTLINE_SUFFIXES = (".geojson", ".json")


@dataclass(frozen=True)
class Band:
    """One band of an asset as its item describes it."""

    name: str
    common: str = ""
    nodata: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""


@dataclass(frozen=True)
class Asset:
    """One file of an item. `bands` is empty where the item does not describe them."""

    key: str
    path: Path
    roles: frozenset[str]
    bands: tuple[Band, ...]
    fields: Mapping[str, Any] = field(repr=False)

    @property
    def is_label(self) -> bool:
        """Return whether it holds classes: by its role, or by its name where it has none."""
        return bool(self.roles & LABELS) or (not self.roles and self.key.lower() in LABELS)

    @property
    def is_image(self) -> bool:
        """Return whether it is a raster to look at."""
        kind = str(self.fields.get("type", "")).split(";")[0].strip()
        raster = kind in IMAGES or self.path.suffix.lower() in IMAGE_SUFFIXES
        return raster and not self.roles & (ASIDE | CLOUDS) and not self.is_label


@dataclass(frozen=True)
class Item:
    """One STAC item; `sources` names the items of the images that a label item is about."""

    id: str
    path: Path
    collection: str
    properties: Mapping[str, Any] = field(repr=False)
    assets: tuple[Asset, ...]
    sources: tuple[str, ...]

    @property
    def day(self) -> str:
        """Return the day of the item, or of its start; empty without one."""
        for name in ("datetime", "start_datetime"):
            text = self.properties.get(name)
            if isinstance(text, str) and len(text) >= 10:
                return text[:10]
        return ""

    @property
    def label(self) -> Asset | None:
        """Return the asset with classes, if there is one."""
        return next((asset for asset in self.assets if asset.is_label), None)

    @property
    def images(self) -> list[Asset]:
        """Return the assets to look at."""
        return [asset for asset in self.assets if asset.is_image]


def read_items(root: Path, findings: list[Finding]) -> list[Item]:
    """Return the items of all JSON files below a folder, in the order of their paths."""
    found: list[Item] = []
    for path in json_files(root):
        for fields in features(path):
            try:
                found.append(_item(path, fields, findings))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                text = f"no usable STAC item ({type(error).__name__}: {error}); left out"
                findings.append(Finding("warning", str(path), text))
    return found


def json_files(root: Path) -> Iterator[Path]:
    """Yield JSON files below a folder in the order of their paths; raises for too many."""
    for number, path in enumerate(sorted({*root.rglob("*.json"), *root.rglob("*.geojson")})):
        if number > MOST_FILES:
            raise DatasetError(str(root), found="very many JSON files", expected="one catalogue")
        if not path.name.startswith(".") and path.is_file():
            yield path


def features(path: Path) -> list[dict[str, Any]]:
    """Return the items that a file holds: itself, or those of a list of items; else none."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return []
        held = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return []
    if not isinstance(held, dict):
        return []
    listed = held.get("features") if held.get("type") == "FeatureCollection" else [held]
    if not isinstance(listed, list):
        return []
    return [one for one in listed if isinstance(one, dict) and is_item(one)]


def is_item(fields: Mapping[str, Any]) -> bool:
    """Return whether JSON is a STAC item."""
    stac = isinstance(fields.get("stac_version"), str) and isinstance(fields.get("assets"), dict)
    return stac and fields.get("type") == "Feature"


def _item(path: Path, fields: Mapping[str, Any], findings: list[Finding]) -> Item:
    properties = dict(fields.get("properties") or {})
    assets = []
    for key, about in fields["assets"].items():
        try:
            assets.append(_asset(path, str(key), dict(about), properties))
        except DatasetError as error:
            findings.append(Finding("warning", f"{path}, asset {key}", str(error)))
    links = [link for link in fields.get("links") or [] if link.get("rel") == "source"]
    sources = tuple(Path(unquote(urlsplit(str(link["href"])).path)).stem for link in links)
    collection = str(fields.get("collection") or "")
    return Item(str(fields["id"]), path, collection, properties, tuple(assets), sources)


def _asset(path: Path, key: str, about: dict[str, Any], properties: Mapping[str, Any]) -> Asset:
    roles = frozenset(str(role).lower() for role in about.get("roles") or [])
    return Asset(key, _located(path, str(about["href"])), roles, _bands(about, properties), about)


def _located(item: Path, href: str) -> Path:
    """Return where an asset lies; raises `DatasetError` for addresses that cannot be read."""
    scheme = urlsplit(href).scheme
    if scheme in ("http", "https", "s3"):
        return remote_path(href)
    if scheme == "file":
        return Path(unquote(urlsplit(href).path))
    if scheme and len(scheme) > 1:
        raise DatasetError(href[:200], found=f"{scheme}:", expected="a file, https:// or s3://")
    return item.parent / href


def _bands(about: Mapping[str, Any], properties: Mapping[str, Any]) -> tuple[Band, ...]:
    plain = _listed(about, "bands")
    names = plain or _listed(about, "eo:bands")
    values = plain or _listed(about, "raster:bands")
    count = max(len(names), len(values))
    names = names + [{}] * (count - len(names))
    values = values + [{}] * (count - len(values))
    if count == 0 and "raster:scale" in about:
        count, names, values = 1, [{}], [{}]
    return tuple(_band(n, v, about) for n, v in zip(names, values, strict=True))


def _listed(about: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = about.get(key)
    return [dict(one) for one in found] if isinstance(found, list) else []


def _band(name: Mapping[str, Any], value: Mapping[str, Any], about: Mapping[str, Any]) -> Band:
    def number(key: str, default: float | None) -> float | None:
        for fields in (value, about):
            for known in (key, f"raster:{key}"):
                if isinstance(fields.get(known), int | float):
                    return float(fields[known])
        return float("nan") if value.get(key) == "nan" else default

    return Band(
        name=str(name.get("name") or ""),
        common=str(name.get("common_name") or name.get("eo:common_name") or ""),
        nodata=number("nodata", None),
        scale=number("scale", 1.0) or 1.0,
        offset=number("offset", 0.0) or 0.0,
        unit=str(value.get("unit") or about.get("unit") or ""),
    )


def classes_named(item: Item, asset: Asset) -> list[tuple[int, str, str]]:
    """Return (code, name, colour) of the classes that an item lists for a label; maybe empty."""
    listed: Sequence[Any] = asset.fields.get("classification:classes") or []
    for band in _listed(asset.fields, "bands") + _listed(asset.fields, "raster:bands"):
        listed = listed or band.get("classification:classes") or []
    listed = listed or item.properties.get("classification:classes") or []
    found = []
    for one in listed:
        code, name = one.get("value"), one.get("title") or one.get("name") or one.get("description")
        if isinstance(code, int) and not one.get("nodata"):
            colour = str(one.get("color_hint") or one.get("color-hint") or "")
            found.append((code, str(name or f"class {code}"), colour))
    return found


def label_field(item: Item) -> tuple[str, list[str]]:
    """Return the property of outlines that tells their class, and its values in order."""
    for one in item.properties.get("label:classes") or []:
        if one.get("name"):
            return str(one["name"]), [str(value) for value in one.get("classes") or []]
    return "", []
