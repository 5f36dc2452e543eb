"""What every page needs: settings, store, the person at the keyboard and the project in use.

The person is remembered in a cookie that only this server can make: it holds a signed id. The
project, tile, acquisition and model in use are in the address, so that a link opens the same view.
"""

from dataclasses import dataclass
from typing import NoReturn

import streamlit as st

from app.access import person_of, remember_token
from core import catalogue
from core.errors import CloudbrushError, NotFound
from core.records import Person, Project
from core.settings import Settings, load_settings
from core.store.engine import Store, open_store

COOKIE = "cloudbrush_person"
PERSON_KEY = "person_id"
SIGNING_KEY = "person_signing_in"
_served: tuple[Settings, Store] | None = None

_set_cookie = st.components.v2.component(
    "cloudbrush_cookie",
    js="""export default ({data, setTriggerValue}) => {
        document.cookie = `${data.name}=${data.value};path=/;max-age=31536000;samesite=lax`;
        if (data.answer) setTriggerValue('written', true);
    }""",
)


@dataclass(frozen=True)
class Context:
    """The state that a page starts from."""

    settings: Settings
    store: Store
    person: Person
    project: Project | None


def configure(settings: Settings, store: Store) -> None:
    """Hand the running server's settings and store to the pages."""
    global _served
    _served = settings, store


def served() -> tuple[Settings, Store]:
    """Return settings and store; opened from the environment where no server has set them."""
    return _served or _opened()


@st.cache_resource
def _opened() -> tuple[Settings, Store]:
    settings = load_settings()
    return settings, open_store(settings)


def context() -> Context:
    """Return the context of this page run; asks for a name first where there is none."""
    settings, store = served()
    return Context(settings, store, _person(store), _project(store))


def person_known() -> bool:
    """Return whether somebody has said who they are."""
    _settings, store = served()
    return _known_person(store) is not None


def _person(store: Store) -> Person:
    person = _known_person(store)
    if person is None:
        _ask_for_name(store)
    return person


def remember(here: Context) -> None:
    """Set the cookie that remembers the person; call it once in a run."""
    token = remember_token(here.store, here.person.id)
    if st.context.cookies.get(COOKIE) != token:
        _set_cookie(key="cookie", data={"name": COOKIE, "value": token, "answer": False}, height=0)


def _known_person(store: Store) -> Person | None:
    people = {person.id: person for person in catalogue.people(store)}
    known = st.session_state.get(PERSON_KEY) or person_of(store, st.context.cookies.get(COOKIE))
    if known in people:
        st.session_state[PERSON_KEY] = known
        return people[known]
    return None


def _ask_for_name(store: Store) -> NoReturn:
    st.title("Welcome to Cloudbrush")
    st.write("Your corrections carry your name, so that everyone can see who changed what.")
    with st.form("who", width=420):
        name = st.text_input("Your name", max_chars=80, placeholder="Ada Lovelace")
        if st.form_submit_button("Start", type="primary"):
            try:
                st.session_state[SIGNING_KEY] = catalogue.ensure_person(store, name).id
            except CloudbrushError as error:
                st.error(str(error))
    _sign_in(store)
    st.stop()


def _sign_in(store: Store) -> None:
    """Let the browser write the cookie; the person is at the keyboard when it says it has.

    Shown any earlier, a page could be left by a link before the cookie is there, and the next one
    would ask for the name again.
    """
    person = st.session_state.get(SIGNING_KEY)
    if person is None:
        return
    data = {"name": COOKIE, "value": remember_token(store, person), "answer": True}
    _set_cookie(key="signing", data=data, height=0, on_written_change=_signed_in)


def _signed_in() -> None:
    st.session_state[PERSON_KEY] = st.session_state.pop(SIGNING_KEY)


def _project(store: Store) -> Project | None:
    """Return the project in the address, else the one last used here, else none."""
    chosen = st.query_params.get("project") or st.session_state.get("project_id")
    try:
        project = catalogue.project(store, int(chosen)) if chosen else None
    except (ValueError, NotFound):
        st.session_state.pop("project_id", None)
        st.query_params.pop("project", None)
        return None
    if project is not None:
        st.session_state["project_id"] = project.id
        if st.query_params.get("project") != str(project.id):
            st.query_params["project"] = str(project.id)
    return project


def query_int(name: str) -> int | None:
    """Return a whole number from the address, or None where it is missing or malformed."""
    value = st.query_params.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 16 else None
