"""Keeps measured figures in `docs/benchmarks.json` and writes `docs/benchmarks.md` from them."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs"
RECORDS = DOCS / "benchmarks.json"
PAGE = DOCS / "benchmarks.md"

# What each figure must keep to, in the words of the table; figures without one have no bound.
BOUNDS = {
    "stroke_ack_median": "under 30 ms",
    "stroke_ack_p95": "under 100 ms",
    "http_ack_median": "under 30 ms",
    "http_ack_p95": "under 100 ms",
    "crowd_ack_p95": "under 150 ms",
    "frame_slow_share": "at most 2 %",
    "tile_open": "under 1 s",
    "replay_500": "under 300 ms",
    "matrix_speedup": "at least 10",
    "demo_build": "under 30 s",
    "first_page": "under 10 s",
    "page_change": "under 1 s",
    "seconds": "under 120 s",
}

INTRO = """# Benchmarks

Each benchmark runs with `.venv/bin/python -m tests.bench NAME` and prints one JSON object as its
last line; with `--record` it also writes its part of this page. Times are of a shared two-core
machine and swing between runs: read orders of magnitude, and measure again on yours.
"""


def record(name: str, figures: dict[str, Any]) -> None:
    """Keep the figures of one benchmark and write the page anew."""
    known = json.loads(RECORDS.read_text()) if RECORDS.exists() else {}
    known[name] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}",
        "figures": figures,
    }
    RECORDS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    PAGE.write_text(page(known))


def page(known: dict[str, Any]) -> str:
    """Return the page for all that is known."""
    return "\n".join([INTRO, *(section(name, known[name]) for name in sorted(known))])


def section(name: str, found: dict[str, Any]) -> str:
    """Return the section of one benchmark: where, when, and a row for each figure."""
    rows = [
        f"| `{figure}` | {got['value']:.4g} {got['unit']} | {got['n']} | {BOUNDS.get(figure, '')} |"
        for figure, got in sorted(found["figures"].items())
    ]
    head = ["| figure | measured | n | bound |", "|---|---|---|---|"]
    what = f"`.venv/bin/python -m tests.bench {name}`, {found['date']}, {found['machine']}."
    return "\n".join([f"## {name}", "", what, "", *head, *rows, ""])
