"""New project: choose a folder, see what it holds, confirm classes, import with one button."""

from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app.folder_chooser import folder_ui
from app.import_changes import changes_ui
from app.import_findings import findings_ui
from app.import_large import imports_ui
from app.import_progress import progress_to
from app.import_scenes import cubes_ui, cut_ui
from app.import_tables import SHOWS, classes_of, roles_frame, roles_of
from app.import_ways import find_ui, with_known_names
from app.session import Context, context
from app.theme import ACCENT, page_header, swatch
from core import browse, catalogue
from core.browse import Wish
from core.check import Checked, check, sample
from core.class_maps import add_predictions
from core.classes import BRIGHT, OPEN_EARTH_MAP_SAR, ClassTable
from core.errors import CloudbrushError, DatasetError
from core.found import FoundDataset, Kind
from core.ingest import import_dataset
from core.patch_labels import KINDS
from core.presets import PRESETS
from core.records import Project, Unit
from data.importing import start_import
from data.readers import READERS, cubes, patterns, recognised, stac
from data.readers.base import Reader
from data.readers.guess import propose
from data.readers.patterns import Proposal, assign, find_by, parse_codes, rasters_below
from data.recipe import OPTION, Recipe, recipe_for

PATH_KEY = "new_path"
CHECKED_KEY = "new_checked"
KNOWN_KEY = "new_known"
FOUND_KEY = "new_found"
PROPOSAL_KEY = "new_proposal"
DONE_KEY = "new_done"
ROLES_KEY = "new_roles"
NEXT_KEY = "new_path_next"
AUTO_CHECK_TILES = 100
SAMPLED_TILES = 24  # of a larger folder, looked at before its import
OPEN = (patterns.KEY, cubes.KEY, stac.KEY)  # readers whose classes are for people to say
UNITS = [unit.value for unit in Unit if unit is not Unit.CODE]


def main() -> None:
    """Draw the page."""
    here = context()
    page_header("New project", "Point to a folder of tiles. Your files are read, never written.")
    tabs = ["From a folder", "Add class maps as predictions", "Changes in a folder"]
    dataset, maps, changes = st.tabs(tabs)
    with dataset:
        _dataset_ui(here)
    with maps:
        _maps_ui(here)
    with changes:
        changes_ui(here)


def _dataset_ui(here: Context) -> None:
    imports_ui(here)
    if NEXT_KEY in st.session_state:
        st.session_state[PATH_KEY] = st.session_state.pop(NEXT_KEY)
    done = st.session_state.get(DONE_KEY)
    if done is not None:
        _done_ui(here, done)
    try:
        folder = folder_ui(here, PATH_KEY)
        if folder is None:
            return
        found = cut_ui(_found_ui(folder))
        found = _classes_ui(with_known_names(here.store, found))
        checked = _check_ui(here, found)
        findings_ui(checked.findings, root=folder)
        _import_ui(here, checked)
    except CloudbrushError as error:
        st.error(str(error))


def _found_ui(folder: Path) -> FoundDataset:
    """Say what was recognised and why; for other folders, propose patterns to confirm."""
    known: list[tuple[Reader, str]] = _remembered(KNOWN_KEY, folder, lambda: _recognise(folder))
    if not known:
        raise DatasetError(
            str(folder),
            found="no raster",
            expected="GeoTIFF or PNG files, or one of: " + ", ".join(r.title for r in READERS[:-1]),
            todo="Choose a folder further up or down.",
        )
    titles = {reader.title: (reader, why) for reader, why in known}
    title = st.selectbox("Read as", list(titles), key=f"reader {folder}", width=420)
    reader, why = titles[title]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Recognised by: {why}.")
        st.button("Look again", on_click=_forget, help="After files were added or changed")
    if reader.key == cubes.KEY:
        roles = cubes_ui(folder)
        st.session_state[ROLES_KEY] = roles
        return _found((folder, roles), lambda: cubes.find_by(folder, roles))
    if reader.key != patterns.KEY:
        return find_ui(reader, folder, _found)
    proposal = _patterns_ui(folder)
    st.session_state[ROLES_KEY] = proposal.roles
    return _found((folder, proposal), lambda: find_by(folder, proposal))


def _found(what: object, find: Callable[[], FoundDataset]) -> FoundDataset:
    with st.spinner("Looking through the folder"):
        found: FoundDataset = _remembered(FOUND_KEY, what, find)
    return found


def _forget() -> None:
    for key in (KNOWN_KEY, FOUND_KEY, PROPOSAL_KEY, CHECKED_KEY):
        st.session_state.pop(key, None)


def _recognise(folder: Path) -> list[tuple[Reader, str]]:
    return list(recognised(folder))


