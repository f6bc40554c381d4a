"""Documents read in a child process within limits: whatever a file provokes, the parent lives and gets an outcome.

One child reads document after document, since starting it costs more than reading most of them; it is replaced when
it had to be killed, or a document took it to a limit. PDFs have children of their own (`pdf`); plain text and the
roadmap are read here, by code that takes time in proportion to their size. Knows no format.
"""

import json
import subprocess
import threading
from typing import IO, Any, cast

from pydantic import TypeAdapter

from ingest.loaders import ROADMAP, check_type, detect, find_loader
from ingest.loaders.child import CLOCK_FACTOR, OUT_OF_TIME, bare_environment, child_command
from ingest.loaders.outcome import Outcome, Unloadable
from rag.schema import Document

_DOCUMENT: TypeAdapter[Document] = TypeAdapter(Document)
_HERE = frozenset({ROADMAP, detect.PLAIN, detect.PDF})
FEWEST_S, _MOST_S = 3.0, 60.0  # of processor time: for a file of any size, and for the largest
_BYTES_A_SECOND = 100_000  # the slowest loader takes a tenth of this time on real files
_START_S = 30.0  # importing a loader's libraries, on a busy machine


class ConfinedLoader:
    """Loads documents like `load_document`, but for limits of time and memory. Use as a context."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ConfinedLoader":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def load(self, data: bytes, *, path: str, media_type: str | None = None) -> Document:
        """Read the bytes of a source. Without a media type, its name and its first bytes tell it.

        Raises:
            Unloadable: no loader for the type, not what it should be, or over a limit.
        """
        found = media_type or detect.media_type(path, data)
        check_type(found, path=path)
        if found in _HERE:
            return find_loader(found, path=path)(data, path=path)
        if self.child is not None and self.child.poll() is not None:
            self._stop()
        child = self.child or self._start()
        try:
            return self._ask(child, data, path=path, media_type=found)
        except BaseException as error:
            spent = (
                isinstance(error, Unloadable) and error.outcome is Outcome.LIMIT
            )  # its memory may be in pieces
            if spent or not isinstance(error, Unloadable) or child.poll() is not None:
                self._stop()
            raise

    def _ask(self, child: subprocess.Popen[bytes], data: bytes, *, path: str, media_type: str) -> Document:
        seconds = min(_MOST_S, FEWEST_S + len(data) / _BYTES_A_SECOND)
        request = {"path": path, "media_type": media_type, "size_bytes": len(data), "seconds": seconds}
        with _Deadline(child, _START_S, path=path):
            _send(child, request, data)
            _receive(child)
        with _Deadline(child, CLOCK_FACTOR * seconds, path=path):
            answer = _receive(child)
            if answer["kind"] == "refused":
                raise Unloadable(answer["reason"], outcome=Outcome(answer["outcome"]), path=path)
            payload = _stream(child.stdout).read(answer["size_bytes"])
        return _DOCUMENT.validate_json(payload)

    def _start(self) -> subprocess.Popen[bytes]:
        self.child = subprocess.Popen(
            child_command("ingest.loaders.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=bare_environment(),
        )
        return self.child

    def _stop(self) -> None:
        child, self.child = self.child, None
        if child is not None:
            child.kill()
            child.communicate()


class _Deadline:
    """Kills a child that takes too long; then, and where it died of itself, what is raised inside says so."""

    def __init__(self, child: subprocess.Popen[bytes], seconds: float, *, path: str) -> None:
        self._child, self._seconds, self._path = child, seconds, path
        self._is_late = False
        self._timer = threading.Timer(seconds, self._kill)

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, kind: object, error: BaseException | None, *_: object) -> None:
        self._timer.cancel()
        if not isinstance(error, (OSError, ValueError)):
            return
        code = self._child.wait()
        if self._is_late or code == OUT_OF_TIME:
            reason = "it takes too long to read"
            raise Unloadable(reason, outcome=Outcome.LIMIT, path=self._path) from error
        reason = f"its reader stopped with code {code}"
        raise Unloadable(reason, outcome=Outcome.UNREADABLE, path=self._path) from error

    def _kill(self) -> None:
        self._is_late = True
        self._child.kill()


def _send(child: subprocess.Popen[bytes], request: dict[str, Any], data: bytes) -> None:  # Any: JSON
    stream = _stream(child.stdin)
    stream.write(json.dumps(request).encode() + b"\n")
    stream.write(data)
    stream.flush()


def _receive(child: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The next answer; a `ValueError` if there is none any more."""
    return cast(dict[str, Any], json.loads(_stream(child.stdout).readline()))


def _stream(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the child has no pipe")
    return pipe
