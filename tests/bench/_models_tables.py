"""The runs of the benchmark of models as tables for people, with intervals over seeds."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from core.classes import OPEN_EARTH_MAP_SAR
from tests.bench._models_findings import findings
from tests.bench._models_pairs import Runs, differences, failures, half_interval, of_row, rival_of
from tests.bench._models_rows import EARLY, ROWS, Row

RECORDS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks-models.json"

HEADS = {
    "labels": "Inputs and labels, clear images",
    "clouds": "Networks under clouds",
    "choice": "What the fusion network was chosen by",
    "noise": "Losses and recipes on pseudo-labels alone",
    "damage": "Damage networks on an event that they did not learn from",
}
SAYS = {
    "labels": "mIoU in %. P: pseudo-labels alone. P + R: with two corrected tiles per region (4 %)."
    " R: those eight tiles alone. Published: OpenEarthMap-SAR's table, five real tiles a region.",
    "clouds": "mIoU in % by cloud cover, each level counting alike in the average; *lost* is what "
    "full cover costs against a clear sky, *no optical* is the score with SAR alone given. All "
    "runs have the same time but the one of 480 steps, which takes two and a half times as long.",
    "choice": "As above, but scored on the last column but one of each region, which is not learnt "
    "from here; the tiles that the other tables score are left out. Narrow: 8, 24, 48, 96 channels "
    "per level.",
    "noise": "mIoU in %, mean over cloud levels.",
    "damage": "In %. Learnt from the true labels of two events, scored on the third, another one "
    "for each seed; F1 by building is the mean over its classes, missed and false ones counted. "
    "The last two rows learn from the demo's pseudo-labels of those events instead.",
}


def figures(runs: Runs) -> dict[str, dict[str, Any]]:
    """Return the mean of each row's main number by "table: row", in percent."""
    found = {}
    for row in ROWS:
        values = [100 * float(run["main"]) for run in of_row(runs, row)]
        if values:
            name = f"{row.table}: {row.name}"
            found[name] = {"value": round(mean(values), 2), "unit": "%", "n": len(values)}
    return found


def write(runs: Runs) -> None:
    """Keep the runs of rows that there are in the docs."""
    wanted = {name for row in ROWS for name in row.runs.values()}
    kept = {name: run for name, run in sorted(runs.items()) if name in wanted}
    RECORDS.write_text(json.dumps(kept, indent=1) + "\n")


def tables() -> str:
    """Return all tables of the runs in the docs as Markdown; empty when there are none."""
    if not RECORDS.exists():
        return ""
    runs: Runs = json.loads(RECORDS.read_text())
    parts = [*(table(head, runs) for head in HEADS), classes_under_clouds(runs)]
    return "\n".join(part for part in parts if part)


def classes_under_clouds(runs: Runs) -> str:
    """Return the IoU of each class by cloud level, of whole networks; nothing without runs."""
    rows = [row for row in ROWS if row.table == "clouds" and row.against in ("", EARLY)]
    names = [entry.name for entry in OPEN_EARTH_MAP_SAR.entries]
    lines: list[str] = []
    levels: list[str] = []
    for row in rows:
        done = of_row(runs, row)
        levels = list(done[0]["per_class"]) if done else levels
        for place, name in enumerate(names if done else []):
            values = [[100 * run["per_class"][level][place] for run in done] for level in levels]
            cells = [_number([v for v in each if math.isfinite(v)], ".1f") for each in values]
            lines.append(f"| {row.name} | {name} | {' | '.join(cells)} | {len(done)} |")
    if not lines:
        return ""
    head = f"| | class | {' | '.join(levels)} | n |"
    ruler = "|---|---|" + "---|" * (len(levels) + 1)
    says = "IoU in % by cloud cover, from the same runs as [networks under clouds]"
    says += "(#networks-under-clouds)."
    return "\n".join(["### Classes under clouds", "", says, "", head, ruler, *lines, ""])


def table(name: str, runs: Runs) -> str:
    """Return one table, or nothing where none of its rows was run."""
    rows = [(row, of_row(runs, row)) for row in ROWS if row.table == name]
    rows = [(row, done) for row, done in rows if done]
    if not rows:
        return ""
    columns = list(dict.fromkeys(key for _, done in rows for key in done[0]["shown"]))
    columns.sort(key=lambda column: column not in ("mIoU", "average"))
    gains = any(row.against for row, _ in rows)
    beside = any(row.published is not None for row, _ in rows)
    columns_after = ["gain"] * gains + ["published", "published gain"] * beside + ["steps", "n"]
    head = f"| | {' | '.join([*columns, *columns_after])} |"
    lines = []
    for row, done in rows:
        cells = [row.name, *(_cell(done, column) for column in columns)]
        cells += [_gain(row, runs)] * gains
        cells += [*_published(row)] * beside
        steps = mean(run["steps"] for run in done)
        lines.append(f"| {' | '.join([*cells, f'{steps:.0f}', str(len(done))])} |")
    total = sum(len(row.seeds) for row in ROWS if row.table == name)
    count = sum(len(done) for _, done in rows)
    says = (
        f"{SAYS[name]} Mean over seeds, ± half the 95 % interval (Student's t) of three or more; "
        "*gain* from pairs of runs with the same seed, *steps* of the kept network; "
        f"{count} of {total} runs done. "
        "`.venv/bin/python -m tests.bench models --budget 30 --record`."
    )
    ruler = "|---|" + "---|" * (len(columns) + len(columns_after))
    failed = [
        f"{row.name}, {len(reasons)} of {len(row.seeds)} seeds failed: {reasons[0]}"
        for row in ROWS
        if row.table == name and (reasons := failures(runs, row))
    ]
    told = [f"- {line}" for line in [*findings(name, runs), *failed]]
    after = [*told, ""] if told else []
    return "\n".join([f"### {HEADS[name]}", "", says, "", head, ruler, *lines, "", *after])


def _published(row: Row) -> tuple[str, str]:
    """Return the published number of a row, and how much more it is than that of its rival."""
    if row.published is None:
        return "-", "-"
    rival = rival_of(row)
    if rival is None or rival.published is None:
        return f"{row.published:.1f}", "-"
    return f"{row.published:.1f}", f"{row.published - rival.published:+.1f}"


def _gain(row: Row, runs: Runs) -> str:
    """Return how much better a row is than its rival."""
    rival = rival_of(row)
    if rival is None:
        return "-"
    values = differences(runs, row, rival)
    return _number(values, "+.1f") + (f" over {rival.name}" if values else "")


def _cell(done: Sequence[Mapping[str, Any]], column: str) -> str:
    values = [float(run["shown"][column]) for run in done if run["shown"].get(column) is not None]
    values = [100 * value for value in values if math.isfinite(value)]
    return _number(values, ".1f")


def _number(values: Sequence[float], form: str) -> str:
    """Return a mean with half of its interval, or a dash."""
    if not values:
        return "-"
    half = half_interval(values)
    return format(mean(values), form) + (f" ± {half:.1f}" if half is not None else "")
