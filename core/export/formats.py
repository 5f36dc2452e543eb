"""The export formats by name: what each holds, what reads it, and what can be chosen.

A page asks `formats` what fits a project; `export` writes one of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import DatasetError
from core.export import edit_log, frame, labels
from core.export.choose import Plan, Which
from core.export.frame import Exported, Order, Report, Work
from core.records import Project
from core.store.engine import Store

INSTANT_PX = 20_000_000
INSTANT_TILES = 60


@dataclass(frozen=True)
class Choice:
    """Something to choose for a format: values and the words for them; the first is the default."""

    name: str
    title: str
    values: Mapping[str, str]
    help: str = ""


def _always(_store: Store, _project: Project) -> str | None:
    return None


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
    unfit: Callable[[Store, Project], str | None] = field(default=_always)


def _label_choices(_store: Store, _project: Project) -> tuple[Choice, ...]:
    return (
        Choice("file", "File", {"geotiff": "GeoTIFF", "cog": "Cloud-optimized GeoTIFF"}),
        Choice(
            "provenance",
            "Provenance",
            {"beside": "A file beside the labels", "band": "Band 2 of the labels"},
            "A cloud-optimized GeoTIFF takes it beside only.",
        ),
    )


def _none(_store: Store, _project: Project) -> tuple[Choice, ...]:
    return ()


READS_TIFF = "QGIS, ArcGIS, rasterio, GDAL"
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
        "log",
        "Edit log",
        "Who changed what, when, and with which images on screen.",
        (LOG_ROW, MANIFEST_ROW),
        edit_log.write_log,
        _none,
    ),
)


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


def is_instant(planned: Plan) -> bool:
    """Return whether an export is small enough to be written while a person waits."""
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
