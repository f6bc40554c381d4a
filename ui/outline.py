"""The roadmap as a map: its parts and sections, what each cites, and how much of that is indexed.

Pure: a document and the works that are indexed in, values and clean HTML out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.schema import Document, Heading, Span, Work
from ui.markup import clean, escape, link
from ui.reading import Mark, reading_html
from ui.section import section_text

WORKS_CITED = "works_cited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One heading of the map, with what stands in its whole section."""

    section_id: str
    level: int
    title: str
    cited: tuple[int, ...]  # numbers of works, ascending
    indexed: int  # of these


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkState:
    """A work as the map shows it."""

    number: int
    title: str
    url: str
    source_id: str | None  # where it is indexed
    chunks: int


def outline(document: Document, works: Mapping[int, WorkState]) -> tuple[Entry, ...]:
    """All headings in order."""
    return tuple(_entry(document, heading, works) for heading in document.headings)


def work_states(
    works: tuple[Work, ...], indexed: Mapping[int, str], chunks: Mapping[str, int]
) -> dict[int, WorkState]:
    """The works of a document by number.

    Args:
        indexed: number of a work to the source that stands for it.
        chunks: source to its chunks in the index.
    """
    return {
        work.number: WorkState(
            number=work.number,
            title=work.title,
            url=work.url,
            source_id=indexed.get(work.number),
            chunks=chunks.get(indexed.get(work.number, ""), 0),
        )
        for work in works
    }


def neighbours(entries: Sequence[Entry], chosen: Entry) -> tuple[Entry | None, Entry | None]:
    """What stands before and after an entry in the order of reading."""
    at = entries.index(chosen)
    return (entries[at - 1] if at else None), (entries[at + 1] if at + 1 < len(entries) else None)


def map_html(entries: Sequence[Entry], chosen: Entry) -> str:
    """All headings as buttons, deeper ones further in; beside each how many of the works it cites are indexed."""
    return clean("".join(_map_line(entry, is_chosen=entry is chosen) for entry in entries))


def section_html(document: Document, heading: Heading) -> str:
    """What stands directly under a heading, with its reference marks as buttons (`data-open="work-12"`)."""
    text = section_text(document, heading)
    start = document.text.find(text, heading.span.start) if text else heading.span.start
    span = Span(start=start, end=start + len(text))
    marks = [
        Mark(at=mark.offset - span.start, html=_mark(mark.number))
        for mark in document.marks
        if span.start < mark.offset <= span.end
    ]
    return reading_html(text, marks=marks)


def works_list_html(works: Mapping[int, WorkState], numbers: tuple[int, ...], chosen: int | None) -> str:
    """The works that a section cites: their links and what is indexed of each."""
    items = "".join(_work(works[number], chosen) for number in numbers if number in works)
    return clean(f'<ul class="works">{items}</ul>') if items else ""


def _entry(document: Document, heading: Heading, works: Mapping[int, WorkState]) -> Entry:
    span = heading.span
    cited = {mark.number for mark in document.marks if span.start < mark.offset <= span.end}
    return Entry(
        section_id=heading.section_id,
        level=heading.level,
        title=heading.title,
        cited=tuple(sorted(cited)),
        indexed=sum(works[number].source_id is not None for number in cited if number in works),
    )


def _map_line(entry: Entry, *, is_chosen: bool) -> str:
    covered = ""
    if entry.cited:
        told = f"{len(entry.cited)} works are cited here, {entry.indexed} of them are indexed"
        covered = f'<small title="{told}">{entry.indexed} of {len(entry.cited)}</small>'
    kind = f"place level-{min(entry.level, 4)}{' chosen' if is_chosen else ''}"
    return (
        f'<button type="button" class="{kind}" data-open="{escape(entry.section_id)}">'
        f"<span>{escape(entry.title)}</span>{covered}</button>"
    )


def _mark(number: int) -> str:
    return f'<button type="button" class="cite" data-open="work-{number}" aria-label="Work {number}">{number}</button>'


def _work(work: WorkState, chosen: int | None) -> str:
    badge = (
        f'<span class="badge good">{work.chunks} chunks indexed</span>'
        if work.source_id
        else '<span class="badge">not indexed</span>'
    )
    title = link(work.url, work.title)
    kind = ' class="chosen"' if work.number == chosen else ""
    return f"<li{kind}>{work.number}. {title} {badge}</li>"
