"""The table of `docs/fusion.md`, from the runs kept in `docs/fusion.json`."""

import json
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
RUNS, PAGE = DOCS / "fusion.json", DOCS / "fusion.md"
BEGIN, END = "<!-- study begins -->", "<!-- study ends -->"

Run = dict[str, Any]


def add(run: Run) -> None:
    """Keep a run, in place of an earlier one of that row and seed, and write the page anew."""
    runs = [r for r in _runs() if (r["row"], r["seed"]) != (run["row"], run["seed"])]
    runs.append(run)
    RUNS.write_text(json.dumps(runs, indent=1) + "\n")
    write()


def write() -> None:
    """Write the table between its marks on the page."""
    text = PAGE.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{table(_runs())}{END}{after}")


def table(runs: list[Run]) -> str:
    """Return the rows as Markdown, in per cent, the mean over seeds; columns are cloud levels."""
    by_row: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_row[run["row"]].append(run)
    levels = list(runs[0]["miou"])
    heads = ["network", *levels, "average", "lost", "no optical", "core s", "steps", "runs"]
    lines = [heads, ["---"] * len(heads)]
    for row, found in by_row.items():
        scores = [100 * mean(run["miou"][level] for run in found) for level in levels]
        average = 100 * mean(run["average"] for run in found)
        blind = 100 * mean(run["missing"] for run in found)
        lost = scores[0] - scores[-1]
        numbers = [f"{value:.1f}" for value in (*scores, average, lost, blind)]
        steps = mean(run["steps"] for run in found)
        spent = mean(run["cpu_seconds"] for run in found)
        lines.append([row, *numbers, f"{spent:.0f}", f"{steps:.0f}", str(len(found))])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _runs() -> list[Run]:
    found: list[Run] = json.loads(RUNS.read_text()) if RUNS.exists() else []
    return found
