"""The editor as a Streamlit component: what it is told, and how it is mounted.

Its modules lie in `static/` and are served by the route `/assets/editor`. Pixels and strokes go
through routes; the *manifest* carries names, ids and a token.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from app.access import mint
from app.component import component
from core import browse, catalogue
from core.clouds.levels import takes_clouds
from core.damage import BACKGROUND
from core.display import unit_label
from core.expression_presets import presets
from core.grid import BLOCK
from core.ground import ground
from core.nudge import nudges
from core.predictions import find_prediction, predictions
from core.records import Acquisition, Layer, Modality, Person, Project, Split, Tile, Unit
from core.store.engine import Store
from core.trained import models, promoted

CALIBRATED = (Unit.DB, Unit.LINEAR)
Json = dict[str, Any]


def editor(manifest: Json, key: str, on_command: Callable[[], None]) -> None:
    """Mount the editor; `on_command` finds {"action", "tile", ...} in `st.session_state[key]`.

    The key must stay the same for every tile: the editor then keeps its view and queue.
    """
    mount = component("editor")
    mount(key=key, data=manifest, height=1, on_command_change=on_command)


def manifest(
    store: Store,
    tile: Tile,
    person: Person,
    *,
    acquisition: int | None = None,
    model: str | None = None,
    against: Sequence[str] = (),
) -> Json:
    """Return all that the editor is told of a tile, as JSON.

    `acquisition` and `model` are what the address asks for; where they do not belong to the tile
    the clearest image and the promoted model are chosen. `against` names models whose maps are to
    stand side by side at first.
    """
    project = catalogue.project(store, tile.project_id)
    dates = catalogue.acquisitions(store, tile.id)
    layers = catalogue.layers(store, tile.id)
    known = model_list(store, tile, layers)
    chosen_date = next((date.id for date in dates if date.id == acquisition), None)
    chosen_model = next((entry["key"] for entry in known if entry["key"] == model), None)
    default_model = next((entry["key"] for entry in known if entry["promoted"]), None)
    moved = nudges(store, tile.id)
    return {
        "token": mint(store, person.id, project.id, "edit" if tile.editable else "view"),
        "person": {"id": person.id, "name": person.name},
        "project": {"id": project.id, "name": project.name, "kind": project.kind},
        "tile": {
            "id": tile.id,
            "name": tile.name,
            "region": tile.region,
            "height": tile.grid.height,
            "width": tile.grid.width,
            "lonlat": tile.lonlat,
            "ground": _ground(tile),
        },
        "classes": _classes(project),
        "voidCode": project.classes.void_code,
        "layers": [
            _layer(layer, tile, moved.get(layer.id, (0.0, 0.0)))
            for layer in layers
            if _is_image(layer)
        ],
        "acquisitions": [_acquisition(date, layers) for date in dates],
        "models": known,
        "against": [entry["key"] for entry in known if entry["key"] in against],
        "chosen": {
            "acquisition": chosen_date or (dates[0].id if dates else None),
            "model": chosen_model or default_model or (known[-1]["key"] if known else None),
        },
        "neighbours": vars(browse.neighbours(store, tile)),
        "readonly": why_readonly(tile),
    }


def why_readonly(tile: Tile) -> Json | None:
    """Return why the labels of a tile may not change, in words; None when they may."""
    if tile.editable:
        return None
    if tile.problem is not None:
        return {"what": "tile that cannot be worked on", "why": tile.problem}
    if tile.frozen:
        return {
            "what": "frozen tile",
            "why": "It is reserved as validation at its label of now. Give it back to edit it.",
        }
    what = "validation tile" if tile.split is Split.VAL else "test tile"
    return {
        "what": what,
        "why": "Models are scored here, so its labels stay as they came. Open a training tile.",
    }


def model_list(store: Store, tile: Tile, layers: Sequence[Layer]) -> list[Json]:
    """Return the models and imported maps that can be shown, with the predictions there are."""
    in_use = promoted(store, tile.project_id)
    made = predictions(store, tile_id=tile.id)
    found: list[Json] = [
        {
            "key": f"m{record.id}",
            "id": record.id,
            "name": record.name,
            "promoted": in_use is not None and in_use.id == record.id,
            "usesOptical": record.uses_optical,
            "predictions": {
                str(p.acquisition_id or ""): p.id for p in made if p.model_id == record.id
            },
        }
        for record in models(store, tile.project_id)
    ]
    for layer in layers:
        if layer.modality is not Modality.MODEL:
            continue
        made_map = find_prediction(store, tile.id, f"layer/{layer.id}")
        found.append(
            {
                "key": f"layer/{layer.name}",
                "id": None,
                "name": layer.name,
                "promoted": False,
                "usesOptical": False,
                "predictions": {"": made_map.id} if made_map else {},
            }
        )
    return found


def _classes(project: Project) -> list[Json]:
    """Return the classes in their order, void last.

    The background of a damage project covers most of each tile and says nothing: it is drawn clear.
    """
    damage = project.kind == "damage"
    classes = [
        {
            "code": entry.code,
            "name": entry.name,
            "colour": entry.colour,
            "isVoid": False,
            "isClear": damage and entry.code == BACKGROUND,
        }
        for entry in project.classes.entries
    ]
    void = {"code": project.classes.void_code, "name": "No class", "colour": ""}
    return [*classes, {**void, "isVoid": True, "isClear": False}]


def _is_image(layer: Layer) -> bool:
    return layer.modality not in (Modality.LABEL, Modality.TRUTH, Modality.CLOUD, Modality.MODEL)


def _ground(tile: Tile) -> Json | None:
    """Return the sides of a pixel in metres and the direction of north, or None without CRS."""
    size = ground(tile.grid)
    if size is None:
        return None
    return {"width": size.width_m, "height": size.height_m, "north": size.north_deg}


def _layer(layer: Layer, tile: Tile, nudge: tuple[float, float]) -> Json:
    longest = max(tile.grid.height, tile.grid.width)
    return {
        "id": layer.id,
        "modality": layer.modality.value,
        "name": layer.name,
        "acquisition": layer.acquisition_id,
        "bands": list(layer.bands),
        "presets": [
            {
                "name": preset.name,
                "expr": preset.text,
                "help": preset.help,
                "fixed": preset.limits is not None,
            }
            for preset in presets(layer)
        ],
        "unit": unit_label(layer.unit),
        "calibrated": layer.unit in CALIBRATED,
        "nudge": {"y": nudge[0], "x": nudge[1]},
        "levels": max(0, math.ceil(math.log2(longest / BLOCK))),
    }


def _acquisition(date: Acquisition, layers: Sequence[Layer]) -> Json:
    name = date.name if date.date in (None, date.name) else f"{date.name} · {date.date}"
    label = name if date.cover is None else f"{name} · {100 * date.cover:.0f} % cloud"
    has_cloud = any(
        layer.modality is Modality.CLOUD and layer.acquisition_id == date.id for layer in layers
    )
    return {
        "id": date.id,
        "name": date.name,
        "label": label,
        "hasCloud": has_cloud,
        "takesClouds": takes_clouds(date),
    }
