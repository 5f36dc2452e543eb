"""The export job: what `core.export` writes, with the maps that a submission still lacks."""

from typing import Any

from core import catalogue, trained
from core.errors import JobError
from core.export.formats import export, order_of
from core.export.frame import Order
from core.export.submission import contest_tiles, maps
from core.jobs import JobContext, check_payload
from core.records import Split
from models.predict import predict_tiles


def export_files(context: JobContext) -> dict[str, Any]:
    """Write the export `name` of the payload's order; return where it lies and how large it is."""
    check_payload("export", context.payload, "name", "format")
    project_id = context.job.project_id
    if project_id is None:
        raise JobError("export job", found="no project", expected="a project")
    order = order_of(context.payload)
    predicted = _predict(context, project_id, order) if order.format == "submission" else 0
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
    """Make the maps that the chosen model still lacks; return how many there were."""
    record = trained.model(context.store, int(order.options.get("model", 0)))
    project = catalogue.project(context.store, project_id)
    split = Split(order.options.get("split", Split.TEST.value))
    tiles = contest_tiles(context.store, project, split)
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
