"""Jobs run one after another, once each, whoever looks; what goes wrong with one is told and stops no other."""

import threading
import time
from collections.abc import Callable

from rag.errors import IndexLocked
from ui.jobs import Job, Jobs, Outcome, Progress, State


def _until(true: Callable[[], bool], within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _ended(jobs: Jobs, job: Job) -> Job:
    _until(lambda: (found := jobs.find(job.id)) is not None and found.over)
    found = jobs.find(job.id)
    assert found is not None
    return found


def test_a_job_tells_how_far_it_is_and_what_came_of_it() -> None:
    go = threading.Event()

    def work(progress: Progress) -> tuple[Outcome, ...]:
        progress("embed", 3, 9)
        go.wait(5)
        return (Outcome(name="a.pdf", good=True, what="added"),)

    jobs = Jobs()
    job = jobs.start("Adding", work)
    _until(lambda: (now := jobs.find(job.id)) is not None and now.done == 3)
    running = jobs.find(job.id)
    assert running is not None
    assert (running.state, running.step, running.total, jobs.busy) == (State.RUNNING, "embed", 9, True)
    go.set()
    ended = _ended(jobs, job)
    assert (ended.state, ended.outcomes[0].name, jobs.busy) == (State.DONE, "a.pdf", False)


def test_what_waits_or_runs_is_not_taken_twice_and_afterwards_it_is() -> None:
    go, runs = threading.Event(), []

    def work(_: Progress) -> tuple[Outcome, ...]:
        runs.append(1)
        go.wait(5)
        return ()

    jobs = Jobs()
    first = jobs.start("Indexing", work)
    assert jobs.start("Indexing", work).id == first.id
    go.set()
    _ended(jobs, first)
    assert len(runs) == 1
    _ended(jobs, jobs.start("Indexing", work))
    assert len(runs) == 2


def test_jobs_never_overlap_and_keep_their_order() -> None:
    running, most, order = [], [], []

    def work(name: str) -> Callable[[Progress], tuple[Outcome, ...]]:
        def do(_: Progress) -> tuple[Outcome, ...]:
            running.append(name)
            most.append(len(running))
            time.sleep(0.01)
            running.remove(name)
            order.append(name)
            return ()

        return do

    jobs = Jobs()
    started = [jobs.start(f"job {n}", work(f"job {n}")) for n in range(5)]
    for job in started:
        _ended(jobs, job)
    assert max(most) == 1
    assert order == [job.title for job in started]


def test_a_failure_is_told_with_its_hint_and_the_next_job_runs() -> None:
    def locked(_: Progress) -> tuple[Outcome, ...]:
        raise IndexLocked("Another process writes.")

    def broken(_: Progress) -> tuple[Outcome, ...]:
        raise ZeroDivisionError("secret detail")

    jobs = Jobs()
    first, second = _ended(jobs, jobs.start("a", locked)), _ended(jobs, jobs.start("b", broken))
    assert (first.state, first.failure) == (State.FAILED, "Another process writes.")
    assert first.hint.startswith("Wait for")
    assert second.state is State.FAILED
    assert "inside Waymark (id " in second.failure
    assert "secret" not in second.failure
    assert _ended(jobs, jobs.start("c", lambda _: ())).state is State.DONE


def test_old_jobs_are_forgotten() -> None:
    jobs = Jobs()
    for n in range(40):
        _ended(jobs, jobs.start(str(n), lambda _: ()))
    assert len(jobs.all()) <= 21
    assert jobs.all()[0].title == "39"
