"""From hits to passages as a person or a language model reads them: small chunks find, windows around them are read.

Pure over hits and documents. A window is a verbatim slice of its document that holds whole chunks and whole sentences
around them, never leaves their section (unless that is tiny), and overlaps no other window.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from rag.schema import BlockKind, Hit, OpenDocument, Span
from rag.sentences import split_sentences

SIZE_CHARS = 1100  # the most that hits of one section are gathered in; chosen as eval/LOG.md says
FILL_CHARS = 300  # what a window is filled up to around a lone hit
_TINY = 0.2  # a section below this share of a window's size is read with those beside it
_WHOLE = (BlockKind.HEADER, BlockKind.ROW, BlockKind.ENTRY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A part of the index that a question is limited to. None means no limit; sections belong to a source."""

    source_id: str | None = None
    section_id: str | None = None  # its subsections belong to it

    def __post_init__(self) -> None:
        if self.section_id is not None and self.source_id is None:
            raise ValueError(f"section {self.section_id!r} of which source?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A passage to be read. `document.text[span.start:span.end] == text`."""

    rows: tuple[int, ...]  # of the hits whose chunks it holds, best first
    source_id: str
    title: str
    path: str
    span: Span
    text: str
    heading_path: tuple[str, ...]  # of its best hit
    pages: tuple[int, ...]
    score: float  # fused score of its best hit


def windows(
    hits: Sequence[Hit],
    *,
    document: Callable[[str], OpenDocument],
    budget_chars: int | None = None,
    size_chars: int = SIZE_CHARS,
    fill_chars: int = FILL_CHARS,
    limit: int | None = None,
) -> tuple[Window, ...]:
    """Windows around hits, those of the best hits first.

    Hits of one section that lie within `size_chars` of each other share a window, with what stands between them; where
    the hits say most, it is widest. What is then shorter than `fill_chars` is filled up with the sentences around it.
    A chunk longer than `size_chars` is a window of its own length.

    Args:
        hits: best first.
        document: a source id's document.
        budget_chars: what all windows together may hold; a hit for which no room is left is passed over.
        limit: the most windows; hits that would open another are passed over.

    Raises:
        ValueError: a number is negative.
    """
    if min(size_chars, fill_chars, budget_chars or 0, limit or 0) < 0:
        raise ValueError("sizes and limits of windows cannot be negative")
    table = _Table(size=size_chars, budget=budget_chars, limit=limit)
    for hit in hits:
        table.place(hit, document(hit.chunk.source_id))
    for one in table.opened:
        table.fill(one, document(one.source_id), fill_chars)
    return tuple(_closed(one, document(one.source_id)) for one in table.opened)


@dataclass(slots=True, kw_only=True, eq=False)
class _Open:
    """A window in the making; `bounds` are those of its section."""

    source_id: str
    bounds: Span
    span: Span
    hits: list[Hit]


@dataclass(slots=True, kw_only=True)
class _Table:
    """The windows so far, by their best hit."""

    size: int
    budget: int | None
    limit: int | None
    opened: list[_Open] = field(default_factory=list)

    def place(self, hit: Hit, document: OpenDocument) -> None:
        chunk = hit.chunk
        beside = [one for one in self.opened if one.source_id == chunk.source_id]
        bounds = _section(document, chunk.span, tiny=int(self.size * _TINY))
        near = [(_joined(one.span, chunk.span), one) for one in beside if one.bounds == bounds]
        near = [(span, one) for span, one in near if self._may_become(one, span, beside)]
        if near:
            span, one = min(near, key=lambda pair: len(pair[0]))
            one.span = span
            one.hits.append(hit)
        elif self._has_room(len(chunk.span)) and not any(_overlap(one.span, chunk.span) for one in beside):
            self.opened.append(_Open(source_id=chunk.source_id, bounds=bounds, span=chunk.span, hits=[hit]))

    def _may_become(self, one: _Open, span: Span, beside: Sequence[_Open]) -> bool:
        """Whether a window may be widened to a span: short enough, affordable and free of other windows."""
        if span == one.span:
            return True
        clear = not any(_overlap(other.span, span) for other in beside if other is not one)
        return len(span) <= self.size and clear and len(span) - len(one.span) <= self._left()

    def _has_room(self, chars: int) -> bool:
        return (self.limit is None or len(self.opened) < self.limit) and chars <= self._left()

    def _left(self) -> float:
        used = sum(len(one.span) for one in self.opened)
        return float("inf") if self.budget is None else self.budget - used

    def fill(self, one: _Open, document: OpenDocument, chars: int) -> None:
        """Add whole sentences around a window that is shorter than `chars`."""
        others = [
            other.span for other in self.opened if other is not one and other.source_id == one.source_id
        ]
        size = int(min(chars, len(one.span) + self._left()))
        one.span = _grown(document, one.span, _free(one.span, others, within=one.bounds), size)


def _joined(one: Span, other: Span) -> Span:
    return Span(start=min(one.start, other.start), end=max(one.end, other.end))


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _section(document: OpenDocument, span: Span, *, tiny: int) -> Span:
    """The text from the heading over a span to the next heading; of the sections above while that is tiny."""
    starts = [heading.span.start for heading in document.headings]
    place = bisect_right(starts, span.start)
    end = starts[place] if place < len(starts) else len(document.text)
    bounds = Span(start=starts[place - 1] if place else 0, end=max(end, span.end))
    for heading in reversed(document.headings[:place]):
        if len(bounds) >= tiny:
            break
        if heading.span.holds(span):
            bounds = heading.span
    return bounds


def _free(span: Span, taken: Sequence[Span], *, within: Span) -> Span:
    """What is left around a span between its neighbours."""
    start = max((one.end for one in taken if one.end <= span.start), default=0)
    end = min((one.start for one in taken if one.start >= span.end), default=within.end)
    return Span(start=min(max(start, within.start), span.start), end=max(span.end, min(end, within.end)))


def _grown(document: OpenDocument, core: Span, free: Span, size: int) -> Span:
    """The core and whole sentences around it as far as they fit, on both sides alike."""
    near = Span(start=max(free.start, core.start - size), end=max(core.end, min(free.end, core.end + size)))
    units = [unit for unit in _units(document, near) if near.holds(unit)]
    before = [unit.start for unit in units if unit.end <= core.start]
    after = [unit.end for unit in reversed(units) if unit.start >= core.end]
    start, end = core.start, core.end
    while before or after:
        ahead = after and (not before or end - core.end <= core.start - start)
        first, last = (start, after.pop()) if ahead else (before.pop(), end)
        if last - first > size:
            (after if ahead else before).clear()  # no further on this side
        else:
            start, end = first, last
    return Span(start=start, end=end)


def _units(document: OpenDocument, near: Span) -> Iterator[Span]:
    """Sentences, rows and entries of the blocks that reach into a span."""
    blocks = document.blocks
    for n in range(bisect_left(blocks, near.start, key=lambda block: block.span.end), len(blocks)):
        block = blocks[n]
        if block.span.start >= near.end:
            return
        if block.kind in _WHOLE:
            yield block.span
        else:
            for start, end in _sentences(block.span.cut(document.text)):
                yield Span(start=block.span.start + start, end=block.span.start + end)


@lru_cache(maxsize=2048)
def _sentences(text: str) -> tuple[tuple[int, int], ...]:
    return tuple((span.start, span.end) for span in split_sentences(text))


def _closed(one: _Open, document: OpenDocument) -> Window:
    best = one.hits[0]
    span = one.span
    return Window(
        rows=tuple(dict.fromkeys(hit.row for hit in one.hits)),
        source_id=one.source_id,
        title=best.title,
        path=best.path,
        span=span,
        text=span.cut(document.text),
        heading_path=best.chunk.heading_path,
        pages=tuple(p.number for p in document.pages if p.span.start < span.end and span.start < p.span.end),
        score=best.scores.fused,
    )
