import pytest
from sqlalchemy.exc import IntegrityError

from core import jobs
from core.errors import JobError, NotFound
from core.records import JobState
from core.store.engine import Store
from core.store.tables import JobRow


def test_jobs_get_their_turn_by_age_and_one_at_a_time(store: Store) -> None:
    first, second = jobs.add(store, "train", {"n": 1}), jobs.add(store, "train", {"n": 2})
    other = jobs.add(store, "import", {}, device="disk")
    attempt = jobs.claim(store)
    assert attempt is not None and attempt.job_id == first.id
    assert jobs.claim(store) is None
    on_disk = jobs.claim(store, "disk")
    assert on_disk is not None and on_disk.job_id == other.id
    assert [j.id for j in jobs.queue(store)] == [first.id, other.id, second.id]
    assert jobs.finish(store, attempt, JobState.DONE, "Done", {"x": 1})
    done = jobs.job(store, first.id)
    assert (done.state, done.progress, done.result) == (JobState.DONE, 1.0, {"x": 1})
    assert done.ended_at is not None
    following = jobs.claim(store)
    assert following is not None and following.job_id == second.id


def test_the_database_refuses_two_running_jobs_on_a_device(store: Store) -> None:
    with pytest.raises(IntegrityError), store.write() as session:
        for _ in range(2):
            session.add(JobRow(kind="train", state="running", payload={}))


def test_only_the_newest_attempt_may_write(store: Store) -> None:
    added = jobs.add(store, "train", {})
    old = jobs.claim(store)
    assert old is not None
    assert jobs.lost(store, old, "Gone").state is JobState.QUEUED
    new = jobs.claim(store)
    assert new is not None and new.token != old.token
    assert jobs.begin(store, old, 1) is None
    assert not jobs.beat(store, old)
    assert not jobs.finish(store, old, JobState.DONE, "Done")
    assert jobs.lost(store, old, "Gone").state is JobState.RUNNING
    assert jobs.begin(store, new, 2) is not None and jobs.beat(store, new)
    assert jobs.job(store, added.id).state is JobState.RUNNING


def test_a_lost_job_starts_once_more_and_then_fails_with_the_reason(store: Store) -> None:
    added = jobs.add(store, "train", {})
    for _ in range(2):
        attempt = jobs.claim(store)
        assert attempt is not None
        jobs.lost(store, attempt, "Its process was killed")
    assert jobs.claim(store) is None
    failed = jobs.job(store, added.id)
    assert failed.state is JobState.FAILED
    assert failed.message.startswith("Its process was killed, 2 times")


def test_a_waiting_job_is_cancelled_at_once(store: Store) -> None:
    added = jobs.add(store, "train", {})
    assert jobs.cancel(store, added.id).state is JobState.CANCELLED
    assert jobs.claim(store) is None
    assert jobs.cancel(store, added.id).message == "Cancelled before it started"


def test_a_running_job_is_asked(store: Store) -> None:
    added = jobs.add(store, "train", {})
    attempt = jobs.claim(store)
    assert attempt is not None
    assert jobs.cancel(store, added.id).state is JobState.RUNNING
    (running,) = jobs.running(store)
    assert running.cancel_asked
    assert jobs.lost(store, attempt, "Gone").state is JobState.CANCELLED  # not started again
    assert jobs.cancel(store, added.id).state is JobState.CANCELLED


def test_a_done_job_stays_done(store: Store) -> None:
    added = jobs.add(store, "train", {})
    attempt = jobs.claim(store)
    assert attempt is not None
    jobs.finish(store, attempt, JobState.DONE, "Done")
    jobs.cancel(store, added.id)
    jobs.lost(store, attempt, "Gone")
    assert jobs.job(store, added.id).state is JobState.DONE


def test_jobs_are_listed_newest_first_by_kind(store: Store) -> None:
    ids = [jobs.add(store, kind, {}).id for kind in ("train", "predict", "train")]
    assert [j.id for j in jobs.jobs(store)] == ids[::-1]
    assert [j.id for j in jobs.jobs(store, kind="train")] == [ids[2], ids[0]]
    assert jobs.jobs(store, 99) == []


def test_unknown_jobs_are_named(store: Store) -> None:
    for ask in (jobs.job, jobs.cancel):
        with pytest.raises(NotFound, match="job 77"):
            ask(store, 77)


def test_payloads_name_what_is_missing() -> None:
    with pytest.raises(JobError, match="no tile, model"):
        jobs.check_payload("predict", {"x": 1}, "tile", "model", "x")
