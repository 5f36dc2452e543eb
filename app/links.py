"""Ways between pages, and addresses of pictures that a page may show."""

import time
from collections.abc import Callable
from importlib import import_module
from typing import Literal, NoReturn
from urllib.parse import urlencode

import streamlit as st

from app.access import TOKEN_SECONDS, mint
from app.session import Context

PageName = Literal[
    "home", "explore", "correct", "train", "compare", "export", "new", "patches", "clouds"
]
MODULES = {"new": "new_project"}
TOKEN_KEY = "view_token"  # noqa: S105  # a name in the page's state


def open_page(name: PageName, **query: int | str | None) -> NoReturn:
    """Go to another page with what it is about in the address."""
    known = {key: str(value) for key, value in query.items() if value is not None}
    st.switch_page(st.Page(_main(name), url_path=name), query_params=known)


def page_address(name: PageName, **query: int | str | None) -> str:
    """Return the address of a page, for links that may open in another tab."""
    known = {key: value for key, value in query.items() if value is not None}
    return f"/{name}?{urlencode(known)}" if known else f"/{name}"


def view_token(here: Context, project_id: int) -> str:
    """Return a token for pictures of a project.

    The same one for half of its life, so that a rerun does not load every picture again.
    """
    tokens: dict[int, tuple[float, str]] = st.session_state.setdefault(TOKEN_KEY, {})
    made_at, token = tokens.get(project_id, (0.0, ""))
    if time.time() - made_at > TOKEN_SECONDS / 2:
        made_at, token = time.time(), mint(here.store, here.person.id, project_id, "view")
        tokens[project_id] = made_at, token
    return token


def thumbnail(tile_id: int, kind: str | int, token: str, size: int = 160) -> str:
    """Return the address of a small picture of a tile: optical, sar, label, cloud or a layer id."""
    return f"/tile/{tile_id}/thumbnail/{kind}?{urlencode({'size': size, 'token': token})}"


def _main(name: PageName) -> Callable[[], None]:
    # Imported when needed: pages link to each other, and some take seconds to import.
    module = import_module(f"app.pages.{MODULES.get(name, name)}")
    found: Callable[[], None] = module.main
    return found
