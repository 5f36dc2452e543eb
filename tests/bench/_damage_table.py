"""The tables of `docs/damage-models.md`, from the runs kept in `docs/damage-models.json`."""

import json
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
RUNS, PAGE = DOCS / "damage-models.json", DOCS / "damage-models.md"
BEGIN, END = "<!-- study begins -->", "<!-- study ends -->"
CLASSES = ("background", "intact", "damaged", "destroyed")
WAYS = {"pixels": "as it is", "threshold": "vote by threshold", "majority": "vote by majority"}

Run = dict[str, Any]


def add(run: Run) -> None:
    """Keep a run, in place of one of the same row, event and seed; write the page anew."""
    name = _name(run)
    runs = [kept for kept in read() if _name(kept) != name]
    runs.append(run)
    RUNS.write_text(json.dumps(runs, indent=1) + "\n")
    write()


def write() -> None:
    """Write the tables between their marks on the page."""
    text = PAGE.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{tables(read())}{END}{after}")


def read() -> list[Run]:
    """Return the runs that are kept."""
    found: list[Run] = json.loads(RUNS.read_text()) if RUNS.exists() else []
    return found


def tables(runs: list[Run]) -> str:
    """Return the rows as Markdown, in per cent, the mean over events and seeds."""
    by_row: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_row[run["row"]].append(run)
    heads = ["network", "mIoU", *CLASSES, "localisation F1", "damage F1", "buildings F1"]
    lines = [[*heads, "buildings right", "parameters", "steps", "runs"]]
    votes = [
        [
            "network",
            *(f"{what}, {way}" for what in ("mIoU", "buildings F1") for way in WAYS.values()),
        ]
    ]
    for row, found in sorted(by_row.items(), key=lambda item: -_mean(item[1], "miou")):
        classes = [mean(run["scores"]["pixels"]["iou"][k] for run in found) for k in range(4)]
        names = ("localisation_f1", "damage_f1", "building_mean_f1", "buildings_right")
        values = [_mean(found, "miou"), *classes, *(_mean(found, name) for name in names)]
        steps = round(mean(run["steps"] for run in found))
        counts = [f"{found[0]['parameters']:,}", str(steps), str(len(found))]
        lines.append([row, *_percent(values), *counts])
        both = [_mean(found, what, way) for what in ("miou", "building_mean_f1") for way in WAYS]
        votes.append([row, *_percent(both)])
    return f"{_markdown(lines)}\nThe same maps, finished in three ways:\n\n{_markdown(votes)}"


def _name(run: Run) -> tuple[str, str, int]:
    return run["row"], run["event"], run["seed"]


def _mean(runs: list[Run], what: str, way: str = "pixels") -> float:
    return float(mean(run["scores"][way][what] for run in runs))


def _percent(values: list[float]) -> list[str]:
    return [f"{100 * value:.1f}" for value in values]


def _markdown(lines: list[list[str]]) -> str:
    rows = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)
