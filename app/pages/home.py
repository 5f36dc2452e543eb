"""Home: what the app is for, the projects, and the next sensible step in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st

from app.demos import build_demos
from app.links import open_page, thumbnail, view_token
from app.next_step import next_step
from app.session import Context, context
from app.strip import strip_ui
from app.theme import page_header
from core import browse, catalogue, jobs
from core.aligned import align
from core.errors import CloudbrushError
from core.presets import preset
from core.records import Modality, ModelRecord, Project
from core.scores import REFERENCES, Reference, evaluations
from core.trained import models, promoted
from data.importing import importing

COLUMNS = 3
LINE = "Correct map labels on optical and SAR images, retrain the network, and see what got better."
AGAINST: dict[Reference, str] = {
    "truth": "against truth",
    "frozen": "against frozen tiles",
    "pseudo": "against pseudo-labels",
}
_CSS = """<style>
.cb-card img { width: 100%; aspect-ratio: 5 / 2; object-fit: cover; border-radius: 5px;
  background: #e9e9e5; display: block; }
.cb-card h3 { margin: .7rem 0 .1rem; padding: 0; font-size: 1.1rem; font-weight: 600; }
.cb-card p { margin: .1rem 0; color: #6a7077; font-variant-numeric: tabular-nums; }
.cb-card .bar { height: 5px; border-radius: 3px; background: #e4e4df; margin: .45rem 0; }
.cb-card .bar b { display: block; height: 100%; border-radius: 3px; background: #0f6e84; }
.cb-card .classes { display: flex; gap: 3px; margin: .5rem 0 .3rem; }
.cb-card .classes i { flex: 1; height: 9px; border: 1px solid rgba(0,0,0,.2); border-radius: 2px; }
</style>"""


@dataclass(frozen=True)
class Score:
    """The mean IoU of one model, what it was scored against, on how many tiles and images."""

    miou: float
    reference: Reference
    tiles: int
    images: int


def main() -> None:
    """Draw the page."""
    here = context()
    projects = catalogue.projects(here.store)
    page_header("Cloudbrush", LINE)
    st.html(_CSS)
    if not projects:
        _empty_ui(here)
    else:
        for project in projects:
            if project.kind == "land_cover" and strip_ui(here, project):
                break
        _projects_ui(here, projects)
    _archive_ui(here)


def _empty_ui(here: Context) -> None:
    st.info("No project yet. Open a folder of images and labels, or build the demo to look around.")
    left, right, _ = st.columns([1, 1, 2])
    if left.button("Open a folder", type="primary", width="stretch"):
        open_page("new")
    if right.button("Build the demo", width="stretch"):
        with st.status("Building the demo projects, about half a minute", expanded=True) as status:
            try:
                build_demos(here.store, here.settings, status.write)
            except CloudbrushError as error:
                st.error(str(error))
                return
        st.rerun()


def _projects_ui(here: Context, projects: Sequence[Project]) -> None:
    head, new = st.columns([5, 1], vertical_alignment="bottom")
    head.subheader("Projects", anchor=False)
    if new.button("New project", icon=":material/add:", width="stretch"):
        open_page("new")
    for start in range(0, len(projects), COLUMNS):
        cells = st.columns(COLUMNS)
        for cell, project in zip(cells, projects[start : start + COLUMNS], strict=False):
            with cell, st.container(border=True):
                _card_ui(here, project)


def _card_ui(here: Context, project: Project) -> None:
    found = browse.progress(here.store, project.id)
    known = models(here.store, project.id)
    shown = promoted(here.store, project.id) or (known[-1] if known else None)
    st.html(_card_html(here, project, found, shown))
    last_edit = catalogue.last_edit_at(here.store, project.id)
    waiting = browse.first_waiting(here.store, project.id)
    ahead = {*browse.edited(here.store, project.id), *([waiting] if waiting else [])}
    tiles = catalogue.tiles_by_id(here.store, sorted(ahead))
    step = next_step(tiles, known, jobs.jobs(here.store, project.id), last_edit)
    go, look, more = st.columns([6, 4, 2])
    if go.button(step.words, key=f"next_{project.id}", type="primary", width="stretch"):
        open_page(step.page, project=project.id, tile=step.tile_id)
    if look.button("Explore", key=f"explore_{project.id}", width="stretch"):
        open_page("explore", project=project.id)
    with (
        more.popover("", icon=":material/more_horiz:", width="stretch"),
        st.container(width=360),
    ):
        _manage_ui(here, project)


def _card_html(
    here: Context, project: Project, found: browse.Progress, shown: ModelRecord | None
) -> str:
    share = found.done / found.work if found.work else 0
    picture = ""
    if found.tiles:
        tile_id, kind = _face(here, project)
        address = thumbnail(tile_id, kind, view_token(here, project.id), 480)
        picture = f'<img src="{escape(address)}" alt="">'
    classes = "".join(
        f'<i style="background:{escape(entry.colour)}" title="{escape(entry.name)}"></i>'
        for entry in project.classes.entries
    )
    count = "1 tile" if found.tiles == 1 else f"{found.tiles:,} tiles"
    return (
        f'<div class="cb-card">{picture}<h3>{escape(project.name)}</h3>'
        f"<p>{count}, {found.done:,} of {found.work:,} editable ones done</p>"
        f'<div class="bar"><b style="width:{share:.0%}"></b></div>'
        f'<div class="classes">{classes}</div><p>{len(project.classes.entries)} classes</p>'
        f"<p>{_model_words(here, project, shown)}</p>"
        "</div>"
    )


def _face(here: Context, project: Project) -> tuple[int, str]:
    """Return the tile and the kind of picture that stand for a project, optical if possible."""
    for kind in (Modality.OPTICAL, Modality.SAR):
        tile_id = browse.middle_tile(here.store, project.id, kind)
        if tile_id is not None:
            return tile_id, kind.value
    return browse.middle_tile(here.store, project.id, None) or 0, "label"


def _model_words(here: Context, project: Project, shown: ModelRecord | None) -> str:
    if shown is None:
        return "No model yet"
    score = score_of(here, project, shown)
    if score is None:
        return f"{escape(shown.name)}, not scored yet"
    return (
        f"{escape(shown.name)}: mIoU {score.miou:.2f} {AGAINST[score.reference]}, "
        f"{score.tiles} tiles{', all dates' if score.images > score.tiles else ''}"
    )


def score_of(here: Context, project: Project, shown: ModelRecord) -> Score | None:
    """Return the model's mean IoU by the project's preset, against the best reference there is."""
    found = evaluations(here.store, project.id, model_id=shown.id)
    for reference in REFERENCES:
        some = [evaluation for evaluation in found if evaluation.reference == reference]
        if some:
            name = f"m{shown.id}"
            scored = align(some, [name], {})
            value = preset(project.preset).mean_iou(scored.total(name), project.classes)
            if np.isfinite(value):
                return Score(float(value), reference, scored.tiles, len(scored.tile_ids))
    return None


def _manage_ui(here: Context, project: Project) -> None:
    name = st.text_input("Name", project.name, key=f"name_{project.id}", max_chars=120)
    if st.button("Rename", key=f"rename_{project.id}", disabled=name == project.name):
        try:
            catalogue.rename_project(here.store, project.id, name)
            st.rerun()
        except CloudbrushError as error:
            st.error(str(error))
    if st.button("Archive", key=f"archive_{project.id}", help="Hides it here; nothing is deleted."):
        catalogue.archive_project(here.store, project.id)
        st.rerun()
    st.divider()
    _delete_ui(here, project)


def _delete_ui(here: Context, project: Project) -> None:
    sure = st.checkbox(
        "Delete the project with its corrections, models and scores. This cannot be undone. "
        "The imported files and your exports stay where they are.",
        key=f"sure_{project.id}",
    )
    if st.button("Delete", key=f"delete_{project.id}", disabled=not sure):
        catalogue.delete_project(here.store, project.id)
        if here.project is not None and here.project.id == project.id:
            st.session_state.pop("project_id", None)
            st.query_params.pop("project", None)
        st.rerun()


def _archive_ui(here: Context) -> None:
    everything = catalogue.projects(here.store, archived=True)
    archived = [p for p in everything if p.archived and not importing(p)]
    if not archived:
        return
    with st.expander(f"Archived projects ({len(archived)})"):
        for project in archived:
            name, back, more = st.columns([6, 2, 1], vertical_alignment="center")
            name.write(project.name)
            if back.button("Bring back", key=f"restore_{project.id}", width="stretch"):
                catalogue.archive_project(here.store, project.id, archived=False)
                st.rerun()
            with more.popover("", icon=":material/delete:"):
                _delete_ui(here, project)
