import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core import catalogue, jobs, runner
from core.processes import environment, runner_lock
from core.records import Job, JobState
from core.runner import Runner
from core.settings import Settings, load_settings
from core.store.engine import Store
from tests.core.test_catalogue import add_project

WORKER = "tests.core.job_worker"
ENDED = {JobState.DONE, JobState.FAILED, JobState.CANCELLED}
PATIENCE_SECONDS = 60.0  # a bound against hanging for ever, not an expectation


@pytest.fixture
def queue_runner(store: Store, settings: Settings) -> Iterator[Runner]:
    """Return a runner to be ticked by hand; its workers end with the test."""
    made = Runner(store, settings, WORKER)
    yield made
    for child in made.children.values():
        child.kill()
        child.wait()


def until(happened: Callable[[], bool], each: Callable[[], object] = lambda: None) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < give_up, "waited too long"
        each()
        time.sleep(0.03)


def run_to_end(runner_: Runner, store: Store, job_id: int) -> Job:
    until(lambda: jobs.job(store, job_id).state in ENDED, runner_.tick)
    return jobs.job(store, job_id)


def test_a_job_runs_in_another_process_and_writes_its_end(
    store: Store, queue_runner: Runner
) -> None:
    added = jobs.add(store, "add", {"a": 2, "b": 3})
    done = run_to_end(queue_runner, store, added.id)
    assert done.state is JobState.DONE and done.result["sum"] == 5
    assert done.result["pid"] != os.getpid()
    points = jobs.events(store, added.id)
    assert [p["loss"] for p in points] == [1.5, 0.5]
    assert jobs.events(store, added.id, after=points[0]["id"]) == points[1:]


def test_a_running_job_stops_when_asked(store: Store, queue_runner: Runner, tmp_path: Path) -> None:
    added = jobs.add(store, "wait", {"until": str(tmp_path / "never")})
    waiting = jobs.add(store, "add", {"a": 1, "b": 1})
    until(lambda: bool(jobs.events(store, added.id)), queue_runner.tick)
    assert jobs.job(store, waiting.id).state is JobState.QUEUED  # one at a time
    jobs.cancel(store, added.id)
    assert run_to_end(queue_runner, store, added.id).state is JobState.CANCELLED
    assert run_to_end(queue_runner, store, waiting.id).state is JobState.DONE


def test_a_job_that_does_not_stop_is_killed(
    store: Store, queue_runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "GRACE_SECONDS", 0.1)
    added = jobs.add(store, "hang", {})
    until(lambda: jobs.job(store, added.id).message == "hanging", queue_runner.tick)
    jobs.cancel(store, added.id)
    assert run_to_end(queue_runner, store, added.id).state is JobState.CANCELLED
    until(lambda: not queue_runner.children, queue_runner.tick)


def test_a_job_without_heartbeat_is_killed_and_started_once_more(
    store: Store, queue_runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "SILENT_SECONDS", -1.0)
    added = jobs.add(store, "hang", {})
    failed = run_to_end(queue_runner, store, added.id)
    assert failed.state is JobState.FAILED
    assert failed.message.startswith("Gave no sign of life")


@pytest.mark.parametrize(("times", "state"), [(1, JobState.DONE), (9, JobState.FAILED)])
def test_a_killed_job_starts_once_more(
    times: int, state: JobState, store: Store, queue_runner: Runner, tmp_path: Path
) -> None:
    added = jobs.add(store, "die", {"times": times, "count": str(tmp_path / "count")})
    ended = run_to_end(queue_runner, store, added.id)
    assert ended.state is state
    if state is JobState.FAILED:
        assert "killed, perhaps because memory ran out, 2 times" in ended.message
        assert (tmp_path / "count").read_text() == "2"


def test_a_job_deleted_with_its_project_is_forgotten(
    store: Store, queue_runner: Runner, tmp_path: Path
) -> None:
    project = add_project(store)
    added = jobs.add(store, "wait", {"until": str(tmp_path / "never")}, project_id=project)
    until(lambda: bool(jobs.events(store, added.id)), queue_runner.tick)
    seen = jobs.running(store)
    catalogue.delete_project(store, project)
    for gone in seen:  # as when it was read just before
        queue_runner._lost(gone.attempt, "gone")
    until(lambda: not queue_runner.tick())
    assert jobs.jobs(store) == [] and not queue_runner.children


def test_exit_code_zero_is_no_success(store: Store, queue_runner: Runner) -> None:
    ended = run_to_end(queue_runner, store, jobs.add(store, "leave", {}).id)
    assert ended.state is JobState.FAILED and "without a word (code 0), 2 times" in ended.message


def test_errors_become_reasons(store: Store, settings: Settings, queue_runner: Runner) -> None:
    refused = run_to_end(queue_runner, store, jobs.add(store, "refuse", {}).id)
    assert refused.state is JobState.FAILED
    assert refused.message == "tile 7: found nothing; expected something. Do this."
    stumbled = run_to_end(queue_runner, store, jobs.add(store, "stumble", {"zero": 0}).id)
    assert stumbled.state is JobState.FAILED
    assert stumbled.message.startswith("Unexpected ZeroDivisionError: division by zero")
    log = settings.workspace / "logs" / f"job-{stumbled.id}.log"
    assert "Traceback" in log.read_text() and "stumble" in log.read_text()
    unknown = run_to_end(queue_runner, store, jobs.add(store, "dance", {}).id)
    assert unknown.message == "No task is named 'dance'."


def runner_pid(settings: Settings) -> int | None:
    """Return the process that holds the runner's lock, from the system's table of locks."""
    inode = (settings.workspace / "runner.lock").stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if fields[5].endswith(f":{inode}"):
            return int(fields[4])
    return None


def test_work_outlives_its_runner_and_a_new_one_adopts_it(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    gate = tmp_path / "go"
    added = jobs.add(store, "wait", {"until": str(gate)})
    following = jobs.add(store, "add", {"a": 1, "b": 2})
    jobs.ensure_runner(settings, worker=WORKER, idle_seconds=0.5)
    until(lambda: bool(jobs.events(store, added.id)))
    first = runner_pid(settings)
    assert first is not None
    jobs.ensure_runner(settings, worker=WORKER, idle_seconds=0.5)  # one is there already
    assert runner_pid(settings) == first
    os.kill(first, signal.SIGKILL)
    until(lambda: runner_pid(settings) is None)
    jobs.ensure_runner(settings, worker=WORKER, idle_seconds=0.5)
    until(lambda: runner_pid(settings) is not None)
    gate.touch()
    until(lambda: jobs.job(store, following.id).state in ENDED)
    done = jobs.job(store, added.id)
    assert done.state is JobState.DONE
    assert done.result["pid"] == jobs.events(store, added.id)[0]["pid"]  # the same process
    assert jobs.job(store, following.id).state is JobState.DONE
    until(lambda: runner_pid(settings) is None)  # idle, it leaves


def test_the_lock_is_held_once(settings: Settings) -> None:
    with runner_lock(settings) as first:
        assert first
        with runner_lock(settings) as second:
            assert not second
    with runner_lock(settings) as third:
        assert third


def test_other_processes_get_the_same_settings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wanted = load_settings(
        workspace=tmp_path / "w", data_roots=(tmp_path, tmp_path / "x"), port=8600, device="cpu"
    )
    for name, value in environment(wanted).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == wanted
