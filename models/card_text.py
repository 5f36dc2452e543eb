"""A model card in words: where the model is not to be trusted, as a page, and as files."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import NotFound
from core.presets import FIGURES
from core.records import ModelRecord

FEW_TILES = 10

USED = {
    "weighted": "all, each pixel by where it comes from",
    "alike": "all of a weight above 0, every pixel alike",
    "mixed": "all, every pixel alike",
    "corrected": "of tiles that are done or verified as a whole, every pixel alike",
}
SPLITS = {
    "project": "validation tiles",
    "random": "training tiles drawn at random",
    "region": "whole regions",
    "event": "whole events",
}


def onnx_path(record: ModelRecord) -> Path:
    """Return where the ONNX file of a model lies, whether it was made or not."""
    return record.weights_path.with_suffix(".onnx")


def limits(card: Mapping[str, Any]) -> list[str]:
    """Return in plain words what follows from the facts of a card about where not to trust it."""
    found: list[str] = []
    learnt = card["learnt_from"]
    if learnt is None:
        found.append("It came as files: what it learnt from is not recorded here.")
    else:
        found += _limits_of_learning(learnt, card)
    found += _limits_of_scores(card["scores"], card["classes"])
    if "optical" in card["inputs"] and len(card["inputs"]) == 1:
        found.append("It sees optical images alone: under clouds it sees clouds.")
    return found


def _limits_of_learning(learnt: Mapping[str, Any], card: Mapping[str, Any]) -> list[str]:
    found = []
    pixels = learnt.get("class_px")
    if pixels is not None:
        never = [name for code, name in card["classes"].items() if not pixels.get(code)]
        if never:
            found.append(f"Never saw these classes: {', '.join(never)}.")
    if not learnt.get("corrected_px"):
        found.append("Learnt from labels as they came: nobody had corrected a pixel of them.")
    if "optical" in card["inputs"]:
        unseen = [name for name, count in learnt["images_by_cover"].items() if not count]
        if unseen:
            found.append(f"Never saw an image with a cloud cover of {', '.join(unseen)}.")
    if learnt["regions"]:
        found.append(f"Learnt from {', '.join(learnt['regions'])} and from no other region.")
    return found


def _limits_of_scores(
    measured: Sequence[Mapping[str, Any]], classes: Mapping[str, str]
) -> list[str]:
    if not measured:
        return ["It has not been scored: how good it is is not known."]
    found = []
    if {m["reference"] for m in measured} == {"pseudo"}:
        found.append("Scored against pseudo-labels only, which hold the errors it may have learnt.")
    best = measured[0]
    if best["tiles"] < FEW_TILES:
        found.append(f"Scored on {best['tiles']} tiles: too few to tell small differences.")
    lacking = [row["class"] for row in best["by_class"] if not row["pixels"]]
    if lacking:
        found.append(f"Not scored for lack of reference pixels: {', '.join(lacking)}.")
    dark = [row["cover"] for row in best["by_cloud"] if not row["images"]]
    if dark:
        found.append(f"Not scored under a cloud cover of {', '.join(dark)}.")
    return found


def as_markdown(card: Mapping[str, Any]) -> str:
    """Return a card as a page of Markdown."""
    network, data = card["network"], card["data"]
    lines = [
        f"# {card['name']}",
        "",
        f"- Network: {network['title']} ({_options(network['options'])})",
        *(
            f"- {label}: {network[key]}"
            for key, label in (
                ("parameters", "Parameters"),
                ("source", "Source of the network"),
                ("published", "Published"),
                ("our_choices", "Our choice"),
                ("licence_of_the_source", "Licence of the source's code"),
            )
            if network.get(key)
        ),
        f"- Inputs: {', '.join(f'{m} ({n} bands)' for m, n in card['inputs'].items())}",
        f"- Classes: {', '.join(f'{code} {name}' for code, name in card['classes'].items())}",
        f"- Views a map is the mean of: {card['predicts']['views']}"
        f" ({card['predicts']['views_are']})",
        f"- Made: {card['made']}, project {card['project']}",
        *([f"- After: {', '.join(card['parents'])}"] if card["parents"] else []),
        f"- Dataset: {data['dataset']}; licence: {data['licence']}",
        f"- Weights: {card['weights']['licence']}; sha256 `{card['weights']['sha256']}`",
        "",
        "## Limits",
        "",
        *(f"- {line}" for line in card["limits"]),
        *_learnt_lines(card["learnt_from"], card["classes"]),
        *(line for measured in card["scores"] for line in _score_lines(measured)),
        "",
        f"Scoring: {card['scoring_rules']}",
        *_training_lines(card["training"]),
    ]
    return "\n".join(lines) + "\n"


def _options(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{k} {v}" for k, v in options.items()) or "no options"


def _learnt_lines(learnt: Mapping[str, Any] | None, classes: Mapping[str, str]) -> list[str]:
    if learnt is None:
        return []
    lines = [
        "",
        "## Learnt from",
        "",
        f"- {learnt['tiles']} tiles, {learnt['corrected_px']:,} corrected pixels",
        f"- Regions: {', '.join(learnt['regions']) or 'not recorded'}",
        f"- Images by cloud cover: {_options(learnt['images_by_cover'])}",
    ]
    if learnt.get("class_px"):
        named = {classes.get(code, code): f"{px:,}" for code, px in learnt["class_px"].items()}
        lines.append(f"- Pixels by class: {_options(named)}")
    lines += _label_lines(learnt)
    versions = ", ".join(f"{name} v{version}" for name, version in learnt["versions"].items())
    return [*lines, f"- Label versions: {versions}", f"- Labels: sha256 `{learnt['sha256']}`"]


def _label_lines(learnt: Mapping[str, Any]) -> list[str]:
    """Return which labels were used, and the weights where pixels counted by them.

    Cards older than that choice hold weights whether or not they counted.
    """
    use, weights = str(learnt.get("labels") or ""), learnt.get("weights")
    came = ", as they came: a control" if learnt.get("as_they_came") else ""
    key = "alike" if use == "weighted" and not weights else use
    lines = [f"- Labels used: {USED.get(key, key)}{came}"] if use else []
    if not weights:
        return lines
    unsure = "" if use else " (whether pixels counted by it is not recorded)"
    return [*lines, f"- Weight of a pixel by where it comes from: {_options(weights)}{unsure}"]


def _score_lines(measured: Mapping[str, Any]) -> list[str]:
    mean = FIGURES[measured["mean"]].title if measured["mean"] in FIGURES else measured["mean"]
    lines = [
        "",
        f"## Scores against {measured['reference_is']}",
        "",
        f"{mean} {_shown(measured['score'])} on {measured['tiles']} tiles of "
        f"{', '.join(measured['regions'])}.",
        "",
        "| class | IoU | interval | F1 | reference pixels |",
        "|---|---|---|---|---|",
        *(
            f"| {r['class']} | {_shown(r['iou'])} | {_shown(r['from'])} to {_shown(r['to'])} "
            f"| {_shown(r['f1'])} | {r['pixels']:,} |"
            for r in measured["by_class"]
        ),
    ]
    lines += _damage_lines(measured) if "damage" in measured else []
    if measured["by_cloud"]:
        lines += [
            "",
            f"| cloud cover | {mean} | interval | images |",
            "|---|---|---|---|",
            *(
                f"| {r['cover']} | {_shown(r['score'])} | {_shown(r['from'])} to "
                f"{_shown(r['to'])} | {r['images']} |"
                for r in measured["by_cloud"]
            ),
        ]
    return lines


def _damage_lines(measured: Mapping[str, Any]) -> list[str]:
    """Return what damage is judged by beside IoU: figures over pixels, and scores by building."""
    figures = [f"- {title}: {_shown(value)}" for title, value in measured["damage"].items()]
    if not measured["by_building"]:
        return ["", *figures]
    return [
        "",
        *figures,
        "",
        "| buildings by class of most of their pixels | F1 | precision | recall | counted |",
        "|---|---|---|---|---|",
        *(
            f"| {r['class']} | {_shown(r['f1'])} | {_shown(r['precision'])} "
            f"| {_shown(r['recall'])} | {r['buildings']:,} |"
            for r in measured["by_building"]
        ),
    ]


def _training_lines(training: Mapping[str, Any]) -> list[str]:
    if not training["config"]:
        return []
    config = json.dumps(training["config"], indent=1, default=str)
    head = f"{training['recipe']} on {training['device']}".strip() if training["device"] else ""
    asked, split = training.get("recipe_settings"), training.get("split")
    facts = [f"- Settings of the recipe: {_options(asked)}"] if asked else []
    facts += _split_lines(split) if split else []
    return [
        *["", "## Training", ""],
        *([head, ""] if head else []),
        *([*facts, ""] if facts else []),
        *["```json", config, "```"],
    ]


def _split_lines(split: Mapping[str, Any]) -> list[str]:
    held = split["held_out"]
    lines = [f"- Split: {SPLITS.get(split['by'], split['by'])}"]
    if held:
        lines.append(f"- Held out of learning: {', '.join(held)}")
    return [*lines, f"- Watched while it learnt: {', '.join(split['watched']) or 'nothing'}"]


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def zipped(card: Mapping[str, Any], weights: Path) -> bytes:
    """Return a zip of the weights, their card as this app reads it, and the card as a page.

    Raises `NotFound` when the weights are gone.
    """
    own = weights.with_suffix(".json")
    if not weights.exists() or not own.exists():
        raise NotFound(f"weights of {card['name']}", todo="Train the model again.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.write(weights, "model.safetensors")
        archive.write(own, "model.json")
        archive.writestr("card.json", json.dumps(card, indent=1))
        archive.writestr("card.md", as_markdown(card))
    return buffer.getvalue()
