"""Export: what goes out, where to, how large, what reads it; a check mark after reading it back."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import streamlit as st

from app.import_progress import progress_to
from app.session import Context, context
from app.theme import page_header
from core.errors import CloudbrushError
from core.export.labels import (
    EDITS,
    MANIFEST,
    Which,
    export_labels,
    exports,
    plan_export,
    suggest_name,
    zip_export,
)
from core.records import Project

SHOWN_KEY = "export_shown"
NAME_KEY = "export_name"
LARGEST_DOWNLOAD = 500 * 2**20  # a download passes through memory; larger ones stay in the folder

CONTENTS = pd.DataFrame(
    [
        ("labels/TILE.tif", "class codes", "GeoTIFF, uint8: QGIS, ArcGIS, rasterio, GDAL"),
        (
            "labels/TILE_provenance.tif",
            "who is behind each pixel",
            "GeoTIFF, uint8: QGIS, ArcGIS, rasterio, GDAL",
        ),
        (EDITS, "every edit up to these versions", "CSV, UTF-8: spreadsheets, pandas"),
        (MANIFEST, "classes, versions, SHA-256 of the pixels", "JSON"),
    ],
    columns=["file", "holds", "format and readers"],
)
NAMES = {
    "All tiles with labels": Which.ALL,
    "Tiles that were edited": Which.EDITED,
    "Tiles marked as done": Which.DONE,
}


def main() -> None:
    """Draw the page."""
    here = context()
    page_header("Export", "Corrected labels with position, colours and their history.")
    if here.project is None:
        st.info("Choose a project on the Home page; its labels can then be exported here.")
        return
    try:
        _export_ui(here, here.project)
    except CloudbrushError as error:
        st.error(str(error))
    _finished_ui(here)


def _export_ui(here: Context, project: Project) -> None:
    chosen = st.radio("Tiles", list(NAMES), horizontal=True)
    which = NAMES[chosen or next(iter(NAMES))]
    plan = plan_export(here.store, project.id, which)
    edited = sum(tile.version > 0 for tile in plan.tiles)
    for column, (name, value) in zip(
        st.columns(4),
        (
            ("Tiles", f"{len(plan.tiles):,}"),
            ("of them edited", f"{edited:,}"),
            ("Edits", f"{plan.edits:,}"),
            ("Size, at most", size_text(plan.most_bytes)),
        ),
        strict=True,
    ):
        column.metric(name, value)
    st.dataframe(CONTENTS, hide_index=True)
    if NAME_KEY not in st.session_state:
        st.session_state[NAME_KEY] = suggest_name(project, datetime.now(UTC))
    name = st.text_input("Name of the export", key=NAME_KEY, max_chars=80, width=480)
    st.caption(
        f"Goes to {here.store.workspace / 'exports' / name.strip()}; originals stay as they are."
    )
    if st.button("Export", type="primary", disabled=not plan.tiles):
        bar = st.progress(0.0, "Writing and reading back")
        done = export_labels(
            here.store,
            project.id,
            name.strip(),
            which=which,
            person=here.person.name,
            progress=progress_to(bar),
        )
        st.session_state[SHOWN_KEY] = done.name
        st.session_state.pop(NAME_KEY)
        st.rerun()


def _finished_ui(here: Context) -> None:
    """List finished exports; each was read back before it got its name."""
    found = exports(here.store)
    if not found:
        return
    st.subheader("Finished exports", anchor=False)
    newest = st.session_state.get(SHOWN_KEY)
    for folder in found[:20]:
        with st.expander(folder.name, expanded=folder.name == newest, icon=":material/check:"):
            _folder_ui(folder)


def _folder_ui(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    st.success(
        f"Read back and equal: {len(manifest['tiles']):,} tiles, {manifest['edits']:,} edits, "
        f"{len(files):,} files, {size_text(size)}.",
        icon=":material/check:",
    )
    st.caption(
        f"{manifest['project']}, {manifest['exported_at']}, "
        f"by {manifest['exported_by'] or 'unknown'}. Folder: {folder}"
    )
    columns = ["name", "version", "split", "region", "crs", "label_sha256"]
    st.dataframe(pd.DataFrame(manifest["tiles"], columns=columns), hide_index=True)
    if size > LARGEST_DOWNLOAD:
        st.caption("Too large to send through the browser: copy the folder.")
    elif st.toggle("Prepare a zip to download", key=f"zip {folder.name}"):
        archive = zip_export(folder)
        st.download_button(
            f"Download {archive.name} ({size_text(archive.stat().st_size)})",
            archive.read_bytes(),
            archive.name,
            "application/zip",
        )


def size_text(size_bytes: int) -> str:
    """Return a size with two significant digits and its unit."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.2g} {unit}" if size < 100 else f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.2g} TB"
