"""Tokens: only ours, only fresh, only for what they were made for."""

import os
import stat
from pathlib import Path

import pytest
from itsdangerous import TimestampSigner

from app import access
from app.access import Denied
from core.errors import SettingsError
from core.store.engine import Store

NOW = 1_800_000_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a one-item list that holds the time of signatures."""
    time = [NOW]
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _self: time[0])
    return time


def test_a_token_carries_person_project_and_purpose(store: Store) -> None:
    grant = access.check(store, access.mint(store, 3, 5, "edit"), "edit", 5)
    assert (grant.person_id, grant.project_id, grant.purpose) == (3, 5, "edit")


def test_edit_includes_view_but_not_the_other_way(store: Store) -> None:
    access.check(store, access.mint(store, 3, 5, "edit"), "view", 5)
    with pytest.raises(Denied) as caught:
        access.check(store, access.mint(store, 3, 5, "view"), "edit", 5)
    assert (caught.value.reason, caught.value.status) == ("purpose", 403)


def test_a_token_is_for_one_project(store: Store) -> None:
    with pytest.raises(Denied) as caught:
        access.check(store, access.mint(store, 3, 5, "edit"), "edit", 6)
    assert (caught.value.reason, caught.value.status) == ("project", 403)


def test_a_token_lives_fifteen_minutes(store: Store, clock: list[int]) -> None:
    token = access.mint(store, 3, 5, "edit")
    clock[0] = NOW + 15 * 60
    access.check(store, token, "edit", 5)
    clock[0] += 1
    with pytest.raises(Denied) as caught:
        access.check(store, token, "edit", 5)
    assert (caught.value.reason, caught.value.status) == ("expired", 401)


@pytest.mark.parametrize("token", [None, "", "x", "a.b.c", "é", "." * 9, "x" * 10_000])
def test_what_we_did_not_sign_is_refused(store: Store, token: str | None) -> None:
    with pytest.raises(Denied) as caught:
        access.check(store, token, "edit", 5)
    assert caught.value.reason == ("invalid" if token else "missing")
    assert caught.value.status == 401


def test_every_changed_letter_breaks_a_token(store: Store) -> None:
    token = access.mint(store, 3, 5, "edit")
    # The last letter of base64 holds bits that nobody reads, so it is left out.
    for place in range(len(token) - 1):
        forged = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(Denied):
            access.check(store, forged, "edit", 5)


def test_another_workspace_has_another_key(store: Store, tmp_path: Path) -> None:
    other = Store(store.engine, tmp_path)
    with pytest.raises(Denied):
        access.check(other, access.mint(store, 3, 5, "edit"), "edit", 5)


def test_a_cookie_remembers_a_person_and_is_no_token(store: Store) -> None:
    cookie = access.remember_token(store, 7)
    assert access.person_of(store, cookie) == 7
    assert access.remember_token(store, 7) == cookie
    for wrong in (None, "", "7", cookie + "x", access.mint(store, 7, 1, "edit")):
        assert access.person_of(store, wrong) is None
    with pytest.raises(Denied):
        access.check(store, cookie, "edit", 1)


def test_the_key_is_for_its_owner_only(store: Store) -> None:
    access.mint(store, 1, 1, "view")
    path = store.workspace / access.KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in store.workspace.glob(f".{access.KEY_FILE}*")] == []


def test_a_key_in_use_is_never_replaced(store: Store) -> None:
    path = store.workspace / access.KEY_FILE
    path.write_bytes(bytes(32))
    access._make_key(path)
    assert path.read_bytes() == bytes(32)


def test_a_damaged_key_is_named(store: Store) -> None:
    (store.workspace / access.KEY_FILE).write_bytes(b"short")
    with pytest.raises(SettingsError, match=r"token\.key: found 5 bytes"):
        access.mint(store, 1, 1, "view")


def test_the_key_outlives_the_process(store: Store) -> None:
    token = access.mint(store, 3, 5, "edit")
    access._key.cache_clear()
    access.check(store, token, "edit", 5)


def test_the_key_is_not_readable_by_others_whatever_the_umask(store: Store) -> None:
    before = os.umask(0)
    try:
        access.mint(store, 1, 1, "view")
    finally:
        os.umask(before)
    assert not (store.workspace / access.KEY_FILE).stat().st_mode & 0o077
