"""The part of a document that is shown around a quote: its section, or a window where the section is long. Pure."""

from dataclasses import dataclass

from rag.schema import Document, Heading, Span

MOST_CHARS = 6000  # a section of the roadmap is 400 to 5,000 characters long
_AROUND = 1500  # characters on either side of a quote, where the section is longer or there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A slice of a document's text and the quotes in it, as spans of that slice."""

    title: str
    text: str
    quotes: tuple[Span, ...]
    cut: bool  # there is more of it on either side


def section_around(document: Document, quotes: tuple[Span, ...]) -> Section:
    """The innermost section that holds the first quote."""
    if not quotes or any(span.end > len(document.text) for span in quotes):
        raise ValueError("no quote, or one that is not of this document")
    first = quotes[0]
    holding = [heading for heading in document.headings if heading.span.holds(first)]
    inner = min(holding, key=lambda heading: len(heading.span), default=None)
    whole = inner.span if inner else Span(start=0, end=len(document.text))
    kept = whole if len(whole) <= MOST_CHARS else _window(document.text, whole, first)
    return Section(
        title=inner.title if inner else document.title,
        text=kept.cut(document.text),
        quotes=tuple(
            Span(start=max(span.start, kept.start) - kept.start, end=min(span.end, kept.end) - kept.start)
            for span in quotes
            if span.end > kept.start and span.start < kept.end
        ),
        cut=kept != whole,
    )


def section_text(document: Document, heading: Heading) -> str:
    """What stands under a heading before the next one of any level; without the heading itself."""
    after = [other.span.start for other in document.headings if other.span.start > heading.span.start]
    end = min([heading.span.end, *after])
    return document.text[heading.span.start : end].removeprefix(heading.title).strip()


def _window(text: str, whole: Span, quote: Span) -> Span:
    start = max(whole.start, quote.start - _AROUND)
    end = min(whole.end, quote.end + _AROUND)
    if start > whole.start:  # whole lines
        start = text.rfind("\n", whole.start, start) + 1 or start
    if end < whole.end:
        end = text.find("\n", end, whole.end) if text.find("\n", end, whole.end) > 0 else end
    return Span(start=start, end=end)
