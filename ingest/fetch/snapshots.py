"""What was fetched, frozen: `<home>/sources/<key>/<sha256>.bin` and the history of visits in `record.json`.

A body is written before the record that names it, both durably, so a kill leaves the state before or after a visit.
Bodies are named by their content and never overwritten or removed. A visit that found the same words as before points
to the body that is there. One process writes at a time (`writing`). Knows nothing about the network.
"""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ingest.fetch.classify import READABLE, Outcome
from rag.errors import StorageError
from rag.index.files import exclusive, remove, sha256, write_durable

SCHEMA_VERSION = 1
_RESUME_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One fetch and what came of it. `sha256` names the body that it found; "" if it brought none."""

    at: str  # ISO, UTC
    run: str
    outcome: Outcome
    reason: str = ""
    url: str  # the final one
    status: int = 0  # 0: no answer
    content_type: str = ""
    size_bytes: int = 0
    sha256: str = ""
    fingerprint: str = ""
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All visits to a URL, oldest first."""

    schema_version: int = SCHEMA_VERSION
    url: str
    visits: tuple[Visit, ...] = ()

    def last(self) -> Visit | None:
        return self.visits[-1] if self.visits else None

    def last_readable(self) -> Visit | None:
        return next((visit for visit in reversed(self.visits) if visit.outcome in READABLE), None)

    def snapshots(self) -> tuple[str, ...]:
        """The SHA-256 of every readable body, oldest first."""
        found = (visit.sha256 for visit in self.visits if visit.outcome in READABLE)
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that has begun and not ended; `resumed` if another process began it."""

    run_id: str
    started_at: str
    resumed: bool = False


_RECORD = TypeAdapter(Record)
_RUN = TypeAdapter(Run)


class Snapshots:
    """The snapshots below one data folder."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "sources"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the one process that writes.

        Raises:
            IndexLocked: another one is at it.
        """
        with exclusive(self.folder / "lock"):
            yield

    def read(self, url: str) -> Record:
        """What is known of a URL (without fragment); a record without visits if nothing is.

        Raises:
            StorageError: the record is damaged or was written by a newer version.
        """
        path = self._of(url) / "record.json"
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return Record(url=url)
        except OSError as error:
            raise StorageError(f"Cannot read {path}: {error.strerror}.") from error
        try:
            record = _RECORD.validate_json(data)
        except ValidationError as error:
            raise _damaged(path) from error
        if record.schema_version != SCHEMA_VERSION or record.url != url:
            raise _damaged(path)
        return record

    def add(self, url: str, visit: Visit, body: bytes) -> Visit:
        """Freeze a visit; gives it back as kept: with its body's hash, and `changed` where it is not what it was.

        An empty `body` freezes nothing but the visit itself.
        """
        record = self.read(url)
        folder = self._of(url)
        if body:
            visit = _compared(visit, record, kept=self._same(record, visit), body=body)
            path = folder / f"{visit.sha256}.bin"
            if not self._is_whole(path):
                write_durable(path, body)
        changed = Record(url=url, visits=(*record.visits, visit))
        write_durable(folder / "record.json", _RECORD.dump_json(changed, indent=1))
        for left_over in folder.glob("*.tmp"):  # of a writer that was killed
            remove(left_over)
        return visit

    def body(self, url: str, sha: str) -> bytes | None:
        """The bytes of a snapshot; None if they are not there or not what they were."""
        path = self.path(url, sha)
        return path.read_bytes() if path else None

    def path(self, url: str, sha: str) -> Path | None:
        """The file of a snapshot; None if it is not there or not what it was."""
        path = self._of(url) / f"{sha}.bin"
        return path if self._is_whole(path) else None

    def begin(self) -> Run:
        """Begin a run, or take up the one that was cut off within the last day."""
        path = self.folder / "unfinished.json"
        now = datetime.now(UTC)
        try:
            run = _RUN.validate_json(path.read_bytes())
            if now - datetime.fromisoformat(run.started_at) < _RESUME_WITHIN:
                return Run(run_id=run.run_id, started_at=run.started_at, resumed=True)
        except (OSError, ValueError, TypeError):
            pass  # none, or not one that can be taken up
        run = Run(run_id=secrets.token_hex(8), started_at=now.isoformat(timespec="seconds"))
        write_durable(path, _RUN.dump_json(run))
        return run

    def end(self) -> None:
        """Every work of the run was visited."""
        remove(self.folder / "unfinished.json")

    def _of(self, url: str) -> Path:
        return self.folder / key_of(url)

    def _same(self, record: Record, visit: Visit) -> Visit | None:
        """An earlier visit that saw the same and whose body is still whole."""
        for earlier in reversed(record.visits):
            if not earlier.sha256 or earlier.fingerprint != visit.fingerprint:
                continue
            if self._is_whole(self._of(record.url) / f"{earlier.sha256}.bin"):
                return earlier
        return None

    def _is_whole(self, path: Path) -> bool:
        try:
            return sha256(path) == path.stem
        except OSError:
            return False


def key_of(url: str) -> str:
    """The name of a URL's folder: 16 hex digits."""
    return hashlib.sha256(url.encode("utf-8", errors="replace")).hexdigest()[:16]


def _compared(visit: Visit, record: Record, *, kept: Visit | None, body: bytes) -> Visit:
    before = record.last_readable()
    outcome = visit.outcome
    if outcome is Outcome.OK and before is not None and before.fingerprint != visit.fingerprint:
        outcome = Outcome.CHANGED
    sha = kept.sha256 if kept else hashlib.sha256(body).hexdigest()
    size = kept.size_bytes if kept else len(body)
    return replace(visit, outcome=outcome, sha256=sha, size_bytes=size)


def _damaged(path: Path) -> StorageError:
    return StorageError(
        f"{path} is damaged or of another version of Waymark.",
        hint="Move that folder away and run `waymark sources fetch` again.",
    )
