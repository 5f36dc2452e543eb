"""Keeps measured figures in `docs/benchmarks.json` and writes `docs/benchmarks.md` from them."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench._models_tables import tables, write

DOCS = Path(__file__).resolve().parents[2] / "docs"
RECORDS = DOCS / "benchmarks.json"
PAGE = DOCS / "benchmarks.md"

# What figures are meant to keep to: at most this, unless it says otherwise.
BOUNDS = {
    "pointer_move_p95_1024": "1 ms",
    "pointer_move_p95_4096": "2 ms",
    "draw_p95_1024": "9 ms",
    "draw_p95_4096": "16 ms",
    "frame_slow_share_1024": "2 %",
    "frame_slow_share_4096": "2 %",
    "stroke_ack_median_1024": "20 ms",
    "stroke_ack_median_4096": "35 ms",
    "stroke_ack_p95_1024": "60 ms",
    "stroke_ack_p95_4096": "100 ms",
    "fill_all_1024": "50 ms",
    "fill_all_4096": "400 ms",
    "tile_open_2000_1024": "0.5 s",
    "tile_open_2000_4096": "1 s",
    "undo_p95_1024": "20 ms",
    "undo_p95_4096": "30 ms",
    "stroke_bytes_mean_1024": "3 kB",
    "browser_memory_1024": "150 MB",
    "browser_memory_4096": "500 MB",
    "soak_growth": "10 %",
    "crowd_ack_p95": "150 ms",
    "open_10980": "2 s",
    "open_40000": "2 s",
    "pan_slow_share_10980": "2 %",
    "pan_slow_share_10980_from_afar": "2 %",
    "pan_slow_share_40000": "2 %",
    "pan_slow_share_40000_from_afar": "2 %",
    "suggest_ready": "500 ms",
    "suggest_ready_max": "500 ms",
    "http_ack_median": "30 ms",
    "http_ack_p95": "100 ms",
    "replay_500": "300 ms",
    "matrix_speedup": "at least 10",
    "matrix_speedup_5000": "at least 10",
    "share_of_bare_unet": "at least 85 %",
    "share_of_bare_unet_probabilities": "at least 85 %",
    "import_40000_seconds": "180 s",
    "import_memory": "800 MB",
    "import_memory_growth": "100 MB",
    "browser_page": "1 s",
    "demo_build": "30 s",
    "first_page": "10 s",
    "page_change": "1 s",
    "seconds": "120 s",
}

MODELS = "models"
"""The benchmark whose runs are kept one by one and shown as tables."""

INTRO = """# Benchmarks

Each benchmark runs with `.venv/bin/python -m tests.bench NAME` and prints one JSON object as its
last line; with `--record` it also writes its part of this page. Times are of a shared two-core
machine and swing between runs: read orders of magnitude, and measure again on yours.
"""


def record(name: str, figures: dict[str, Any]) -> None:
    """Keep the figures of one benchmark and write the page anew."""
    known = json.loads(RECORDS.read_text()) if RECORDS.exists() else {}
    if name == MODELS:
        from tests.bench.models import kept_runs

        write(kept_runs())
        PAGE.write_text(page(known))
        return
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
    sections = [section(name, known[name]) for name in sorted(known)]
    return "\n".join([INTRO, *sections, f"## {MODELS}", "", tables()])


def section(name: str, found: dict[str, Any]) -> str:
    """Return the section of one benchmark: where, when, and a row for each figure."""
    rows = [
        f"| `{figure}` | {got['value']:.4g} {got['unit']} | {got['n']} | {BOUNDS.get(figure, '')} |"
        for figure, got in sorted(found["figures"].items())
    ]
    head = ["| figure | measured | n | bound |", "|---|---|---|---|"]
    what = f"`.venv/bin/python -m tests.bench {name}`, {found['date']}, {found['machine']}."
    return "\n".join([f"## {name}", "", what, "", *head, *rows, ""])
