"""The export job: what `core.export` writes, with the maps that a submission still lacks."""

from typing import Any

from core.errors import JobError
from core.export.formats import export, order_of
from core.jobs import JobContext, check_payload


def export_files(context: JobContext) -> dict[str, Any]:
    """Write the export `name` of the payload's order; return where it lies and how large it is."""
    check_payload("export", context.payload, "name", "format")
    project_id = context.job.project_id
    if project_id is None:
        raise JobError("export job", found="no project", expected="a project")
    done = export(
        context.store,
        project_id,
        str(context.payload["name"]),
        order_of(context.payload),
        person=str(context.payload.get("person", "")),
        report=context.report,
        cancelled=context.cancelled,
    )
    return {"name": done.name, "files": done.files, "size_bytes": done.size_bytes}
