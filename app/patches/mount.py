"""The board of patches as a Streamlit component: what it is told, and how it is mounted.

Its modules lie in `static/` and use the editor's queue: each key is a stroke of the edit log, sent
to the route that saves every other stroke.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.access import mint
from app.component import component
from app.links import thumbnail
from core import catalogue
from core.patch_index import PatchLabel
from core.patch_labels import LIST
from core.records import Layer, Modality, Person, Project
from core.store.engine import Store

PICTURE_PX = 192
MOST_PICTURES = 3
Json = dict[str, Any]

# Letters of commands are left out, and those that a hand cannot reach without looking come last.
CLASS_KEYS = "1234567890qwetiopdfghjlxcbm"
COMMANDS: tuple[Json, ...] = (
    {"name": "verify", "keys": ["v"], "label": "Verified", "help": "The label is right"},
    {"name": "unsure", "keys": ["u"], "label": "Unsure", "help": "Nobody can tell"},
    {"name": "revert", "keys": ["r"], "label": "As it came", "help": "Back to the published label"},
    {"name": "undo", "keys": ["z"], "label": "Undo", "help": "Your last change, on any page"},
    {"name": "redo", "keys": ["y", "Shift+z"], "label": "Redo", "help": "What you undid last"},
    {
        "name": "all",
        "keys": ["a"],
        "label": "All",
        "help": "All of the page; Shift + arrow: some",
    },
    {"name": "none", "keys": ["escape"], "label": "None", "help": "Select none: back to one patch"},
    {
        "name": "previous",
        "keys": ["pageup"],
        "label": "Back",
        "help": "Page before; also arrow left",
    },
    {
        "name": "next",
        "keys": ["pagedown"],
        "label": "Next",
        "help": "Next page; also arrow right",
    },
)
SPLITS: Mapping[str, str] = {"train": "training", "val": "validation", "test": "test"}


def board(data: Json, key: str, on_command: Callable[[], None]) -> None:
    """Mount the board; `on_command` finds {"action": "page" or "renew", ...} in the state."""
    component("patches")(key=key, data=data, on_command_change=on_command)


def manifest(
    store: Store,
    project: Project,
    person: Person,
    shown: Sequence[PatchLabel],
    *,
    page: int,
    pages: int,
    first: int,
    total: int,
    page_key: str,
    start: int = 0,
) -> Json:
    """Return all that the board is told, as JSON: one page of patches, classes, keys and a token.

    `first` is the place of the first patch among `total`, `start` the one on the page to begin
    with; the same `page_key` again keeps the
    board as it is.
    """
    token = mint(store, person.id, project.id, "edit")
    cards = [_card(store, patch, token) for patch in shown]
    return {
        "token": token,
        "person": person.id,
        "project": project.id,
        "isList": project.kind == LIST,
        "classes": classes(project),
        "commands": [*COMMANDS],
        "patches": cards,
        "wide": any(len(card["images"]) > 1 for card in cards),
        "page": page,
        "pages": pages,
        "first": first,
        "total": total,
        "pageKey": page_key,
        "start": start,
    }


def classes(project: Project) -> list[Json]:
    """Return the classes in their order with one key each, as far as keys go."""
    keys = [*CLASS_KEYS, *[""] * len(project.classes.entries)]
    return [
        {"code": entry.code, "name": entry.name, "colour": entry.colour, "key": key}
        for entry, key in zip(project.classes.entries, keys, strict=False)
    ]


def _card(store: Store, patch: PatchLabel, token: str) -> Json:
    images = [layer for layer in catalogue.layers(store, patch.tile_id) if _is_image(layer)]
    return {
        "id": patch.tile_id,
        "name": patch.name,
        "region": patch.region,
        "splitName": SPLITS[patch.split] if patch.editable or patch.split != "train" else "frozen",
        "editable": patch.editable,
        "version": patch.version,
        "height": patch.shape[0],
        "width": patch.shape[1],
        "first": list(patch.first),
        "codes": list(patch.codes),
        "origin": list(patch.origin),
        "images": [
            {"src": thumbnail(patch.tile_id, layer.id, token, PICTURE_PX), "title": layer.name}
            for layer in images[:MOST_PICTURES]
        ],
    }


def _is_image(layer: Layer) -> bool:
    return layer.modality in (Modality.OPTICAL, Modality.SAR)
