"""Taking pieces out of a text, and where its other places are then.

Pure; offsets are code points.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rag.schema import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Spliced:
    """A text without some of its spans. `kept` are the spans of the original that are left, in order."""

    text: str
    kept: tuple[Span, ...]

    def place(self, offset: int) -> int:
        """Where a place of the original is now; a place inside a piece taken out moves to where that piece was."""
        before = 0
        for span in self.kept:
            if offset <= span.start:
                return before
            before += min(offset, span.end) - span.start
            if offset <= span.end:
                return before
        return before

    def span(self, span: Span) -> Span:
        return Span(start=self.place(span.start), end=self.place(span.end))

    def origin(self, offset: int) -> int:
        """Where a place stood in the original; at a seam, before what was taken out."""
        for span in self.kept:
            if offset <= len(span):
                return span.start + offset
            offset -= len(span)
        return self.kept[-1].end if self.kept else 0


def without(text: str, taken: Iterable[Span]) -> Spliced:
    """The text without these spans, which may touch or overlap."""
    kept: list[Span] = []
    at = 0
    for span in sorted(taken):
        if span.start > at:
            kept.append(Span(start=at, end=span.start))
        at = max(at, span.end)
    if at < len(text):
        kept.append(Span(start=at, end=len(text)))
    return Spliced(text="".join(span.cut(text) for span in kept), kept=tuple(kept))


def with_blank_before(text: str, span: Span) -> Span:
    """The span and the blanks before it on its line; alone where it opens the line."""
    start = span.start
    while start > 0 and text[start - 1] in " \t":
        start -= 1
    opens_line = start == 0 or text[start - 1] == "\n"
    return span if opens_line else Span(start=start, end=span.end)
