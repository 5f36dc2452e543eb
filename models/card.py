"""Model cards: what a model is, what it learnt from, how good it is and where it is not to be
trusted. Facts of the store, gathered as values of JSON; `models.card_text` puts them in words.
Needs no torch, so that pages stay quick.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core import catalogue, scores, trained
from core.aligned import Scored, align, align_buildings
from core.clouds.cover import level_names, level_of
from core.comparison import class_frame, level_frame, reference_buildings
from core.damage import BACKGROUND
from core.errors import DatasetError
from core.options import cloud_edges
from core.presets import FIGURES, OF_DAMAGE, PRESETS, preset
from core.records import Acquisition, ModelRecord, Project, Tile
from core.scores import REFERENCES, Evaluation, Reference, model_source
from core.store.engine import Store
from data.readers import reader
from models.card_text import limits
from models.zoo import NETWORKS
from models.zoo.views import VIEWS

DRAWS = 200
"""Draws of the intervals on a card: enough for two digits."""

WORDS: dict[Reference, str] = {
    "truth": "truth that came with the data",
    "frozen": "labels that people corrected and froze",
    "pseudo": "pseudo-labels as they came",
}

Card = dict[str, Any]


def model_card(store: Store, project: Project, record: ModelRecord) -> Card:
    """Return everything that is known of a model, as values of JSON; NaN becomes None."""
    own = record.card
    tiles = {tile.id: tile for tile in catalogue.tiles(store, project.id)}
    dates = catalogue.project_acquisitions(store, project.id)
    learnt = _learnt(own, tiles, dates, cloud_edges(project))
    measured = [m for r in REFERENCES if (m := _measured(store, project, record, r, dates))]
    lineage = trained.lineage(store, record)
    card: Card = {
        "name": record.name,
        "made": record.created_at.isoformat(timespec="seconds"),
        "project": project.name,
        "parents": [one.name for one in lineage[1:]],
        "network": _network(record),
        "data": _data(project),
        "inputs": record.bands,
        "classes": {str(e.code): e.name for e in project.classes.entries},
        "predicts": {
            "views": own.get("views", 1),
            "views_are": VIEWS.get(own.get("views", 1), ""),
            "finishing": own.get("post") or {},
        },
        "learnt_from": learnt,
        "training": {
            "recipe": own.get("recipe", ""),
            "recipe_settings": own.get("recipe_settings") or {},
            "split": _split(own, tiles),
            "config": own.get("config") or {},
            "device": own.get("device", ""),
            "seconds": own.get("seconds"),
        },
        "scores": measured,
        "scoring_rules": preset(project.preset).description,
        "weights": {"sha256": own.get("sha256", ""), "licence": _licence(lineage, project)},
    }
    card["limits"] = limits(card)
    return card


def _network(record: ModelRecord) -> Card:
    own, entry = record.card, NETWORKS.get(record.network)
    found: Card = {"key": record.network, "options": own.get("options", {})}
    if own.get("parameters"):
        found["parameters"] = own["parameters"]
    if entry is None:
        return {**found, "title": record.network}
    return {
        **found,
        "title": entry.title,
        "source": entry.source,
        "published": entry.published,
        "our_choices": entry.ours,
        "licence_of_the_source": entry.licence,
    }


def _data(project: Project) -> Card:
    """Return what dataset a project is of, with its licence where its reader states one."""
    try:
        found = reader(project.reader)
    except DatasetError:
        return {"dataset": project.reader, "licence": "not known here"}
    spec = getattr(found, "spec", None)
    licence = getattr(spec, "licence", "") or "not known here"
    return {"dataset": found.title, "licence": licence, "source": getattr(spec, "source", "")}


def _licence(lineage: Sequence[ModelRecord], project: Project) -> str:
    """Return in words what the use of weights hangs on; a start from other people's counts too."""
    own = lineage[0].card.get("licence")
    if own:
        return str(own)
    data = _data(project)
    line = f"made here by learning from {data['dataset']}; licence of that data: {data['licence']}"
    start = next((name for one in lineage if (name := one.card.get("pretrained"))), None)
    return f"{line}; began from {start}, whose own licence holds too" if start else line


