"""Labels as a STAC collection: one item per tile, with the label and processing extensions.

Items and collection are made and checked by pystac. The schemas of STAC come with pystac, those of
the extensions with us, so that nothing is fetched. Links and files are relative: the folder may be
moved or served as it is.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import catalogue
from core.classes import ClassTable, Provenance
from core.errors import DatasetError
from core.export.edit_log import write_edits
from core.export.frame import FORMAT_VERSION, Work
from core.export.labels import stems, write_all
from core.records import Acquisition, Tile

if TYPE_CHECKING:
    import pystac
    from pystac.validation.stac_validator import JsonSchemaSTACValidator

COLLECTION = "collection.json"
SCHEMAS = {
    "https://stac-extensions.github.io/label/v1.0.1/schema.json": "label.json",
    "https://stac-extensions.github.io/processing/v1.2.0/schema.json": "processing.json",
}
EXTENSIONS = list(SCHEMAS)
SOFTWARE = {"Cloudbrush": f"export format {FORMAT_VERSION}"}
ORIGINS = [{"value": int(code), "name": code.name.lower()} for code in Provenance]
WORLD = [-180.0, -90.0, 180.0, 90.0]


def write_stac(work: Work) -> dict[str, Any]:
    """Write COGs, one item per tile, a collection and the edit log; check them by their schemas.

    Raises `DatasetError` when an item or the collection does not fit its schemas, and what writing
    labels raises.
    """
    import pystac

    tiles = work.tiles()
    entries = write_all(work, tiles, cog=True)
    dates = catalogue.project_acquisitions(work.store, work.project.id)
    now = datetime.now(UTC)
    (work.folder / "items").mkdir()
    checker = validator()
    items = []
    for tile, stem, entry in zip(tiles, stems(tiles), entries, strict=True):
        work.tick(1.0, tile.name)
        item = _item(work, tile, entry, dates.get(tile.id, []), now)
        path = work.folder / "items" / f"{stem}.json"
        _save(item, path, checker)
        entry["item"] = f"items/{stem}.json"
        items.append((item.geometry and item.bbox, item.datetime, tile.name, entry["item"]))
    collection = _collection(work, items, now)
    _save(collection, work.folder / COLLECTION, checker)
    read = pystac.Collection.from_file(str(work.folder / COLLECTION))
    if [item.id for item in read.get_items()] != [tile.name for tile in tiles]:
        raise DatasetError(COLLECTION, found="other items than written", expected="every tile")
    return {
        "edits": write_edits(work, tiles),
        "verified": "rasters were read back and compared, items checked by their STAC schemas",
        "tiles": entries,
    }


@cache
def validator() -> "JsonSchemaSTACValidator":
    """Return pystac's validator with the extensions' schemas at hand; it never fetches one."""
    from pystac.validation.stac_validator import GetSchemaError, JsonSchemaSTACValidator

    class Local(JsonSchemaSTACValidator):
        def _get_schema(self, schema_uri: str) -> dict[str, Any]:
            known: dict[str, Any] | None = self.schema_cache.get(schema_uri)
            if known is None:
                raise GetSchemaError(schema_uri, LookupError("no copy of this schema is here"))
            return known

    found = Local()
    folder = resources.files("core.export") / "schemas"
    for address, name in SCHEMAS.items():
        found.schema_cache[address] = json.loads((folder / name).read_text(encoding="utf-8"))
    return found


def _save(made: "pystac.STACObject", path: Path, checker: "JsonSchemaSTACValidator") -> None:
    """Write an item or collection, read it back and check it."""
    from pystac.errors import STACValidationError

    meant = made.to_dict(include_self_link=False, transform_hrefs=False)
    path.write_text(json.dumps(meant, indent=1), encoding="utf-8")
    found = json.loads(path.read_text(encoding="utf-8"))
    if found != json.loads(json.dumps(meant)):
        raise DatasetError(str(path), found="other fields than written", expected="equal fields")
    try:
        type(made).from_dict(found, migrate=False).validate(validator=checker)
    except STACValidationError as error:
        raise DatasetError(str(path), found=str(error)[:500], expected="valid STAC") from error


def _item(
    work: Work,
    tile: Tile,
    entry: Mapping[str, Any],
    dates: list[Acquisition],
    now: datetime,
) -> "pystac.Item":
    import pystac

    start, end = _times(dates, now)
    corners = [list(corner) for corner in tile.lonlat] if tile.lonlat else None
    item = pystac.Item(
        id=tile.name,
        geometry={"type": "Polygon", "coordinates": [[*corners, corners[0]]]} if corners else None,
        bbox=_box(corners) if corners else None,
        datetime=start if start == end else None,
        start_datetime=None if start == end else start,
        end_datetime=None if start == end else end,
        properties={
            **_label_fields(work, tile, entry),
            **_processing_fields(tile, entry, now),
            "created": _text(now),
            "cloudbrush:split": tile.split.value,
            "cloudbrush:region": tile.region,
            "cloudbrush:version": tile.version,
        },
        stac_extensions=EXTENSIONS,
    )
    labels = ["labels", "labels-raster"], classes_of(work.project.classes)
    item.add_asset("labels", _asset("Class codes", entry["label"], *labels))
    origins = _asset("Who is behind each pixel", entry["provenance"], ["metadata"], ORIGINS)
    item.add_asset("provenance", origins)
    for kind in ("root", "parent", "collection"):
        item.add_link(pystac.Link(kind, f"../{COLLECTION}", pystac.MediaType.JSON))
    item.collection_id = collection_id(work)
    return item


def _asset(
    title: str, place: str, roles: list[str], classes: list[dict[str, Any]]
) -> "pystac.Asset":
    import pystac

    fields = {"cloudbrush:classes": classes}
    return pystac.Asset(
        f"../{place}", title, media_type=pystac.MediaType.COG, roles=roles, extra_fields=fields
    )


def _label_fields(work: Work, tile: Tile, entry: Mapping[str, Any]) -> dict[str, Any]:
    classes, counts = work.project.classes, entry["pixels_by_code"]
    by_hand = set(entry["pixels_by_provenance"]) - {"pseudo"}
    return {
        "label:type": "raster",
        "label:properties": None,
        "label:description": f"{work.project.name}, {tile.name}: class code of each pixel after "
        f"{tile.version} edits; {classes.void_code} where there is none",
        "label:tasks": ["segmentation"],
        "label:methods": ["automated", "manual"] if by_hand else ["automated"],
        "label:classes": [{"name": None, "classes": [e.name for e in classes.entries]}],
        "label:overviews": [
            {
                "counts": [
                    {"name": e.name, "count": counts.get(str(e.code), 0)} for e in classes.entries
                ]
            }
        ],
    }


def _processing_fields(tile: Tile, entry: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    behind = ", ".join(f"{n} {name}" for name, n in entry["pixels_by_provenance"].items())
    return {
        "processing:lineage": f"Label as it came, corrected by {tile.version} edits. "
        f"Pixels by provenance: {behind}.",
        "processing:software": SOFTWARE,
        "processing:datetime": _text(now),
    }


def classes_of(classes: ClassTable) -> list[dict[str, Any]]:
    """Return value, name and colour of each class, and the value of void."""
    found: list[dict[str, Any]] = [
        {"value": entry.code, "name": entry.name, "colour": entry.colour}
        for entry in classes.entries
    ]
    return [*found, {"value": classes.void_code, "name": "void"}]


def _collection(
    work: Work, items: list[tuple[Any, datetime | None, str, str]], now: datetime
) -> "pystac.Collection":
    import pystac

    boxes = [box for box, _, _, _ in items if box]
    area = (
        [
            min(box[0] for box in boxes),
            min(box[1] for box in boxes),
            max(box[2] for box in boxes),
            max(box[3] for box in boxes),
        ]
        if boxes
        else WORLD
    )
    times = [when for _, when, _, _ in items if when] or [now]
    collection = pystac.Collection(
        id=collection_id(work),
        title=work.project.name,
        description=f"Corrected labels of {work.project.name}, {len(items)} tiles.",
        extent=pystac.Extent(
            pystac.SpatialExtent([area]), pystac.TemporalExtent([[min(times), max(times)]])
        ),
        license="other",
        providers=[
            pystac.Provider(
                "Cloudbrush",
                roles=[pystac.ProviderRole.PROCESSOR],
                extra_fields={"processing:software": SOFTWARE},
            )
        ],
        stac_extensions=EXTENSIONS,
    )
    collection.add_link(pystac.Link("root", f"./{COLLECTION}", pystac.MediaType.JSON))
    for _, _, name, place in items:
        collection.add_link(pystac.Link("item", f"./{place}", pystac.MediaType.JSON, name))
    return collection


def collection_id(work: Work) -> str:
    """Return the id of the collection: the project's name in plain letters."""
    return _plain(work.project.name).lower()


def _plain(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z_-]+", "-", name).strip("-") or "class"


def _box(corners: list[list[float]]) -> list[float]:
    across, along = zip(*corners, strict=True)
    return [min(across), min(along), max(across), max(along)]


def _times(dates: list[Acquisition], now: datetime) -> tuple[datetime, datetime]:
    """Return the first and last time of a tile's images; the export's where none is dated."""
    days = [day for date in dates if (day := day_of(date.date)) is not None]
    return (min(days), max(days)) if days else (now, now)


def day_of(text: str | None) -> datetime | None:
    """Return the day that a date text begins with (2024-05-31 or 20240531), or None."""
    found = re.match(r"(\d{4})-?(\d{2})-?(\d{2})", text or "")
    try:
        return datetime(*map(int, found.groups()), tzinfo=UTC) if found else None  # type: ignore[arg-type,misc]
    except ValueError:
        return None


def _text(when: datetime) -> str:
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")
