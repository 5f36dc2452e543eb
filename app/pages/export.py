"""Export: what goes out, where to, how large, what reads it; a check mark after reading it back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app.background import ENDED, background_ui, working
from app.session import Context, context
from app.theme import page_header
from core import jobs
from core.errors import CloudbrushError
from core.export.choose import Plan, Which, plan
from core.export.formats import Format, export, format_of, formats_of, is_instant, payload
from core.export.frame import (
    Order,
    export_folder,
    exports,
    read_manifest,
    suggest_name,
    zip_export,
)
from core.records import JobState, Project

KIND = "export"
SHOWN_KEY = "export_shown"
NAME_KEY = "export_name"
LARGEST_DOWNLOAD = 500 * 2**20  # a download passes through memory; larger ones stay in the folder
SHOWN_TILES = 1000
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
    left, right = st.columns([3, 2], gap="large")
    with left:
        try:
            _export_ui(here, here.project)
        except CloudbrushError as error:
            st.error(str(error))
    with right:
        _running_ui(here, here.project)
        _finished_ui(here)


def _export_ui(here: Context, project: Project) -> None:
    chosen = st.selectbox("Format", formats_of(project), format_func=lambda found: found.title)
    st.caption(chosen.about)
    why_not = chosen.unfit(here.store, project)
    if why_not:
        st.info(why_not)
        return
    which, planned = _tiles_ui(here, project, chosen)
    options = _options_ui(here, project, chosen)
    st.markdown(holds_table(chosen))
    if NAME_KEY not in st.session_state:
        st.session_state[NAME_KEY] = suggest_name(project, datetime.now(UTC))
    name = st.text_input("Name of the export", key=NAME_KEY, max_chars=80).strip()
    st.caption(f"Goes to {here.store.workspace / 'exports' / name}; originals stay as they are.")
    if st.button("Export", type="primary", disabled=chosen.by_tile and not planned.tiles):
        _start(here, project, name, Order(chosen.key, which, options))


def holds_table(chosen: Format) -> str:
    """Return a table in Markdown of the files of a format, what they hold and what reads them."""
    rows = [("file", "holds", "read by"), ("---", "---", "---"), *chosen.holds]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _tiles_ui(here: Context, project: Project, chosen: Format) -> tuple[Which, Plan]:
    """Ask which tiles go out and show how much that is."""
    which = Which.ALL
    if chosen.by_tile:
        which = NAMES[st.radio("Tiles", list(NAMES), horizontal=True) or next(iter(NAMES))]
    planned = plan(here.store, project.id, which)
    if chosen.by_tile:
        figures = {
            "Tiles": f"{planned.tiles:,}",
            "of them edited": f"{planned.edited:,}",
            "Edits": f"{planned.edits:,}",
        }
        if chosen.bytes_per_px:
            figures["Size, at most"] = size_text(int(chosen.bytes_per_px * planned.pixels))
        for column, (title, value) in zip(st.columns(4), figures.items(), strict=False):
            column.metric(title, value)
    return which, planned


def _options_ui(here: Context, project: Project, chosen: Format) -> dict[str, str]:
    """Ask for what can be chosen in a format; return the values by name."""
    found: dict[str, str] = {}
    choices = chosen.choices(here.store, project)
    for column, choice in zip(st.columns(max(len(choices), 2)), choices, strict=False):
        if choice.only and found.get(choice.only[0]) != choice.only[1]:
            continue
        value = column.selectbox(
            choice.title,
            list(choice.values),
            format_func=choice.values.__getitem__,
            help=choice.help or None,
            key=f"export_{chosen.key}_{choice.name}",
        )
        found[choice.name] = str(value)
    return found


def _start(here: Context, project: Project, name: str, order: Order) -> None:
    """Write a small export at once, or hand a large one to a job."""
    export_folder(here.store, name)
    if is_instant(here.store, project.id, order):
        bar = st.progress(0.0, "Writing and reading back")

        def report(share: float, message: str) -> None:
            bar.progress(share, message)

        done = export(
            here.store,
            project.id,
            name,
            order,
            person=here.person.name,
            report=report,
        )
        st.session_state[SHOWN_KEY] = done.name
    else:
        ordered = payload(name, order, here.person.name)
        jobs.submit(
            here.store,
            here.settings,
            KIND,
            ordered,
            project.id,
            here.person.id,
            jobs.FILES,
        )
        st.session_state[SHOWN_KEY] = name
    st.session_state.pop(NAME_KEY)
    st.rerun()


def _running_ui(here: Context, project: Project) -> None:
    """Draw exports on their way with a way to stop them, and how the newest one failed."""
    waiting = working(here, project.id, KIND)
    if waiting:
        st.subheader("On their way", anchor=False)
        background_ui(here, waiting)
        for job in waiting:
            if st.button(f"Cancel {job.payload.get('name', job.id)}", key=f"cancel_{job.id}"):
                jobs.cancel(here.store, job.id)
                st.rerun()
        st.caption("You can leave this page: the export goes on, and waits here when it is done.")
        return
    ended = [job for job in jobs.jobs(here.store, project.id, kind=KIND) if job.state in ENDED]
    if ended and ended[0].payload.get("name") == st.session_state.get(SHOWN_KEY):
        name = ended[0].payload.get("name")
        if ended[0].state is JobState.FAILED:
            st.error(f"**{name} failed.** {ended[0].message}")
        elif ended[0].state is JobState.CANCELLED:
            st.warning(f"**{name} was cancelled.** Nothing was kept.")


def _finished_ui(here: Context) -> None:
    """Show one of the finished exports; each was read back before it got its name."""
    found = exports(here.store)
    st.subheader("Finished exports", anchor=False)
    if not found:
        st.caption("None yet.")
        return
    newest = st.session_state.get(SHOWN_KEY)
    index = next((i for i, folder in enumerate(found) if folder.name == newest), 0)
    folder = st.selectbox("Export", found, index=index, format_func=lambda path: path.name)
    try:
        _folder_ui(folder)
    except CloudbrushError as error:
        st.error(str(error))


def _folder_ui(folder: Path) -> None:
    manifest = read_manifest(folder)
    files, size = int(manifest["files"]), int(manifest["size_bytes"])
    tiles = manifest.get("tiles", [])
    known = ("edit", "region", "annotation")
    counts = {name: int(manifest[f"{name}s"]) for name in known if f"{name}s" in manifest}
    counts = {"tile": len(tiles), **counts, "file": files}
    parts = ", ".join(f"{n:,} {name}{'s' if n != 1 else ''}" for name, n in counts.items())
    st.success(f"Read back and equal: {parts}, {size_text(size)}.", icon=":material/check:")
    written = str(manifest["exported_at"]).replace("T", " ").replace("+00:00", " UTC")
    st.caption(
        f"{_title(manifest)} of {manifest['project']}, {written}, "
        f"by {manifest['exported_by'] or 'unknown'}. Folder: {folder}"
    )
    for note in manifest.get("notes", []):
        st.caption(note)
    checks = manifest.get("checks")
    if checks:
        st.dataframe(pd.DataFrame(checks), hide_index=True)
    if tiles:
        columns = ["name", "version", "split", "region", "crs", "label_sha256"]
        shown = [name for name in columns if name in tiles[0]]
        st.dataframe(pd.DataFrame(tiles[:SHOWN_TILES], columns=shown), hide_index=True)
    if len(tiles) > SHOWN_TILES:
        st.caption(f"The first {SHOWN_TILES:,} of {len(tiles):,} tiles; all are in the manifest.")
    _download_ui(folder, size, manifest.get("zip"))


def _title(manifest: dict[str, Any]) -> str:
    """Return the title of an export's format, or what it says itself where nobody knows it."""
    try:
        return format_of(str(manifest["holds"])).title
    except CloudbrushError:
        return str(manifest["holds"])


def _download_ui(folder: Path, size: int, ready: str | None) -> None:
    """Offer the export as one zip, or the zip that it holds (`ready`)."""
    if size > LARGEST_DOWNLOAD:
        st.caption("Too large to send through the browser: copy the folder.")
    elif st.toggle("Prepare a zip to download", key=f"zip {folder.name}"):
        archive = folder / ready if ready else zip_export(folder)
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
