"""PDF files: the parent's side. It never parses a PDF; it starts a child that does and reads back plain JSON lines.

pypdf first; where it fails, is too slow, finds no text, loses pages or glues words, PDFium in a second child,
within the same minute. Every end is typed: a `Document`, or `Unloadable` with an outcome and a reason. See
`pdf_reader` for what the child may do and `pdf_layout` for how its lines become paragraphs.
"""

import contextlib
import json
import re
import signal
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import IO, Any

from ingest.assemble import assemble, make_source
from ingest.loaders.child import CLOCK_FACTOR, OUT_OF_TIME, child_command, run_child
from ingest.loaders.outcome import Outcome, Unloadable
from ingest.loaders.pdf_layout import lay_out
from ingest.loaders.pdf_lines import Span
from ingest.loaders.pdf_running import PageLines
from rag.schema import Document

MEDIA_TYPE = "application/pdf"
MOST_BYTES = 50_000_000
MOST_PAGES = 2_000
MOST_CHARACTERS = 5_000_000
READING_S = 57.0  # of processor time, for both readers: with the clearing up after them a minute in all
_FIRST_READER_S = 38.0
_FEWEST_BYTES = 60  # a header, one object and a trailer need more
_GLUED = re.compile(r"[A-Za-z]{30,}")  # longer than words are
# How a reader ends that asked for more than it was given; PDFium aborts when memory runs out.
_OVER_LIMIT = frozenset({"SIGABRT", "SIGILL", "SIGKILL", "SIGTRAP", "SIGXCPU", "SIGXFSZ"})
_NOT_PDF = (
    (b"<", "HTML or XML"), (b"PK\x03\x04", "a zip archive or an office document"), (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"), (b"\x7fELF", "a program"), (b"MZ", "a program"), (b"{\\rtf", "rich text"),
)  # fmt: skip
# Which of two failures says more about the file.
_TELLING = (
    Outcome.OK,
    Outcome.ENCRYPTED,
    Outcome.EMPTY,
    Outcome.LIMIT,
    Outcome.UNSUPPORTED,
    Outcome.UNREADABLE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one reader made of a file."""

    reader: str
    outcome: Outcome
    reason: str = ""
    title: str = ""
    pages: tuple[PageLines, ...] = ()
    failed: tuple[int, ...] = ()  # pages that the reader could not read, or not to their end
    spent_s: float = 0.0  # of processor time

    @property
    def is_sound(self) -> bool:
        """All pages read, and words apart: pypdf sometimes glues a line's words together."""
        return self.outcome is Outcome.OK and not self.failed and self.n_glued < 2

    @property
    def n_glued(self) -> int:
        return sum(len(_GLUED.findall(line.text)) for page in self.pages for line in page.lines)

    @property
    def n_characters(self) -> int:
        return sum(len(line.text) for page in self.pages for line in page.lines)


def load_pdf(data: bytes, *, path: str) -> Document:
    """Read a PDF's bytes. `path` names the source. Takes up to a minute of processor time.

    Raises:
        Unloadable: no text, encrypted, damaged, over a limit, not a PDF; `outcome` and `reason` say which.
    """
    _check_bytes(data, path)
    reading = _read(data)
    if reading.outcome is not Outcome.OK:
        raise Unloadable(reading.reason, outcome=reading.outcome, path=path)
    layout = lay_out(reading.pages)
    if not layout.pieces:
        raise Unloadable("no text found besides page numbers", outcome=Outcome.EMPTY, path=path)
    notes = list(layout.notes)
    if reading.failed:
        notes.insert(0, f"{len(reading.failed)} pages could not be read in full: {_listed(reading.failed)}")
    return assemble(
        make_source(path, data, media_type=MEDIA_TYPE),
        layout.pieces,
        title=layout.title or _usable(reading.title),
        notes=tuple(notes),
    )


def _usable(title: str) -> str:
    """The title that the file gives itself, unless a program made it up."""
    made_up = title.lower().startswith(("untitled", "microsoft word", "slide 1"))
    return title if sum(map(str.isalpha, title)) > 2 and not made_up else ""


def _check_bytes(data: bytes, path: str) -> None:
    """What needs no reader to be refused."""
    head = data[:1024].lstrip(b"\xef\xbb\xbf\x00\t\n\r\x0c ")
    if not data:
        raise Unloadable("the file is empty (0 bytes)", outcome=Outcome.EMPTY, path=path)
    if len(data) > MOST_BYTES:
        reason = f"{len(data):,} bytes; at most {MOST_BYTES:,} are read"
        raise Unloadable(reason, outcome=Outcome.LIMIT, path=path)
    if b"%PDF-" not in data[:1024]:
        for opening, kind in _NOT_PDF:
            if head.startswith(opening):
                raise Unloadable(f"not a PDF but {kind}", outcome=Outcome.UNSUPPORTED, path=path)
        if b" obj" not in data and b"startxref" not in data:
            raise Unloadable("not a PDF", outcome=Outcome.UNSUPPORTED, path=path)
    if len(data) < _FEWEST_BYTES:
        reason = f"a header and nothing more ({len(data)} bytes)"
        raise Unloadable(reason, outcome=Outcome.UNREADABLE, path=path)


def _read(data: bytes) -> Reading:
    with tempfile.TemporaryFile() as source:
        source.write(data)
        source.flush()
        first = _run_reader("pypdf", source, _FIRST_READER_S)
        if first.is_sound or _is_final(first):
            return first
        left = max(READING_S - first.spent_s, READING_S - _FIRST_READER_S)
        second = _run_reader("pdfium", source, left)
    if first.outcome is second.outcome is Outcome.OK:
        return _better(first, second)
    return min(first, second, key=lambda reading: _TELLING.index(reading.outcome))


def _better(first: Reading, second: Reading) -> Reading:
    """Of two readings with text: the one that lost less, else the one whose words stand apart."""
    least, most = sorted((first.n_characters, second.n_characters))
    if least < 0.9 * most:
        return max(first, second, key=lambda reading: reading.n_characters)
    return min(first, second, key=lambda reading: (len(reading.failed), reading.n_glued, reading is second))


def _is_final(reading: Reading) -> bool:
    """Over a limit of Waymark's own, which holds for any reader."""
    return reading.outcome is Outcome.LIMIT and reading.reason.endswith(("are read", "characters"))


def _run_reader(reader: str, source: IO[bytes], seconds: float) -> Reading:
    """One child with `seconds` of processor time: the file is its input, a nameless one its output."""
    limits = [str(int(seconds) + 1), str(MOST_PAGES), str(MOST_CHARACTERS)]
    source.seek(0)
    with tempfile.TemporaryFile() as answer:
        command = child_command("ingest.loaders.pdf_reader", reader, *limits)
        ended = run_child(command, source=source, answer=answer, most_s=CLOCK_FACTOR * seconds)
        if ended.is_late or ended.code == OUT_OF_TIME:
            reason = f"not read within {READING_S:.0f} s"
            return Reading(reader=reader, outcome=Outcome.LIMIT, reason=reason, spent_s=ended.spent_s)
        answer.seek(0)
        return replace(_gather(reader, _records(answer), ended.code), spent_s=ended.spent_s)


def _records(answer: IO[bytes]) -> Iterable[dict[str, Any]]:  # Any: JSON
    for line in answer:
        with contextlib.suppress(ValueError):  # the last line of a child that was killed
            record = json.loads(line)
            if isinstance(record, dict):
                yield record


def _gather(reader: str, records: Iterable[dict[str, Any]], code: int) -> Reading:
    title, pages, failed = "", [], []
    outcome, reason = _crash(code)
    for record in records:
        match record:
            case {"kind": "head", "title": str(title)}:
                pass
            case {"kind": "page", "number": int(number), "lines": list(rows)}:
                pages.append(PageLines(number=number, lines=tuple(map(Span.from_row, rows))))
            case {"kind": "failed", "number": int(number)}:
                failed.append(number)
            case {"kind": "end", "outcome": str(name), "reason": str(reason)}:
                outcome = Outcome(name)
    return Reading(
        reader=reader,
        outcome=outcome,
        reason=reason,
        title=title.strip(),
        pages=tuple(pages) if outcome is Outcome.OK else (),
        failed=tuple(failed),
    )


def _crash(code: int) -> tuple[Outcome, str]:
    """What it means that a reader ended without saying how."""
    if code >= 0:
        return Outcome.UNREADABLE, f"the reader stopped with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if name in _OVER_LIMIT:
        return Outcome.LIMIT, f"it needs more than a reader is given ({name})"
    return Outcome.UNREADABLE, f"the reader crashed ({name})"


def _listed(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, numbers[:8]))
    return shown if len(numbers) <= 8 else f"{shown}, …"
