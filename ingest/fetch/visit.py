"""One visit to one URL: robots.txt first, then the page, again where asking again helps; then what came of it.

Everything that can happen on the way is an outcome of the visit. Only a run that ends ends a visit without one.
"""

import email.utils
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from ingest.fetch.classify import Outcome, classify
from ingest.fetch.connect import Deadline
from ingest.fetch.hosts import HostGates, Stopped
from ingest.fetch.network import FETCH_S, Conditional, Failure, FetchFailed, Network, Response
from ingest.fetch.page import fingerprint
from ingest.fetch.robots import RobotsRules, RobotsUnavailable
from ingest.fetch.snapshots import Record, Visit
from rag.errors import AddressRefused, WaymarkError

AGAIN = frozenset({429, 500, 502, 503, 504})
NOT_MODIFIED = 304
_URL_S = 2 * FETCH_S  # for one URL with all its retries


class _Disallowed(WaymarkError):
    """robots.txt says no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and how long to wait for one URL."""

    retries: int = 2
    backoff_s: float = 1.0  # before the first retry; doubles
    most_wait_s: float = 30.0  # a host that asks for more is left alone until the next run


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A visit to be frozen, with its body; `unreachable`: no connection was made."""

    visit: Visit
    body: bytes = b""
    unreachable: bool = False


class Visitor:
    """Visits URLs for one run, from any number of threads.

    Args:
        unreachable: told the host of each request that made no connection, before it is tried again.
    """

    def __init__(
        self,
        network: Network,
        *,
        gates: HostGates,
        stop: threading.Event,
        deadline: Deadline,
        patience: Patience,
        unreachable: Callable[[str], None],
    ) -> None:
        self._network = network
        self._gates = gates
        self._stop = stop
        self._deadline = deadline
        self._patience = patience
        self._unreachable = unreachable
        self._rules = RobotsRules(self._get)

    def visit(self, record: Record, *, run: str, conditional: Conditional | None = None) -> Found:
        """Visit the record's URL. With validators, an unchanged page is not sent again.

        Raises:
            Stopped: the run ended first; nothing is known.
        """
        url = record.url
        try:
            self._check_robots(self._network.check(url))
            answer = self._get(url, conditional, before_hop=self._check_robots)
        except AddressRefused as error:
            return Found(visit=_unanswered(url, run, Outcome.REFUSED, str(error)))
        except _Disallowed as error:
            return Found(visit=_unanswered(url, run, Outcome.BLOCKED, str(error)))
        except FetchFailed as error:
            if self._stop.is_set() or not self._deadline.left():
                raise Stopped("The run ended.") from error
            return Found(
                visit=_unanswered(url, run, Outcome.FAILED, str(error)),
                unreachable=error.why is Failure.UNREACHABLE,
            )
        before = record.last_readable()
        if answer.status == NOT_MODIFIED and conditional is not None and before is not None:
            return Found(visit=_unmodified(before, answer, run))
        return _answered(url, answer, run)

    def _check_robots(self, url: httpx.URL) -> None:
        robots = self._rules.of(url)
        if robots.pause_s:
            self._gates.slow_down(url.host, robots.pause_s)
        if not robots.allows(url.raw_path.decode("ascii")):
            raise _Disallowed(f"robots.txt of {url.host} does not allow it")

    def _get(
        self,
        url: str,
        conditional: Conditional | None = None,
        before_hop: Callable[[httpx.URL], None] = lambda url: None,
    ) -> Response:
        """An answer, the last one if all of several were errors."""
        until = Deadline(at=min(self._deadline.at, Deadline.after(_URL_S).at))
        host = self._network.check(url).host
        for attempt in range(self._patience.retries + 1):
            wait = self._patience.backoff_s * 2**attempt
            failure: FetchFailed | None = None
            try:
                answer = self._network.get(
                    url,
                    deadline=until,
                    conditional=conditional,
                    before_hop=before_hop,
                    gate=self._gates.enter,
                )
                if answer.status not in AGAIN:
                    return answer
                wait = max(wait, _retry_after(answer.headers.get("retry-after", "")))
            except FetchFailed as error:
                if isinstance(error, RobotsUnavailable) or error.why is Failure.UNUSABLE:
                    raise
                failure = error
                if error.why is Failure.UNREACHABLE:
                    self._unreachable(host)
            if attempt == self._patience.retries or wait > min(self._patience.most_wait_s, until.left()):
                break
            self._pause(host, wait)
        if failure is not None:
            raise failure
        return answer

    def _pause(self, host: str, seconds: float) -> None:
        self._gates.hold(host, seconds)
        if self._stop.wait(seconds):
            raise Stopped("The run was stopped.")


def _retry_after(header: str) -> float:
    """Seconds to wait by a Retry-After header; 0 if it says nothing that can be read."""
    if header.strip().isascii() and header.strip().isdigit():
        return float(header.strip()[:9])
    try:
        moment = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _unanswered(url: str, run: str, outcome: Outcome, reason: str) -> Visit:
    return Visit(at=_now(), run=run, outcome=outcome, reason=_printable(reason.rstrip(".")), url=url)


def _unmodified(before: Visit, answer: Response, run: str) -> Visit:
    return Visit(
        at=_now(),
        run=run,
        outcome=Outcome.OK,
        url=answer.url,
        status=answer.status,
        content_type=before.content_type,
        size_bytes=before.size_bytes,
        sha256=before.sha256,
        fingerprint=before.fingerprint,
        etag=_printable(answer.headers.get("etag", before.etag)),
        last_modified=_printable(answer.headers.get("last-modified", before.last_modified)),
    )


def _answered(url: str, answer: Response, run: str) -> Found:
    content_type = _printable(answer.headers.get("content-type", ""))
    verdict = classify(
        status=answer.status,
        content_type=content_type,
        body=answer.body,
        requested=url,
        final=answer.url,
    )
    body = b"" if verdict.outcome is Outcome.FAILED or answer.status in AGAIN else answer.body
    visit = Visit(
        at=_now(),
        run=run,
        outcome=verdict.outcome,
        reason=verdict.reason,
        url=answer.url,
        status=answer.status,
        content_type=content_type,
        size_bytes=len(body),
        fingerprint=fingerprint(body, content_type) if body else "",
        etag=_printable(answer.headers.get("etag", "")),
        last_modified=_printable(answer.headers.get("last-modified", "")),
    )
    return Found(visit=visit, body=body)


def _printable(text: str) -> str:
    """What servers say ends up in files and terminals."""
    return "".join(char for char in text if char.isprintable())[:300]