def _remembered(key: str, what: object, make: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Return what was made for `what` before, or make it now; one memory per key."""
    held = st.session_state.get(key)
    if held is None or held[0] != what:
        held = (what, make())
        st.session_state[key] = held
    return held[1]


def _patterns_ui(folder: Path) -> Proposal:
    proposal: Proposal = _remembered(PROPOSAL_KEY, str(folder), lambda: propose(folder))
    st.subheader("What the file names mean", anchor=False)
    st.caption(
        "A proposal: change it where it is wrong. {tile} is the tile's name; {date}, {band}, "
        "{region}, {split} and * stand for text that varies. Rows can be added and deleted."
    )
    rows = st.data_editor(
        roles_frame(proposal.roles),
        key=f"roles {folder}",
        num_rows="dynamic",
        hide_index=True,
        column_config={
            "pattern": st.column_config.TextColumn("Pattern", width="medium", required=True),
            "shows": st.column_config.SelectboxColumn("Shows", options=SHOWS, required=True),
            "unit": st.column_config.SelectboxColumn("Unit", options=UNITS),
            "bands": st.column_config.TextColumn("Bands", help="Such as 4,3,2; empty means all"),
            "acquisition": st.column_config.TextColumn("Acquisition"),
            "codes": st.column_config.TextColumn(
                "Codes", help='Where codes differ from the class table: "1=1, 2-3=2, -1=255"'
            ),
        },
    )
    roles = roles_of(rows)
    files = rasters_below(folder)
    taken, left = assign(folder, files, roles)
    counts = [
        f"`{role.pattern}` {len(matches)}" for role, matches in zip(roles, taken, strict=True)
    ]
    st.caption(f"Files by pattern: {', '.join(counts)}. Without a pattern: {len(left)}.")
    return replace(proposal, roles=roles)


def _classes_ui(found: FoundDataset) -> FoundDataset:
    """Let a person confirm names, colours and codes; return the dataset with that table."""
    st.subheader("Classes", anchor=False)
    known = found.reader not in OPEN
    start = found.classes if known else _start_table_ui(found.classes)
    left, right = st.columns([3, 2])
    with left:
        rows = _class_rows_ui(start, known, f"classes {found.root} {found.reader} {start.name}")
    with right:
        void = start.void_code
        if known:
            st.caption(f"Unlabelled pixels have code {void}.")
        else:
            void = int(st.number_input("Code of unlabelled pixels", 0, 255, void, width=220))
        found = _scoring_ui(found, known)
    classes = classes_of(rows, start.name, None if void == 255 else void)
    st.html(" &ensp; ".join(swatch(e.colour, f"{e.code} {e.name}") for e in classes.entries))
    return replace(found, classes=classes)


def _start_table_ui(proposed: ClassTable) -> ClassTable:
    """Let a person start from a table that is known; labels then may need a code mapping."""
    tables = {table.name: table for table in (proposed, OPEN_EARTH_MAP_SAR, BRIGHT)}
    name = st.selectbox("Start from the classes of", list(tables), width=420)
    return tables[name]


def _class_rows_ui(start: ClassTable, known: bool, key: str) -> pd.DataFrame:
    return st.data_editor(
        pd.DataFrame([{"code": e.code, "name": e.name, "colour": e.colour} for e in start.entries]),
        key=key,
        num_rows="fixed" if known else "dynamic",
        hide_index=True,
        disabled=["code"] if known else [],
        column_config={
            "code": st.column_config.NumberColumn("Code", min_value=0, max_value=255, step=1),
            "name": st.column_config.TextColumn("Name", max_chars=80, required=True),
            "colour": st.column_config.TextColumn(
                "Colour", validate="^#[0-9a-fA-F]{6}$", help="#rrggbb", required=True
            ),
        },
    )


def _scoring_ui(found: FoundDataset, known: bool) -> FoundDataset:
    kinds: list[Kind] = [found.kind] if known else ["land_cover", "damage"]
    kind = st.selectbox(
        "Kind",
        kinds,
        kinds.index(found.kind),
        disabled=known,
        width=220,
        format_func=lambda name: name.replace("_", " "),
    )
    presets = list(PRESETS)
    preset = st.selectbox(
        "Score like",
        presets,
        presets.index(found.preset),
        width=320,
        format_func=lambda name: PRESETS[name].title,
    )
    st.caption(PRESETS[preset].description)
    return replace(found, kind=kind, preset=preset)


def _is_large(found: FoundDataset) -> bool:
    return len(found.tiles) > AUTO_CHECK_TILES


def _check_ui(here: Context, found: FoundDataset) -> Checked:
    """Check the files once per folder, patterns and codes; names and colours need no new check.

    Of a large folder a sample is checked; the job that imports it reads every header.
    """
    codes = (found.classes.codes, found.classes.void_code)
    what = (found.root, found.reader, found.tiles, codes)
    held = st.session_state.get(CHECKED_KEY)
    if held is None or held[0] != what:
        st.session_state.pop(CHECKED_KEY, None)
        some = sample(found, SAMPLED_TILES) if _is_large(found) else found
        bar = st.progress(0.0, "Checking files")
        held = (what, check(some, roots=here.settings.allowed_roots, progress=progress_to(bar)))
        bar.empty()
        st.session_state[CHECKED_KEY] = held
    checked: Checked = held[1]
    return replace(checked, dataset=found)


def _import_ui(here: Context, checked: Checked) -> None:
    found = checked.dataset
    if _is_large(found):
        _import_large_ui(here, found)
        return
    left_out = len(found.tiles) - len(checked.tiles)
    text = f"Tiles to import: **{len(checked.tiles):,}** of {len(found.tiles):,}"
    st.markdown(text + (f"; {left_out:,} left out, see the findings." if left_out else "."))
    name = st.text_input(
        "Project name", found.root.name, max_chars=120, key=f"name {found.root}", width=420
    )
    if st.button("Import", type="primary", disabled=not checked.tiles):
        with st.spinner("Writing the catalogue"):
            project = import_dataset(
                here.store,
                found,
                name,
                roots=here.settings.allowed_roots,
                checked=checked,
                options={OPTION: {"recipe": _recipe(found).to_json()}},
            )
        st.session_state[DONE_KEY] = project.id
        st.session_state["project_id"] = project.id
        st.query_params["project"] = str(project.id)
        st.rerun()


def _import_large_ui(here: Context, found: FoundDataset) -> None:
    st.markdown(
        f"**{len(found.tiles):,}** tiles, of which {SAMPLED_TILES} were checked here. The import "
        "reads the headers of all and goes on when this page is closed; pixels are read after it."
    )
    name = st.text_input(
        "Project name", found.root.name, max_chars=120, key=f"name {found.root}", width=420
    )
    if st.button(f"Import {len(found.tiles):,} tiles", type="primary"):
        start_import(here.store, here.settings, _recipe(found), name)
        st.session_state[NEXT_KEY] = ""
        _forget()  # tens of thousands of tiles, which the job finds by itself
        st.rerun()


def _recipe(found: FoundDataset) -> Recipe:
    held = st.session_state.get(ROLES_KEY)
    return recipe_for(found, held if found.reader in (patterns.KEY, cubes.KEY) and held else ())


def _done_ui(here: Context, project_id: int) -> None:
    st.session_state.pop(DONE_KEY)
    st.session_state[PATH_KEY] = ""  # the form is done with, and what to do next is in view
    project = catalogue.project(here.store, project_id)
    count = browse.count(here.store, project_id, Wish())
    st.success(f"{project.name} is ready with {count:,} {'tile' if count == 1 else 'tiles'}.")
    work = "patches" if project.kind in KINDS else "correct"
    links = [("explore", f"Explore {project.name}"), (work, "Start correcting")]
    st.html(
        " &ensp; ".join(
            f'<a style="color:{ACCENT}" href="{page}?project={project_id}" target="_self">'
            f"{escape(words)}</a>"
            for page, words in links
        )
    )


def _maps_ui(here: Context) -> None:
    """Add class rasters from elsewhere to a project, shown as predictions."""
    projects = catalogue.projects(here.store)
    if not projects:
        st.info("Import a dataset first; class maps then join its tiles by name.")
        return
    current = next(
        (i for i, p in enumerate(projects) if here.project and p.id == here.project.id), 0
    )
    project: Project = st.selectbox(
        "Project", projects, current, format_func=lambda p: p.name, width=420
    )
    st.caption("Rasters named like the tiles (TILE.tif or TILE_anything.tif), one band of codes.")
    try:
        folder = folder_ui(here, "maps_path")
        name = st.text_input("Name of the maps", "imported map", max_chars=60, width=420)
        codes = st.text_input(
            "Codes", help='Where codes differ from the project: "1=1, 2-3=2"', width=420
        )
        st.html(
            " &ensp; ".join(swatch(e.colour, f"{e.code} {e.name}") for e in project.classes.entries)
        )
        if folder and st.button("Add predictions", type="primary"):
            bar = st.progress(0.0, "Checking maps")
            added = add_predictions(
                here.store,
                project.id,
                folder,
                parse_codes(codes),
                roots=here.settings.allowed_roots,
                name=" ".join(name.split()) or "imported map",
                progress=progress_to(bar),
            )
            bar.empty()
            st.success(f"{added.added:,} maps added to {project.name}.")
            findings_ui(added.findings, "map findings", root=folder)
    except CloudbrushError as error:
        st.error(str(error))
