"""Where validation comes from, and the way to it for datasets without clean labels.

Such a dataset gets its validation from the people: reserve tiles, correct them, freeze them. Until
then every score reads "against pseudo-labels".
"""

import streamlit as st

from app.session import Context
from core import catalogue, jobs, scores
from core.records import JobState, Project, Split, Tile


def validation_ui(here: Context, project: Project) -> None:
    """Draw what models are scored on, and the controls that change it."""
    tiles = catalogue.tiles(here.store, project.id)
    reserved = [tile for tile in tiles if tile.reserved and not tile.frozen]
    frozen = [tile for tile in tiles if tile.frozen]
    st.subheader("Validation tiles", anchor=False)
    st.write(_summary(tiles, reserved, frozen))
    with st.expander("Reserve, freeze and give back", expanded=bool(reserved)):
        _reserve_ui(here, [tile for tile in tiles if tile.trainable])
        _freeze_ui(here, project, reserved)
        _give_back_ui(here, project, [*reserved, *frozen])


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
    chosen = _choose(
        "Set aside for validation",
        trainable,
        help="Reserved tiles can be corrected like others, but no network learns from them.",
        placeholder="Choose training tiles",
    )
    regions = sorted({tile.region for tile in trainable})
    if len(regions) > 1:
        whole = st.multiselect(
            "Whole regions or events",
            regions,
            help="All training tiles of a place that no network shall have seen.",
            placeholder="Choose regions or events",
        )
        chosen = [tile for tile in trainable if tile in chosen or tile.region in whole]
    if chosen and len(chosen) >= len(trainable):
        st.warning("Leave at least one tile to learn from.")
    if st.button("Reserve", disabled=not chosen or len(chosen) >= len(trainable)):
        catalogue.reserve_tiles(here.store, [tile.id for tile in chosen])
        st.rerun()


def _freeze_ui(here: Context, project: Project, reserved: list[Tile]) -> None:
    if not reserved:
        return
    chosen = _choose(
        "Freeze what is corrected",
        reserved,
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
        _score_again(here, project)
        st.rerun()


def _give_back_ui(here: Context, project: Project, kept: list[Tile]) -> None:
    if not kept:
        return
    chosen = _choose(
        "Give back to training",
        kept,
        help="Their labels stay and can be corrected again. Scores on them are dropped.",
        placeholder="Choose tiles",
    )
    if st.button("Give back", disabled=not chosen):
        catalogue.give_back_tiles(here.store, [tile.id for tile in chosen])
        frozen = [tile.id for tile in chosen if tile.frozen]
        if frozen:
            scores.forget_evaluations(here.store, frozen, reference="frozen")
            _score_again(here, project)
        st.rerun()


def _score_again(here: Context, project: Project) -> None:
    """Have every model scored on the validation tiles of now, unless that already waits."""
    for job in jobs.queue(here.store):
        if (job.kind, job.project_id, job.state) == ("evaluate", project.id, JobState.QUEUED):
            return
    jobs.submit(here.store, here.settings, "evaluate", {}, project.id, here.person.id)


def _choose(label: str, tiles: list[Tile], *, help: str, placeholder: str) -> list[Tile]:
    """Draw a choice among tiles; by id, so that it stands while others edit them."""
    by_id = {tile.id: tile for tile in tiles}
    chosen = st.multiselect(
        label,
        list(by_id),
        format_func=lambda tile_id: _name(by_id[tile_id]),
        help=help,
        placeholder=placeholder,
    )
    return [by_id[tile_id] for tile_id in chosen]


def _name(tile: Tile) -> str:
    edits = {0: "not edited", 1: "1 edit"}.get(tile.version, f"{tile.version} edits")
    return f"{tile.name} ({tile.region}, {edits}{', frozen' if tile.frozen else ''})"
