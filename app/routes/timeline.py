"""The story of a tile, page by page: who changed what and when, newest first."""

from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.routes.gate import Visit, guarded, query_number
from core.store.engine import Store
from core.timeline import EditSummary, shares, timeline

MOST_EDITS = 500
MOST_CHANGES = 6
LARGEST = 10**9


def timeline_routes(store: Store) -> list[BaseRoute]:
    """Return the route of the timeline."""
    return [Route("/tile/{tile}/timeline", guarded(store, page))]


def page(visit: Visit) -> Response:
    """Return up to `limit` edits before version `before`, newest first, and who has edited here.

    `person` leaves out other people's; `people` always counts everybody's.
    """
    before = query_number(visit.request, "before", LARGEST - 1, 0, LARGEST)
    limit = query_number(visit.request, "limit", 100, 1, MOST_EDITS)
    person = query_number(visit.request, "person", 0, 0, LARGEST)
    found = timeline(
        visit.store, visit.tile.id, before=before, limit=limit, person_id=person or None
    )
    known = shares(visit.store, visit.tile.id)
    people = [{"id": one.person_id, "name": one.name, "edits": one.edits} for one in known]
    content = {
        "version": max((one.newest for one in known), default=0),
        "people": people,
        "edits": [summary_json(edit) for edit in reversed(found)],
        "more": len(found) == limit,
    }
    return JSONResponse(content, headers={"Cache-Control": "no-store"})


def summary_json(edit: EditSummary) -> dict[str, Any]:
    """Return an edit as the timeline shows it; `changes` are [from, to, pixels], largest first."""
    box = edit.box
    changes = [[old, new, pixels] for (old, new), pixels in edit.changes.items()]
    return {
        "version": edit.version,
        "person_id": edit.person_id,
        "person": edit.person,
        "saved_at": edit.saved_at.isoformat(timespec="milliseconds"),
        "seconds": edit.seconds,
        "tool": edit.tool,
        "effect": edit.effect,
        "reverses": edit.reverses,
        "changes": changes[:MOST_CHANGES],
        "more_changes": max(0, len(changes) - MOST_CHANGES),
        "pixels": edit.pixels,
        "box": [box.y0, box.x0, box.h, box.w],
        "panes": list(edit.panes_shown),
        "restrict": edit.restrict,
        "reason": edit.reason,
    }
