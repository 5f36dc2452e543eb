"""The test split: scored only when a person asks for it, and never mixed with other tiles."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.session import Context
from core import catalogue, jobs
from core.records import Modality, Project, Split, Tile
from core.scores import Evaluation

NAMES = {False: "All but the test split", True: "Test split"}


def split_ui(
    here: Context, project: Project, tiles: Mapping[int, Tile], found: Sequence[Evaluation]
) -> list[Evaluation]:
    """Draw the choice of split, or the way to score the test split; return what is chosen."""
    test = [e for e in found if tiles[e.tile_id].split is Split.TEST]
    rest = [e for e in found if tiles[e.tile_id].split is not Split.TEST]
    if not any(e.model_id for e in test):
        _offer(here, project, tiles)
        return rest or test
    if not rest:
        return test
    chosen = st.segmented_control(
        "Tiles",
        list(NAMES),
        default=False,
        format_func=NAMES.__getitem__,
        required=True,
        key="compare_test",
    )
    return test if chosen else rest


def _offer(here: Context, project: Project, tiles: Mapping[int, Tile]) -> None:
    first = next((tile for tile in tiles.values() if tile.split is Split.TEST), None)
    if first is None or not catalogue.layers(here.store, first.id, modality=Modality.TRUTH):
        return
    with st.expander("Test split"):
        st.caption(
            "The test split has not been scored. Look at it once, at the end: a model that is "
            "chosen by it is no longer tested by it."
        )
        if st.button("Score the test split too", key="compare_score_test"):
            settings, payload = here.settings, {"test": True}
            jobs.submit(here.store, settings, "evaluate", payload, project.id, here.person.id)
            st.rerun()
