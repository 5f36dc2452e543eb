"""The export job: what `core.export` writes, with the maps of a model that it still lacks."""

from typing import Any

from core import catalogue, trained
from core.errors import JobError
from core.export import buildings
from core.export.formats import export, order_of
from core.export.frame import Order
from core.export.submission import contest_tiles, maps
from core.jobs import JobContext, check_payload
from core.records import ModelRecord, Split, Tile
from models.predict import predict_tiles


def export_files(context: JobContext) -> dict[str, Any]:
    """Write the export `name` of the payload's order; return where it lies and how large it is."""
    check_payload("export", context.payload, "name", "format")
    project_id = context.job.project_id
    if project_id is None:
        raise JobError("export job", found="no project", expected="a project")
    order = order_of(context.payload)
    predicted = _predict(context, project_id, order)
    share = 0.9 if predicted else 0.0
    done = export(
        context.store,
        project_id,
        str(context.payload["name"]),
        order,
        person=str(context.payload.get("person", "")),
        report=lambda part, message: context.report(share + (1 - share) * part, message),
        cancelled=context.cancelled,
    )
    return {"name": done.name, "files": done.files, "size_bytes": done.size_bytes}


def _predict(context: JobContext, project_id: int, order: Order) -> int:
    """Make the maps that an export of a model's maps still lacks; return how many there were."""
    wanted = _maps_wanted(context, project_id, order)
    if wanted is None:
        return 0
    record, tiles = wanted
    missing = [tile for tile, found in maps(context.store, record, tiles) if found is None]
    if missing:
        predict_tiles(
            context.store,
            context.settings,
            record,
            missing,
            every_date=False,
            report=lambda part, message: context.report(0.9 * part, message),
            cancelled=context.cancelled,
        )
    return len(missing)


def _maps_wanted(
    context: JobContext, project_id: int, order: Order
) -> tuple[ModelRecord, list[Tile]] | None:
    """Return the model and the tiles whose maps an order writes; None where it writes none."""
    store, options = context.store, order.options
    if order.format == "submission":
        project = catalogue.project(store, project_id)
        split = Split(options.get("split", Split.TEST.value))
        record = trained.model(store, int(options.get("model", 0)))
        return record, contest_tiles(store, project, split)
    source = options.get("source", buildings.LABELS)
    if order.format == "buildings" and source != buildings.LABELS:
        chosen = buildings.model_of(store, project_id, source)
        part = options.get("part", buildings.EVERY)
        if chosen is not None:
            return chosen, buildings.mapped_tiles(store, project_id, part)
    return None
