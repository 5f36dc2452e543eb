"""What corrections gain: the land-cover demo, six tiles painted true, retrained and compared.

A painted tile is then verified, as a person does who has looked at all of it: pixels that were
right and pixels that were changed count alike. The strokes go through the edit route of a running
app, as the browser sends them. For each seed
one job trains twice from the same start on the same tiles with the same steps: on the corrected
labels, and on the labels as they came (the control). Gain is the difference of validation mIoU.
"""

import json
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from app.access import mint
from core import catalogue, history, jobs
from core.grid import whole
from core.patch import encode_runs
from core.records import Job, JobState, Person, Project, Tile
from core.settings import Settings, load_settings
from core.store.engine import Store, open_store
from models.demo import build_land_cover
from models.request import RetrainRequest
from models.validation_set import read_truth
from tests.bench._figures import figure
from tests.live import live_app

SEEDS = (0, 1, 2)
TILES = 6
PATIENCE_SECONDS = 1800

Figures = dict[str, dict[str, Any]]


def run() -> Figures:
    """Return gain over the control with its spread, and the seconds of a default run."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(workspace=Path(folder) / "workspace")
        store = open_store(settings)
        project = build_land_cover(store, settings)
        with live_app(settings.workspace, "--no-demo") as app:
            person = catalogue.ensure_person(store, "Benchmark")
            painted = sum(
                paint_true(store, app.url, project, person, t) for t in chosen(store, project)
            )
            results = [_retrain(store, settings, project, seed) for seed in SEEDS]
    print(json.dumps([{k: r[k] for k in ("scores", "notes", "device")} for r in results]))
    gains = {sky: [_gain(result, sky) for result in results] for sky in ("all", "clear")}
    seconds = [result["seconds"] - _control_seconds(result) for result in results]
    n = len(SEEDS)
    return {
        "gain_over_control": figure(mean(gains["all"]), "mIoU", n),
        "gain_over_control_spread": figure(stdev(gains["all"]), "mIoU", n),
        "gain_over_control_lowest": figure(min(gains["all"]), "mIoU", n),
        "gain_over_control_clear": figure(mean(gains["clear"]), "mIoU", n),
        "gain_over_control_clear_spread": figure(stdev(gains["clear"]), "mIoU", n),
        "seconds": figure(max(seconds), "s", n),
        "painted_pixels": figure(painted, "px", TILES),
    }


def chosen(store: Store, project: Project) -> list[Tile]:
    """Return six training tiles, spread over the regions in name order."""
    by_region: dict[str, list[Tile]] = {}
    for tile in catalogue.tiles(store, project.id):
        if tile.trainable:
            by_region.setdefault(tile.region, []).append(tile)
    rounds = zip(*by_region.values(), strict=False)
    return [tile for one_each in rounds for tile in one_each][:TILES]


def paint_true(store: Store, url: str, project: Project, person: Person, tile: Tile) -> int:
    """Paint what the label got wrong, a stroke per class, and verify; return the pixels painted."""
    truth = read_truth(store, project, tile)
    assert truth is not None
    wrong = truth != history.original(store, tile.id)
    codes = np.unique(truth[wrong]).tolist()
    strokes = [("brush", wrong & (truth == code), code) for code in codes]
    token = mint(store, person.id, project.id, "edit")
    box = whole(tile.grid)
    for seq, (tool, mask, code) in enumerate([*strokes, ("verify", np.ones_like(wrong), None)]):
        body = {
            "client_id": f"bench-{tile.id}",
            "seq": seq,
            "base_version": catalogue.tile(store, tile.id).version,
            "tool": tool,
            "to_class": code,
            "box": [box.y0, box.x0, box.h, box.w],
            "mask": encode_runs(mask).tolist(),
        }
        assert _post(f"{url}/tile/{tile.id}/edits", body, token)["status"] == "saved"
    assert (history.current(store, tile.id).labels == truth).all()
    return int(wrong.sum())


def _post(url: str, body: dict[str, Any], token: str) -> Any:
    headers = {"X-Cloudbrush-Token": token, "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def _retrain(store: Store, settings: Settings, project: Project, seed: int) -> dict[str, Any]:
    request = RetrainRequest(name=f"seed {seed}", seed=seed, control=True)
    job = wait_for(store, jobs.submit(store, settings, "train", request.payload(), project.id))
    assert job.state is JobState.DONE, job.message
    return job.result


def wait_for(store: Store, job: Job) -> Job:
    """Return a job once it has ended."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while job.state in (JobState.QUEUED, JobState.RUNNING):
        assert time.monotonic() < give_up, f"still {job.message} after {PATIENCE_SECONDS} s"
        time.sleep(0.5)
        job = jobs.job(store, job.id)
    return job


def _gain(result: dict[str, Any], sky: str) -> float:
    by_id = {found["model_id"]: found[sky]["miou"] for found in result["scores"].values()}
    return float(by_id[result["model_id"]] - by_id[result["control_id"]])


def _control_seconds(result: dict[str, Any]) -> float:
    return float(sum(s for name, s in result["arm_seconds"].items() if name.endswith("control")))
