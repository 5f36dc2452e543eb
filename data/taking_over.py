"""The job that takes over what changed in a project's folder, as a person has confirmed it."""

from typing import Any

from core import catalogue, jobs
from core.check import Progress
from core.errors import Cancelled, JobError
from core.jobs import JobContext, check_payload
from core.records import Job
from core.reimport import Changes, compare, take_over
from core.scan_job import queue_scan
from core.settings import Settings
from core.store.engine import Store
from data.recipe import recipe_of_project

KIND = "take_over"
MOST_FINDINGS = 200  # kept with the job
COMPARING = 0.2  # of the work


def start_taking_over(
    store: Store, settings: Settings, project_id: int, seen: Changes, person_id: int | None = None
) -> Job:
    """Queue the job that takes over the changes that a person saw."""
    return jobs.submit(
        store, settings, KIND, {"seen": seen.digest()}, project_id, person_id, jobs.FILES
    )


def take_over_task(context: JobContext) -> dict[str, Any]:
    """Take over what changed; nothing where the folder has changed again since a person looked.

    The payload's `seen` is the digest of the changes that were confirmed. A job that is stopped
    keeps what it has written; the rest shows as changed at the next look. Raises `JobError`.
    """
    check_payload(KIND, context.payload, "seen")
    if context.job.project_id is None:
        raise JobError("take over job", found="no project", expected="a project")
    project = catalogue.project(context.store, context.job.project_id)

    def part(begin: float, share: float) -> Progress:
        def report(done: int, count: int, message: str) -> None:
            if context.cancelled():
                raise Cancelled("taking over", found="a request to stop")
            words = f"{done:,} of {count:,} tiles: {message}"
            context.report(begin + share * done / max(count, 1), words)

        return report

    context.report(0.0, "Looking through the folder")
    found = recipe_of_project(project).find()
    changes = compare(context.store, project.id, found, part(0.0, COMPARING))
    if changes.digest() != context.payload["seen"]:
        raise JobError(
            f"folder {project.root}",
            found="other changes than those that were confirmed",
            expected="the folder as it was when its changes were looked at",
            todo="Look for changes again.",
        )
    findings = take_over(
        context.store,
        project.id,
        found,
        changes,
        roots=context.settings.allowed_roots,
        progress=part(COMPARING, 1 - COMPARING),
    )
    queue_scan(context.store, project.id, again=True)
    return {
        "new": len(changes.new),
        "changed": len(changes.changed),
        "gone": len(changes.gone),
        "kept": len(changes.kept),
        "findings": [vars(finding) for finding in findings[:MOST_FINDINGS]],
        "findings_count": len(findings),
    }
