"""A folder within the roots that may be read: typed, or walked to."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app.session import Context
from core.addresses import is_remote
from core.folders import open_folder, parent_within, subfolders


def folder_ui(here: Context, key: str) -> Path | None:
    """Let a person type a path or walk through the folders; return it, or None before a choice."""
    roots = [root for root in here.settings.allowed_roots if not is_remote(root)]
    text = st.text_input(
        "Folder",
        key=key,
        placeholder=str(roots[-1]),
        help="Folders below " + ", ".join(map(str, roots)) + " may be read (setting data_roots).",
    )
    if not text.strip():
        st.caption("Start at one of the folders that may be read:")
        for root in dict.fromkeys(roots):
            if root.is_dir():
                st.button(str(root), key=f"{key} {root}", on_click=_go, args=(key, root))
        return None
    folder = open_folder(text, roots)
    _walk_ui(folder, roots, key)
    return folder


def _walk_ui(folder: Path, roots: Sequence[Path], key: str) -> None:
    above, inner = parent_within(folder, roots), subfolders(folder)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if above:
            st.button("Up", key=f"{key} up", on_click=_go, args=(key, above))
        if inner:
            chosen = st.selectbox(
                "Open a folder inside", inner, index=None, key=f"{key} in {folder}", width=420
            )
            if chosen:
                st.button(f"Open {chosen}", on_click=_go, args=(key, folder / chosen))


def _go(key: str, folder: Path) -> None:
    st.session_state[key] = str(folder)
