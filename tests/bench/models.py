"""Networks, losses and recipes against each other: many short runs, kept one by one.

`--budget MINUTES` is how long to go on; a later call does what is still missing. Every run trains
on one core for `SECONDS` of processor time, so that as many run at once as there are cores. Runs
are kept in `out/benchmark-models.json`; `--record` takes them into the docs.
"""

import json
import math
import os
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from core.errors import CloudbrushError
from tests.bench._models_rows import ROWS, Row
from tests.bench._models_tables import RECORDS, figures

KEPT = Path(__file__).resolve().parents[2] / "out" / "benchmark-models.json"
A_RUN_SECONDS = 75.0
"""What a run takes with reading and scoring: none is started that would end after the budget."""

Runs = dict[str, dict[str, Any]]


def run(budget: float = 10.0) -> dict[str, dict[str, Any]]:
    """Do missing runs for `budget` minutes; return the mean of each row's main number."""
    from tests.bench._larger_demo import larger_demo

    runs = kept_runs()
    larger_demo()  # drawn once, before several processes ask for it
    ends = time.monotonic() + 60 * budget
    wanted = [(row, seed) for row in ROWS for seed in row.seeds]
    missing = [(row, seed) for row, seed in wanted if row.runs[seed] not in runs]
    missing.sort(key=lambda each: each[1])  # the first seeds of all rows before further ones
    print(f"{len(missing)} of {len(wanted)} runs are missing", flush=True)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        going: dict[Future[dict[str, Any]], tuple[Row, int]] = {}
        while missing or going:
            while missing and len(going) < (os.cpu_count() or 1) and _in_time(ends):
                row, seed = missing.pop(0)
                going[pool.submit(_work, row, seed)] = (row, seed)
            if not going:
                break
            for done in wait(going, return_when=FIRST_COMPLETED).done:
                row, seed = going.pop(done)
                _keep(runs, row, seed, _result(done))
    return figures(runs)


def _result(done: Future[dict[str, Any]]) -> dict[str, Any]:
    """Return what a run found; one that found nothing to learn from says so in the tables."""
    try:
        return done.result()
    except CloudbrushError as error:
        return {"main": math.nan, "failed": str(error)}


def kept_runs() -> Runs:
    """Return the runs that were done before: those kept here, else those of the docs."""
    for path in (KEPT, RECORDS):
        if path.exists():
            found: Runs = json.loads(path.read_text())
            return found
    return {}


def _in_time(ends: float) -> bool:
    return time.monotonic() + A_RUN_SECONDS < ends


def _keep(runs: Runs, row: Row, seed: int, result: Mapping[str, Any]) -> None:
    """Keep one run at once: a benchmark that is stopped loses at most the runs that are going."""
    runs[row.runs[seed]] = {**result, "date": datetime.now(UTC).date().isoformat()}
    KEPT.parent.mkdir(exist_ok=True)
    unfinished = KEPT.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(dict(sorted(runs.items())), indent=1) + "\n")
    unfinished.replace(KEPT)
    print(f"{row.table}: {row.name}, seed {seed}: {result['main']:.3f}", flush=True)


def _work(row: Row, seed: int) -> dict[str, Any]:
    """Do one run, in a process of its own."""
    from tests.bench._models_work import WORK

    return WORK[row.work](row.asked, seed)
