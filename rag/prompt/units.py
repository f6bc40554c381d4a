"""An answer taken apart into what can be checked: sentences, list items, table rows, code; and the labels each cites.

Pure. A mark belongs to the sentence that it follows, or to the one whose line it opens. It also speaks for the
sentences before it in its paragraph that have no mark of their own; each of them is checked by itself all the same.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.prompt.marks import Mark
from rag.prompt.splice import with_blank_before, without
from rag.schema import Span
from rag.sentences import split_sentences
from rag.terms import terms

_BULLET = re.compile(r"\s*(?:>\s*)*(?:(?:[-*+•–]|\d{1,2}[.)]|[a-z]\))\s+)?")
_LISTED = re.compile(r"\s*(?:>\s*)*(?:[-*+•–]|\d{1,2}[.)]|[a-z]\))\s+|\s*\|")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_EMPHASIS = re.compile(r"\*\*|__|`|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)|^#{1,6}\s+|^\||\|$", re.MULTILINE)
_CLAIMS = re.compile(
    r"\d|\b(?:no|not|never|none|nothing|neither|nor|without|cannot|yes|true|false|correct|right|wrong|both|only)\b"
    r"|n['’]t\b",
    re.IGNORECASE,
)
# Words that only speak about the answer itself, as stems.
_META = frozenset(
    terms(
        "answer question passage passages document documents source sources text roadmap guide following follow below "
        "above summary summarise short brief briefly overview detail details example examples point points step steps "
        "kind kinds type types list reason reasons main key important difference differences first second third "
        "finally next also additionally furthermore moreover overall however therefore describe explain mention given"
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A piece of the answer that is checked as one. Spans are of the text with its marks."""

    span: Span
    text: str  # without marks and emphasis: the statement
    marks: tuple[Mark, ...] = ()  # its own
    labels: tuple[int, ...] = ()  # what it is checked against: its own labels, or those that speak for it
    group: int = 0  # its paragraph, list item or row


def take_apart(text: str, marks: Sequence[Mark], *, spoken_for: bool = True) -> tuple[Unit, ...]:
    """The units of an answer in order, with their labels; without `spoken_for` only with those of their own marks."""
    bare = without(text, [mark.span for mark in marks])
    found = [one for one in _units(bare.text) if any(c.isalnum() for c in one[0].cut(bare.text))]
    owned: dict[int, list[Mark]] = {}
    for mark in marks:
        owner = _owner(bare.text, [span for span, _ in found], bare.place(mark.span.start))
        if owner is not None:
            owned.setdefault(owner, []).append(mark)
    spans = [Span(start=bare.origin(span.start + 1) - 1, end=bare.origin(span.end)) for span, _ in found]
    units = [
        Unit(
            span=spans[n],
            text=_statement(text, spans[n], [mark.span for mark in marks]),
            marks=tuple(owned.get(n, ())),
            labels=tuple(dict.fromkeys(mark.label for mark in owned.get(n, ()))),
            group=group,
        )
        for n, (span, group) in enumerate(found)
    ]
    return tuple(_spoken_for(units) if spoken_for else units)


def _statement(text: str, span: Span, marks: Sequence[Span]) -> str:
    inside = [with_blank_before(text, mark) for mark in marks if span.holds(mark)]
    left = without(text, inside)
    return " ".join(_EMPHASIS.sub("", left.span(span).cut(left.text)).split())


def is_connective(statement: str, question: str) -> bool:
    """Whether a sentence claims nothing of its own, so that it may stand without a passage.

    It speaks of the answer only ("In short"), or it is a heading or leads in to what follows, in the question's
    terms and at most one more. A number, a negation, a yes is always a claim.
    """
    if _CLAIMS.search(statement):
        return False
    fresh = set(terms(statement)) - _META
    if statement.endswith(":"):
        return len(fresh - set(terms(question))) <= 1
    return not fresh


def _spoken_for(units: list[Unit]) -> Iterator[Unit]:
    labels: tuple[int, ...] = ()
    group: int | None = None
    done: list[Unit] = []
    for unit in reversed(units):
        if unit.group != group:
            labels, group = (), unit.group
        labels = unit.labels or labels
        done.append(replace(unit, labels=labels))
    yield from reversed(done)


def _owner(text: str, spans: Sequence[Span], offset: int) -> int | None:
    """The sentence that a mark at this place of the bare text follows; the next one where it opens a line."""
    line = text.rfind("\n", 0, offset) + 1
    if not any(c.isalnum() for c in text[line:offset]):
        after = next((n for n, span in enumerate(spans) if span.end > offset), None)
        if after is not None and "\n" not in text[offset : spans[after].start]:
            return after
    before = [n for n, span in enumerate(spans) if span.start < offset]
    return before[-1] if before else 0 if spans else None


def _units(text: str) -> Iterator[tuple[Span, int]]:
    """The spans of the bare text, and the paragraph each belongs to."""
    group = 0
    fenced: int | None = None  # where the code that we are in began
    mark = ""
    for line in _lines(text):
        written = line.cut(text)
        fence = _FENCE.match(written)
        if fenced is not None:
            if fence and fence[1].startswith(mark):
                yield Span(start=fenced, end=line.start + len(written.rstrip())), group
                fenced, group = None, group + 1
        elif fence:
            fenced, mark, group = line.start + fence.start(1), fence[1], group + 1
        elif not written.strip():
            group += 1
        else:
            group += bool(_LISTED.match(written))
            start = line.start + len((_BULLET.match(written) or [""])[0])
            yield from ((span, group) for span in _sentences(text, Span(start=start, end=line.end)))
    if fenced is not None and fenced < len(text.rstrip()):
        yield Span(start=fenced, end=len(text.rstrip())), group


def _sentences(text: str, line: Span) -> Iterator[Span]:
    written = line.cut(text)
    whole = written.lstrip().startswith(("|", "#"))
    parts = (Span(start=0, end=len(written.rstrip())),) if whole else split_sentences(written)
    for part in parts:
        yield Span(start=line.start + part.start, end=line.start + part.end)


def _lines(text: str) -> Iterator[Span]:
    start = 0
    for line in text.split("\n"):
        yield Span(start=start, end=start + len(line))
        start += len(line) + 1
