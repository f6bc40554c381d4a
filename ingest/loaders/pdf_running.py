"""What a PDF prints on many pages at the same place, and lines of a table of contents: found and left out. Pure.

A place is a running place if most of its lines come back there, digits set aside; then all of its lines go, so
that a head that follows the section goes, too. Lines larger than the body go only if their very words come back
on most pages: the titles of slides stay.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ingest.loaders.pdf_lines import Span

_EDGE_LINES = 3  # heads and feet have at most this many
_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b", re.IGNORECASE)
_LEADERS = re.compile(r"[^\W\d_]{2}.*?(?:\.\s?){4,}\s*(?:\d+|[ivxlc]+)$")
_ENTRY = re.compile(r"\S.*\s(?:\d+|[ivxlc]+)")  # of the contents; believed only beside entries with leaders
_PAGE_NUMBER = re.compile(r"[-–—\[(\s]*(?:page\s+)?#(?:\s*(?:/|of)\s*#)?[-–—\])\s]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLines:
    """A page as its reader gave it: lines in reading order. `number` is 1-based."""

    number: int
    lines: tuple[Span, ...]


def drop_running(pages: tuple[PageLines, ...]) -> tuple[tuple[PageLines, ...], tuple[str, ...]]:
    """The pages without running heads, feet and contents lines, and notes on what went."""
    body = _body_size(pages)
    seen: defaultdict[int, Counter[str]] = defaultdict(Counter)  # place -> what stands there
    for page in pages:
        for line in _edges(page):
            seen[_place(line)][_key(line)] += 1
    running = {place for place, keys in seen.items() if _is_running(keys, len(pages))}
    everywhere = max(2, round(0.6 * len(pages)))
    kept: list[PageLines] = []
    heads = contents = 0
    for page in pages:
        edges = {
            id(line)
            for line in _edges(page)
            if seen[_place(line)][_key(line)] >= everywhere
            or (_place(line) in running and line.size <= 1.1 * body)
        }
        lines = [line for line in page.lines if id(line) not in edges]
        if not lines:  # a page without anything else keeps its words
            lines = [line for line in page.lines if not _PAGE_NUMBER.fullmatch(_key(line))]
            edges -= {id(line) for line in lines}
        heads += len(edges)
        rest = tuple(_without_contents(lines))
        contents += len(lines) - len(rest)
        kept.append(replace(page, lines=rest))
    notes = [f"{heads} running heads and page numbers left out"] if heads else []
    notes += [f"{contents} lines of a table of contents left out"] if contents else []
    return tuple(page for page in kept if page.lines), tuple(notes)


def _without_contents(lines: list[Span]) -> Iterator[Span]:
    """Body lines; on a page of contents also the entries without leaders, such as those of chapters, go."""
    is_contents = sum(bool(_LEADERS.search(line.text)) for line in lines) >= 3
    for line in lines:
        if not _LEADERS.search(line.text) and not (is_contents and _ENTRY.fullmatch(line.text)):
            yield line


def _body_size(pages: tuple[PageLines, ...]) -> float:
    letters: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            letters[line.size] += len(line.text)
    return max(letters, key=lambda size: (letters[size], size)) if letters else 0.0


def _edges(page: PageLines) -> list[Span]:
    """The lines at the three highest and the three lowest places of a page."""
    heights = sorted({_place(line) for line in page.lines})
    outer = {*heights[:_EDGE_LINES], *heights[-_EDGE_LINES:]}
    return [line for line in page.lines if _place(line) in outer]


def _place(line: Span) -> int:
    return round(line.y / 2)


def _key(line: Span) -> str:
    return _DIGITS.sub("#", line.text).casefold()


def _is_running(keys: Counter[str], n_pages: int) -> bool:
    """Most of what stands here stands here on more than one page, and on a good part of the pages."""
    lines = keys.total()
    again = sum(n for n in keys.values() if n > 1)
    enough = max(2, round(0.2 * n_pages))
    numbers = sum(n for key, n in keys.items() if _PAGE_NUMBER.fullmatch(key))
    return lines >= enough and (again >= 0.6 * lines or (numbers >= 2 and numbers >= 0.4 * lines))
