"""The parts of the New project page that depend on the dataset: its ways of splitting, its legend.

A way of splitting is one set of published lists; which of them is right depends on what results are
to be compared with.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import streamlit as st

from app.legend_form import WAITS
from core import legend
from core.errors import DatasetError
from core.found import FoundDataset
from core.store.engine import Store
from data.readers import published_names
from data.readers.base import Reader

Find = Callable[[object, Callable[[], FoundDataset]], FoundDataset]


def find_ui(reader: Reader, folder: Path, find: Find) -> FoundDataset:
    """Return what the reader finds, split in the way that a person chose; `find` remembers."""
    key = f"way {folder} {reader.key}"
    way: str | None = st.session_state.get(key)
    try:
        found = find((folder, reader.key, way), lambda: reader.find(folder, way))
    except DatasetError:
        if way is None:
            raise
        st.session_state.pop(key)  # its lists are gone from the folder
        found = find((folder, reader.key, None), lambda: reader.find(folder))
    if found.ways:
        st.selectbox(
            "Split by",
            found.ways,
            found.ways.index(found.way),
            key=key,
            width=420,
            help="Published lists found in the folder; leaks between them are in the findings",
        )
    return found


def with_known_names(store: Store, found: FoundDataset) -> FoundDataset:
    """Return the dataset with class names that were given before; say it where some are missing."""
    classes = legend.remembered(store, found.reader, found.classes)
    if legend.unnamed(classes):
        st.info(f"{WAITS} Name them below, or later on the Train page.")
        listed = published_names(found.reader)
        if listed:
            st.caption(f"Its authors list, without codes: {', '.join(listed)}.")
    return replace(found, classes=classes)
