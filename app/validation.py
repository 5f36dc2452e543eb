"""Where validation comes from, and the way to it for datasets without clean labels.

Such a dataset gets its validation from the people: reserve tiles, correct them, freeze them. Until
then every score reads "against pseudo-labels".
"""

import streamlit as st

from app.session import Context
from core import catalogue
from core.records import Project, Split, Tile


def validation_ui(here: Context, project: Project) -> None:
    """Draw what models are scored on, and the controls that change it."""
    tiles = catalogue.tiles(here.store, project.id)
    reserved = [tile for tile in tiles if tile.reserved and not tile.frozen]
    frozen = [tile for tile in tiles if tile.frozen]
    st.subheader("Validation tiles", anchor=False)
    st.write(_summary(tiles, reserved, frozen))
    with st.expander("Reserve, freeze and give back", expanded=bool(reserved)):
        _reserve_ui(here, [tile for tile in tiles if tile.trainable])
        _freeze_ui(here, reserved)
        _give_back_ui(here, [*reserved, *frozen])


def _summary(tiles: list[Tile], reserved: list[Tile], frozen: list[Tile]) -> str:
    fixed = sum(tile.split is Split.VAL for tile in tiles)
    parts = [f"{fixed} in the dataset's own validation split"] if fixed else []
    parts += [f"{len(frozen)} corrected and frozen by people"] if frozen else []
    parts += [f"{len(reserved)} reserved and still to be frozen"] if reserved else []
    if not parts:
        return (
            "None yet. Reserve a few tiles, correct them with care and freeze them: models are then"
            " scored on them. Until then every score reads “against pseudo-labels”."
        )
    return "; ".join(parts) + ". None of them is ever trained on."


def _reserve_ui(here: Context, trainable: list[Tile]) -> None:
    chosen = st.multiselect(
        "Set aside for validation",
        trainable,
        format_func=_name,
        help="Reserved tiles can be corrected like others, but no network learns from them.",
        placeholder="Choose training tiles",
    )
    if st.button("Reserve", disabled=not chosen or len(chosen) >= len(trainable)):
        catalogue.reserve_tiles(here.store, [tile.id for tile in chosen])
        st.rerun()


def _freeze_ui(here: Context, reserved: list[Tile]) -> None:
    if not reserved:
        return
    chosen = st.multiselect(
        "Freeze what is corrected",
        reserved,
        format_func=_name,
        help="Frozen labels are final: the editor opens them read-only, and scores count on them.",
        placeholder="Choose reserved tiles",
    )
    untouched = [tile.name for tile in chosen if tile.version == 0]
    if untouched:
        st.warning(
            f"Nobody has changed or verified {', '.join(untouched)} yet. Frozen now, models would"
            " be scored against its pseudo-label."
        )
    if st.button("Freeze", disabled=not chosen):
        catalogue.freeze_tiles(here.store, [tile.id for tile in chosen])
        st.rerun()


def _give_back_ui(here: Context, kept: list[Tile]) -> None:
    if not kept:
        return
    chosen = st.multiselect(
        "Give back to training", kept, format_func=_name, placeholder="Choose tiles"
    )
    if st.button("Give back", disabled=not chosen):
        catalogue.give_back_tiles(here.store, [tile.id for tile in chosen])
        st.rerun()


def _name(tile: Tile) -> str:
    edits = f"{tile.version} edits" if tile.version else "not edited"
    return f"{tile.name} ({tile.region}, {edits}{', frozen' if tile.frozen else ''})"
