"""Work that outlives a page: indexing and whatever changes the index, one job after another in one thread.

A page that is closed stops nothing, and a job that already waits or runs is not taken a second time. Knows nothing
about indexes: it is handed functions.
"""

import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from rag.errors import WaymarkError

_log = logging.getLogger(__name__)
_KEPT = 20  # jobs that are over, for people to see what came of them

Progress = Callable[[str, int, int], None]  # step, done, total


class State(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one file, page or step of a job."""

    name: str
    good: bool
    what: str


Work = Callable[[Progress], tuple[Outcome, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it stands at one moment."""

    id: str
    title: str
    state: State
    step: str = ""
    done: int = 0
    total: int = 0
    outcomes: tuple[Outcome, ...] = ()
    failure: str = ""
    hint: str = ""
    seconds: float = 0.0

    @property
    def over(self) -> bool:
        return self.state in (State.DONE, State.FAILED)


class Jobs:
    """The jobs of one server. Any thread may call it."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._waiting: queue.Queue[tuple[str, Work]] = queue.Queue()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True, name="jobs")
        self._thread.start()

    def start(self, title: str, work: Work) -> Job:
        """Put a job in the queue; if one of the same title waits or runs, that one is given."""
        with self._lock:
            for job in self._jobs.values():
                if job.title == title and not job.over:
                    return job
            job = Job(id=uuid.uuid4().hex, title=title, state=State.WAITING)
            self._jobs[job.id] = job
            over = [one.id for one in self._jobs.values() if one.over]
            for old in over[:-_KEPT]:
                del self._jobs[old]
        self._waiting.put((job.id, work))
        return job

    def all(self) -> tuple[Job, ...]:
        """Newest first."""
        with self._lock:
            return tuple(reversed(self._jobs.values()))

    def find(self, job_id: str) -> Job | None:
        with self._lock:
            return self._jobs.get(job_id)

    @property
    def busy(self) -> bool:
        return any(not job.over for job in self.all())

    def _run(self) -> None:
        while True:
            self._do(*self._waiting.get())

    def _do(self, job_id: str, work: Work) -> None:
        def progress(step: str, done: int, total: int) -> None:
            self._change(job_id, step=step, done=done, total=total)

        began = time.monotonic()
        self._change(job_id, state=State.RUNNING)
        try:
            outcomes = work(progress)
            self._change(job_id, state=State.DONE, outcomes=outcomes, seconds=time.monotonic() - began)
        except WaymarkError as error:
            self._change(job_id, state=State.FAILED, failure=str(error), hint=error.hint)
        except Exception:  # noqa: BLE001 (the thread has to serve the next job; the log holds the traceback)
            failure_id = uuid.uuid4().hex[:8]
            _log.exception("job failed, id %s", failure_id)
            self._change(
                job_id, state=State.FAILED, failure=f"Something went wrong inside Waymark (id {failure_id})."
            )

    def _change(self, job_id: str, **changes: object) -> None:
        with self._lock:
            self._jobs[job_id] = replace(self._jobs[job_id], **changes)  # type: ignore[arg-type]
