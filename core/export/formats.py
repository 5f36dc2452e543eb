"""The export formats by name: what each holds, what reads it, and what can be chosen.

A page asks `formats` what fits a project; `export` writes one of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core import catalogue, trained
from core.errors import DatasetError
from core.export import (
    buildings,
    changes,
    coco,
    edit_log,
    frame,
    labels,
    layout,
    patches,
    stac,
    submission,
)
from core.export.choose import Which, plan
from core.export.frame import Exported, Order, Report, Work
from core.patch_labels import KINDS
from core.records import Project, Split
from core.store.engine import Store

INSTANT_PX = 20_000_000
INSTANT_TILES = 40


@dataclass(frozen=True)
class Choice:
    """Something to choose for a format: values and the words for them; the first is the default.

    With `only`, it is asked only where another choice has that value.
    """

    name: str
    title: str
    values: Mapping[str, str]
    help: str = ""
    only: tuple[str, str] | None = None


def _of_pixels(_store: Store, project: Project) -> str | None:
    if project.kind in KINDS:
        return "Labels of this project belong to whole patches: choose patch labels."
    return None


def _of_patches(_store: Store, project: Project) -> str | None:
    return None if project.kind in KINDS else "Labels of this project are rasters."


def _of_contest(store: Store, project: Project) -> str | None:
    if submission.track_of(project) is None:
        return "Only projects that are scored by the rules of DFC2025 go to its server."
    if not trained.models(store, project.id):
        return "Train a model first: its maps of the test tiles are what is submitted."
    return None if _parts(store, project) else "This project has no validation or test tile."


def _of_damage(_store: Store, project: Project) -> str | None:
    return None if project.kind == "damage" else "Only projects of building damage have these."


@dataclass(frozen=True)
class Format:
    """One kind of export.

    `holds` lists (file, what it holds, what reads it). `bytes_per_px` bounds the size before
    compression. `unfit` says why a project cannot go out in this format, or None. `choices` may
    depend on the project.
    """

    key: str
    title: str
    about: str
    holds: tuple[tuple[str, str, str], ...]
    write: Callable[[Work], dict[str, Any]]
    choices: Callable[[Store, Project], tuple[Choice, ...]]
    bytes_per_px: float = 0.0
    by_tile: bool = True  # whether a person chooses which tiles go out
    unfit: Callable[[Store, Project], str | None] = field(default=_of_pixels)


def _label_choices(_store: Store, _project: Project) -> tuple[Choice, ...]:
    return (
        Choice("file", "File", {"geotiff": "GeoTIFF", "cog": "Cloud-optimized GeoTIFF"}),
        Choice(
            "provenance",
            "Provenance",
            {"beside": "A file beside the labels", "band": "Band 2 of the labels"},
            only=("file", "geotiff"),  # a COG takes it beside only
        ),
    )


def _layout_choices(_store: Store, _project: Project) -> tuple[Choice, ...]:
    ways = {
        "list": "Only list them: labels alone",
        "link": "Hard-link them: whole dataset, no copies",
        "copy": "Copy them: whole dataset",
    }
    text = "Images, lists and all else. A link shares its bytes with the original: do not edit it."
    return (Choice("others", "Other files", ways, text),)


def _coco_choices(_store: Store, project: Project) -> tuple[Choice, ...]:
    ways = {coco.CLASS: "One per class and tile"}
    if project.kind == "damage" or coco.building_class(project) is not None:
        ways[coco.BUILDING] = "One per building"
    return (Choice("masks", "Masks", ways),)


def _change_choices(_store: Store, _project: Project) -> tuple[Choice, ...]:
    return (Choice("file", "File", {"parquet": "GeoParquet", "gpkg": "GeoPackage"}),)


def _parts(store: Store, project: Project) -> list[Split]:
    there = catalogue.splits(store, project.id)
    return [part for part in (Split.TEST, Split.VAL) if part in there]


def _contest_choices(store: Store, project: Project) -> tuple[Choice, ...]:
    models = {str(record.id): record.name for record in trained.models(store, project.id)[::-1]}
    words = {Split.TEST: "Test", Split.VAL: "Validation"}
    return (
        Choice("model", "Model", models, "Maps that it has not made yet are made first."),
        Choice("split", "Part", {part.value: words[part] for part in _parts(store, project)}),
    )


def _building_choices(store: Store, project: Project) -> tuple[Choice, ...]:
    models = {str(record.id): record.name for record in trained.models(store, project.id)[::-1]}
    have = [split for split in Split if catalogue.tiles(store, project.id, split=split)]
    parts = {buildings.EVERY: "All tiles"} | {s.value: s.value.capitalize() for s in have}
    files = {"gpkg": "GeoPackage", "geojson": "GeoJSON", "parquet": "GeoParquet"}
    text = "A model's maps need no labels; those that it has not made yet are made first."
    return (
        Choice("source", "Buildings of", {buildings.LABELS: "The labels of now", **models}, text),
        Choice("part", "Part", parts),
        Choice("file", "File", files),
    )


def _none(_store: Store, _project: Project) -> tuple[Choice, ...]:
    return ()


READS_TIFF = "QGIS, ArcGIS, rasterio, GDAL"
READS_VECTOR = "QGIS, ArcGIS, geopandas, GDAL"
MANIFEST_ROW = (frame.MANIFEST, "classes, versions, SHA-256 of the pixels", "JSON")
LOG_ROW = (edit_log.EDITS, "every edit up to these versions", "CSV: spreadsheets, pandas")

FORMATS: tuple[Format, ...] = (
    Format(
        "labels",
        "GeoTIFF labels",
        "Class codes with position and colours, and who is behind each pixel.",
        (
            ("labels/TILE.tif", "class codes, uint8, coloured", READS_TIFF),
            ("labels/TILE_provenance.tif", "who is behind each pixel, uint8", READS_TIFF),
            LOG_ROW,
            MANIFEST_ROW,
        ),
        labels.write_labels,
        _label_choices,
        bytes_per_px=2.0,
    ),
    Format(
        "layout",
        "Original layout",
        "The dataset in the folders, names and codes it came in, with the labels of now.",
        (
            ("dataset/...", "label files, rewritten where pixels changed", "the authors' loaders"),
            ("others.csv", "the files that stay as they are: path, size, time", "CSV"),
            LOG_ROW,
            MANIFEST_ROW,
        ),
        layout.write_layout,
        _layout_choices,
        bytes_per_px=1.0,
    ),
    Format(
        "stac",
        "STAC collection",
        "Cloud-optimized labels with an item per tile, for catalogues and servers.",
        (
            ("collection.json, items/TILE.json", "STAC 1.1, label and processing", "pystac, QGIS"),
            ("labels/...", "labels and provenance, cloud-optimized", READS_TIFF),
            LOG_ROW,
            MANIFEST_ROW,
        ),
        stac.write_stac,
        _none,
        bytes_per_px=2.0,
    ),
    Format(
        "coco",
        "COCO masks",
        "Run lengths of every class of a tile, or of every building.",
        (
            (coco.FILE, "images, categories (ids are class codes) and masks", "pycocotools"),
            MANIFEST_ROW,
        ),
        coco.write_coco,
        _coco_choices,
    ),
    Format(
        "changes",
        "Changed regions",
        "Polygons of what was changed: from which class to which, by whom, when, with what.",
        (
            ("changes.parquet or .gpkg", "one row per region, in map coordinates", READS_VECTOR),
            ("changes_pixels...", "the same for tiles without a position, in pixels", READS_VECTOR),
            MANIFEST_ROW,
        ),
        changes.write_changes,
        _change_choices,
    ),
    Format(
        "buildings",
        "Buildings",
        "A polygon per building with its damage class, how much of it has that class, and area.",
        (
            ("buildings.gpkg, .geojson or .parquet", "one row per building", READS_VECTOR),
            (
                "buildings_pixels...",
                "the same for tiles without a position, in pixels",
                READS_VECTOR,
            ),
            MANIFEST_ROW,
        ),
        buildings.write_buildings,
        _building_choices,
        by_tile=False,
        unfit=_of_damage,
    ),
    Format(
        "submission",
        "Contest submission",
        "A zip of a model's maps for the server of DFC2025, checked by its rules.",
        (
            ("PART_TRACK.zip", "one PNG of class codes per tile", "the contest's server"),
            MANIFEST_ROW,
        ),
        submission.write_submission,
        _contest_choices,
        by_tile=False,
        unfit=_of_contest,
    ),
    Format(
        "patches",
        "Patch labels",
        "The classes of each patch as published and of now.",
        (("patches.csv", "one row per patch", "CSV: spreadsheets, pandas"), MANIFEST_ROW),
        patches.write_patches,
        _none,
        by_tile=False,
        unfit=_of_patches,
    ),
    Format(
        "log",
        "Edit log",
        "Who changed what, when, and with which images on screen.",
        (LOG_ROW, MANIFEST_ROW),
        edit_log.write_log,
        _none,
        unfit=lambda _store, _project: None,
    ),
)


def formats_of(project: Project) -> tuple[Format, ...]:
    """Return the formats for the kind of a project's labels: whole patches, pixels or damage."""
    others = [_of_pixels if project.kind in KINDS else _of_patches]
    if project.kind != "damage":
        others.append(_of_damage)
    return tuple(known for known in FORMATS if known.unfit not in others)


