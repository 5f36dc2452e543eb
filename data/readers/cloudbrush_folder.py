"""Cloudbrush's own folder layout: a `manifest.json` that names every file of every tile.

    {"format": "cloudbrush folder", "version": 1, "title", "kind", "classes", "preset",
     "tiles": [{"name", "region", "split", "sar", "label", "truth",
                "acquisitions": [{"date", "optical", "cloud"}]}]}

Paths are relative to the manifest. `sar`, `label`, `truth` and `cloud` may be missing.
"""

import json
from pathlib import Path
from typing import Any

from core.classes import BRIGHT, OPEN_EARTH_MAP_SAR
from core.errors import DatasetError
from core.found import Finding, FoundDataset, FoundLayer, FoundTile
from core.records import Modality, Split, Unit
from data.readers.base import bands

MANIFEST = "manifest.json"
FORMAT = "cloudbrush folder"
TABLES = {table.name: table for table in (OPEN_EARTH_MAP_SAR, BRIGHT)}


class CloudbrushFolderReader:
    """Reads folders that Cloudbrush wrote itself, the land-cover demo among them."""

    key = "cloudbrush_folder"
    title = "Cloudbrush folder (manifest.json)"

    def recognise(self, root: Path) -> str | None:
        """Return what gave the layout away, or None."""
        try:
            text = (root / MANIFEST).read_text(encoding="utf-8")
            manifest = json.loads(text)
        except (OSError, ValueError):
            return None
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            return None
        return f"{MANIFEST} says that this is a {FORMAT}"

    def find(self, root: Path, way: str | None = None) -> FoundDataset:
        """Return the tiles that the manifest lists; raises `DatasetError` naming what is wrong."""
        path = root / MANIFEST
        why = self.recognise(root)
        if why is None:
            raise DatasetError(str(path), found="no manifest", expected=f"format {FORMAT!r}")
        try:
            return _dataset(self.key, why, root, json.loads(path.read_text(encoding="utf-8")))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, DatasetError):
                raise
            raise DatasetError(
                str(path), found=f"{type(error).__name__} {error}", expected="a complete manifest"
            ) from error


def _dataset(key: str, why: str, root: Path, manifest: dict[str, Any]) -> FoundDataset:
    if manifest["kind"] not in ("land_cover", "damage") or manifest["classes"] not in TABLES:
        raise DatasetError(
            str(root / MANIFEST),
            found=f"kind {manifest['kind']!r} with classes {manifest['classes']!r}",
            expected=f"land_cover or damage with one of {', '.join(TABLES)}",
        )
    findings: list[Finding] = []
    tiles = tuple(_tile(root, entry, findings) for entry in manifest["tiles"])
    return FoundDataset(
        reader=key,
        title=str(manifest["title"]),
        why=why,
        root=root,
        kind=manifest["kind"],
        classes=TABLES[manifest["classes"]],
        preset=str(manifest["preset"]),
        tiles=tiles,
        findings=tuple(findings),
    )


def _tile(root: Path, entry: dict[str, Any], findings: list[Finding]) -> FoundTile:
    layers: list[FoundLayer] = []
    for seen in entry.get("acquisitions", []):
        day = str(seen["date"])
        optical = _file(root, seen["optical"], findings)
        cloud = _file(root, seen.get("cloud"), findings)
        if optical is None:
            continue
        colours = ("red", "green", "blue")
        rgb = FoundLayer(Modality.OPTICAL, bands(optical, 3), colours, acquisition=day, date=day)
        layers.append(rgb)
        if cloud is not None:
            mask = bands(cloud, 1)
            layers.append(
                FoundLayer(Modality.CLOUD, mask, ("level",), Unit.CODE, acquisition=day, date=day)
            )
    sar = _file(root, entry.get("sar"), findings)
    if sar is not None:
        layers.append(FoundLayer(Modality.SAR, bands(sar, 1), ("amplitude",)))
    for modality in (Modality.LABEL, Modality.TRUTH):
        path = _file(root, entry.get(modality.value), findings)
        if path is not None:
            layers.append(FoundLayer(modality, bands(path, 1), ("class",), Unit.CODE))
    return FoundTile(
        str(entry["name"]), str(entry.get("region", "")), Split(entry["split"]), tuple(layers)
    )


def _file(root: Path, relative: str | None, findings: list[Finding]) -> Path | None:
    """Return a file of the manifest; one that is missing is reported and left out."""
    if relative is None:
        return None
    path = root / relative
    if not path.is_file():
        findings.append(
            Finding("warning", str(path), "The manifest names this file, but it is not there.")
        )
        return None
    return path
