"""One process, one port: Streamlit's pages plus our routes for tiles, edits and assets."""

import os
import sys
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from typing import Any

from streamlit.runtime.pages_manager import PagesManager
from streamlit.starlette import App

from app.quiet import when_quiet
from app.routes import routes
from app.session import configure
from core.jobs import ensure_runner
from core.settings import Settings
from core.store.engine import Store

ROOT = Path(__file__).resolve().parents[1]
# The map's library takes two seconds to import: done when the first page has long been drawn, so
# that nobody waits for it on Explore, and while nobody waits for a tile.
WARM_UP_AFTER_S = 6.0
QUIET_S = 3.0
# How long a thread that computes may keep the interpreter from one that answers. A saved stroke
# asks for it some fifty times, at each call of SQLite: with the usual 5 ms it waited for a quarter
# of a second beside a suggestion.
TURN_S = 0.0002
# GDAL would keep blocks in 5 % of the machine's memory, all of it new: while several threads read,
# the system then spent as long on handing out pages as all reading and drawing took.
GDAL_CACHE_MB = "128"
CONFIG_FILE = ROOT / "streamlit_config.toml"


def streamlit_options(settings: Settings, config_file: Path = CONFIG_FILE) -> dict[str, Any]:
    """Return the options of `streamlit_config.toml` as dotted names, with our address and port."""
    options = dict(_flatten(tomllib.loads(config_file.read_text())))
    return options | {"server.address": settings.address, "server.port": settings.port}


def _flatten(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in table.items():
        if isinstance(value, Mapping):
            found += _flatten(value, f"{prefix}{name}.")
        else:
            found.append((prefix + name, value))
    return found


def make_app(settings: Settings, store: Store) -> App:
    """Return the application: pages, routes, and the runner of jobs while it lives."""

    @asynccontextmanager
    async def lifespan(_app: App) -> AsyncIterator[None]:
        ensure_runner(settings)
        stop = Event()
        Thread(target=_warm_up, args=(stop,), daemon=True).start()
        yield
        stop.set()
        store.close()

    configure(settings, store)
    # Streamlit would take the folder app/pages for its older kind of pages until the script has
    # run once, and answer the first link to a page with an empty one.
    PagesManager.uses_pages_directory = False
    return App(ROOT / "app" / "main.py", lifespan=lifespan, routes=routes(store, settings))


def _warm_up(stop: Event) -> None:
    when_quiet(
        lambda: import_module("leafmap.foliumap"), stop, after_s=WARM_UP_AFTER_S, quiet_s=QUIET_S
    )


def serve(settings: Settings, store: Store, *, open_browser: bool = False) -> None:
    """Serve until stopped."""
    sys.setswitchinterval(TURN_S)
    os.environ.setdefault("GDAL_CACHEMAX", GDAL_CACHE_MB)
    options = streamlit_options(settings) | ({"server.headless": False} if open_browser else {})
    make_app(settings, store).run(config=options)
