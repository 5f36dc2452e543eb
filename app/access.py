"""Who may call a route: short-lived signed tokens, and the cookie that remembers a person.

A page mints a token for one person, one project and one purpose; it lives 15 minutes and the page
renews it. Purpose "edit" includes "view". The key is made once and kept in the workspace, readable
by its owner only; who can read it can edit under any name.
"""

import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from itsdangerous import BadData, SignatureExpired, URLSafeSerializer, URLSafeTimedSerializer

from core.errors import AccessDenied, SettingsError
from core.store.engine import Store

Purpose = Literal["view", "edit"]
Reason = Literal["missing", "invalid", "expired", "project", "purpose"]

TOKEN_SECONDS = 15 * 60
KEY_FILE = "token.key"
KEY_BYTES = 32


@dataclass(frozen=True)
class Grant:
    """What a token allows."""

    person_id: int
    project_id: int
    purpose: Purpose


class Denied(AccessDenied):
    """A request without the right token. `status` is its HTTP status."""

    def __init__(self, reason: Reason, *, found: str, todo: str = "Reload the page.") -> None:
        self.reason: Reason = reason
        self.status = 403 if reason in ("project", "purpose") else 401
        super().__init__(
            "access", found=found, expected="a token made by the page for this project", todo=todo
        )


def mint(store: Store, person_id: int, project_id: int, purpose: Purpose) -> str:
    """Return a token for one person, project and purpose, good for 15 minutes."""
    return _timed(store).dumps({"person": person_id, "project": project_id, "purpose": purpose})


def read_token(store: Store, token: str | None) -> Grant:
    """Return what a token allows; raises `Denied` when it is missing, forged or expired."""
    if not token:
        raise Denied("missing", found="no token")
    try:
        content = _timed(store).loads(token, max_age=TOKEN_SECONDS)
    except SignatureExpired as error:
        raise Denied("expired", found="a token older than 15 minutes") from error
    except BadData as error:
        raise Denied("invalid", found="a token that this server did not make") from error
    return Grant(content["person"], content["project"], content["purpose"])


def allow(grant: Grant, purpose: Purpose, project_id: int) -> None:
    """Raise `Denied` unless the grant is for the project and covers the purpose."""
    if grant.project_id != project_id:
        raise Denied("project", found="a token for another project")
    if purpose == "edit" and grant.purpose != "edit":
        raise Denied("purpose", found="a token for viewing", todo="Open the tile to edit it.")


def check(store: Store, token: str | None, purpose: Purpose, project_id: int) -> Grant:
    """Return what a token allows; raises `Denied` unless it fits the purpose and project."""
    grant = read_token(store, token)
    allow(grant, purpose, project_id)
    return grant


def remember_token(store: Store, person_id: int) -> str:
    """Return the cookie that remembers a person; the same each time, and only we can make it."""
    return _plain(store).dumps(person_id)


def person_of(store: Store, cookie: str | None) -> int | None:
    """Return the person that a cookie remembers, or None."""
    if not cookie:
        return None
    try:
        found: Any = _plain(store).loads(cookie)
    except BadData:
        return None
    return found if isinstance(found, int) else None


def _timed(store: Store) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_key(store.workspace / KEY_FILE), salt="cloudbrush.token")


def _plain(store: Store) -> URLSafeSerializer:
    return URLSafeSerializer(_key(store.workspace / KEY_FILE), salt="cloudbrush.person")


@lru_cache(maxsize=64)
def _key(path: Path) -> bytes:
    """Return the signing key; made when there is none. Processes that start together agree."""
    if not path.exists():
        _make_key(path)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise SettingsError(
            str(path),
            found=f"{len(key)} bytes",
            expected=f"{KEY_BYTES} bytes",
            todo="Delete the file; a new key is made and open pages ask for a reload.",
        )
    return key


def _make_key(path: Path) -> None:
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A link is made whole or not at all, and never replaces a key that is already in use.
        os.link(part, path)
    except FileExistsError:
        return
    finally:
        part.unlink()
