"""A run over the works cited, or over pages of one's own: each page once, several hosts side by side, each host one
request at a time.

Threads only ask; the thread that called freezes what they bring, so there is one writer. A run that was cut off is
taken up by the next one: what it has visited is not asked for again. A machine without a network is told apart from
pages that are gone within seconds, and then nothing is written.
"""

import queue
import secrets
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from ingest.fetch.classify import Outcome
from ingest.fetch.connect import Deadline
from ingest.fetch.hosts import HostGates, Stopped
from ingest.fetch.network import Conditional, Network
from ingest.fetch.snapshots import Record, Run, Snapshots, Visit
from ingest.fetch.targets import Target, targets_of
from ingest.fetch.visit import NOT_MODIFIED, Found, Patience, Visitor
from rag.errors import Offline
from rag.schema import Work

Progress = Callable[[str, int, int], None]  # step, done, total
_TICK_S = 0.05
_LEAVE_S = 0.5  # for threads to notice that the run is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a run goes. Times in seconds."""

    only: Collection[int] = ()  # numbers of works; empty: all
    deadline_s: float = 600.0  # of the whole run
    workers: int = 8  # hosts at a time
    pause_s: float = 1.0  # between two requests to one host
    offline_after_s: float = 3.0  # without any connection
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchReport:
    """What a run did. `pending` are the pages that it had no time for; the next run begins with them.

    `unchanged` counts the pages that are what they were; of these `not_sent` came without their body, because the
    site answers to validators. The others were sent to be compared, and nothing was written of them.
    """

    visits: tuple[tuple[Target, Visit], ...]
    resumed: tuple[Target, ...]  # visited by the run that this one took up
    supplied: tuple[Target, ...]  # left alone: a person gave a file for them
    pending: tuple[Target, ...]
    unchanged: int
    not_sent: int
    seconds: float


def fetch_works(
    works: Iterable[Work],
    *,
    snapshots: Snapshots,
    network: Network,
    options: Options | None = None,
    progress: Progress = lambda step, done, total: None,
) -> FetchReport:
    """Fetch and freeze the works. One for which a person gave a file is left alone unless it is asked for by number.

    Raises:
        Offline: nothing can be reached; nothing was written.
        IndexLocked: another process is fetching.
        StorageError: the disk refuses, or a record on it is damaged.
    """
    options = options or Options()
    targets = targets_of(works, options.only)
    whole = not options.only
    return _fetch(
        targets, snapshots=snapshots, network=network, options=options, progress=progress, whole=whole
    )


def fetch_pages(
    urls: Iterable[str],
    *,
    snapshots: Snapshots,
    network: Network,
    options: Options | None = None,
    progress: Progress = lambda step, done, total: None,
) -> FetchReport:
    """Fetch and freeze pages of one's own, whether or not they were visited before.

    Raises:
        AddressRefused: one of the URLs is not to be fetched; nothing was asked for.
        Offline, IndexLocked, StorageError: as `fetch_works`.
    """
    targets = tuple(Target(url=url, numbers=()) for url in dict.fromkeys(urls))
    for target in targets:
        network.check(target.url)
    return _fetch(
        targets,
        snapshots=snapshots,
        network=network,
        options=options or Options(),
        progress=progress,
        whole=False,
    )


def _fetch(
    targets: Sequence[Target],
    *,
    snapshots: Snapshots,
    network: Network,
    options: Options,
    progress: Progress,
    whole: bool,
) -> FetchReport:
    """A run; a `whole` one can be taken up by the next and leaves alone what was supplied."""
    began = time.monotonic()
    with snapshots.writing():
        run = snapshots.begin() if whole else Run(run_id=secrets.token_hex(8), started_at="")
        records = {target.url: snapshots.read(target.url) for target in targets}
        supplied = tuple(target for target in targets if whole and _is_supplied(records[target.url]))
        resumed = tuple(
            target for target in targets if _is_done(records[target.url], run) and target not in supplied
        )
        todo = [target for target in targets if target not in (*resumed, *supplied)]
        crew = _Crew(todo, records, network=network, options=options, conditional=_conditionals(snapshots))
        visits: list[tuple[Target, Visit]] = []
        with closing(crew.run(run.run_id)) as brought:
            for target, found in brought:
                visits.append((target, snapshots.add(target.url, found.visit, found.body)))
                progress("fetch", len(targets) - len(todo) + len(visits), len(targets))
        seen = {target.url for target, _ in visits}
        pending = tuple(target for target in todo if target.url not in seen)
        if whole and not pending:
            snapshots.end()
    visits.sort(key=lambda pair: pair[0].numbers)
    same = [visit for target, visit in visits if _is_same(records[target.url], visit)]
    return FetchReport(
        visits=tuple(visits),
        resumed=resumed,
        supplied=supplied,
        pending=pending,
        unchanged=len(same),
        not_sent=sum(visit.status == NOT_MODIFIED for visit in same),
        seconds=time.monotonic() - began,
    )