def _learnt(
    own: Mapping[str, Any],
    tiles: Mapping[int, Tile],
    dates: Mapping[int, Sequence[Acquisition]],
    edges: Sequence[float],
) -> Card | None:
    """Return the tiles with their label versions, and what skies and regions were among them."""
    learnt = own.get("learnt_from")
    if not learnt:
        return None
    ids = [int(key) for key in learnt["versions"]]
    known = [tiles[i] for i in ids if i in tiles]
    most = learnt.get("max_cover", 1.0)
    skies = [d.cover for i in ids for d in dates.get(i, ()) if d.cover is None or d.cover <= most]
    levels = [level_of(cover, edges) for cover in skies]
    kept = {k: v for k, v in learnt.items() if k != "versions"}
    return {
        **kept,
        "tiles": len(ids),
        "regions": sorted({tile.region for tile in known}),
        "images_by_cover": {n: levels.count(i) for i, n in enumerate(level_names(edges))},
        "versions": {
            _tile_name(tiles, key): version for key, version in learnt["versions"].items()
        },
    }


def _split(own: Mapping[str, Any], tiles: Mapping[int, Tile]) -> Card | None:
    """Return how the run was split, with tiles by name; None for a card that does not say."""
    found = own.get("split")
    if not found:
        return None
    return {**found, "held_out": [_tile_name(tiles, key) for key in found["held_out"]]}


def _tile_name(tiles: Mapping[int, Tile], key: str | int) -> str:
    return tiles[int(key)].name if int(key) in tiles else f"tile {key}"


def _measured(
    store: Store,
    project: Project,
    record: ModelRecord,
    reference: Reference,
    dates: Mapping[int, Sequence[Acquisition]],
) -> Card | None:
    """Return a model's scores against one reference: overall, by class and by cloud level."""
    found = scores.evaluations(store, project.id, reference=reference, model_id=record.id)
    if not found:
        return None
    name, rules = model_source(record.id), preset(project.preset)
    covers = {date.id: date.cover for some in dates.values() for date in some}
    scored = align(found, [name], covers)
    by_class = class_frame(scored, name, name, rules, project.classes, draws=DRAWS)
    rows = by_class.sort_values("code").to_dict("records")
    return {
        "reference": reference,
        "reference_is": WORDS[reference],
        "tiles": scored.tiles,
        "regions": _regions(store, project, scored),
        "mean": rules.lead,
        "score": _number(rules.lead_score(scored.total(name), project.classes)),
        "by_class": [
            {
                "class": row["class"],
                "iou": _number(row["after"]),
                "from": _number(row["after_low"]),
                "to": _number(row["after_high"]),
                "f1": _number(row["f1_after"]),
                "pixels": int(row["pixels"]),
            }
            for row in rows
        ],
        "by_cloud": _by_cloud(scored, project) if record.uses_optical else [],
        **(_damage(found, scored, name, project) if project.kind == "damage" else {}),
    }


def _damage(found: Sequence[Evaluation], scored: Scored, name: str, project: Project) -> Card:
    """Return what damage is judged by beside IoU, as on Compare: pixels, and whole buildings."""
    rules, total, classes = preset(project.preset), scored.total(name), project.classes
    counted = align_buildings(found, [name], {})
    rows: list[dict[Any, Any]] = []
    number: dict[int, int] = {}
    if counted.tiles:
        frame = class_frame(counted, name, name, PRESETS["plain"], classes, draws=DRAWS)
        rows = frame.sort_values("code").to_dict("records")
        houses = reference_buildings(counted, name, classes)
        number = dict(zip(classes.codes, houses.tolist(), strict=True))
    return {
        "damage": {
            FIGURES[figure].title: _number(rules.figure(figure, total, classes))
            for figure in OF_DAMAGE
        },
        "by_building": [
            {
                "class": row["class"],
                "f1": _number(row["f1_after"]),
                "precision": _number(row["precision_after"]),
                "recall": _number(row["recall_after"]),
                "buildings": number[row["code"]],
            }
            for row in rows
            if row["code"] != BACKGROUND
        ],
    }


def _by_cloud(scored: Scored, project: Project) -> list[Card]:
    frame = level_frame(
        scored, cloud_edges(project), preset(project.preset), project.classes, draws=DRAWS
    )
    rows = {row["level"]: row for row in frame.to_dict("records")}
    return [
        {
            "cover": name,
            "score": _number(rows[name]["score"]) if name in rows else None,
            "from": _number(rows[name]["score_low"]) if name in rows else None,
            "to": _number(rows[name]["score_high"]) if name in rows else None,
            "images": int(rows[name]["images"]) if name in rows else 0,
        }
        for name in level_names(cloud_edges(project))
    ]


def _regions(store: Store, project: Project, scored: Scored) -> list[str]:
    held = set(scored.tile_ids.tolist())
    return sorted({t.region for t in catalogue.tiles(store, project.id) if t.id in held})


def _number(value: Any) -> float | None:  # noqa: ANN401  # numpy scalars of several kinds
    return round(float(value), 4) if np.isfinite(value) else None
