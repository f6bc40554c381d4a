"""Citation marks in a stream of text: found whole however the stream is cut, made alike, and held to what was given.

A mark is `[1]`, `[1, 3]`, `[1-3]`, `【1】` or the same with a word such as "Passage" before the number. It comes out as
`[1]` or `[1][3]`. Labels that were never given are taken out, with the blank before a mark that loses all of them.
Code, between backticks or fences, is left as it is. Pure: a state machine over single characters, so that no way of
cutting the stream into pieces can change what comes out.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from rag.schema import Span

_CLOSING = {"[": "]", "【": "】"}
_NEEDS_NO_BLANK = " \t\n.,;:!?)"
_LONGEST = 60  # characters between brackets
_WIDEST = 50  # labels of a range
_WORD = r"(?:(?:passages?|sources?|documents?|docs?|refs?|references?|citations?|nr|no)\.?[\s:]*)?[#^]?\s*"
_LABEL = rf"{_WORD}(\d{{1,4}})(?:†[^\],;【】]*)?"
_RANGE = re.compile(rf"\s*{_LABEL}\s*(?:[-–—]\s*{_LABEL}\s*)?", re.IGNORECASE)
_PARTS = re.compile(r"[,;&]|\band\b")
_MARK_SO_FAR = re.compile(r"[\w\s.,;:&#^†\-–—]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One label of a mark, and where `[label]` stands in the text that came out."""

    label: int
    span: Span


@dataclass(slots=True, kw_only=True)
class MarkReader:
    """Reads a stream. Feed it the pieces, close it, then look at `marks` and `unknown`."""

    given: Collection[int]
    marks: list[Mark] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)  # labels that were never given, each once
    _length: int = 0  # of what has come out
    _out: list[str] = field(default_factory=list)  # of this piece
    _line: str = ""  # what the present line opens with, as far as it matters for a fence
    _blank: str = ""  # blanks held back: they go with a mark that is taken out
    _lost: str = ""  # blanks before a mark that was taken out; they come back where words would run together
    _bracket: str = ""  # a bracket that may become a mark
    _ticks: str = ""  # a run of backticks that may go on
    _code: str = ""  # the run that opened the code we are in; empty outside
    _fenced: bool = False

    def feed(self, piece: str) -> str:
        """What can be shown after this piece; a half-written mark is held back."""
        for character in piece:
            self._take(character)
        return self._flush()

    def close(self) -> str:
        """What was held back when the stream ended."""
        if self._ticks:
            self._end_ticks()
        self._release()
        return self._flush()

    def _flush(self) -> str:
        text = "".join(self._out)
        self._out.clear()
        return text

    def _take(self, c: str) -> None:
        if self._lost:
            self._blank, self._lost = ("" if c in _NEEDS_NO_BLANK else self._lost), ""
        if self._ticks and c != "`":
            self._end_ticks()
        if c == "`":
            self._release()
            self._ticks += c
        elif self._code:
            self._emit(c)
            if c == "\n" and not self._fenced:
                self._code = ""  # inline code ends with its line
        elif self._bracket:
            self._in_bracket(c)
        elif c in _CLOSING:
            self._bracket = c
        elif c in " \t":
            self._blank += c
        else:
            self._release()
            self._emit(c)

    def _in_bracket(self, c: str) -> None:
        if c == _CLOSING[self._bracket[0]]:
            self._end_bracket(c)
        elif len(self._bracket) < _LONGEST and c != "\n" and _MARK_SO_FAR.fullmatch(c):
            self._bracket += c
        else:
            self._release()
            self._take(c)

    def _end_bracket(self, c: str) -> None:
        labels = labels_of(self._bracket[1:])
        if labels is None:
            self._bracket += c
            self._release()
            return
        self._bracket = ""
        known = [label for label in labels if label in self.given]
        self.unknown += [n for n in labels if n not in self.given and n not in self.unknown]
        if known:
            self._release()
        else:
            self._blank, self._lost = "", self._blank
        for label in known:
            start = self._length
            self._emit(f"[{label}]")
            self.marks.append(Mark(label=label, span=Span(start=start, end=self._length)))

    def _end_ticks(self) -> None:
        run, self._ticks = self._ticks, ""
        opens_line = not self._line.strip()
        self._emit(run)
        if not self._code:
            self._code = run
            self._fenced = len(run) >= 3 and opens_line
        elif self._fenced:
            if opens_line and len(run) >= len(self._code):
                self._code, self._fenced = "", False
        elif run == self._code:
            self._code = ""

    def _release(self) -> None:
        held, self._blank, self._bracket = self._blank + self._bracket, "", ""
        self._emit(held)

    def _emit(self, text: str) -> None:
        self._out.append(text)
        self._length += len(text)
        self._line = (self._line + text).rpartition("\n")[2][:8]


def labels_of(inside: str) -> tuple[int, ...] | None:
    """The labels between the brackets of a mark, each once; None if it is no mark.

    >>> labels_of("1, 3-5")
    (1, 3, 4, 5)
    """
    labels: list[int] = []
    for part in _PARTS.split(inside):
        found = _RANGE.fullmatch(part)
        if found is None:
            return None
        first, last = int(found[1]), int(found[2] or found[1])
        labels += range(first, last + 1) if first <= last < first + _WIDEST else (first, last)
    return tuple(dict.fromkeys(labels))


def strip_marks(text: str) -> str:
    """The text without marks outside code: what a source cites must not pass for a label of ours.

    >>> strip_marks("Attention weighs tokens [12, 13]. See `x[0]`.")
    'Attention weighs tokens. See `x[0]`.'
    """
    if not any(opening in text for opening in _CLOSING):
        return text
    reader = MarkReader(given=())
    stripped = reader.feed(text) + reader.close()
    return (
        stripped if stripped == text else strip_marks(stripped)
    )  # "[[9]1]" loses one mark and becomes another
