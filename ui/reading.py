"""A document's text as it is read: list items further in, rows of tables in columns, every character as it stands.

Quotes in it are highlighted and reference marks stand at their places. Pure; the HTML is clean.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from rag.schema import Span
from ui.markup import clean, escape

_ITEM = re.compile(r"[ ]*(?:[-*•]|\d{1,3}[.)])[ ]")
_INDENT = 2  # blanks of one level of a list
_DEEPEST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Clean HTML that stands at a place in a text."""

    at: int
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    text: str
    quotes: tuple[Span, ...]
    marks: tuple[Mark, ...]


def reading_html(text: str, *, quotes: Sequence[Span] = (), marks: Sequence[Mark] = ()) -> str:
    """The text set for reading. A quote over several lines is highlighted in each of them."""
    whole = _Text(text=text, quotes=_apart(quotes), marks=tuple(sorted(marks, key=lambda mark: mark.at)))
    blocks: list[str] = []
    for tabbed, group in groupby(_lines(text), key=lambda line: "\t" in line.cut(text).strip()):
        lines = list(group)
        if tabbed and len(lines) > 1:
            blocks.append(_table(whole, lines))
        else:
            blocks += [_line(whole, line) for line in lines]
    return clean(f'<div class="text">{"".join(blocks)}</div>')


def _lines(text: str) -> Iterator[Span]:
    start = 0
    for line in text.split("\n"):
        yield Span(start=start, end=start + len(line))
        start += len(line) + 1


def _table(whole: _Text, lines: list[Span]) -> str:
    """Lines with tabs, one below the other; the first names the columns."""
    rows: list[str] = []
    for line in lines:
        kind = "td" if rows else "th"
        cells = "".join(f"<{kind}>{_inline(whole, cell)}</{kind}>" for cell in _cells(whole.text, line))
        rows.append(f"<tr>{cells}</tr>")
    return f"<table><tbody>{''.join(rows)}</tbody></table>"


def _cells(text: str, line: Span) -> Iterator[Span]:
    start = line.start
    for cell in line.cut(text).split("\t"):
        yield Span(start=start, end=start + len(cell))
        start += len(cell) + 1


def _line(whole: _Text, line: Span) -> str:
    written = line.cut(whole.text)
    item = _ITEM.match(written)
    if not item:
        return f'<div class="line">{_inline(whole, line) or "<br>"}</div>'
    indent = len(written) - len(written.lstrip(" "))
    level = min(indent // _INDENT, _DEEPEST)
    shown = _inline(whole, Span(start=line.start + indent, end=line.end))
    return f'<div class="line item in-{level}">{shown}</div>'


def _inline(whole: _Text, part: Span) -> str:
    """A part of one line, with what is highlighted and what is marked in it."""
    inside = [q for q in whole.quotes if q.start < part.end and q.end > part.start]
    pieces, at = [], part.start
    for quote in inside:
        start, end = max(quote.start, part.start), min(quote.end, part.end)
        if whole.text[start:end].strip():
            pieces += [_plain(whole, at, start), f"<mark>{_plain(whole, start, end)}</mark>"]
            at = end
    return "".join([*pieces, _plain(whole, at, part.end)])


def _plain(whole: _Text, start: int, end: int) -> str:
    """Text with its marks; one that stands between two pieces belongs to the first."""
    pieces, at = [], start
    for mark in whole.marks:
        if start < mark.at <= end:
            pieces += [escape(whole.text[at : mark.at]), mark.html]
            at = mark.at
    return "".join([*pieces, escape(whole.text[at:end])])


def _apart(quotes: Sequence[Span]) -> tuple[Span, ...]:
    """In order, none over another."""
    found: list[Span] = []
    for quote in sorted(quotes):
        start = max(quote.start, found[-1].end if found else 0)
        if start < quote.end:
            found.append(Span(start=start, end=quote.end))
    return tuple(found)
