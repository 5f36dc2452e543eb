"""What goes on at a tile: who else has it open, what they changed, and what one can undo.

The editor asks each second. Presence informs and never locks; changes come as patches, so that they
appear on the other screens without a reload.
"""

import re
from collections.abc import Iterable
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.routes.edits import MAX_CHANGES, edit_json
from app.routes.gate import Visit, guarded, query_number
from core import history, presence
from core.errors import CloudbrushError
from core.store.engine import Store
from core.timeline import last_seq
from core.undo import Step

MAX_VERSION = 10**9
CLIENT_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
NOT_KEPT = {"Cache-Control": "no-store"}


def live_routes(store: Store) -> list[BaseRoute]:
    """Return the routes that are asked while a tile is open."""
    return [
        Route("/tile/{tile}/live", guarded(store, live)),
        Route("/tile/{tile}/history", guarded(store, undo_history)),
        Route("/tile/{tile}/changes", guarded(store, changes)),
    ]


def live(visit: Visit) -> Response:
    """Return who else is here and the edits since a version; note that the asking tab is here.

    `away` says that the tab is hidden or leaves: it is not here then.
    """
    client = _client(visit)
    since = query_number(visit.request, "since", None, 0, MAX_VERSION)
    away = query_number(visit.request, "away", 0, 0, 1)
    tile, grant = visit.tile, visit.grant
    if away:
        presence.leave(visit.store, tile.id, client)
        visitors = presence.others(visit.store, tile.id, client)
    else:
        visitors = presence.visit(visit.store, tile.id, grant.person_id, client)
    people = _people(visitors, grant.person_id)
    return JSONResponse(_since(visit, since) | {"people": people}, headers=NOT_KEPT)


def changes(visit: Visit) -> Response:
    """Return the edits since a version. After very many of them the tile is better read again."""
    since = query_number(visit.request, "since", None, 0, MAX_VERSION)
    return JSONResponse(_since(visit, since), headers=NOT_KEPT)


def undo_history(visit: Visit) -> Response:
    """Return all that the token's person can undo and redo, newest last.

    Steps come as runs [client, first, last]: the numbers from first to last, up or down, of the tab
    that `clients` names. `last_seq` is the highest number that the asking tab has used.
    """
    found = history.stacks(visit.store, visit.tile.id, visit.grant.person_id)
    clients: dict[str, int] = {}
    asking = visit.request.query_params.get("client")
    content = {
        "version": found.version,
        "undo": step_runs(found.undo, clients),
        "redo": step_runs(found.redo, clients),
        "clients": list(clients),
        "undo_depth": len(found.undo),
        "redo_depth": len(found.redo),
        "last_seq": last_seq(visit.store, _client(visit)) if asking is not None else 0,
    }
    return JSONResponse(content, headers=NOT_KEPT)


def step_runs(steps: Iterable[Step], clients: dict[str, int]) -> list[list[int]]:
    """Return steps as runs [client, first, last]; numbers the tabs not yet in `clients`."""
    runs: list[list[int]] = []
    for step in steps:
        name, seq = step.root.name
        client = clients.setdefault(name, len(clients))
        if runs and runs[-1][0] == client and _continues(runs[-1], seq):
            runs[-1][2] = seq
        else:
            runs.append([client, seq, seq])
    return runs


def _continues(run: list[int], seq: int) -> bool:
    """Return whether a number goes on where a run ends, in the run's direction."""
    _, first, last = run
    ways = (1, -1) if first == last else ((1,) if first < last else (-1,))
    return seq - last in ways


def _client(visit: Visit) -> str:
    text = visit.request.query_params.get("client", "")
    if not CLIENT_ID.fullmatch(text):
        raise CloudbrushError(
            "query client", found=repr(text[:40]), expected="1 to 64 letters or digits"
        )
    return text


def _since(visit: Visit, since: int) -> dict[str, Any]:
    version, edits = history.changes(visit.store, visit.tile.id, since, MAX_CHANGES)
    return {
        "version": version,
        "patches": [edit_json(edit) for edit in edits],
        "complete": len(edits) == max(version - since, 0),
    }


def _people(visitors: Iterable[presence.Visitor], person_id: int) -> list[dict[str, Any]]:
    """Return each person once, with the count of their tabs; `you` is the asking person."""
    found: dict[int, dict[str, Any]] = {}
    for one in visitors:
        entry = {"id": one.person_id, "name": one.name, "you": one.person_id == person_id}
        found.setdefault(one.person_id, entry | {"tabs": 0})["tabs"] += 1
    return list(found.values())