class _Crew:
    """The threads of one run, and what they bring, in the order in which it comes."""

    def __init__(
        self,
        targets: Sequence[Target],
        records: dict[str, Record],
        *,
        network: Network,
        options: Options,
        conditional: Callable[[Record], Conditional | None],
    ) -> None:
        self._records = records
        self._network = network
        self._options = options
        self._conditional = conditional
        self._total = len(targets)
        self._stop = threading.Event()
        self._unreachable: set[str] = set()
        hosts: dict[str, list[Target]] = {}
        for target in targets:
            hosts.setdefault(target.host, []).append(target)
        self._n_workers = min(options.workers, len(hosts))
        self._queue: queue.SimpleQueue[list[Target]] = queue.SimpleQueue()
        for group in sorted(hosts.values(), key=len, reverse=True):  # the longest takes longest
            self._queue.put(group)
        self._found: queue.Queue[tuple[Target, Found] | BaseException] = queue.Queue(options.workers)

    def run(self, run_id: str) -> Generator[tuple[Target, Found], None, None]:
        """Yield each visit; ends early at the deadline.

        Raises:
            Offline: no connection could be made.
        """
        deadline = Deadline.after(self._options.deadline_s)
        offline_at = Deadline.after(self._options.offline_after_s)
        visitor = self._visitor(deadline)
        threads = [
            threading.Thread(target=self._work, args=(visitor, run_id), name=f"fetch {n}", daemon=True)
            for n in range(self._n_workers)
        ]
        for thread in threads:
            thread.start()
        held: list[tuple[Target, Found]] = []  # failures that may only mean that we are offline
        answered = False
        n_done = 0
        try:
            while n_done < self._total and deadline.left():
                brought = self._next()
                if brought is not None:
                    held.append(brought)
                    answered = answered or not brought[1].unreachable
                if answered or self._network.reached.is_set():
                    n_done += len(held)
                    yield from held
                    held.clear()
                elif not offline_at.left() or len(self._unreachable) >= self._n_workers:
                    raise Offline(
                        f"None of {len(self._unreachable) or self._n_workers} hosts can be reached."
                    )
        finally:
            self._stop.set()
            leave = Deadline.after(_LEAVE_S)
            for thread in threads:
                thread.join(leave.left())

    def _visitor(self, deadline: Deadline) -> Visitor:
        return Visitor(
            self._network,
            gates=HostGates(pause_s=self._options.pause_s, stop=self._stop),
            stop=self._stop,
            deadline=deadline,
            patience=self._options.patience,
            unreachable=self._unreachable.add,
        )

    def _next(self) -> tuple[Target, Found] | None:
        try:
            brought = self._found.get(timeout=_TICK_S)
        except queue.Empty:
            return None
        if isinstance(brought, BaseException):
            raise brought
        return brought

    def _work(self, visitor: Visitor, run_id: str) -> None:
        """One thread: a host's URLs one after the other, then another host's."""
        try:
            while not self._stop.is_set():
                for target in self._queue.get_nowait():
                    record = self._records[target.url]
                    found = visitor.visit(record, run=run_id, conditional=self._conditional(record))
                    self._bring((target, found))
        except (queue.Empty, Stopped):
            return
        except BaseException as error:  # noqa: BLE001 (raised again by the thread that called)
            self._bring(error)

    def _bring(self, item: tuple[Target, Found] | BaseException) -> None:
        while not self._stop.is_set():
            try:
                self._found.put(item, timeout=_TICK_S)
                return
            except queue.Full:
                continue


def _conditionals(snapshots: Snapshots) -> Callable[[Record], Conditional | None]:
    """Validators of the body that is at hand, if it is whole and came with any."""

    def conditional(record: Record) -> Conditional | None:
        before = record.last_readable()
        if before is None or not (before.etag or before.last_modified):
            return None
        if snapshots.body(record.url, before.sha256) is None:
            return None
        return Conditional(url=before.url, etag=before.etag, last_modified=before.last_modified)

    return conditional


def _is_same(record: Record, visit: Visit) -> bool:
    before = record.last_readable()
    return before is not None and bool(visit.sha256) and visit.sha256 == before.sha256


def _is_supplied(record: Record) -> bool:
    kept = record.last_readable()
    return kept is not None and kept.outcome is Outcome.SUPPLIED


def _is_done(record: Record, run: Run) -> bool:
    last = record.last()
    return last is not None and last.run == run.run_id and last.outcome is not Outcome.FAILED