def format_of(key: str) -> Format:
    """Return a format by its key; raises `DatasetError` when there is none."""
    for found in FORMATS:
        if found.key == key:
            return found
    raise DatasetError(
        "export format", found=repr(key), expected=", ".join(known.key for known in FORMATS)
    )


def export(
    store: Store,
    project_id: int,
    name: str,
    order: Order,
    *,
    person: str = "",
    report: Report | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Exported:
    """Write an export and read it back; raises as `core.export.frame.run` does."""
    return frame.run(
        store,
        project_id,
        name,
        order,
        format_of(order.format).write,
        person=person,
        report=report,
        cancelled=cancelled,
    )


def is_instant(store: Store, project_id: int, order: Order) -> bool:
    """Return whether an export is small enough to be written while a person waits."""
    if order.format == "submission":
        return False  # maps may have to be made first
    if order.format == "buildings" and order.options.get("source", "") != buildings.LABELS:
        return False
    whole = order.options.get("others", "list") != "list"
    planned = plan(store, project_id, Which.ALL if whole else order.which)
    return planned.pixels <= INSTANT_PX and planned.tiles <= INSTANT_TILES


def payload(name: str, order: Order, person: str) -> dict[str, Any]:
    """Return an order as the payload of an export job."""
    return {
        "name": name,
        "format": order.format,
        "which": order.which.value,
        "options": dict(order.options),
        "person": person,
    }


def order_of(found: Mapping[str, Any]) -> Order:
    """Return the order in a job's payload; raises `DatasetError` for values that are none."""
    try:
        which = Which(found.get("which", Which.ALL))
    except ValueError as error:
        raise DatasetError(
            "export job", found=str(error), expected=", ".join(which.value for which in Which)
        ) from error
    options = {str(name): str(value) for name, value in dict(found.get("options", {})).items()}
    return Order(format_of(str(found.get("format", ""))).key, which, options)
