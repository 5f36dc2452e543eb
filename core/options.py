"""Settings of a project that a person changed; what is not set follows the defaults.

They lie in one JSON column, by name. Each setting is checked where it is read, as rows may have
been written by an older version.
"""

from typing import Any

from core.clouds.cover import DEFAULT_EDGES, check_edges
from core.errors import CloudbrushError, NotFound
from core.records import Project
from core.store.engine import Store
from core.store.tables import ProjectRow

CLOUD_EDGES = "cloud_edges"
BOUNDARY_PX = "boundary_px"
MOST_BOUNDARY_PX = 200


def cloud_edges(project: Project) -> tuple[float, ...]:
    """Return the edges of cloud levels that a project counts by, from 0 to 1."""
    kept = project.options.get(CLOUD_EDGES)
    try:
        return check_edges(kept) if kept else DEFAULT_EDGES
    except (CloudbrushError, TypeError, ValueError):
        return DEFAULT_EDGES


def boundary_px(project: Project) -> int | None:
    """Return how far from edges boundary IoU is measured, in px, or None where it is not."""
    kept = project.options.get(BOUNDARY_PX)
    return kept if isinstance(kept, int) and 1 <= kept <= MOST_BOUNDARY_PX else None


def set_cloud_edges(store: Store, project_id: int, edges: tuple[float, ...]) -> None:
    """Keep the edges of cloud levels of a project; raises unless they rise from 0 to 1."""
    set_option(store, project_id, CLOUD_EDGES, list(check_edges(edges)))


def set_option(store: Store, project_id: int, name: str, value: Any) -> None:  # noqa: ANN401
    """Keep one setting (JSON) of a project, None to forget it; raises `NotFound`."""
    with store.write() as session:
        row = session.get(ProjectRow, project_id)
        if row is None:
            raise NotFound(f"project {project_id}", todo="Go back to Home.")
        kept = dict(row.options or {})
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = value
        row.options = kept or None
