"""Correct: the editor fills the window. The page chooses the tile and hands over the manifest."""

import streamlit as st

from app.editor.mount import editor, manifest
from app.links import open_page
from app.session import Context, context, query_int
from app.theme import page_header
from core import browse, catalogue
from core.browse import Wish
from core.patch_labels import KINDS
from core.records import Tile, TileState
from core.scan import scan_tile

SCAN_AT_ONCE_PX = 2**26
EDITOR_KEY = "editor"
GO_KEY = "editor_goes_to"
MOVES = ("next", "previous", "skip", "done")

# The editor covers the page; nothing of Streamlit may dim, pad or scroll behind it.
_FULL_WINDOW = """<style>
[data-testid="stHeader"], [data-testid="stSidebar"], [data-testid="stToolbar"],
[data-testid="stStatusWidget"], [data-testid="stSidebarCollapsedControl"] { display: none; }
.block-container { padding: 0 !important; max-width: none; }
.stApp, [data-testid="stMain"] { overflow: hidden; background: #1b1c1e; }
[data-stale="true"] { opacity: 1 !important; transition: none !important; }
</style>"""


def main() -> None:
    """Draw the page."""
    here = context()
    if here.project is None:
        empty_ui("Choose a project on the Home page; its tiles can then be corrected here.")
        return
    if here.project.kind in KINDS:
        open_page("patches", project=here.project.id, tile=query_int("tile"))
    if browse.middle_tile(here.store, here.project.id, None) is None:
        empty_ui(f"{here.project.name} has no tiles. Import a dataset first.")
        return
    st.html(_FULL_WINDOW)
    _editor_ui(here)


def empty_ui(text: str) -> None:
    """Say what to do when there is nothing to correct."""
    page_header("Correct", "Paint over what the pseudo-label got wrong.")
    st.info(text)


@st.fragment
def _editor_ui(here: Context) -> None:
    _follow(here)
    tile = _scanned(here, chosen_tile(here))
    st.query_params["tile"] = str(tile.id)
    data = manifest(
        here.store,
        tile,
        here.person,
        acquisition=_acquisition_like(here, tile),
        model=st.query_params.get("model"),
        against=st.query_params.get("against", "").split(","),
    )
    st.query_params["acquisition"] = str(data["chosen"]["acquisition"] or "")
    editor(data, EDITOR_KEY, _on_command)
    if tile.editable and tile.state is TileState.NEW:
        catalogue.set_tile_state(here.store, tile.id, TileState.OPENED, here.person.id)


def chosen_tile(here: Context) -> Tile:
    """Return the tile in the address, else the first one that still waits, else the first."""
    project_id = here.project.id if here.project else 0
    wanted = query_int("tile")
    for tile in catalogue.tiles_by_id(here.store, [wanted] if wanted else []):
        if tile.project_id == project_id:
            return tile
    waiting = browse.first_waiting(here.store, project_id)
    first = browse.page(here.store, project_id, Wish(), None, offset=0, limit=1)
    return catalogue.tile(here.store, waiting or first[0])


def _scanned(here: Context, tile: Tile) -> Tile:
    """Return the tile with its pixels read; those of a large scene wait for its first edit."""
    if tile.scanned or tile.grid.height * tile.grid.width > SCAN_AT_ONCE_PX:
        return tile
    with st.spinner("Reading the pixels of this tile for the first time"):
        scan_tile(here.store, tile.id)
    return catalogue.tile(here.store, tile.id)


def _acquisition_like(here: Context, tile: Tile) -> int | None:
    """Return this tile's image of the same name as the one in the address, which may be another's.

    Going to the next tile keeps the kind of view: its cloudy image stays the cloudy one.
    """
    wanted = query_int("acquisition")
    dates = catalogue.acquisitions(here.store, tile.id)
    if wanted is None or any(date.id == wanted for date in dates):
        return wanted
    name = st.session_state.get("acquisition_name")
    return next((date.id for date in dates if date.name == name), None)


def _on_command() -> None:
    """Put what the editor asks for into the address; the rerun that follows reads it there."""
    command = st.session_state[EDITOR_KEY].get("command") or {}
    action = command.get("action")
    if action in MOVES and isinstance(command.get("tile"), int):
        st.session_state["acquisition_name"] = command.get("acquisition")
        st.query_params["tile"] = str(command["tile"])
    elif action in ("acquisition", "model"):
        st.query_params[action] = str(command.get("value", ""))
    elif action in ("home", "train"):
        st.session_state[GO_KEY] = "explore" if action == "home" else "train"


def _follow(here: Context) -> None:
    """Go to another page when the editor asked for it."""
    goal = st.session_state.pop(GO_KEY, None)
    if goal is None:
        return
    # Imported here: these pages take seconds to import, and opening a tile must not wait for them.
    if goal == "explore":
        from app.pages.explore import main as page
    else:
        from app.pages.train import main as page
    project = str(here.project.id) if here.project is not None else ""
    st.switch_page(
        st.Page(page, title=goal.title(), url_path=goal), query_params={"project": project}
    )
