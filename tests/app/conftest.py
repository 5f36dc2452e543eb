"""Fixtures of the tests of pages."""

import pytest
from streamlit.testing.v1 import AppTest

from app import session
from core import catalogue
from core.settings import Settings
from core.store.engine import Store


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
