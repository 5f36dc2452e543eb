"""A training job whose process is killed goes on where it was, and keeps one model per arm."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch

from core import jobs, trained
from core.records import JobState, Project
from core.runner import Runner
from core.settings import Settings
from core.store.engine import Store
from models.registry import load_model
from models.resume import Resume
from tests.models.conftest import run_task

PATIENCE_SECONDS = 180.0


def until(happened: Callable[[], bool], each: Callable[[], object]) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < give_up, "waited too long"
        each()
        time.sleep(0.02)


@pytest.mark.soak
def test_a_killed_training_job_goes_on(
    store: Store,
    settings: Settings,
    project: Project,
    quick_recipe: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed in its second arm: the first is not trained again, the second goes on."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    payload = {**quick_recipe, "steps": 60, "control": True}
    whole = run_task(store, settings, project, "train", **payload, name="Whole")
    runner = Runner(store, settings, "tests.models.train_worker")
    added = jobs.add(store, "train", {**payload, "name": "Killed"}, project_id=project.id)
    try:
        until(
            lambda: any(p.get("arm") == "control" for p in jobs.events(store, added.id)),
            runner.tick,
        )
        (running,) = jobs.running(store)
        assert running.pid is not None
        os.kill(running.pid, signal.SIGKILL)
        states = {JobState.DONE, JobState.FAILED}
        until(lambda: jobs.job(store, added.id).state in states, runner.tick)
    finally:
        for child in runner.children.values():
            child.kill()
            child.wait()
    job = jobs.job(store, added.id)
    assert job.state is JobState.DONE, job.message
    assert any("Went on from step" in note for note in job.result["notes"])
    names = [record.name for record in trained.models(store, project.id)]
    assert sorted(names) == ["Killed", "Killed, control", "Whole", "Whole, control"]
    for key in ("model_id", "control_id"):
        first, second = (
            load_model(trained.model(store, result[key])).network.state_dict()
            for result in (whole, job.result)
        )
        assert all(torch.equal(first[name], second[name]) for name in first)
    points = [(p["arm"], p["step"]) for p in jobs.events(store, added.id)]
    assert len(points) == len(set(points)) and ("control", 60) in points
    assert not Resume(context_of(store, settings, added.id)).folder.exists()


def context_of(store: Store, settings: Settings, job_id: int) -> jobs.JobContext:
    job = jobs.job(store, job_id)
    return jobs.JobContext(store, settings, job, jobs.Attempt(job.id, "none"))


def test_what_ended_jobs_left_is_cleared(
    store: Store, settings: Settings, project: Project
) -> None:
    ended, waiting, mine = (jobs.add(store, "train", {}, project_id=project.id) for _ in range(3))
    jobs.cancel(store, ended.id)
    folder = store.folder("checkpoints")
    for job_id in (ended.id, waiting.id, mine.id, 999):
        (folder / f"job-{job_id}").mkdir()
    (folder / "notes").mkdir()
    resume = Resume(context_of(store, settings, mine.id))
    left = {path.name for path in folder.iterdir()}
    assert left == {f"job-{waiting.id}", f"job-{mine.id}", "notes"}
    resume.forget()
    assert not resume.folder.exists()


def test_an_ended_job_leaves_no_checkpoint_and_names_itself(
    store: Store, settings: Settings, project: Project, quick_recipe: dict[str, Any]
) -> None:
    result = run_task(store, settings, project, "train", **quick_recipe)
    (job,) = jobs.jobs(store)
    resume = Resume(context_of(store, settings, job.id))
    assert not resume.folder.exists()
    made = resume.made("training")
    assert made is not None and made.id == result["model_id"]
    assert resume.made("control") is None
    assert resume.last_step("training") == 10 and resume.last_step("control") == 0
