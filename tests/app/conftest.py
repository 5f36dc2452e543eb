"""Fixtures of the tests of pages, and of routes on the `scene` of a test module."""

import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from app import access, session
from app.routes import routes
from core import catalogue
from core.settings import Settings, load_settings
from core.store.engine import Store
from tests.app.client import Client
from tests.scene import Scene


@pytest.fixture
def page(
    request: pytest.FixtureRequest,
    settings: Settings,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> AppTest:
    """Return the page that the test module names in SCRIPT, signed in and not yet run."""
    monkeypatch.setattr(session, "_served", (settings, store))
    page = AppTest.from_string(request.module.SCRIPT, default_timeout=60)
    page.session_state["person_id"] = catalogue.ensure_person(store, "Ada").id
    return page


@pytest.fixture
def app(scene: Scene) -> Starlette:
    """Return the routes of a scene's store as an application."""
    return Starlette(routes=routes(scene.store, load_settings()))


@pytest.fixture
def ada(app: Starlette, scene: Scene) -> Client:
    """Return Ada's client, who may edit."""
    return Client(app, access.mint(scene.store, scene.ada, scene.project_id, "edit"))
