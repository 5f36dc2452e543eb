"""Before an import: how scenes are cut into tiles, and which variables of a file are read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app.import_tables import LEAVE_OUT, SHOWS
from core.cut import cut, scene_grid
from core.errors import CloudbrushError
from core.found import Cut, Edge, FoundDataset
from core.records import Modality, Unit
from data.readers.cubes import ALL, CubeProposal, propose
from data.readers.patterns import Role

CUT_KEY = "new_cut"
CUBES_KEY = "new_cubes"
LARGE_PX = 1024
SIZES = (256, 512, 1024, 2048, 4096)
EDGES: dict[Edge, str] = {
    "shift": "moved back into the scene, all tiles of one size",
    "smaller": "smaller tiles",
}
UNITS = [unit.value for unit in Unit if unit is not Unit.CODE]


def cut_ui(found: FoundDataset) -> FoundDataset:
    """Offer to cut where the first tile is a scene; return the dataset as it was chosen."""
    side = _longest_side(found)
    if side <= LARGE_PX:
        return found
    st.subheader("Scenes", anchor=False)
    wanted = st.toggle(
        "Cut into tiles",
        key=f"cut {found.root}",
        help="Tiles are windows of the scenes: no pixel is copied, and the files stay as they are.",
    )
    if not wanted:
        st.caption(f"The first one has {side:,} pixels on its longer side.")
        return found
    how = _how_ui(found.root)
    held = st.session_state.get(CUT_KEY)
    if held is None or held[0] is not found or held[1] != how:
        with st.spinner("Reading the headers of the scenes"):
            held = (found, how, cut(found, how))
        st.session_state[CUT_KEY] = held
    made: FoundDataset = held[2]
    scenes = "1 scene becomes" if len(found.tiles) == 1 else f"{len(found.tiles):,} scenes become"
    st.caption(f"{scenes} {len(made.tiles):,} tiles.")
    return made


def _longest_side(found: FoundDataset) -> int:
    try:
        grid = scene_grid(found.tiles[0])
    except (CloudbrushError, IndexError, ValueError):
        return 0  # what is wrong with it is said by the check
    return max(grid.height, grid.width)


def _how_ui(root: Path) -> Cut:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        size = st.selectbox("Tile size, px", SIZES, 1, key=f"cut size {root}", width=160)
        shared = st.number_input(
            "Shared with neighbours, px", 0, size // 2, 0, key=f"cut shared {root}", width=220
        )
        edge = st.selectbox(
            "What is left at the edges", list(EDGES), format_func=EDGES.__getitem__, width=380
        )
    return Cut(int(size), int(shared), edge)


def cubes_ui(folder: Path) -> tuple[Role, ...]:
    """Show what the variables seem to be, and return what a person made of it."""
    held = st.session_state.get(CUBES_KEY)
    if held is None or held[0] != folder:
        held = (folder, propose(folder))
        st.session_state[CUBES_KEY] = held
    proposal: CubeProposal = held[1]
    st.subheader("What the variables mean", anchor=False)
    st.caption(
        "A proposal from the first file: change it where it is wrong. Each file is a tile. "
        "Variables of one kind, unit and date become the bands of one image."
    )
    rows = st.data_editor(
        _frame(proposal),
        key=f"variables {folder}",
        hide_index=True,
        disabled=["variable"],
        column_config={
            "variable": st.column_config.TextColumn("Variable", width="medium"),
            "shows": st.column_config.SelectboxColumn("Shows", options=SHOWS, required=True),
            "unit": st.column_config.SelectboxColumn("Unit", options=UNITS),
            "date": st.column_config.SelectboxColumn("Date", options=[*proposal.dates, ALL]),
        },
    )
    return tuple(_role(row) for row in rows.fillna("").to_dict("records"))


def _frame(proposal: CubeProposal) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "variable": role.pattern,
                "shows": role.modality.value if role.modality else LEAVE_OUT,
                "unit": role.unit.value if role.unit is not Unit.CODE else None,
                "date": role.acquisition or None,
            }
            for role in proposal.roles
        ],
        columns=["variable", "shows", "unit", "date"],
        dtype="object",
    )


def _role(row: Mapping[Any, Any]) -> Role:
    shows = str(row["shows"])
    modality = None if shows == LEAVE_OUT else Modality(shows)
    coded = modality in (Modality.LABEL, Modality.TRUTH, Modality.CLOUD)
    unit = Unit.CODE if coded else Unit(str(row["unit"]) or Unit.NUMBER)
    return Role(str(row["variable"]), modality, unit, (), str(row["date"]))
