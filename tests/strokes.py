"""Strokes on a small scene for tests of the edit log, and what it holds after them."""

from typing import Any

import numpy as np
from sqlalchemy import event, func, select

from core import history
from core.grid import Window
from core.history import Saved
from core.patch import encode_runs
from core.settings import Settings
from core.store.engine import Store, open_store
from core.store.tables import EditRow
from core.stroke import Stroke, Tool
from tests.scene import Scene


def fast_store(settings_: Settings) -> Store:
    """Open a store that does not wait for the disk: these tests kill nothing."""
    opened = open_store(settings_)
    if opened.engine.dialect.name != "sqlite":
        return opened
    opened.engine.dispose()
    event.listen(
        opened.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous = OFF").close()
    )
    return opened


def stroke(
    box: tuple[int, int, int, int] = (2, 3, 4, 5),
    mask: np.ndarray | None = None,
    *,
    client: str = "tab",
    seq: int,
    **values: Any,
) -> Stroke:
    window = Window(*box)
    full = np.ones((window.h, window.w), np.bool_) if mask is None else mask
    wish: dict[str, Any] = {"base_version": 0, "tool": Tool.BRUSH, "to_class": 8} | values
    return Stroke(client_id=client, seq=seq, box=window, runs=encode_runs(full), **wish)


def back(tool: Tool, *, client: str = "tab", seq: int, **values: Any) -> Stroke:
    return Stroke(client_id=client, seq=seq, tool=tool, **{"base_version": 0} | values)


def save(scene: Scene, wish: Stroke, person: int | None = None) -> Saved:
    return history.append(scene.store, scene.tile, wish, person or scene.ada)


def state(scene: Scene) -> tuple[bytes, bytes]:
    found = history.current(scene.store, scene.tile)
    return found.labels.tobytes(), found.provenance.tobytes()


def rows(scene: Scene, table: type = EditRow) -> int:
    with scene.store.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
